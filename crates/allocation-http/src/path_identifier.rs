//! Identifiers in paths.

use crate::percent::decode;
use crate::problem::Problem;
use crate::query::{Query, parse_digits};
use actix_web::HttpRequest;
use allocation_domain::IdentifierError;
use allocation_requests::{ValidationError, ValidationErrors};

/// A type of identifier in a path.
pub(crate) trait PathIdentifier: for<'a> TryFrom<&'a str, Error = IdentifierError> {}

impl<T: for<'a> TryFrom<&'a str, Error = IdentifierError>> PathIdentifier for T {}

/// The identifiers in a request's path.
pub(crate) struct PathIdentifiers<'a> {
    path: &'a str,
    errors: ValidationErrors,
}

impl<'a> PathIdentifiers<'a> {
    /// Reads the path of a request after its query parameters were taken.
    pub(crate) fn beside(request: &'a HttpRequest, query: Query) -> Self {
        // The router matches a partly decoded path, so the original path is read.
        Self { path: request.uri().path(), errors: query.errors() }
    }

    /// Returns the identifier in a path segment, counted from 1; if it is invalid, adds an error and returns `None`.
    pub(crate) fn take<T: PathIdentifier>(&mut self, segment: usize, parameter: &'static str) -> Option<T> {
        let parsed = match decode(self.segment(segment)) {
            Some(text) => T::try_from(&*text).map_err(|error| error.to_string()),
            None => Err("must be percent-encoded UTF-8".to_owned()),
        };
        parsed.map_err(|detail| self.errors.push(ValidationError::in_parameter(parameter, detail))).ok()
    }

    /// Returns the number in a path segment, 1 or more; if it is invalid, adds an error and returns `None`.
    pub(crate) fn take_number(&mut self, segment: usize, parameter: &'static str) -> Option<u32> {
        let number =
            parse_digits(self.segment(segment)).filter(|number| (1..=i32::MAX.unsigned_abs()).contains(number));
        if number.is_none() {
            let rule = "must be an integer from 1 to 2147483647";
            self.errors.push(ValidationError::in_parameter(parameter, rule));
        }
        number
    }

    fn segment(&self, segment: usize) -> &'a str {
        self.path.split('/').nth(segment).unwrap_or_default()
    }

    /// Returns the errors of the path and the query.
    pub(crate) fn errors(self) -> ValidationErrors {
        self.errors
    }
}

/// Returns the identifier in the second segment of the path of a request without query parameters.
pub(crate) fn in_path<T: PathIdentifier>(request: &HttpRequest, parameter: &'static str) -> Result<T, Problem> {
    beside_query(request, Query::of(request), parameter)
}

/// Returns the identifier in the second segment of the path, after the query parameters were taken.
pub(crate) fn beside_query<T: PathIdentifier>(
    request: &HttpRequest,
    query: Query,
    parameter: &'static str,
) -> Result<T, Problem> {
    let mut path = PathIdentifiers::beside(request, query);
    let found = path.take(2, parameter);
    Ok(path.errors.check(found)?)
}

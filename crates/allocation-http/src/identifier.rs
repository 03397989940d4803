//! Identifiers in paths and responses.

use crate::problem::Problem;
use crate::query::{Query, parse_digits};
use actix_web::HttpRequest;
use allocation_domain::{BatchReference, IdentifierError, OrderId, PickListId, Sku};
use allocation_requests::{ValidationError, ValidationErrors};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The schema of an identifier in the OpenAPI document.
pub(crate) struct Identifier;

impl PartialSchema for Identifier {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Chosen by the caller: 1 to 255 assigned characters of Unicode in normalization form C (NFC), no \
                 control or invisible characters, no white space but the space, and none at either end, not `.` \
                 or `..`; compared exactly. Percent-encode it in a path.",
            ))
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some(r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"))
            .into()
    }
}

impl ToSchema for Identifier {}

/// An identifier in a body.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Id<'a>(pub(crate) &'a str);

impl PartialSchema for Id<'_> {
    fn schema() -> RefOr<Schema> {
        Identifier::schema()
    }
}

impl ToSchema for Id<'_> {
    fn name() -> Cow<'static, str> {
        Identifier::name()
    }
}

macro_rules! ids {
    ($($identifier:ty),+) => {$(
        impl<'a> From<&'a $identifier> for Id<'a> {
            fn from(identifier: &'a $identifier) -> Self {
                Self(identifier.as_str())
            }
        }
    )+};
}

ids!(BatchReference, OrderId, PickListId, Sku);

/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a text for a path segment or a query value.
pub(crate) fn encode(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, RESERVED)
}

/// Decodes percent-encoding once; `None` if a `%` lacks two hexadecimal digits, or if the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    let complete = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(complete) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok()
}

/// A type of identifier in a path.
pub(crate) trait PathIdentifier: for<'a> TryFrom<&'a str, Error = IdentifierError> {}

impl<T: for<'a> TryFrom<&'a str, Error = IdentifierError>> PathIdentifier for T {}

/// The identifiers in a request's path.
pub(crate) struct PathIdentifiers<'a> {
    path: &'a str,
    errors: ValidationErrors,
}

impl<'a> PathIdentifiers<'a> {
    /// Reads the path of a request without query parameters.
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self::beside(request, Query::of(request))
    }

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

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use proptest::prelude::*;

    #[test]
    fn decoding_is_done_once_and_strictly() {
        let decoded = |text| decode(text).map(String::from);
        assert_eq!(decoded("a%2fb+c%25"), Some("a/b+c%".to_owned()));
        assert_eq!(decoded("%252F"), Some("%2F".to_owned()));
        for wrong in ["%", "%2", "%%25", "a%2", "%zz", "%+1", "%é1", "%FF", "%C3", "%ED%A0%80"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn encoding_round_trips(text: String) {
            let encoded = encode(&text).to_string();
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
            prop_assert!(encoded.bytes().all(unreserved));
            prop_assert_eq!(decode(&encoded).map(String::from), Some(text));
        }

        #[test]
        fn no_text_crashes_decoding(text: String) {
            let _any = decode(&text);
        }
    }
}

//! Query parameters.

use crate::identifier::decode;
use crate::problem::Problem;
use crate::validation_error::{ValidationError, ValidationErrors};
use actix_web::HttpRequest;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

/// The parameters of a query, taken one by one. A parameter that remains is unknown.
pub(crate) struct Query {
    given: BTreeMap<String, String>,
    errors: ValidationErrors,
}

impl Query {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    /// Rejects query parameters on a path that has none.
    pub(crate) fn none(request: &HttpRequest) -> Result<(), Problem> {
        Self::of(request).errors().check(Some(()))
    }

    fn parse(query: &str) -> Self {
        let mut parameters = Self { given: BTreeMap::new(), errors: ValidationErrors::default() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // HTML forms and most clients encode a space as a plus sign.
            let pair = pair.replace('+', "%20");
            let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => parameters.add(&name, &value),
                _ => parameters.errors.push(ValidationError::in_parameter(name, "must be percent-encoded UTF-8")),
            }
        }
        parameters
    }

    fn add(&mut self, name: &str, value: &str) {
        match self.given.entry(name.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(value.to_owned());
            }
            Entry::Occupied(_) => {
                self.errors.push_with(|| ValidationError::in_parameter(name, "must be given only once"))
            }
        }
    }

    /// Takes a parameter; `None` if it is absent, or if it cannot be parsed, which adds an error.
    pub(crate) fn take<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let value = self.given.remove(name)?;
        parse(&value).map_err(|error| self.errors.push(ValidationError::in_parameter(name, error))).ok()
    }

    /// Returns the errors of the query, once all known parameters are taken.
    pub(crate) fn errors(mut self) -> ValidationErrors {
        for name in self.given.into_keys() {
            self.errors.push(ValidationError::in_parameter(name, "is not a known parameter"));
        }
        self.errors
    }
}

//! Query parameters.

use crate::percent::{decode, encode};
use crate::problem::Problem;
use actix_web::HttpRequest;
use allocation_requests::{ValidationError, ValidationErrors};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;
use std::str::FromStr;

/// The parameters of a query, taken one by one. A parameter that remains is unknown.
pub(crate) struct Query {
    given: BTreeMap<String, String>,
    /// The valid filters that were taken, encoded and each followed by `&`.
    filters: String,
    errors: ValidationErrors,
}

impl Query {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    /// Rejects query parameters on a path that has none.
    pub(crate) fn none(request: &HttpRequest) -> Result<(), Problem> {
        Self::of(request).finish()
    }

    fn parse(query: &str) -> Self {
        let mut parameters =
            Self { given: BTreeMap::new(), filters: String::new(), errors: ValidationErrors::default() };
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
                self.errors.push_with(|| ValidationError::in_parameter(name, "must be given only once"));
            }
        }
    }

    /// Takes a parameter; `None` if it is absent, or invalid, which is an error.
    pub(crate) fn take<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let value = self.given.remove(name)?;
        parse(&value).map_err(|error| self.errors.push(ValidationError::in_parameter(name, error))).ok()
    }

    /// Takes a parameter that the link to the next page repeats.
    pub(crate) fn take_filter<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.given.get(name).map(|value| format!("{name}={}&", encode(value)));
        let taken = self.take(name, parse)?;
        self.filters.extend(text);
        Some(taken)
    }

    /// Returns the valid filters that were taken, encoded and each followed by `&`.
    pub(crate) fn filters(&self) -> String {
        self.filters.clone()
    }

    /// Returns the errors of the query, once all known parameters are taken.
    pub(crate) fn errors(mut self) -> ValidationErrors {
        for name in self.given.into_keys() {
            self.errors.push(ValidationError::in_parameter(name, "is not a known parameter"));
        }
        self.errors
    }

    /// Ends the query once all known parameters are taken.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        Ok(self.errors().check(Some(()))?)
    }
}

/// Parses an integer of digits alone, without a sign.
pub(crate) fn parse_digits<T: FromStr>(text: &str) -> Option<T> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

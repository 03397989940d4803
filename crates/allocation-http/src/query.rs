//! Query parameters.

use crate::fault::{Fault, Faults};
use crate::identifier::decode;
use crate::problem::Problem;
use actix_web::HttpRequest;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

/// The parameters of a query, taken one by one. A parameter that remains is unknown.
pub(crate) struct Query {
    given: BTreeMap<String, String>,
    faults: Faults,
}

impl Query {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    /// Rejects query parameters on a path that has none.
    pub(crate) fn none(request: &HttpRequest) -> Result<(), Problem> {
        Self::of(request).faults().check(Some(()))
    }

    fn parse(query: &str) -> Self {
        let mut parameters = Self { given: BTreeMap::new(), faults: Faults::default() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // HTML forms and most clients encode a space as a plus sign.
            let pair = pair.replace('+', "%20");
            let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => parameters.add(&name, &value),
                _ => parameters.faults.push(Fault::of(name, "must be percent-encoded UTF-8")),
            }
        }
        parameters
    }

    fn add(&mut self, name: &str, value: &str) {
        match self.given.entry(name.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(value.to_owned());
            }
            Entry::Occupied(_) => self.faults.push_with(|| Fault::of(name, "must be given only once")),
        }
    }

    /// Takes a parameter; `None` if it is absent, or if it cannot be parsed, which adds a fault.
    pub(crate) fn take<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let value = self.given.remove(name)?;
        parse(&value).map_err(|error| self.faults.push(Fault::of(name, error))).ok()
    }

    /// Returns the faults of the query, once all known parameters are taken.
    pub(crate) fn faults(mut self) -> Faults {
        for name in self.given.into_keys() {
            self.faults.push(Fault::of(name, "is not a known parameter"));
        }
        self.faults
    }
}

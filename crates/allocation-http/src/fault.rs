//! Validation faults of requests.

use crate::problem::{Kind, Problem};
use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use serde::Serialize;
use std::fmt;
use std::ops::ControlFlow;
use utoipa::ToSchema;

/// A fault of a request: its location and its detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) detail: String,
}

/// The location of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// The name of a parameter in the path or the query.
    Parameter(String),
}

/// One thing that is wrong with a request: where, and what.
#[derive(ToSchema)]
#[schema(as = Fault)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct FaultSchema {
    /// Where in the body: a JSON pointer (RFC 6901). Absent for a parameter.
    #[schema(value_type = String, required = false, example = "/qty")]
    pointer: Option<String>,
    /// Which parameter of the path or the query. Absent for the body.
    #[schema(value_type = String, required = false, example = "limit")]
    parameter: Option<String>,
    /// What is wrong, for a person to read.
    #[schema(example = "must be an integer from 1 to 2147483647")]
    detail: String,
}

impl Fault {
    /// Creates a fault in the body.
    pub(crate) fn at(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { place: Place::Pointer(pointer.into()), detail: detail.to_string() }
    }

    /// Creates a fault in the path or the query.
    pub(crate) fn of(parameter: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { place: Place::Parameter(parameter.into()), detail: detail.to_string() }
    }

    fn bytes(&self) -> usize {
        let (Place::Pointer(place) | Place::Parameter(place)) = &self.place;
        place.len() + self.detail.len()
    }
}

/// All faults of a request.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    listed: Vec<Fault>,
    /// The bytes of the listed faults.
    bytes: usize,
    /// The number of faults, listed or not.
    count: usize,
}

impl Faults {
    /// The size from which further faults are counted but not listed: hundreds of faults.
    ///
    /// The JSON pointers of a body full of faults could exhaust memory.
    const MAX_BYTES: usize = 64 * 1024;

    pub(crate) fn push(&mut self, fault: Fault) {
        self.push_with(|| fault);
    }

    /// Adds a fault, which is built only if it is listed.
    pub(crate) fn push_with(&mut self, fault: impl FnOnce() -> Fault) {
        self.count += 1;
        if self.bytes < Self::MAX_BYTES {
            let fault = fault();
            self.bytes += fault.bytes();
            self.listed.push(fault);
        }
    }

    /// Appends the faults of another pass.
    pub(crate) fn append(&mut self, other: Self) {
        let unlisted = other.count - other.listed.len();
        other.listed.into_iter().for_each(|fault| self.push(fault));
        self.count += unlisted;
    }

    /// Returns the value, or appends the faults and returns `None`.
    pub(crate) fn keep<T>(&mut self, found: Result<T, Self>) -> Option<T> {
        found.map_err(|faults| self.append(faults)).ok()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Rewrites the listed faults.
    pub(crate) fn map(self, rewrite: impl FnMut(Fault) -> Fault) -> Self {
        Self { listed: self.listed.into_iter().map(rewrite).collect(), ..self }
    }

    /// Returns the value if the request has no faults, and a problem otherwise.
    pub(crate) fn check<T>(self, found: Option<T>) -> Result<T, Problem> {
        match found {
            Some(found) if self.count == 0 => Ok(found),
            _ => Err(self.into()),
        }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        let mut faults = Self::default();
        faults.push(fault);
        faults
    }
}

impl From<Faults> for Problem {
    fn from(Faults { listed, count, .. }: Faults) -> Self {
        let detail = match &*listed {
            [Fault { place: Place::Pointer(whole), detail }] if whole.is_empty() => format!("The body {detail}"),
            [Fault { place: Place::Pointer(place) | Place::Parameter(place), detail }] if count == 1 => {
                format!("{place} {detail}")
            }
            all if all.len() == count => format!("The request has {count} faults, listed in errors"),
            first => format!("The request has {count} faults, the first {} of them listed in errors", first.len()),
        };
        Self::new(Kind::Validation, detail).with_errors(listed)
    }
}

/// Returns the JSON pointer (RFC 6901) of a location in a body.
pub(crate) fn pointer(location: ValuePointerRef<'_>) -> String {
    match location {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => format!("{}/{}", pointer(*prev), escape(key)),
        ValuePointerRef::Index { index, prev } => format!("{}/{index}", pointer(*prev)),
    }
}

/// Escapes a member name for a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl MergeWithError<Self> for Faults {
    fn merge(all: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut all = all.unwrap_or_default();
        all.append(other);
        ControlFlow::Continue(all)
    }
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(
        all: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let (location, detail) = match error {
            ErrorKind::MissingField { field } => (location.push_key(field), "is missing".to_owned()),
            ErrorKind::UnknownKey { key, accepted: [] } => {
                (location.push_key(key), "is not known; there are no members".to_owned())
            }
            ErrorKind::UnknownKey { key, accepted } => {
                (location.push_key(key), format!("is not known; known are {}", accepted.join(", ")))
            }
            ErrorKind::UnknownValue { accepted, .. } => (location, format!("must be one of {}", accepted.join(", "))),
            ErrorKind::IncorrectValueKind { actual, accepted } => {
                let accepted: Vec<_> = accepted.iter().map(|kind| name(*kind)).collect();
                (location, format!("must be {}, not {}", accepted.join(" or "), name(actual.kind())))
            }
            ErrorKind::BadSequenceLen { expected, .. } => (location, format!("must have {expected} elements")),
            ErrorKind::Unexpected { msg } => (location, msg),
        };
        Self::merge(all, Fault::at(pointer(location), detail).into(), location)
    }
}

/// Returns the name of a JSON type, for messages.
pub(crate) const fn name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "a boolean",
        ValueKind::Integer | ValueKind::NegativeInteger | ValueKind::Float => "a number",
        ValueKind::String => "a string",
        ValueKind::Sequence => "an array",
        ValueKind::Map => "an object",
    }
}

/// Returns the fault of a value of the wrong type, or of one that breaks a rule.
pub(crate) fn refuse<T>(location: ValuePointerRef<'_>, detail: impl Into<String>) -> Result<T, Faults> {
    Err(Fault::at(pointer(location), detail.into()).into())
}

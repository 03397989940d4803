//! Validation errors of requests.

use crate::problem::{Kind, Problem};
use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use serde::Serialize;
use std::fmt;
use std::ops::ControlFlow;
use utoipa::ToSchema;

/// An error of a request: its location and its detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ValidationError {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) detail: String,
}

/// The location of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// The name of a parameter in the path or the query.
    Parameter(String),
}

/// A validation error: its location and what is wrong.
#[derive(ToSchema)]
#[schema(as = ValidationError)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ValidationErrorSchema {
    /// The location in the body, a JSON pointer (RFC 6901). Absent for parameters.
    #[schema(value_type = String, required = false, example = "/qty")]
    pointer: Option<String>,
    /// The parameter in the path, the query or a header. Absent for the body.
    #[schema(value_type = String, required = false, example = "limit")]
    parameter: Option<String>,
    /// A human-readable description.
    #[schema(example = "must be an integer from 1 to 2147483647")]
    detail: String,
}

impl ValidationError {
    /// Creates an error in the body.
    pub(crate) fn in_body(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { place: Place::Pointer(pointer.into()), detail: detail.to_string() }
    }

    /// Creates an error in the path or the query.
    pub(crate) fn in_parameter(parameter: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { place: Place::Parameter(parameter.into()), detail: detail.to_string() }
    }

    fn bytes(&self) -> usize {
        let (Place::Pointer(place) | Place::Parameter(place)) = &self.place;
        place.len() + self.detail.len()
    }
}

/// All errors of a request.
#[derive(Debug, Default)]
pub(crate) struct ValidationErrors {
    listed: Vec<ValidationError>,
    /// The bytes of the listed errors.
    bytes: usize,
    /// The number of errors, listed or not.
    count: usize,
}

impl ValidationErrors {
    /// The size from which further errors are counted but not listed: hundreds of errors.
    ///
    /// The JSON pointers of a body full of errors could exhaust memory.
    const MAX_BYTES: usize = 64 * 1024;

    pub(crate) fn push(&mut self, error: ValidationError) {
        self.push_with(|| error);
    }

    /// Adds an error, which is built only if it is listed.
    pub(crate) fn push_with(&mut self, error: impl FnOnce() -> ValidationError) {
        self.count += 1;
        if self.bytes < Self::MAX_BYTES {
            let error = error();
            self.bytes += error.bytes();
            self.listed.push(error);
        }
    }

    /// Appends the errors of another pass.
    pub(crate) fn append(&mut self, other: Self) {
        let unlisted = other.count - other.listed.len();
        other.listed.into_iter().for_each(|error| self.push(error));
        self.count += unlisted;
    }

    /// Returns the value, or appends the errors and returns `None`.
    pub(crate) fn keep<T>(&mut self, found: Result<T, Self>) -> Option<T> {
        found.map_err(|errors| self.append(errors)).ok()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Rewrites the listed errors.
    pub(crate) fn map(self, rewrite: impl FnMut(ValidationError) -> ValidationError) -> Self {
        Self { listed: self.listed.into_iter().map(rewrite).collect(), ..self }
    }

    /// Returns the value if the request has no errors, and a problem otherwise.
    pub(crate) fn check<T>(self, found: Option<T>) -> Result<T, Problem> {
        match found {
            Some(found) if self.count == 0 => Ok(found),
            _ => Err(self.into()),
        }
    }
}

impl From<ValidationError> for ValidationErrors {
    fn from(error: ValidationError) -> Self {
        let mut errors = Self::default();
        errors.push(error);
        errors
    }
}

impl From<ValidationErrors> for Problem {
    fn from(ValidationErrors { listed, count, .. }: ValidationErrors) -> Self {
        let detail = match &*listed {
            [ValidationError { place: Place::Pointer(whole), detail }] if whole.is_empty() => {
                format!("The body {detail}")
            }
            [ValidationError { place: Place::Pointer(place) | Place::Parameter(place), detail }] if count == 1 => {
                format!("{place} {detail}")
            }
            all if all.len() == count => format!("The request has {count} errors, listed in errors"),
            first => format!("The request has {count} errors, the first {} of them listed in errors", first.len()),
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

impl MergeWithError<Self> for ValidationErrors {
    fn merge(all: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut all = all.unwrap_or_default();
        all.append(other);
        ControlFlow::Continue(all)
    }
}

impl DeserializeError for ValidationErrors {
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
        Self::merge(all, ValidationError::in_body(pointer(location), detail).into(), location)
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

/// Returns the error of a value of the wrong type, or of one that breaks a rule.
pub(crate) fn refuse<T>(location: ValuePointerRef<'_>, detail: impl Into<String>) -> Result<T, ValidationErrors> {
    Err(ValidationError::in_body(pointer(location), detail.into()).into())
}

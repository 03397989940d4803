//! Validation errors in problems.

use crate::problem::{Kind, Problem};
use allocation_requests::{Location, ValidationError, ValidationErrors};
use utoipa::ToSchema;

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

impl From<ValidationError> for Problem {
    fn from(error: ValidationError) -> Self {
        ValidationErrors::from(error).into()
    }
}

impl From<ValidationErrors> for Problem {
    fn from(errors: ValidationErrors) -> Self {
        let count = errors.count();
        let detail = match errors.listed() {
            [ValidationError { location: Location::Pointer(whole), detail }] if whole.is_empty() => {
                format!("The body {detail}")
            }
            [error] if count == 1 => error.to_string(),
            all if all.len() == count => format!("The request has {count} errors, listed in errors"),
            first => format!("The request has {count} errors, the first {} of them listed in errors", first.len()),
        };
        Self::new(Kind::Validation, detail).with_errors(errors.into_listed())
    }
}

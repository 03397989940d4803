//! The schemas of problems in the OpenAPI document.

#![expect(dead_code, reason = "only the schemas are used")]

use crate::identifier::{Id, Identifier};
use utoipa::ToSchema;

/// A problem (RFC 9457).
#[derive(ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemSchema {
    /// The type of the problem, which programs compare. `GET` returns its description.
    #[schema(example = "/problems/batch-not-found")]
    r#type: String,
    /// A short summary of the type.
    #[schema(example = "Batch not found")]
    title: String,
    /// The HTTP status.
    #[schema(value_type = i32, minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// A human-readable description of this occurrence.
    #[schema(example = "There is no batch B-1")]
    detail: String,
}

/// An invalid request.
#[derive(ToSchema)]
pub(crate) struct ValidationProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// All validation errors.
    #[schema(min_items = 1)]
    errors: Vec<ValidationErrorSchema>,
}

/// A validation error: its location and what is wrong.
#[derive(ToSchema)]
#[schema(as = ValidationError)]
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

/// A line for which the free units of all batches do not suffice.
#[derive(ToSchema)]
pub(crate) struct OutOfStockProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// The ordered SKU.
    sku: Id<'static>,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    requested: u32,
    /// The units that are free in all batches together.
    #[schema(value_type = i64, minimum = 0, example = 3)]
    available: u64,
}

/// Order lines for which stock does not suffice.
#[derive(ToSchema)]
pub(crate) struct OrderOutOfStockProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// All lines for which stock does not suffice.
    #[schema(min_items = 1)]
    shortages: Vec<ShortageSchema>,
}

/// SKUs of an order that are not registered.
#[derive(ToSchema)]
pub(crate) struct UnknownSkuProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// All unknown SKUs.
    #[schema(value_type = Vec<Identifier>, min_items = 1)]
    skus: Vec<String>,
}

/// A line for which stock does not suffice.
#[derive(ToSchema)]
#[schema(as = Shortage)]
pub(crate) struct ShortageSchema {
    /// The ordered SKU.
    sku: Id<'static>,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, example = 4)]
    requested: u32,
    /// The units that are free in all batches together.
    #[schema(value_type = i64, minimum = 0, example = 3)]
    available: u64,
}

/// Events that are no longer retained.
#[derive(ToSchema)]
pub(crate) struct EventsGoneProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// The smallest valid `after`: the position before the oldest retained event.
    #[schema(example = "5000")]
    oldest: String,
}

/// Lines of a pick list that are still open.
#[derive(ToSchema)]
pub(crate) struct NotPickedProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// The numbers of the lines.
    #[schema(value_type = Vec<i32>, min_items = 1)]
    lines: Vec<u32>,
}

/// A scope that the key of a request lacks.
#[derive(ToSchema)]
pub(crate) struct MissingScopeProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// The scope that the operation needs.
    #[schema(example = "orders:write")]
    scope: String,
}

/// Failed readiness checks.
#[derive(ToSchema)]
pub(crate) struct NotReadyProblem {
    #[serde(flatten)]
    problem: ProblemSchema,
    /// The failed checks. Empty if keys are required and the request has none.
    checks: Vec<FailedCheckSchema>,
}

/// A failed readiness check.
#[derive(ToSchema)]
#[schema(as = FailedCheck)]
pub(crate) struct FailedCheckSchema {
    /// The name of the check.
    #[schema(example = "database")]
    name: String,
    /// A human-readable description.
    #[schema(example = "The database does not accept a write")]
    detail: String,
}

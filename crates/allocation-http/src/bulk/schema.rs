#![expect(dead_code, reason = "only the schemas are used")]

use crate::problem::schema::ProblemSchema;
use utoipa::ToSchema;

/// A line of the response to a bulk request: what became of an item, or the last line.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum BulkAnswer {
    Done(DoneItem),
    Failed(FailedItem),
    Totals(BulkTotals),
}

/// An item that was carried out, or had been before.
#[derive(ToSchema)]
pub(crate) struct DoneItem {
    /// The status that a request of its own would have.
    #[schema(value_type = i32, minimum = 200, maximum = 201, example = 201)]
    status: u16,
    /// The body that the response to a request of its own would have.
    #[schema(value_type = Object)]
    body: (),
}

/// An item that was not carried out.
#[derive(ToSchema)]
pub(crate) struct FailedItem {
    /// The status of the problem.
    #[schema(value_type = i32, minimum = 400, maximum = 599, example = 409)]
    status: u16,
    /// The problem that a request of its own would have.
    problem: ProblemSchema,
}

/// The last line of the response to a bulk request. Without it, the response is not complete.
#[derive(ToSchema)]
pub(crate) struct BulkTotals {
    /// The number of items with a body.
    #[schema(value_type = i32, minimum = 0, maximum = 10_000, example = 1)]
    done: u32,
    /// The number of items with a problem.
    #[schema(value_type = i32, minimum = 0, maximum = 10_000, example = 0)]
    failed: u32,
}

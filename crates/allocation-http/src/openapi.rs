//! The OpenAPI document.

mod examples;
mod problems;

pub(crate) use problems::{document, problems};

use crate::problem::Kind;
use crate::{allocation, batch, fault, health, problem};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Allocation Service",
        description = include_str!("openapi/conventions.md"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The server that this document comes from")),
    tags(
        (name = "Batches", description = "Stock, in the warehouse or on its way."),
        (name = "Allocations", description = "Which batch serves which order line."),
        (name = "Problems", description = "What errors mean."),
        (name = "Service", description = "The state of the service itself."),
    ),
    paths(
        batch::add,
        batch::list,
        batch::find,
        batch::remove,
        allocation::allocate,
        allocation::list,
        allocation::deallocate,
        problem::catalogue::list,
        problem::catalogue::find,
        health::livez,
        health::readyz,
    ),
    components(schemas(
        allocation::Part<'_>,
        fault::FaultSchema,
        problems::ProblemSchema,
        problems::ValidationProblem,
        problems::OutOfStockProblem,
    )),
)]
struct Document;

/// The OpenAPI document of this API.
#[must_use]
pub fn openapi() -> OpenApi {
    Document::openapi()
}

/// The OpenAPI document as JSON, indented, with a newline at its end.
#[must_use]
pub fn openapi_json() -> String {
    // Serialising the document into memory does not fail.
    let mut json = openapi().to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

#[cfg(test)]
mod tests;

//! The OpenAPI document.

use crate::problem::{document_edge, schema};
use crate::{allocation, backorder, batch, bulk, event, health, metrics, order, pick_list, problem_type, product};
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
        (name = "Batches", description = "Stock, in the warehouse or inbound."),
        (name = "Allocations", description = "Which batch serves which order line."),
        (name = "Orders", description = "Lines that are placed, held, confirmed and cancelled together."),
        (name = "Pick lists", description = "Units that the warehouse picks and ships."),
        (name = "Products", description = "The totals and the availability of each SKU."),
        (name = "Events", description = "All changes, in one order."),
        (name = "Problems", description = "The types of errors."),
        (name = "Service", description = "The state of the service itself."),
    ),
    paths(
        batch::add,
        bulk::add_batches,
        batch::list,
        batch::find,
        batch::change,
        batch::remove,
        allocation::allocate,
        bulk::allocate_lines,
        allocation::list,
        allocation::deallocate,
        order::place,
        bulk::place_orders,
        order::list,
        order::find,
        order::cancel,
        order::confirm,
        order::extend,
        order::history,
        backorder::list,
        pick_list::make,
        pick_list::list,
        pick_list::find,
        pick_list::pick,
        pick_list::ship,
        pick_list::release,
        product::list,
        product::find,
        product::register,
        product::availability,
        event::list,
        event::stream,
        problem_type::list,
        problem_type::find,
        health::livez,
        health::readyz,
        metrics::metrics,
    ),
    components(schemas(
        allocation::Part<'_>,
        event::EventDataSchema,
        pick_list::FormatSchema,
        schema::ProblemSchema,
        schema::ValidationErrorSchema,
        schema::ValidationProblem,
        schema::OutOfStockProblem,
        schema::OrderOutOfStockProblem,
        schema::UnknownSkuProblem,
        schema::EventsGoneProblem,
        schema::NotPickedProblem,
        schema::NotReadyProblem,
        schema::FailedCheckSchema,
    )),
)]
struct Document;

/// Returns the OpenAPI document of this API.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = Document::openapi();
    document_edge(&mut document);
    document
}

/// Returns the OpenAPI document as indented JSON with a trailing newline.
#[must_use]
#[expect(clippy::expect_used, reason = "serialising the document into memory does not fail")]
pub fn openapi_json() -> String {
    let mut json = openapi().to_pretty_json().expect("the document is JSON");
    json.push('\n');
    json
}

#[cfg(test)]
mod tests;

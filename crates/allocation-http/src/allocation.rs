//! Allocations: which batch serves which order line.

mod line;
mod response;

pub(crate) use line::{LineAllocation, NewLineSchema, Part};
pub(crate) use response::Row;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{self, PageParamsSchema, PageRequest, PageResponse};
use crate::path_identifier::PathIdentifiers;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, event_context, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::Outcome;
use allocation_ports::{AllocationCursor, AllocationFilter, Queries};
use chrono::{DateTime, Utc};

pub(crate) fn routes() -> [Path; 2] {
    [
        Path::new("/allocations").post(Scope::OrdersWrite, allocate).get(Scope::Read, list),
        Path::new("/allocations/{order_id}/batch/{reference}").delete(Scope::OrdersWrite, deallocate),
    ]
}

document!(AllocateLineProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OutOfStock, LineAlreadyAllocated, HoldExpired,
    OrderCancelled, OrderClosed, Overloaded, SchemaNotCurrent, DatabaseUnavailable, ShuttingDown, InternalError,
);
document!(ListAllocationsProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(DeallocateLineProblems:
    Validation, BatchNotFound, AllocationNotFound, AlreadyPicked, Overloaded, SchemaNotCurrent, DatabaseUnavailable,
    InternalError,
);

/// Allocate an order line
///
/// Repeating the request changes nothing. A line that lost units to a deallocation can be sent again with
/// its full quantity: it keeps its units, and the missing ones are allocated.
#[utoipa::path(
    post,
    path = "/allocations",
    operation_id = "allocateLine",
    tag = "Allocations",
    request_body(content = NewLineSchema, example = json!({ "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10 })),
    responses(
        (status = 201, description = "Units were allocated", body = LineAllocation<'_>,
            example = json!({
                "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "reference": "B-1",
                "allocations": [{ "reference": "B-1", "qty": 10, "eta": "2027-01-15" }]
            })),
        (status = 200, description = "All units of the line were already allocated", body = LineAllocation<'_>,
            example = json!({
                "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "reference": "B-1",
                "allocations": [{ "reference": "B-1", "qty": 10, "eta": "2027-01-15" }]
            })),
        AllocateLineProblems,
    ),
)]
pub(crate) async fn allocate(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let line = body::read(&request, payload).await?;
    match api.engine.allocate(line, event_context::of(&request)).await? {
        Outcome::Changed(line) => respond::json(StatusCode::CREATED, &LineAllocation::from(&line)),
        Outcome::Unchanged(line) => respond::json(StatusCode::OK, &LineAllocation::from(&line)),
    }
}

/// List allocations
///
/// Returns one row for each line and batch, sorted by SKU, order and batch.
#[utoipa::path(
    get,
    path = "/allocations",
    operation_id = "listAllocations",
    tag = "Allocations",
    params(
        ("order_id" = Option<Identifier>, Query, description = "Only lines of this order"),
        ("sku" = Option<Identifier>, Query, description = "Only lines of this SKU"),
        ("reference" = Option<Identifier>, Query, description = "Only units in this batch"),
        PageParamsSchema,
    ),
    responses(
        (status = 200, description = "A page of allocations", body = Vec<Row<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{ "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "reference": "B-1" }])),
        ListAllocationsProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let filter = AllocationFilter {
        order_id: query.take_filter("order_id", str::parse),
        sku: query.take_filter("sku", str::parse),
        reference: query.take_filter("reference", str::parse),
    };
    let page = PageRequest::take(&mut query);
    query.finish()?;
    // An order has few lines, which an index finds.
    let of_one_order = filter.order_id.is_some();
    let read = move |queries: &dyn Queries, now| read_page(queries, &filter, page, now);
    let page = if of_one_order { api.read(&request, read).await } else { api.search(&request, read).await }?;
    Ok(page.into())
}

/// Deallocate the units that an order has in a batch
#[utoipa::path(
    delete,
    path = "/allocations/{order_id}/batch/{reference}",
    operation_id = "deallocateLine",
    tag = "Allocations",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-1"),
        ("reference" = Identifier, Path, description = "The batch", example = "B-1"),
    ),
    responses((status = 204, description = "The units are free"), DeallocateLineProblems),
)]
pub(crate) async fn deallocate(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut path = PathIdentifiers::of(&request);
    let found = path.take(2, "order_id").zip(path.take(4, "reference"));
    let (order_id, reference) = path.errors().check(found)?;
    let use_cases = api.use_cases(&request);
    api.gate.run(&request, move || use_cases.deallocate(&order_id, &reference)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn read_page(
    queries: &dyn Queries,
    filter: &AllocationFilter,
    page: PageRequest<AllocationCursor>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let rows = queries.allocations(filter, page.after.clone(), page.size, now)?;
    let next = page::next(page.size, &rows, |after, size| queries.allocations(filter, after, size, now))?;
    page.response("/allocations", &rows.iter().map(Row::from).collect::<Vec<_>>(), next)
}

#[cfg(test)]
mod tests;

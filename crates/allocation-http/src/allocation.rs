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
use crate::{body, dry_run, event_context, repeat, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{BatchReference, Event, OrderId, OrderLine, Outcome};
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
    OrderCancelled, OrderClosed, AlreadyUndone, IdempotencyKeyReused, Overloaded, SchemaNotCurrent, DatabaseUnavailable, ShuttingDown, InternalError,
);
document!(ListAllocationsProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(DeallocateLineProblems:
    Validation, BatchNotFound, AllocationNotFound, AlreadyPicked, IdempotencyKeyReused, Overloaded, SchemaNotCurrent, DatabaseUnavailable,
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
    params(
        ("dry_run" = Option<bool>, Query, description = "Only return what would be allocated, and allocate nothing"),
        ("Idempotency-Key" = Option<String>, Header, description =
            "A key of this request alone: a duplicate is recognized even after its effect was undone"),
    ),
    request_body(content = NewLineSchema, example = json!({ "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10 })),
    responses(
        (status = 201, description = "Units were allocated", body = LineAllocation<'_>,
            example = json!({
                "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "reference": "B-1",
                "allocations": [{ "reference": "B-1", "qty": 10, "eta": "2027-01-15" }]
            })),
        (status = 200, description =
            "All units of the line were already allocated. Or the line as it would be (`dry_run`)", body = LineAllocation<'_>,
            example = json!({
                "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "reference": "B-1",
                "allocations": [{ "reference": "B-1", "qty": 10, "eta": "2027-01-15" }]
            })),
        AllocateLineProblems,
    ),
)]
pub(crate) async fn allocate(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), line): ((), OrderLine) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    let allocated = if is_dry_run {
        let use_cases = api.use_cases(&request);
        api.gate.run(&request, move || use_cases.preview_line(&line)).await?
    } else if is_repeat(&api, &request, &line).await? {
        let use_cases = api.use_cases(&request);
        let unchanged = move || repeat::unchanged(use_cases.preview_line(&line));
        Outcome::Unchanged(api.gate.run(&request, unchanged).await?)
    } else {
        api.engine.allocate(line, event_context::of(&request)).await?
    };
    match allocated {
        Outcome::Changed(line) if !is_dry_run => respond::json(StatusCode::CREATED, &LineAllocation::from(&line)),
        Outcome::Changed(line) | Outcome::Unchanged(line) => {
            respond::json(StatusCode::OK, &LineAllocation::from(&line))
        }
    }
}

/// Returns whether this line was allocated by a request with the same key.
async fn is_repeat(api: &Api, request: &HttpRequest, line: &OrderLine) -> Result<bool, Problem> {
    let line = line.clone();
    let concerns = move |event: &Event| match event {
        Event::Allocated { order_id, sku, line_quantity, .. } => {
            (order_id, sku, *line_quantity) == (line.order_id(), line.sku(), line.quantity())
        }
        _ => false,
    };
    repeat::is_repeat(api, request, &["allocated"], concerns).await
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
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("Idempotency-Key" = Option<String>, Header, description =
            "A key of this request alone: a duplicate is recognized even after its effect was undone"),
    ),
    responses((status = 204, description = "The units are free"), DeallocateLineProblems),
)]
pub(crate) async fn deallocate(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take::<OrderId>(2, "order_id").zip(path.take::<BatchReference>(4, "reference"));
    let (order_id, reference) = path.errors().check(found)?;
    let (order, batch) = (order_id.clone(), reference.clone());
    let concerns = move |event: &Event| match event {
        Event::Deallocated { order_id, reference, .. } => (order_id, reference) == (&order, &batch),
        _ => false,
    };
    if !repeat::is_repeat(&api, &request, &["deallocated"], concerns).await? {
        let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
        api.gate.run(&request, move || use_cases.deallocate(&order_id, &reference)).await?;
    }
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

//! Bulk requests: many lines, orders or batches in one request, answered in their order as a stream.

mod answers;
mod item;
mod schema;

use crate::api::Api;
use crate::body::{Items, LINES};
use crate::problem::{Problem, document};
use crate::resource::Path;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{NewOrder, OrderLine};
use allocation_requests::AddBatch;
use item::{Bulk, BulkItem};
use schema::BulkAnswer;

pub(crate) fn routes() -> [Path; 3] {
    [
        Path::new("/allocations/bulk").post(Scope::OrdersWrite, allocate_lines),
        Path::new("/orders/bulk").post(Scope::OrdersWrite, place_orders).shared(),
        Path::new("/batch/bulk").post(Scope::BatchesWrite, add_batches).shared(),
    ]
}

document!(BulkProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, Overloaded, InternalError,
);

/// Allocate many order lines
///
/// Each item is a line as `POST /allocations` takes it, and is answered by the same rules: the response has one
/// line for each item, in the order of the items, and a last one with the totals. An invalid item affects no
/// other. Items are carried out in groups while the client reads; a client that stops reading stops the rest.
/// Repeating the request has the effect of one.
#[utoipa::path(
    post,
    path = "/allocations/bulk",
    operation_id = "allocateLines",
    tag = "Allocations",
    request_body(description = "From 1 to 10,000 lines: an array, or one on each line of the body", content(
        (Vec<crate::allocation::NewLineSchema> = "application/json",
            example = json!([{ "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10 }])),
        (crate::allocation::NewLineSchema = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "One JSON object on each line", body = BulkAnswer,
            content_type = "application/x-ndjson",
            example = json!({ "status": 201, "body": {
                "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "reference": "B-1",
                "allocations": [{ "reference": "B-1", "qty": 10, "eta": "2027-01-15" }]
            } })),
        BulkProblems,
    ),
)]
pub(crate) async fn allocate_lines(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    respond::<OrderLine>(api, request, payload).await
}

/// Place many orders
///
/// Each item is an order as `POST /orders` takes it, and is answered by the same rules: the response has one line
/// for each item, in the order of the items, and a last one with the totals. Each order is placed as a whole or
/// not at all, and affects no other. Orders are placed in groups while the client reads; a client that stops
/// reading stops the rest. Repeating the request has the effect of one.
#[utoipa::path(
    post,
    path = "/orders/bulk",
    operation_id = "placeOrders",
    tag = "Orders",
    request_body(description = "From 1 to 10,000 orders: an array, or one on each line of the body", content(
        (Vec<crate::order::NewOrderSchema> = "application/json",
            example = json!([
                { "order_id": "O-6", "lines": [{ "sku": "LAMP", "qty": 2 }], "hold_seconds": 600 },
                { "order_id": "O-9", "lines": [{ "sku": "LAMP", "qty": 1 }] }
            ])),
        (crate::order::NewOrderSchema = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "One JSON object on each line", body = BulkAnswer,
            content_type = "application/x-ndjson",
            example = json!({ "status": 201, "body": { "order_id": "O-6", "status": "held", "lines": [
                { "sku": "LAMP", "qty": 2, "allocated": 2, "backordered": 0,
                    "allocations": [{ "reference": "B-5", "qty": 2, "eta": null }] }
            ], "expires_at": "2027-01-10T08:10:00Z" } })),
        BulkProblems,
    ),
)]
pub(crate) async fn place_orders(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    respond::<NewOrder>(api, request, payload).await
}

/// Add many batches
///
/// Each item is a batch as `POST /batch` takes it, and is answered by the same rules: the response has one line
/// for each item, in the order of the items, and a last one with the totals. An invalid item affects no other.
/// Batches are added while the client reads; a client that stops reading stops the rest. Repeating the request
/// has the effect of one.
#[utoipa::path(
    post,
    path = "/batch/bulk",
    operation_id = "addBatches",
    tag = "Batches",
    request_body(description = "From 1 to 10,000 batches: an array, or one on each line of the body", content(
        (Vec<crate::batch::NewBatchSchema> = "application/json",
            example = json!([
                { "reference": "B-3", "sku": "RED-CHAIR", "purchased_quantity": 5 },
                { "reference": "B-5", "sku": "LAMP", "purchased_quantity": 20 }
            ])),
        (crate::batch::NewBatchSchema = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "One JSON object on each line", body = BulkAnswer,
            content_type = "application/x-ndjson",
            example = json!({ "status": 201, "body": {
                "reference": "B-3", "sku": "RED-CHAIR", "purchased_quantity": 5,
                "allocated_quantity": 0, "available_quantity": 5, "eta": null
            } })),
        BulkProblems,
    ),
)]
pub(crate) async fn add_batches(
    api: Data<Api>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    respond::<AddBatch>(api, request, payload).await
}

async fn respond<T: BulkItem>(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let items = Items::receive(&request, payload).await?;
    let mut response = HttpResponse::build(StatusCode::OK);
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static(LINES)));
    Ok(response.streaming(answers::stream::<T>(Bulk::new(api, request), items)))
}

#[cfg(test)]
mod tests;

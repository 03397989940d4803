//! Orders that are closed.

use super::Order;
use crate::api::Api;
use crate::identifier::Identifier;
use crate::path_identifier::PathIdentifiers;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::{body, dry_run, etag};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::OrderId;
use allocation_requests::Empty;

document!(CloseOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, OrderChanged, HoldExpired,
    OrderCancelled, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Close an order
///
/// Nothing more is to come: the order waits for nothing, and its units that are not picked are free, for waiting lines
/// first. Lines of pick lists that are not picked are withdrawn; picked units are still shipped. An order that is held
/// is closed like a firm one. The order is `closed` once nothing of it is to be shipped, also if nothing was; it is
/// `shipped` if all its units were shipped.
///
/// A closed order cannot be opened again. The body can be empty or an empty object. Repeating the request changes
/// nothing.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/close",
    operation_id = "closeOrder",
    tag = "Orders",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-8"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to close, a list of them, or `*` for any"),
    ),
    responses(
        (status = 200, description = "The order is closed", body = Order<'_>,
            headers(("ETag" = String, description = "The version of the order")),
            example = json!({
                "order_id": "O-8", "status": "closed", "lines": [
                    { "sku": "RED-CHAIR", "qty": 50, "allocated": 0, "backordered": 0, "shipped": 10, "allocations": [] }
                ]
            })),
        CloseOrderProblems,
    ),
)]
pub(crate) async fn close(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let path = PathIdentifiers::beside(&request, query);
    let (order_id, Empty): (OrderId, _) = body::read_optional_beside(path, "order_id", &request, payload).await?;
    let expected = etag::expected_order_versions(&request);
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let order = api.gate.run(&request, move || use_cases.close_order(&order_id, expected.as_ref())).await?;
    super::tagged(StatusCode::OK, &order, api.now())
}

#[cfg(test)]
mod tests;

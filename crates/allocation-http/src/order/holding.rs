//! Orders on hold.

use super::Order;
use super::extension::HoldExtension;
use crate::api::Api;
use crate::identifier::{Identifier, PathIdentifiers};
use crate::openapi::document;
use crate::problem::Problem;
use crate::{answer, body};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

document!(ConfirmOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, HoldExpired, OrderCancelled,
    Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ExtendHoldProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, HoldExpired, OrderCancelled,
    OrderNotHeld, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Confirm an order
///
/// What it holds is its own from then on. It needs no body; an empty object is accepted. Confirming an
/// order that is firm changes nothing.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/confirm",
    operation_id = "confirmOrder",
    tag = "Orders",
    params(("order_id" = Identifier, Path, description = "The order", example = "O-7")),
    responses(
        (status = 200, description = "The order is firm", body = Order<'_>, example = json!({
            "order_id": "O-7", "status": "allocated", "lines": [
                { "sku": "LAMP", "qty": 2, "allocated": 2, "backordered": 0,
                    "allocations": [{ "reference": "B-5", "qty": 2, "eta": null }] }
            ]
        })),
        ConfirmOrderProblems,
    ),
)]
pub(crate) async fn confirm(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut path = PathIdentifiers::of(&request);
    let found = path.take(2, "order_id");
    let order_id = body::read_nothing_beside(path, found, &request, payload).await?;
    let use_cases = api.use_cases(&request);
    let order = api.gate.run(&request, move || use_cases.confirm_order(&order_id)).await?;
    answer::json(StatusCode::OK, &Order::at(&order, api.now()))
}

/// Hold an order for longer
///
/// It is held until so many seconds from now, and never for a shorter time than it was.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/extend",
    operation_id = "extendHold",
    tag = "Orders",
    params(("order_id" = Identifier, Path, description = "The order", example = "O-7")),
    request_body(content = HoldExtension, example = json!({ "hold_seconds": 900 })),
    responses(
        (status = 200, description = "The order is held", body = Order<'_>, example = json!({
            "order_id": "O-7", "status": "held", "lines": [
                { "sku": "LAMP", "qty": 2, "allocated": 2, "backordered": 0,
                    "allocations": [{ "reference": "B-5", "qty": 2, "eta": null }] }
            ],
            "expires_at": "2027-01-10T08:15:00Z"
        })),
        ExtendHoldProblems,
    ),
)]
pub(crate) async fn extend(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut path = PathIdentifiers::of(&request);
    let found = path.take(2, "order_id");
    let (order_id, hold) = body::read_beside::<HoldExtension, _>(path, found, &request, payload).await?;
    let use_cases = api.use_cases(&request);
    let order = api.gate.run(&request, move || use_cases.extend_hold(&order_id, hold)).await?;
    answer::json(StatusCode::OK, &Order::at(&order, api.now()))
}

#[cfg(test)]
mod tests;

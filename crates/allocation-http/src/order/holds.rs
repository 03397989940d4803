//! Holds of orders.

use super::Order;
use crate::api::Api;
use crate::body;
use crate::identifier::Identifier;
use crate::problem::{Problem, document};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_requests::HoldExtension;
use utoipa::ToSchema;

document!(ConfirmOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, HoldExpired, OrderCancelled,
    OrderClosed, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ExtendHoldProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, HoldExpired, OrderCancelled,
    OrderClosed, OrderNotHeld, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// An extension of a hold.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HoldExtension)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct HoldExtensionSchema {
    /// The seconds from now until the hold expires.
    #[schema(value_type = i32, minimum = 10, maximum = 86_400, example = 900)]
    hold_seconds: u32,
}

/// Confirm an order
///
/// Makes its allocations firm. The body can be empty or an empty object. Confirming a firm order changes
/// nothing.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/confirm",
    operation_id = "confirmOrder",
    tag = "Orders",
    params(("order_id" = Identifier, Path, description = "The order", example = "O-7")),
    responses(
        (status = 200, description = "The order is firm", body = Order<'_>,
            headers(("ETag" = String, description = "The version of the order")), example = json!({
            "order_id": "O-7", "status": "allocated", "lines": [
                { "sku": "LAMP", "qty": 2, "allocated": 2, "backordered": 0,
                    "allocations": [{ "reference": "B-5", "qty": 2, "eta": null }] }
            ]
        })),
        ConfirmOrderProblems,
    ),
)]
pub(crate) async fn confirm(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let order_id = body::read_empty_at("order_id", &request, payload).await?;
    let use_cases = api.use_cases(&request);
    let order = api.gate.run(&request, move || use_cases.confirm_order(&order_id)).await?;
    super::tagged(StatusCode::OK, &order, api.now())
}

/// Extend a hold
///
/// The hold expires the given number of seconds from now, and never earlier than before.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/extend",
    operation_id = "extendHold",
    tag = "Orders",
    params(("order_id" = Identifier, Path, description = "The order", example = "O-6")),
    request_body(content = HoldExtensionSchema, example = json!({ "hold_seconds": 900 })),
    responses(
        (status = 200, description = "The order is held", body = Order<'_>,
            headers(("ETag" = String, description = "The version of the order")), example = json!({
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
    let (order_id, HoldExtension(hold)) = body::read_at("order_id", &request, payload).await?;
    let use_cases = api.use_cases(&request);
    let order = api.gate.run(&request, move || use_cases.extend_hold(&order_id, hold)).await?;
    super::tagged(StatusCode::OK, &order, api.now())
}

#[cfg(test)]
mod tests;

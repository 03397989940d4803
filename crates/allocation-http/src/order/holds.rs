//! Holds of orders.

use super::Order;
use crate::api::Api;
use crate::body::Body;
use crate::identifier::{Identifier, PathIdentifiers};
use crate::openapi::document;
use crate::problem::Problem;
use crate::validation_error::ValidationErrors;
use crate::{body, hold, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::HoldDuration;
use deserr::Deserr;
use serde::Deserialize;
use utoipa::ToSchema;

document!(ConfirmOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, HoldExpired, OrderCancelled,
    Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ExtendHoldProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, HoldExpired, OrderCancelled,
    OrderNotHeld, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// An extension of a hold.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = ValidationErrors, deny_unknown_fields)]
pub(crate) struct HoldExtension {
    /// The seconds from now until the hold expires.
    #[serde(deserialize_with = "hold::deserialize")]
    #[schema(value_type = i32, minimum = 10, maximum = 86_400, example = 900)]
    hold_seconds: HoldDuration,
}

impl Body for HoldExtension {
    type Content = HoldDuration;

    fn content(self) -> Result<HoldDuration, ValidationErrors> {
        Ok(self.hold_seconds)
    }
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
    respond::json(StatusCode::OK, &Order::at(&order, api.now()))
}

/// Extend a hold
///
/// The hold expires the given number of seconds from now, and never earlier than before.
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
    respond::json(StatusCode::OK, &Order::at(&order, api.now()))
}

#[cfg(test)]
mod tests;

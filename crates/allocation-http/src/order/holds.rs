//! Holds of orders.

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
use allocation_domain::{OrderConfirmation, OrderId};
use allocation_requests::{Confirmation, HoldExtension};
use utoipa::ToSchema;

document!(ConfirmOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, OrderChanged, HoldExpired, OutOfStock,
    OrderCancelled, OrderClosed, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ExtendHoldProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, OrderChanged, HoldExpired,
    OrderCancelled, OrderClosed, OrderNotHeld, HoldTooLong, Overloaded, SchemaNotCurrent, DatabaseUnavailable,
    InternalError,
);

/// An extension of a hold.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HoldExtension)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct HoldExtensionSchema {
    /// The seconds from now until the hold expires: at most 86,400, unless the server allows up to 2,592,000.
    #[schema(value_type = i32, minimum = 10, maximum = 2_592_000, example = 900)]
    hold_seconds: u32,
}

/// A confirmation.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Confirmation)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ConfirmationSchema {
    /// Whether an order whose hold has expired gets all its units again, if they are still to be had: for a payment
    /// that arrives late.
    #[schema(required = false, default = false, example = true)]
    reallocate: bool,
}

/// Confirm an order
///
/// Makes its allocations firm. The body can be empty. Confirming a firm order changes nothing.
///
/// An order whose hold has expired is confirmed only with `reallocate`: its lines get all their units again, firmly, as
/// new lines do. If the order rejects shortages and some units are gone, nothing changes, and `shortages` lists the short
/// lines. If it accepts backorders, missing units wait, behind the lines that already wait with its priority.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/confirm",
    operation_id = "confirmOrder",
    tag = "Orders",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-7"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to confirm, a list of them, or `*` for any"),
    ),
    request_body(content = ConfirmationSchema, example = json!({ "reallocate": true })),
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
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let path = PathIdentifiers::beside(&request, query);
    let (order_id, Confirmation { reallocate }) =
        body::read_optional_beside(path, "order_id", &request, payload).await?;
    let confirmation = OrderConfirmation::new(order_id).reallocating(reallocate);
    let confirmation = confirmation.if_version(etag::expected_order_versions(&request));
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let order = api.gate.run(&request, move || use_cases.confirm_order(&confirmation)).await?;
    super::tagged(StatusCode::OK, &order, api.now())
}

/// Extend a hold
///
/// The hold expires the given number of seconds from now, and never earlier than before. However often it is extended,
/// it ends 30 days after the first of its current lines was placed. An extension makes a new version of the order, so its
/// repeat needs the new `ETag` if it names one.
#[utoipa::path(
    post,
    path = "/orders/{order_id}/extend",
    operation_id = "extendHold",
    tag = "Orders",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-6"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to extend, a list of them, or `*` for any"),
    ),
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
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take::<OrderId>(2, "order_id");
    let (order_id, HoldExtension(hold)) = body::read_beside(path.errors(), found, &request, payload).await?;
    api.check_hold(Some(hold))?;
    let expected = etag::expected_order_versions(&request);
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let order = api.gate.run(&request, move || use_cases.extend_hold(&order_id, expected.as_ref(), hold)).await?;
    super::tagged(StatusCode::OK, &order, api.now())
}

#[cfg(test)]
mod tests;

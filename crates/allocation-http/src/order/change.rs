//! Changes of orders.

use super::Order;
use super::request::OnShortageSchema;
use crate::api::Api;
use crate::identifier::{Id, Identifier};
use crate::path_identifier::PathIdentifiers;
use crate::problem::{Problem, document};
use crate::promises::PromisesSchema;
use crate::query::Query;
use crate::{body, dry_run, etag, repeat};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::{Event, OrderChange, OrderId, Sku, TermsChange, Units};
use allocation_requests::{OrderChangeRequest, ValidationErrors};
use utoipa::ToSchema;

document!(ChangeOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, OrderChanged, OutOfStock, UnknownSku,
    AlreadyPicked, HoldExpired, OrderCancelled, OrderClosed, OrderNotHeld, HoldTooLong, TooManyLines,
    IdempotencyKeyReused, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(RemoveLineProblems:
    Validation, OrderNotFound, OrderChanged, AlreadyPicked, HoldExpired, OrderCancelled, OrderClosed, Overloaded,
    SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// A change of an order; at least one member is required.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderChange)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct OrderChangeSchema {
    /// The lines with their new quantities, one for each SKU. Lines that are left out stay as they are.
    #[schema(required = false, value_type = Vec<ChangedLineSchema>, max_items = 500)]
    lines: Option<Vec<ChangedLineSchema>>,
    /// The new priority of all lines. Higher numbers are served first.
    #[schema(required = false, value_type = i32, example = 5)]
    priority: Option<i32>,
    /// What happens if stock does not suffice: the change is rejected, or the rest is backordered.
    #[schema(required = false, value_type = OnShortageSchema)]
    on_shortage: Option<OnShortageSchema>,
    /// Whether waiting lines accept part of their units, or only all of them at once.
    #[schema(required = false, value_type = bool)]
    allow_split: Option<bool>,
    /// Whether lines move to an earlier batch when units of it come free, or keep the date that they were promised.
    #[schema(required = false, value_type = PromisesSchema)]
    promises: Option<PromisesSchema>,
    /// Whether pick lists leave the order out until all of it is in stock.
    #[schema(required = false, value_type = bool)]
    ship_complete: Option<bool>,
    /// The seconds from now until the hold expires: at most 86,400, unless the server allows up to 2,592,000. It never
    /// expires earlier than before.
    #[schema(required = false, value_type = i32, minimum = 10, maximum = 2_592_000, example = 900)]
    hold_seconds: Option<u32>,
}

/// A line with its new quantity.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangedLine)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ChangedLineSchema {
    /// The SKU.
    sku: Id<'static>,
    /// The new quantity; 0 removes the line.
    #[schema(value_type = i32, minimum = 0, maximum = 2_147_483_647, example = 3)]
    qty: u32,
}

/// Change an order
///
/// Sets the quantities of lines and the terms of the whole order: all of the change is made, or nothing. A
/// lowered line gives up the units that it waits for first, then units of its last batch; it keeps all others
/// throughout. A raise gets only units that no waiting line could take. What is not free waits from now on, or
/// the change is rejected, as `on_shortage` says.
///
/// A SKU that the order has no line of is added on the terms of the order. Quantity 0 removes a line, and an order
/// without lines is cancelled. Repeating the request changes nothing, except that `hold_seconds` counts from its own
/// arrival.
///
/// Send the `ETag` of the order as `If-Match` to change it only if it has not been changed since. Changes of stock
/// do not change the version.
#[utoipa::path(
    patch,
    path = "/orders/{order_id}",
    operation_id = "changeOrder",
    tag = "Orders",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-7"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to change, a list of them, or `*` for any"),
        ("Idempotency-Key" = Option<String>, Header, description =
            "A key of this request alone: a duplicate is recognized even after its effect was undone"),
    ),
    request_body(content = OrderChangeSchema, examples(
        ("quantity" = (summary = "A line gets another quantity", value = json!({
            "lines": [{ "sku": "LAMP", "qty": 1 }]
        }))),
        ("priority" = (summary = "The order is served first", value = json!({ "priority": 10 }))),
    )),
    responses(
        (status = 200, description = "The order with the change", body = Order<'_>,
            headers(("ETag" = String, description = "The version of the order")),
            example = json!({
                "order_id": "O-7", "status": "allocated", "lines": [
                    { "sku": "LAMP", "qty": 1, "allocated": 1, "backordered": 0,
                        "allocations": [{ "reference": "B-5", "qty": 1, "eta": null }] }
                ]
            })),
        ChangeOrderProblems,
    ),
)]
pub(crate) async fn change(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take::<OrderId>(2, "order_id");
    let (order_id, change) =
        body::read_beside::<_, OrderChangeRequest>(path.errors(), found, &request, payload).await?;
    api.check_hold(change.hold())?;
    let change = change.of_order(order_id)?.if_version(etag::expected_order_versions(&request));
    if is_repeat(&api, &request, &change).await? {
        let order_id = change.order_id().clone();
        let missing = Problem::order_not_found(&order_id);
        return super::current(&api, &request, order_id, || missing).await;
    }
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let order = api.gate.run(&request, move || use_cases.change_order(&change)).await?;
    super::tagged(StatusCode::OK, &order, api.now())
}

/// Returns whether a request with the same key has made this change.
async fn is_repeat(api: &Api, request: &HttpRequest, change: &OrderChange) -> Result<bool, Problem> {
    let (order, lines) = (change.order_id().clone(), change.lines().to_vec());
    // A change of terms alone concerns all lines.
    let sets = move |sku: &Sku, units: u32| {
        lines.is_empty() || lines.iter().any(|(named, asked)| (named, asked.get()) == (sku, units))
    };
    let concerns = move |event: &Event| match event {
        Event::LinePlaced { order_id, sku, quantity, .. } | Event::LineChanged { order_id, sku, quantity, .. } => {
            *order_id == order && sets(sku, quantity.get())
        }
        Event::LineRemoved { order_id, sku, .. } => *order_id == order && sets(sku, 0),
        Event::HoldExtended { order_id, .. } => *order_id == order,
        _ => false,
    };
    repeat::is_repeat(api, request, &["line_placed", "line_changed", "line_removed", "hold_extended"], concerns).await
}

/// Remove a line from an order
///
/// Frees the units of the line, for waiting lines first. An order without lines is cancelled. The response is the
/// same if the order has no such line.
#[utoipa::path(
    delete,
    path = "/orders/{order_id}/lines/{sku}",
    operation_id = "removeOrderLine",
    tag = "Orders",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-6"),
        ("sku" = Identifier, Path, description = "The SKU of the line", example = "LAMP"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to change, a list of them, or `*` for any"),
    ),
    responses((status = 204, description = "The order has no line of this SKU"), RemoveLineProblems),
)]
pub(crate) async fn remove_line(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take::<OrderId>(2, "order_id").zip(path.take::<Sku>(4, "sku"));
    let (order_id, sku) = path.errors().check(found)?;
    let change = OrderChange::new(order_id, [(sku, Units::ZERO)], TermsChange::default());
    let change = change.map_err(|error| ValidationErrors::at("", error))?;
    let change = change.if_version(etag::expected_order_versions(&request));
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    api.gate.run(&request, move || use_cases.change_order(&change)).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;

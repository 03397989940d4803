//! Orders: lines that are placed, held, confirmed and cancelled together.

mod change;
mod close;
mod history;
mod holds;
mod request;
mod response;

pub(crate) use change::{__path_change, __path_remove_line, change, remove_line};
pub(crate) use close::{__path_close, close};
pub(crate) use history::{__path_history, history};
pub(crate) use holds::{__path_confirm, __path_extend, confirm, extend};
pub(crate) use request::NewOrderSchema;
pub(crate) use response::{Order, StatusSchema};

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{PageParamsSchema, PageRequest, PageResponse};
use crate::path_identifier;
use crate::percent::encode;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, dry_run, etag, event_context, respond};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{NewOrder, OrderId, Outcome};
use allocation_ports::{OrderFilter, Queries};
use chrono::{DateTime, Utc};
use std::sync::Arc;

pub(crate) fn routes() -> [Path; 7] {
    [
        Path::new("/orders").post(Scope::OrdersWrite, place).get(Scope::Read, list),
        Path::new("/orders/{order_id}")
            .get(Scope::Read, find)
            .patch(Scope::OrdersWrite, change)
            .delete(Scope::OrdersWrite, cancel),
        Path::new("/orders/{order_id}/lines/{sku}").delete(Scope::OrdersWrite, remove_line),
        Path::new("/orders/{order_id}/close").post(Scope::OrdersWrite, close),
        Path::new("/orders/{order_id}/confirm").post(Scope::OrdersWrite, confirm),
        Path::new("/orders/{order_id}/extend").post(Scope::OrdersWrite, extend),
        Path::new("/orders/{order_id}/history").get(Scope::Read, history),
    ]
}

document!(PlaceOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OutOfStock, UnknownSku, OrderAlreadyExists,
    HoldExpired, OrderCancelled, OrderClosed, Overloaded, SchemaNotCurrent, DatabaseUnavailable, ShuttingDown, InternalError,
);
document!(ListOrdersProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(FindOrderProblems: Validation, OrderNotFound, Overloaded, DatabaseUnavailable, InternalError);
document!(CancelOrderProblems:
    Validation, OrderNotFound, OrderChanged, AlreadyPicked, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Place an order
///
/// Allocates all lines or none. With `on_shortage` `backorder`, it allocates what stock allows and the rest
/// waits; this requires that every SKU is known, by a batch or by `PUT /products/{sku}`.
///
/// With `hold_seconds`, the units are held for that long. They become free at the start of the second in
/// which the hold expires, so confirm the order before. Repeating the request changes nothing, and is a conflict
/// once the order has expired, was cancelled or closed. An id of another order, or one with a standalone line of one
/// of the SKUs, is a conflict.
#[utoipa::path(
    post,
    path = "/orders",
    operation_id = "placeOrder",
    tag = "Orders",
    params(("dry_run" = Option<bool>, Query, description = "Only return what the order would be, and place nothing")),
    request_body(content = NewOrderSchema, examples(
        ("cart" = (summary = "A cart, held for ten minutes", value = json!({
            "order_id": "O-7", "lines": [{ "sku": "LAMP", "qty": 2 }, { "sku": "RED-CHAIR", "qty": 4 }],
            "hold_seconds": 600
        }))),
        ("with-backorder" = (summary = "An order that accepts backorders", value = json!({
            "order_id": "O-8", "lines": [{ "sku": "RED-CHAIR", "qty": 50 }],
            "on_shortage": "backorder", "priority": 5, "allow_split": false
        }))),
    )),
    responses(
        (status = 201, description = "The order was placed", body = Order<'_>,
            headers(
                ("Location" = String, description = "The path of the order"),
                ("ETag" = String, description = "The version of the order"),
            ),
            example = json!({
                "order_id": "O-7", "status": "held", "lines": [
                    { "sku": "LAMP", "qty": 2, "allocated": 2, "backordered": 0,
                        "allocations": [{ "reference": "B-5", "qty": 2, "eta": null }] },
                    { "sku": "RED-CHAIR", "qty": 4, "allocated": 4, "backordered": 0,
                        "allocations": [{ "reference": "B-1", "qty": 4, "eta": null }] }
                ],
                "expires_at": "2027-01-10T08:10:00Z"
            })),
        (status = 200, description = "The order already exists; its current state. Or the order as it would be (`dry_run`)",
            body = Order<'_>, headers(("ETag" = String, description = "The version of the order")),
            example = json!({
                "order_id": "O-8", "status": "backordered", "lines": [
                    { "sku": "RED-CHAIR", "qty": 50, "allocated": 0, "backordered": 50, "allocations": [] }
                ]
            })),
        PlaceOrderProblems,
    ),
)]
pub(crate) async fn place(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), order): ((), NewOrder) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    api.check_hold(order.terms().hold)?;
    let order_id = order.order_id().clone();
    let placed = if is_dry_run {
        let use_cases = api.use_cases(&request);
        api.gate.run(&request, move || use_cases.preview_order(&order)).await?
    } else {
        api.engine.place_order(order, event_context::of(&request)).await?
    };
    match placed {
        Outcome::Changed(order) if is_dry_run => tagged(StatusCode::OK, &order, api.now()),
        Outcome::Changed(order) => {
            let location = HeaderValue::from_str(&format!("/orders/{}", encode(order_id.as_str())));
            let mut response = tagged(StatusCode::CREATED, &order, api.now())?;
            let location = location.map_err(|error| Problem::internal(Arc::new(error)))?;
            response.headers_mut().insert(header::LOCATION, location);
            Ok(response)
        }
        // Orders are never deleted: a placed order that is missing breaks an invariant.
        Outcome::Unchanged(()) => current(&api, &request, order_id, || Problem::of(Kind::InternalError)).await,
    }
}

/// List orders
///
/// Sorted by the bytes of their ids, without archived orders. Each page scans a bounded number of orders, because the status depends
/// on the lines. A page can therefore be short, or even empty, before the last one: follow the `Link` header
/// for as long as there is one.
#[utoipa::path(
    get,
    path = "/orders",
    operation_id = "listOrders",
    tag = "Orders",
    params(
        ("status" = Option<StatusSchema>, Query, description = "Only orders with this status"),
        ("sku" = Option<Identifier>, Query, description = "Only orders with a line of this SKU"),
        PageParamsSchema,
    ),
    responses(
        (status = 200, description = "A page of orders", body = Vec<Order<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "order_id": "O-8", "status": "backordered", "lines": [
                    { "sku": "RED-CHAIR", "qty": 50, "allocated": 0, "backordered": 50, "allocations": [] }
                ]
            }])),
        ListOrdersProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let filter =
        OrderFilter { status: query.take_filter("status", str::parse), sku: query.take_filter("sku", str::parse) };
    let page = PageRequest::take(&mut query);
    query.finish()?;
    let page = api.search(&request, move |queries, now| read_page(queries, &filter, page, now)).await?;
    Ok(page.into())
}

/// Get an order
///
/// Standalone lines with this order id belong to the order, too.
#[utoipa::path(
    get,
    path = "/orders/{order_id}",
    operation_id = "getOrder",
    tag = "Orders",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-7"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the representation that the client has"),
    ),
    responses(
        (status = 304, description = "The order has not changed"),
        (status = 200, description = "The order", body = Order<'_>,
            headers(("ETag" = String, description = "The version of the order")), example = json!({
            "order_id": "O-7", "status": "allocated", "lines": [
                { "sku": "LAMP", "qty": 2, "allocated": 2, "backordered": 0,
                    "allocations": [{ "reference": "B-5", "qty": 2, "eta": null }] }
            ]
        })),
        FindOrderProblems,
    ),
)]
pub(crate) async fn find(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let order_id = path_identifier::in_path(&request, "order_id")?;
    let not_found = Problem::order_not_found(&order_id);
    let (order, now) = stored(&api, &request, order_id, || not_found).await?;
    let shown = respond::bytes(&Order::at(&order, now))?;
    let tag = etag::of_order(order.version(), &shown);
    if etag::is_known(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    Ok(respond::builder(StatusCode::OK).insert_header(tag).body(shown))
}

/// Cancel an order
///
/// Frees all units of the order, for waiting lines first. An order that is cancelled or whose hold has
/// expired stays as it is, and so does a closed one. An order with picked units cannot be cancelled; close it.
#[utoipa::path(
    delete,
    path = "/orders/{order_id}",
    operation_id = "cancelOrder",
    tag = "Orders",
    params(
        ("order_id" = Identifier, Path, description = "The order", example = "O-9"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to cancel, a list of them, or `*` for any"),
    ),
    responses((status = 204, description = "The order has no units and waits for none"), CancelOrderProblems),
)]
pub(crate) async fn cancel(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let order_id = path_identifier::beside_query(&request, query, "order_id")?;
    let expected = etag::expected_order_versions(&request);
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    api.gate.run(&request, move || use_cases.cancel_order_if(&order_id, expected.as_ref())).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Returns the response with the current state of an order.
async fn current(
    api: &Api,
    request: &HttpRequest,
    order_id: OrderId,
    missing: impl FnOnce() -> Problem + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let (order, now) = stored(api, request, order_id, missing).await?;
    tagged(StatusCode::OK, &order, now)
}

/// Reads an order, and the instant as of which it was read.
async fn stored(
    api: &Api,
    request: &HttpRequest,
    order_id: OrderId,
    missing: impl FnOnce() -> Problem + Send + 'static,
) -> Result<(allocation_domain::Order, DateTime<Utc>), Problem> {
    let read = move |queries: &dyn Queries, now| match queries.order(&order_id)? {
        Some(order) => Ok((order, now)),
        None => Err(missing()),
    };
    api.read(request, read).await
}

/// Returns the response with an order as of an instant, and its tag.
fn tagged(status: StatusCode, order: &allocation_domain::Order, now: DateTime<Utc>) -> Result<HttpResponse, Problem> {
    let shown = respond::bytes(&Order::at(order, now))?;
    Ok(respond::builder(status).insert_header(etag::of_order(order.version(), &shown)).body(shown))
}

fn read_page(
    queries: &dyn Queries,
    filter: &OrderFilter,
    page: PageRequest<OrderId>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let found = queries.orders(filter, page.after.clone(), page.size, now)?;
    let rows: Vec<_> = found.orders.iter().map(|order| Order::at(order, now)).collect();
    page.response("/orders", &rows, found.next)
}

#[cfg(test)]
mod tests;

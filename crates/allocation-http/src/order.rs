//! Orders: lines that are placed, held, confirmed and cancelled together.

mod history;
mod holds;
mod request;
mod response;

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
use crate::{body, event_context, respond};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{NewOrder, OrderId, Outcome};
use allocation_ports::{OrderFilter, Queries};
use chrono::{DateTime, Utc};

pub(crate) fn routes() -> [Path; 5] {
    [
        Path::new("/orders").post(Scope::OrdersWrite, place).get(Scope::Read, list),
        Path::new("/orders/{order_id}").get(Scope::Read, find).delete(Scope::OrdersWrite, cancel),
        Path::new("/orders/{order_id}/confirm").post(Scope::OrdersWrite, confirm),
        Path::new("/orders/{order_id}/extend").post(Scope::OrdersWrite, extend),
        Path::new("/orders/{order_id}/history").get(Scope::Read, history),
    ]
}

document!(PlaceOrderProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OutOfStock, UnknownSku, OrderAlreadyExists,
    Overloaded, SchemaNotCurrent, DatabaseUnavailable, ShuttingDown, InternalError,
);
document!(ListOrdersProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(FindOrderProblems: Validation, OrderNotFound, Overloaded, DatabaseUnavailable, InternalError);
document!(CancelOrderProblems:
    Validation, OrderNotFound, AlreadyPicked, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Place an order
///
/// Allocates all lines or none. With `on_shortage` `backorder`, it allocates what stock allows and the rest
/// waits; this requires that every SKU is known, by a batch or by `PUT /products/{sku}`.
///
/// With `hold_seconds`, the units are held for that long. They become free at the start of the second in
/// which the hold expires, so confirm the order before. Repeating the request changes nothing. An id of
/// another order, or one with a standalone line of one of the SKUs, is a conflict.
#[utoipa::path(
    post,
    path = "/orders",
    operation_id = "placeOrder",
    tag = "Orders",
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
            headers(("Location" = String, description = "The path of the order")),
            example = json!({
                "order_id": "O-7", "status": "held", "lines": [
                    { "sku": "LAMP", "qty": 2, "allocated": 2, "backordered": 0,
                        "allocations": [{ "reference": "B-5", "qty": 2, "eta": null }] },
                    { "sku": "RED-CHAIR", "qty": 4, "allocated": 4, "backordered": 0,
                        "allocations": [{ "reference": "B-2", "qty": 4, "eta": null }] }
                ],
                "expires_at": "2027-01-10T08:10:00Z"
            })),
        (status = 200, description = "The order already exists; its current state", body = Order<'_>,
            example = json!({
                "order_id": "O-8", "status": "backordered", "lines": [
                    { "sku": "RED-CHAIR", "qty": 50, "allocated": 0, "backordered": 50, "allocations": [] }
                ]
            })),
        PlaceOrderProblems,
    ),
)]
pub(crate) async fn place(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let order: NewOrder = body::read(&request, payload).await?;
    let order_id = order.order_id().clone();
    match api.engine.place_order(order, event_context::of(&request)).await? {
        Outcome::Changed(order) => {
            let location = format!("/orders/{}", encode(order_id.as_str()));
            let mut response = respond::builder(StatusCode::CREATED);
            let body = respond::bytes(&Order::at(&order, api.now()))?;
            Ok(response.insert_header((header::LOCATION, location)).body(body))
        }
        Outcome::Unchanged(()) => {
            // Orders are never deleted: a placed order that is missing breaks an invariant.
            let missing = || Problem::of(Kind::InternalError);
            show(&api, &request, order_id, missing).await
        }
    }
}

/// List orders
///
/// Sorted by the bytes of their ids. Each page scans a bounded number of orders, because the status depends
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
    params(("order_id" = Identifier, Path, description = "The order", example = "O-7")),
    responses(
        (status = 200, description = "The order", body = Order<'_>, example = json!({
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
    show(&api, &request, order_id, || not_found).await
}

/// Cancel an order
///
/// Frees all units of the order, for waiting lines first. An order that is cancelled or whose hold has
/// expired stays as it is. An order with picked units cannot be cancelled.
#[utoipa::path(
    delete,
    path = "/orders/{order_id}",
    operation_id = "cancelOrder",
    tag = "Orders",
    params(("order_id" = Identifier, Path, description = "The order", example = "O-9")),
    responses((status = 204, description = "The order has no units and waits for none"), CancelOrderProblems),
)]
pub(crate) async fn cancel(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let order_id = path_identifier::in_path(&request, "order_id")?;
    let use_cases = api.use_cases(&request);
    api.gate.run(&request, move || use_cases.cancel_order(&order_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Returns the response with an order.
async fn show(
    api: &Api,
    request: &HttpRequest,
    order_id: OrderId,
    missing: impl FnOnce() -> Problem + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let read = move |queries: &dyn Queries, now| match queries.order(&order_id)? {
        Some(order) => respond::bytes(&Order::at(&order, now)),
        None => Err(missing()),
    };
    Ok(respond::builder(StatusCode::OK).body(api.read(request, read).await?))
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

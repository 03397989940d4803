//! Shipments: picked units that leave together.

mod request;
mod response;

use request::NewShipmentSchema;
use response::Shipment;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{PageParamsSchema, PageRequest, PageResponse};
use crate::path_identifier;
use crate::percent::encode;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, dry_run, respond};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{NewShipment, OrderId, Outcome, ShipmentId};
use allocation_ports::{Queries, ShipmentRecord};

pub(crate) fn routes() -> [Path; 3] {
    [
        Path::new("/shipments").post(Scope::PickingWrite, create).get(Scope::Read, list),
        Path::new("/shipments/{shipment_id}").get(Scope::Read, find),
        Path::new("/orders/{order_id}/shipments").get(Scope::Read, of_order),
    ]
}

document!(CreateShipmentProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, PickLineNotFound, NotPicked, MoreThanPicked,
    AlreadyShipped, ShipmentAlreadyExists, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ListShipmentsProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(FindShipmentProblems: Validation, ShipmentNotFound, Overloaded, DatabaseUnavailable, InternalError);
document!(ListOrderShipmentsProblems: Validation, OrderNotFound, Overloaded, DatabaseUnavailable, InternalError);

/// Ship picked units
///
/// Ships units of pick lines that leave together, such as a parcel: all lines take effect, or none. A line ships all
/// units that are picked and not shipped, or `qty` of them. The lines can be of several pick lists and orders. What is
/// left of a pick line leaves with further shipments, or when its list is shipped. Shipped units are neither put back
/// nor corrected.
///
/// Repeating the request returns the same response. A different request with the same id is a conflict.
#[utoipa::path(
    post,
    path = "/shipments",
    operation_id = "createShipment",
    tag = "Pick lists",
    params(("dry_run" = Option<bool>, Query, description = "Return the response without changing anything")),
    request_body(content = NewShipmentSchema, examples(
        ("part" = (summary = "One unit of a pick line leaves as a parcel", value = json!({
            "shipment_id": "PARCEL-1", "carrier": "ACME", "tracking": "1Z 999",
            "lines": [{ "pick_list_id": "MORNING", "line": 1, "qty": 1 }]
        }))),
    )),
    responses(
        (status = 201, description = "The units are shipped", body = Shipment<'_>,
            headers(("Location" = String, description = "The path of the shipment")),
            example = json!({
                "shipment_id": "PARCEL-1", "carrier": "ACME", "tracking": "1Z 999", "shipped_at": "2027-01-15T08:00:00Z",
                "lines": [{ "pick_list_id": "MORNING", "line": 1, "order_id": "O-7", "sku": "RED-CHAIR",
                    "reference": "B-1", "qty": 1 }]
            })),
        (status = 200, description = "The shipment was already made; the same response. Or the response as it would be \
            (`dry_run`)",
            body = Shipment<'_>, example = json!({
                "shipment_id": "PARCEL-2", "shipped_at": "2027-01-15T08:00:00Z",
                "lines": [{ "pick_list_id": "MORNING", "line": 1, "order_id": "O-7", "sku": "RED-CHAIR",
                    "reference": "B-1", "qty": 2 }]
            })),
        CreateShipmentProblems,
    ),
)]
pub(crate) async fn create(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), shipment): ((), NewShipment) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    match api.gate.run(&request, move || use_cases.create_shipment(&shipment)).await? {
        Outcome::Changed(made) if !is_dry_run => {
            let location = format!("/shipments/{}", encode(made.request.shipment_id().as_str()));
            let body = respond::bytes(&Shipment::from(&ShipmentRecord::from(made)))?;
            Ok(respond::builder(StatusCode::CREATED).insert_header((header::LOCATION, location)).body(body))
        }
        Outcome::Changed(known) | Outcome::Unchanged(known) => {
            respond::json(StatusCode::OK, &Shipment::from(&ShipmentRecord::from(known)))
        }
    }
}

/// List shipments
///
/// Sorted by the bytes of their ids, with all their lines. A page has at most 1,000 lines in total, so it can have
/// fewer shipments than `limit` before the last one: follow the `Link` header for as long as there is one.
///
/// A list that is shipped as a whole makes no shipment.
#[utoipa::path(
    get,
    path = "/shipments",
    operation_id = "listShipments",
    tag = "Pick lists",
    params(PageParamsSchema),
    responses(
        (status = 200, description = "A page of shipments", body = Vec<Shipment<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "shipment_id": "PARCEL-1", "carrier": "ACME", "tracking": "1Z 999", "shipped_at": "2027-01-15T08:00:00Z",
                "lines": [{ "pick_list_id": "MORNING", "line": 1, "order_id": "O-7", "sku": "RED-CHAIR",
                    "reference": "B-1", "qty": 1 }]
            }])),
        ListShipmentsProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let page = PageRequest::take(&mut query);
    query.finish()?;
    let page = api.search(&request, move |queries, _| read_page(queries, None, "/shipments", page)).await?;
    Ok(page.into())
}

/// Get a shipment
#[utoipa::path(
    get,
    path = "/shipments/{shipment_id}",
    operation_id = "getShipment",
    tag = "Pick lists",
    params(("shipment_id" = Identifier, Path, description = "The shipment", example = "PARCEL-1")),
    responses(
        (status = 200, description = "The shipment", body = Shipment<'_>, example = json!({
            "shipment_id": "PARCEL-1", "carrier": "ACME", "tracking": "1Z 999", "shipped_at": "2027-01-15T08:00:00Z",
            "lines": [{ "pick_list_id": "MORNING", "line": 1, "order_id": "O-7", "sku": "RED-CHAIR",
                "reference": "B-1", "qty": 1 }]
        })),
        FindShipmentProblems,
    ),
)]
pub(crate) async fn find(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let shipment_id: ShipmentId = path_identifier::in_path(&request, "shipment_id")?;
    let read = move |queries: &dyn Queries, _| {
        queries.shipment(&shipment_id)?.ok_or_else(|| Problem::shipment_not_found(&shipment_id))
    };
    let shipment = api.read(&request, read).await?;
    respond::json(StatusCode::OK, &Shipment::from(&shipment))
}

/// List the shipments of an order
///
/// Sorted by the bytes of their ids, each with its lines of this order. A page has at most 1,000 lines in total, as
/// that of all shipments.
#[utoipa::path(
    get,
    path = "/orders/{order_id}/shipments",
    operation_id = "listOrderShipments",
    tag = "Pick lists",
    params(("order_id" = Identifier, Path, description = "The order", example = "O-7"), PageParamsSchema),
    responses(
        (status = 200, description = "A page of shipments", body = Vec<Shipment<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "shipment_id": "PARCEL-1", "carrier": "ACME", "tracking": "1Z 999", "shipped_at": "2027-01-15T08:00:00Z",
                "lines": [{ "pick_list_id": "MORNING", "line": 1, "order_id": "O-7", "sku": "RED-CHAIR",
                    "reference": "B-1", "qty": 1 }]
            }])),
        ListOrderShipmentsProblems,
    ),
)]
pub(crate) async fn of_order(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let page = PageRequest::take(&mut query);
    let order_id: OrderId = path_identifier::beside_query(&request, query, "order_id")?;
    let read = move |queries: &dyn Queries, _| {
        let path = format!("/orders/{}/shipments", encode(order_id.as_str()));
        let found = read_page(queries, Some(&order_id), &path, page)?;
        if found.is_empty() && queries.order(&order_id)?.is_none() {
            return Err(Problem::order_not_found(&order_id));
        }
        Ok(found)
    };
    Ok(api.read(&request, read).await?.into())
}

fn read_page(
    queries: &dyn Queries,
    of_order: Option<&OrderId>,
    path: &str,
    page: PageRequest<ShipmentId>,
) -> Result<PageResponse, Problem> {
    let found = queries.shipments(of_order, page.after.clone(), page.size)?;
    page.response(path, &found.shipments.iter().map(Shipment::from).collect::<Vec<_>>(), found.next)
}

#[cfg(test)]
mod tests;

//! Returns of shipped units.

mod request;
mod response;

pub(crate) use request::DispositionSchema;
use request::ReturnSchema;
use response::Returned;

use crate::api::Api;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, dry_run, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{GoodsReturn, Outcome};

pub(crate) fn routes() -> [Path; 1] {
    [Path::new("/returns").post(Scope::PickingWrite, take_back)]
}

document!(ReturnProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, OrderNotFound, ReturnAlreadyExists,
    MoreThanShipped, BatchAlreadyExists, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Take back shipped units
///
/// Books units of an order that come back: all lines take effect, or none. Restocked units are a new batch in stock,
/// which serves waiting lines at once and has the return as its `origin`. Its reference is the id of the return, or the
/// id, `/` and the SKU if several lines are restocked. Units in quarantine and scrapped units are recorded, belong to
/// no batch and are not available. No more units come back than were shipped; the order gets no others in their place.
///
/// Repeating the request returns the same response. A different request with the same id is a conflict.
#[utoipa::path(
    post,
    path = "/returns",
    operation_id = "takeBack",
    tag = "Returns",
    params(("dry_run" = Option<bool>, Query, description = "Return the response without changing anything")),
    request_body(content = ReturnSchema, examples(
        ("restocked" = (summary = "A unit can be sold again", value = json!({
            "return_id": "RMA-31", "order_id": "O-7", "lines": [
                { "sku": "RED-CHAIR", "qty": 1, "disposition": "restock" }
            ]
        }))),
    )),
    responses(
        (status = 201, description = "The units came back", body = Returned<'_>,
            example = json!({
                "return_id": "RMA-31", "order_id": "O-7", "recorded_at": "2027-01-15T08:00:00Z", "lines": [
                    { "sku": "RED-CHAIR", "qty": 1, "disposition": "restock", "reference": "RMA-31" }
                ]
            })),
        (status = 200, description = "The return was already booked; the same response. Or the response as it would be \
            (`dry_run`)",
            body = Returned<'_>, example = json!({
                "return_id": "RMA-31", "order_id": "O-7", "recorded_at": "2027-01-15T08:00:00Z", "lines": [
                    { "sku": "RED-CHAIR", "qty": 1, "disposition": "restock", "reference": "RMA-31" }
                ]
            })),
        ReturnProblems,
    ),
)]
pub(crate) async fn take_back(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), goods_return): ((), GoodsReturn) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    match api.gate.run(&request, move || use_cases.take_back(&goods_return)).await? {
        Outcome::Changed(booked) if !is_dry_run => respond::json(StatusCode::CREATED, &Returned::from(&booked)),
        Outcome::Changed(known) | Outcome::Unchanged(known) => respond::json(StatusCode::OK, &Returned::from(&known)),
    }
}

#[cfg(test)]
mod tests;

//! Adjustments of stock.

mod request;
mod response;

use request::AdjustmentSchema;
use response::Adjusted;
pub(crate) use response::AdjustedLine;

use crate::api::Api;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, dry_run, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{Adjustment, Outcome};

pub(crate) fn routes() -> [Path; 1] {
    [Path::new("/adjustments").post(Scope::BatchesWrite, adjust)]
}

document!(AdjustProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, BatchNotFound, AdjustmentAlreadyExists,
    QuantityChanged, UnitsConsumed, TooManyUnits, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Adjust stock
///
/// Adds units that were found, and removes units that were damaged, lost or not there when they were counted: all
/// lines take effect, or none. Added units serve waiting lines. If a batch has fewer units than are allocated, lines
/// leave it, lowest priority first. They get units of other batches, or wait. Picked and shipped units are never
/// adjusted. With `from`, a line is rejected if the batch has another number of units on hand.
///
/// All lines of an adjustment displace at most 1,000 order lines at once; others leave their batch in the background,
/// as after a large correction. Meanwhile `moving` of the batch is the number of units still to leave.
///
/// Repeating the request returns the same response. A different request with the same id is a conflict.
#[utoipa::path(
    post,
    path = "/adjustments",
    operation_id = "adjustStock",
    tag = "Adjustments",
    params(("dry_run" = Option<bool>, Query, description = "Return the response without changing anything")),
    request_body(content = AdjustmentSchema, examples(
        ("counted" = (summary = "Six units were counted where five were expected", value = json!({
            "adjustment_id": "COUNT-7", "reason": "correction",
            "lines": [{ "reference": "B-2", "from": 5, "change": 1 }]
        }))),
        ("damaged" = (summary = "A unit is damaged", value = json!({
            "adjustment_id": "DAMAGE-12", "reason": "damaged", "lines": [{ "reference": "B-2", "change": -1 }]
        }))),
    )),
    responses(
        (status = 201, description = "The batches were adjusted; the lines that this affected", body = Adjusted<'_>,
            example = json!({
                "adjustment_id": "DAMAGE-12", "reason": "damaged", "recorded_at": "2027-01-15T08:00:00Z",
                "lines": [{ "reference": "B-2", "sku": "RED-CHAIR", "change": -1, "on_hand": 5 }],
                "affected": [], "moved": [],
                "displaced": [{ "order_id": "O-9", "sku": "RED-CHAIR", "qty": 1, "status": "backordered" }]
            })),
        (status = 200, description = "The adjustment was already made; the same response. Or the response as it would be \
            (`dry_run`)",
            body = Adjusted<'_>, example = json!({
                "adjustment_id": "COUNT-7", "reason": "correction", "recorded_at": "2027-01-15T08:00:00Z",
                "lines": [{ "reference": "B-2", "sku": "RED-CHAIR", "change": 1, "on_hand": 6 }],
                "affected": [], "moved": [], "displaced": []
            })),
        AdjustProblems,
    ),
)]
pub(crate) async fn adjust(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), adjustment): ((), Adjustment) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    match api.gate.run(&request, move || use_cases.adjust_stock(&adjustment)).await? {
        Outcome::Changed(made) if !is_dry_run => respond::json(StatusCode::CREATED, &Adjusted::from(&made)),
        Outcome::Changed(known) | Outcome::Unchanged(known) => respond::json(StatusCode::OK, &Adjusted::from(&known)),
    }
}

#[cfg(test)]
mod tests;

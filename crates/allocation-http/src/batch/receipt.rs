//! Receipts of batches.

mod request;
mod response;

use request::ReceiptSchema;
use response::ReceivedBatch;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::path_identifier::PathIdentifiers;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::{body, dry_run, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::{BatchReference, Outcome};
use allocation_requests::ReceiptRequest;

document!(ReceiveProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, BatchNotFound, ReceiptAlreadyExists, NotInTransit,
    MoreThanExpected, BatchAlreadyExists, RestWithoutName, TooManyUnits, Overloaded, SchemaNotCurrent,
    DatabaseUnavailable, InternalError,
);

/// Receive a batch
///
/// The units that arrived are in stock, under the reference of the batch. The first lines on the batch in the order of
/// service keep them. Units that arrived and are rejected, for example because they are damaged, adjust the batch.
///
/// The units that have not arrived become a batch of their own, with the old date or another one; its reference is that of
/// the batch with a number, such as `B-1/2`, unless the request names it. With `"rest": null` they are given up. Lines that
/// do not keep units get others, of the rest or of another batch, or wait.
///
/// If more than 1,000 lines have to leave the batch, they leave in the background. The rest gets its units after that,
/// and serves the waiting lines in their order; meanwhile `moving` of both batches is the number of units to come.
///
/// Repeating the request returns the same response. A different request with the same id is a conflict.
#[utoipa::path(
    post,
    path = "/batch/{reference}/receipts",
    operation_id = "receiveBatch",
    tag = "Batches",
    params(
        ("reference" = Identifier, Path, description = "The batch", example = "B-1"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    request_body(content = ReceiptSchema, examples(
        ("part" = (summary = "A part arrives; the rest is expected later", value = json!({
            "receipt_id": "GR-7", "qty": 12, "rest": { "eta": "2027-03-01" }
        }))),
    )),
    responses(
        (status = 201, description = "The units were received; the lines that this affected", body = ReceivedBatch<'_>,
            example = json!({
                "receipt_id": "GR-7", "reference": "B-1", "sku": "RED-CHAIR", "qty": 12, "rejected": 0, "on_hand": 12,
                "rest": { "reference": "B-1/2", "qty": 6, "eta": "2027-03-01" }, "given_up": 0,
                "recorded_at": "2027-01-15T08:00:00Z", "affected": [], "moved": [], "displaced": []
            })),
        (status = 200, description = "The units were already received; the same response. Or the response as it would \
            be (`dry_run`)",
            body = ReceivedBatch<'_>, example = json!({
                "receipt_id": "GR-8", "reference": "B-4", "sku": "LAMP", "qty": 4, "rejected": 1, "on_hand": 4,
                "given_up": 0,
                "recorded_at": "2027-01-15T08:00:00Z", "affected": [], "moved": [], "displaced": []
            })),
        ReceiveProblems,
    ),
)]
pub(crate) async fn receive(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take::<BatchReference>(2, "reference");
    let (reference, receipt) = body::read_beside::<_, ReceiptRequest>(path.errors(), found, &request, payload).await?;
    let receipt = receipt.of_batch(reference)?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    match api.gate.run(&request, move || use_cases.receive_batch(&receipt)).await? {
        Outcome::Changed(made) if !is_dry_run => respond::json(StatusCode::CREATED, &ReceivedBatch::from(&made)),
        Outcome::Changed(known) | Outcome::Unchanged(known) => {
            respond::json(StatusCode::OK, &ReceivedBatch::from(&known))
        }
    }
}

#[cfg(test)]
mod tests;

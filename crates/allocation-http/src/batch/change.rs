//! Corrections of a batch.

mod changed;
mod correction;

pub(crate) use changed::Changed;
pub(crate) use correction::Correction;

use super::Batch;
use crate::api::Api;
use crate::etag::{self, IfMatch};
use crate::identifier::{Identifier, PathIdentifiers};
use crate::openapi::document;
use crate::problem::Problem;
use crate::{answer, body};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_app::{ChangeBatchError, UseCases};
use allocation_domain::{BatchChange, BatchChanged, BatchReference, ChangeBatchError as Refusal};

document!(ChangeBatchProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, BatchNotFound, BatchChanged, UnitsConsumed,
    Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Correct a batch
///
/// What was purchased of it, or when it comes; what is left out stays. When fewer units are left than
/// are allocated, lines leave the batch, the lowest priority first: they get units of other batches, or
/// wait. With `reallocate`, lines move to batches that come earlier than this one now does.
///
/// Of a batch with more than 1,000 lines to be moved or told, the rest is done in steps in the background:
/// the batch shows as `moving` with how many units, and as `lowering_to` to how many it is lowered as lines
/// leave. It has no free units meanwhile. The answer shows what was done at once, and the events tell all.
///
/// Send the `ETag` of the batch as `If-Match` to change only what you have seen. It tells one correction
/// from another, and not whether something was allocated meanwhile: else nobody could correct a batch in
/// the rush.
#[utoipa::path(
    patch,
    path = "/batch/{reference}",
    operation_id = "changeBatch",
    tag = "Batches",
    params(
        ("reference" = Identifier, Path, description = "The batch", example = "B-1"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to change, several of them in a list, or `*` for any", example = "\"1-5f5e100\""),
    ),
    request_body(content = Correction, examples(
        ("late" = (summary = "It comes later", value = json!({ "eta": "2027-02-01", "reallocate": true }))),
        ("arrived" = (summary = "It has arrived, with less than was purchased", value = json!({
            "purchased_quantity": 18, "eta": null
        }))),
    )),
    responses(
        (status = 200, description = "The batch is what it should be; this is what that meant for lines on it",
            body = Changed<'_>,
            headers(("ETag" = String, description = "The version of the batch")),
            example = json!({
                "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 18, "allocated_quantity": 10,
                "available_quantity": 8, "eta": "2027-02-01",
                "affected": [{
                    "order_id": "O-1", "sku": "RED-CHAIR", "reference": "B-1", "qty": 10,
                    "old_eta": "2027-01-15", "new_eta": "2027-02-01"
                }],
                "moved": [],
                "displaced": [{ "order_id": "O-9", "sku": "RED-CHAIR", "qty": 2, "status": "short" }]
            })),
        ChangeBatchProblems,
    ),
)]
pub(crate) async fn change(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut path = PathIdentifiers::of(&request);
    let found = path.take(2, "reference");
    let (reference, change) = body::read_beside::<Correction, _>(path, found, &request, payload).await?;
    let asked = IfMatch::of(request.headers());
    let use_cases = api.use_cases(&request);
    let changed = api.gate.run(&request, move || correct(&use_cases, &reference, change, &asked)).await?;
    let mut response = answer::builder(StatusCode::OK);
    let today = api.today();
    let shown = answer::bytes(&Batch::on(today, &changed.batch))?;
    let tag = etag::of(changed.batch.version(), &shown);
    Ok(response.insert_header(tag).body(answer::bytes(&Changed::on(today, &changed))?))
}

/// Changes a batch that is in one of the versions asked for.
fn correct(
    use_cases: &UseCases,
    reference: &BatchReference,
    mut change: BatchChange,
    asked: &IfMatch,
) -> Result<BatchChanged, Problem> {
    change.expected = asked.first_try();
    loop {
        match use_cases.change_batch(reference, &change) {
            // Versions only grow, so that each of a list is tried once at most.
            Err(ChangeBatchError::Refused(Refusal::Stale { actual, .. }))
                if asked.names(actual) && change.expected != Some(actual) =>
            {
                change.expected = Some(actual);
            }
            done => return done.map_err(Problem::from),
        }
    }
}

#[cfg(test)]
mod tests;

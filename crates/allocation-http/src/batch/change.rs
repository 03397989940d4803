//! Corrections of a batch.

mod request;
mod response;

use request::CorrectionSchema;
pub(crate) use response::Changed;

use super::Batch;
use crate::api::Api;
use crate::identifier::Identifier;
use crate::path_identifier::PathIdentifiers;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::{body, dry_run, etag, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

document!(ChangeBatchProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, BatchNotFound, BatchChanged, UnitsConsumed,
    TooManyUnits, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Correct a batch
///
/// Changes the purchased quantity or the ETA; omitted members keep their value. If fewer units remain than
/// are allocated, lines leave the batch, lowest priority first. They get units of other batches, or wait.
///
/// Lines of a late batch move to free units that arrive earlier, each with all its units of the batch. With
/// `reallocate`, lines that keep their promises move too, and parts of lines where there are not enough units for all.
///
/// A correction that affects more than 1,000 lines continues in the background. Meanwhile `moving` is the
/// number of units still to be moved, `lowering_to` is the target quantity, and the batch has no free units.
/// The response lists the lines of the first step; events report all of them.
///
/// Send the `ETag` of the batch as `If-Match` to correct it only if it has not been corrected since.
/// Allocations do not change the version, so a batch can be corrected under load.
#[utoipa::path(
    patch,
    path = "/batch/{reference}",
    operation_id = "changeBatch",
    tag = "Batches",
    params(
        ("reference" = Identifier, Path, description = "The batch", example = "B-1"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to correct, such as `\"1-5f5e100\"`, a list of them, or `*` for any"),
    ),
    request_body(content = CorrectionSchema, examples(
        ("late" = (summary = "The batch is late", value = json!({ "eta": "2027-02-01", "reallocate": true }))),
        ("fewer" = (summary = "Fewer units are coming", value = json!({ "purchased_quantity": 18 }))),
    )),
    responses(
        (status = 200, description = "The batch was corrected; the lines that this affected",
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
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take(2, "reference");
    let (reference, change) = body::read_beside(path.errors(), found, &request, payload).await?;
    let expected = etag::expected_versions(&request);
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let change = move || use_cases.change_batch_if(&reference, change, &expected);
    let changed = api.gate.run(&request, change).await?;
    let mut response = respond::builder(StatusCode::OK);
    let today = api.today();
    let shown = respond::bytes(&Batch::on(today, &changed.batch))?;
    let tag = etag::of(changed.batch.version(), &shown);
    Ok(response.insert_header(tag).body(respond::bytes(&Changed::on(today, &changed))?))
}

#[cfg(test)]
mod tests;

//! The history of a batch.

mod entry;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{self, PageParamsSchema, PageRequest, PageResponse};
use crate::path_identifier;
use crate::percent::encode;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::BatchReference;
use allocation_ports::{EventCursor, PageSize, Queries, StoreError, Subject};
use chrono::{DateTime, Utc};
use entry::BatchEntry;

document!(BatchHistoryProblems: Validation, BatchNotFound, Overloaded, DatabaseUnavailable, InternalError);

/// Get batch history
///
/// Returns how the batch came to its units and its date, oldest first, as far as the events are retained: it was added,
/// corrected, adjusted or deleted, with the reason and the author. Which lines its units were allocated to, and their
/// picks and shipments, are in the histories of the orders.
#[utoipa::path(
    get,
    path = "/batch/{reference}/history",
    operation_id = "getBatchHistory",
    tag = "Batches",
    params(("reference" = Identifier, Path, description = "The batch", example = "B-2"), PageParamsSchema),
    responses(
        (status = 200, description = "A page of events", body = Vec<BatchEntry<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([
                { "at": "2027-01-10T08:00:00.250000Z", "event": "batch_added", "sku": "RED-CHAIR",
                    "by": "key:3kVdR0sUwQa", "purchased_quantity": 5, "eta": null, "revision": 1,
                    "detail": "The batch was added with 5 units, in stock" },
                { "at": "2027-01-12T16:30:00Z", "event": "batch_adjusted", "sku": "RED-CHAIR", "by": "key:3kVdR0sUwQa",
                    "purchased_quantity": 5, "adjustments": -1, "change": -1, "adjustment_id": "DAMAGE-12",
                    "reason": "damaged", "revision": 2, "detail": "The batch was adjusted by -1: damaged" }
            ])),
        BatchHistoryProblems,
    ),
)]
pub(crate) async fn history(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let page = PageRequest::take(&mut query);
    let reference = path_identifier::beside_query(&request, query, "reference")?;
    let page = api.read(&request, move |queries, now| read_page(queries, &reference, page, now)).await?;
    Ok(page.into())
}

fn read_page(
    queries: &dyn Queries,
    reference: &BatchReference,
    page: PageRequest<EventCursor>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let subject = Subject::Batch(reference.clone());
    let rows = queries.history(&subject, page.after.clone(), page.size)?;
    if rows.is_empty() && !is_known(queries, reference, &subject, now)? {
        return Err(Problem::new(Kind::BatchNotFound, format!("There is no batch {reference}")));
    }
    let next = page::next(page.size, &rows, |after, size| queries.history(&subject, after, size))?;
    let path = format!("/batch/{}/history", encode(reference.as_str()));
    page.response(&path, &rows.iter().map(BatchEntry::from).collect::<Vec<_>>(), next)
}

/// Returns whether the batch exists or has existed.
fn is_known(
    queries: &dyn Queries,
    reference: &BatchReference,
    subject: &Subject,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(queries.batch(reference, now)?.is_some() || !queries.history(subject, None, PageSize::ONE)?.is_empty())
}

#[cfg(test)]
mod tests;

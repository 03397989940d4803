//! Batches of stock.

mod change;
mod effects;
mod history;
mod receipt;
mod request;
mod response;

pub(crate) use change::{__path_change, change};
pub(crate) use effects::Effects;
pub(crate) use history::{__path_history, history};
pub(crate) use receipt::{__path_receive, receive};
pub(crate) use request::NewBatchSchema;
pub(crate) use response::Batch;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{self, PageParamsSchema, PageRequest, PageResponse};
use crate::path_identifier;
use crate::percent::encode;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, dry_run, etag, repeat, respond};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use allocation_access::Scope;
use allocation_domain::{BatchReference, Event, Outcome};
use allocation_ports::{BatchCursor, BatchFilter, OverdueCursor, Queries};
use allocation_requests::AddBatch;
use chrono::{DateTime, NaiveDate, Utc};

pub(crate) fn routes() -> [Path; 4] {
    [
        Path::new("/batch").post(Scope::BatchesWrite, add).get(Scope::Read, list),
        Path::new("/batch/{reference}")
            .get(Scope::Read, find)
            .patch(Scope::BatchesWrite, change)
            .delete(Scope::BatchesWrite, remove),
        Path::new("/batch/{reference}/history").get(Scope::Read, history),
        Path::new("/batch/{reference}/receipts").post(Scope::BatchesWrite, receive),
    ]
}

document!(AddBatchProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, BatchAlreadyExists, AlreadyUndone, IdempotencyKeyReused, Overloaded,
    SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ListBatchesProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(FindBatchProblems: Validation, BatchNotFound, Overloaded, DatabaseUnavailable, InternalError);
document!(RemoveBatchProblems:
    Validation, BatchNotFound, BatchHasAllocations, AlreadyPicked, BatchChanged, Overloaded, SchemaNotCurrent,
    DatabaseUnavailable, InternalError,
);

/// Add a batch
///
/// Repeating the request changes nothing. `ref` and `qty` are accepted as aliases of `reference` and
/// `purchased_quantity`.
#[utoipa::path(
    post,
    path = "/batch",
    operation_id = "addBatch",
    tag = "Batches",
    params(
        ("dry_run" = Option<bool>, Query, description = "Only return what the batch would be, and add nothing"),
        ("Idempotency-Key" = Option<String>, Header, description =
            "A key of this request alone: a duplicate is recognized even after its effect was undone"),
    ),
    request_body(content = NewBatchSchema, examples(
        ("coming" = (summary = "An inbound batch", value = json!({
            "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20, "eta": "2027-01-15"
        }))),
        ("in-stock" = (summary = "A batch in stock", value = json!({
            "reference": "B-2", "sku": "RED-CHAIR", "purchased_quantity": 5
        }))),
    )),
    responses(
        (status = 201, description = "The batch was added", body = Batch<'_>,
            headers(
                ("Location" = String, description = "The path of the batch"),
                ("ETag" = String, description = "The version of the batch"),
            ),
            example = json!({
                "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20,
                "allocated_quantity": 0, "available_quantity": 20, "eta": "2027-01-15"
            })),
        (status = 200, description = "The batch already exists; its current state. Or the batch as it would be (`dry_run`)",
            body = Batch<'_>,
            headers(("ETag" = String, description = "The version of the batch")),
            example = json!({
                "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20,
                "allocated_quantity": 10, "available_quantity": 10, "eta": "2027-01-15"
            })),
        AddBatchProblems,
    ),
)]
pub(crate) async fn add(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), AddBatch { sku, batch }) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    let (sent_sku, sent) = (sku.clone(), batch.clone());
    let concerns = move |event: &Event| match event {
        Event::BatchAdded { reference, sku, purchased_quantity, eta, .. } => {
            (reference, sku) == (&sent.reference, &sent_sku)
                && (*purchased_quantity, *eta) == (sent.purchased, sent.eta)
        }
        _ => false,
    };
    let is_repeat = repeat::is_repeat(&api, &request, &["batch_added"], concerns).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run || is_repeat);
    let added = move || match use_cases.add_batch(&sku, &batch) {
        added if is_repeat => repeat::unchanged(added).map(Outcome::Unchanged),
        added => added.map_err(Problem::from),
    };
    match api.gate.run(&request, added).await? {
        Outcome::Changed(batch) if !is_dry_run => {
            let location = format!("/batch/{}", encode(batch.reference().as_str()));
            let mut response = respond::builder(StatusCode::CREATED);
            response.insert_header((header::LOCATION, location));
            show(response, api.today(), &batch)
        }
        Outcome::Changed(batch) | Outcome::Unchanged(batch) => {
            show(respond::builder(StatusCode::OK), api.today(), &batch)
        }
    }
}

/// List batches
///
/// Sorted by the time of addition; with `overdue=true`, the longest overdue first.
#[utoipa::path(
    get,
    path = "/batch",
    operation_id = "listBatches",
    tag = "Batches",
    params(
        ("sku" = Option<Identifier>, Query, description = "Only batches of this SKU"),
        ("overdue" = Option<bool>, Query, description =
            "`true`: only batches that were expected before today and have not arrived"),
        PageParamsSchema,
    ),
    responses(
        (status = 200, description = "A page of batches", body = Vec<Batch<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20,
                "allocated_quantity": 10, "available_quantity": 10, "eta": "2027-01-15"
            }])),
        ListBatchesProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let filter = BatchFilter { sku: query.take_filter("sku", str::parse) };
    let today = api.today();
    let page = if query.take_filter("overdue", parse_overdue).is_some() {
        let page = PageRequest::take(&mut query);
        query.finish()?;
        api.search(&request, move |queries, now| read_overdue(queries, &filter, today, page, now)).await?
    } else {
        let page = PageRequest::take(&mut query);
        query.finish()?;
        api.search(&request, move |queries, now| read_page(queries, &filter, today, page, now)).await?
    };
    Ok(page.into())
}

/// Get a batch
///
/// The `ETag` changes with every member of the response. The part before the dot is the version, which
/// counts corrections but not allocations. `If-Match` compares only the version.
#[utoipa::path(
    get,
    path = "/batch/{reference}",
    operation_id = "getBatch",
    tag = "Batches",
    params(
        ("reference" = Identifier, Path, description = "The batch", example = "B-1"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the representation that the client has"),
    ),
    responses(
        (status = 304, description = "The batch has not changed"),
        (status = 200, description = "The batch", body = Batch<'_>,
            headers(("ETag" = String, description = "The version of the batch")),
            example = json!({
                "reference": "B-1", "sku": "RED-CHAIR", "purchased_quantity": 20,
                "allocated_quantity": 10, "available_quantity": 10, "eta": "2027-01-15"
            })),
        FindBatchProblems,
    ),
)]
pub(crate) async fn find(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let reference = path_identifier::in_path(&request, "reference")?;
    let batch = api.read(&request, move |queries, now| read(queries, &reference, now)).await?;
    let body = respond::bytes(&Batch::on(api.today(), &batch))?;
    let tag = etag::of(batch.version(), &body);
    if etag::is_known(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    Ok(respond::builder(StatusCode::OK).insert_header(tag).body(body))
}

/// Delete a batch
///
/// A batch can be deleted only if it has no allocations and none of its units were picked. Send its `ETag`
/// as `If-Match` to delete it only if it is unchanged.
#[utoipa::path(
    delete,
    path = "/batch/{reference}",
    operation_id = "deleteBatch",
    tag = "Batches",
    params(
        ("reference" = Identifier, Path, description = "The batch", example = "B-3"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
        ("If-Match" = Option<String>, Header, description =
            "The `ETag` of the version to delete, such as `\"1-5f5e100\"`, a list of them, or `*` for any"),
    ),
    responses((status = 204, description = "The batch was deleted"), RemoveBatchProblems),
)]
pub(crate) async fn remove(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let reference = path_identifier::beside_query(&request, query, "reference")?;
    let expected = etag::expected_versions(&request);
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let remove = move || use_cases.remove_batch_if(&reference, &expected);
    api.gate.run(&request, remove).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Returns the response with a batch and its tag.
fn show(
    mut response: HttpResponseBuilder,
    today: NaiveDate,
    batch: &allocation_domain::Batch,
) -> Result<HttpResponse, Problem> {
    let shown = respond::bytes(&Batch::on(today, batch))?;
    Ok(response.insert_header(etag::of(batch.version(), &shown)).body(shown))
}

fn read(
    queries: &dyn Queries,
    reference: &BatchReference,
    now: DateTime<Utc>,
) -> Result<allocation_domain::Batch, Problem> {
    let not_found = || Problem::new(Kind::BatchNotFound, format!("There is no batch {reference}"));
    queries.batch(reference, now)?.ok_or_else(not_found)
}

fn read_page(
    queries: &dyn Queries,
    filter: &BatchFilter,
    today: NaiveDate,
    page: PageRequest<BatchCursor>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let rows = queries.batches(filter, page.after.clone(), page.size, now)?;
    let next = page::next(page.size, &rows, |after, size| queries.batches(filter, after, size, now))?;
    page.response("/batch", &shown_on(today, &rows), next)
}

fn read_overdue(
    queries: &dyn Queries,
    filter: &BatchFilter,
    today: NaiveDate,
    page: PageRequest<OverdueCursor>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let rows = queries.overdue_batches(filter, today, page.after.clone(), page.size, now)?;
    let read = |after, size| queries.overdue_batches(filter, today, after, size, now);
    let next = page::next(page.size, &rows, read)?;
    page.response("/batch", &shown_on(today, &rows), next)
}

fn shown_on(today: NaiveDate, rows: &[allocation_domain::Batch]) -> Vec<Batch<'_>> {
    rows.iter().map(|batch| Batch::on(today, batch)).collect()
}

/// Only overdue batches have a list of their own.
fn parse_overdue(text: &str) -> Result<(), &'static str> {
    if text == "true" { Ok(()) } else { Err("must be true; leave it out for all batches") }
}

#[cfg(test)]
mod tests;

//! Counts of stock while business goes on.

mod request;
mod response;

use request::{CountClosingSchema, CountedUnitsSchema, NewCountSchema};
use response::{Count, Line, Summary};

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{PageParamsSchema, PageRequest};
use crate::path_identifier::{self, PathIdentifiers};
use crate::percent::encode;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::resource::Path;
use crate::{body, dry_run, respond};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_domain::{CountId, CountedUnits, NewStockCount, Outcome};
use allocation_ports::Queries;
use allocation_requests::CountClosing;

pub(crate) fn routes() -> [Path; 4] {
    [
        Path::new("/counts").post(Scope::BatchesWrite, open).get(Scope::Read, list),
        Path::new("/counts/{count_id}").get(Scope::Read, find).delete(Scope::BatchesWrite, abandon),
        Path::new("/counts/{count_id}/lines/{line}").put(Scope::BatchesWrite, enter),
        Path::new("/counts/{count_id}/close").post(Scope::BatchesWrite, close),
    ]
}

document!(OpenCountProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, BatchNotFound, CountAlreadyExists,
    AdjustmentAlreadyExists, BatchInOpenCount, NothingToCount, CountTooLarge, Overloaded, SchemaNotCurrent,
    DatabaseUnavailable, InternalError,
);
document!(ListCountsProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(FindCountProblems: Validation, CountNotFound, Overloaded, DatabaseUnavailable, InternalError);
document!(EnterCountProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, CountNotFound, CountLineNotFound, BatchNotFound,
    CountClosed, PickedUnits, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(CloseCountProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, CountNotFound, NotCounted, AdjustmentAlreadyExists,
    UnitsConsumed, TooManyUnits, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(AbandonCountProblems:
    Validation, CountNotFound, CountClosed, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Open a count
///
/// Has a line for each batch in stock of the SKUs, or for each named batch; at most 500. Business goes on: each line is
/// compared with the units on hand at the instant at which it is entered.
///
/// Repeating the request returns the count as it is now. A different request with the same id is a conflict.
#[utoipa::path(
    post,
    path = "/counts",
    operation_id = "openCount",
    tag = "Counts",
    params(("dry_run" = Option<bool>, Query, description = "Return the response without changing anything")),
    request_body(content = NewCountSchema, examples(
        ("batches" = (summary = "A batch is counted", value = json!({
            "count_id": "HALL-3", "references": ["B-2"]
        }))),
        ("another" = (summary = "Another batch is counted", value = json!({
            "count_id": "HALL-4", "references": ["B-1"]
        }))),
        ("blind" = (summary = "All batches of a SKU, and the expected units are hidden", value = json!({
            "count_id": "LAMPS", "skus": ["LAMP"], "blind": true
        }))),
    )),
    responses(
        (status = 201, description = "The count is open", body = Count<'_>,
            headers(("Location" = String, description = "The path of the count")),
            example = json!({
                "count_id": "HALL-3", "status": "open", "blind": false, "opened_at": "2027-01-15T08:00:00Z",
                "lines": [{ "line": 1, "reference": "B-2", "sku": "RED-CHAIR" }]
            })),
        (status = 200, description = "The count was already opened; its current state. Or the response as it would be \
            (`dry_run`)",
            body = Count<'_>, example = json!({
                "count_id": "HALL-3", "status": "open", "blind": false, "opened_at": "2027-01-15T08:00:00Z",
                "lines": [{ "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "counted": 5, "expected": 5,
                    "variance": 0 }]
            })),
        OpenCountProblems,
    ),
)]
pub(crate) async fn open(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), new): ((), NewStockCount) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    match api.gate.run(&request, move || use_cases.open_count(&new)).await? {
        Outcome::Changed(count) if !is_dry_run => {
            let location = format!("/counts/{}", encode(count.count_id().as_str()));
            let body = respond::bytes(&Count::from(&count))?;
            Ok(respond::builder(StatusCode::CREATED).insert_header((header::LOCATION, location)).body(body))
        }
        Outcome::Changed(count) | Outcome::Unchanged(count) => respond::json(StatusCode::OK, &Count::from(&count)),
    }
}

/// List counts
///
/// Sorted by the bytes of their ids, without their lines.
#[utoipa::path(
    get,
    path = "/counts",
    operation_id = "listCounts",
    tag = "Counts",
    params(PageParamsSchema),
    responses(
        (status = 200, description = "A page of counts", body = Vec<Summary<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "count_id": "HALL-3", "status": "open", "blind": false, "opened_at": "2027-01-15T08:00:00Z", "lines": 1,
                "entered": 0
            }])),
        ListCountsProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let page: PageRequest<CountId> = PageRequest::take(&mut query);
    query.finish()?;
    let read = move |queries: &dyn Queries, _| {
        let found = queries.counts(page.after.clone(), page.size)?;
        page.response("/counts", &found.counts.iter().map(Summary::from).collect::<Vec<_>>(), found.next)
    };
    let page = api.search(&request, read).await?;
    Ok(page.into())
}

/// Get a count
#[utoipa::path(
    get,
    path = "/counts/{count_id}",
    operation_id = "getCount",
    tag = "Counts",
    params(("count_id" = Identifier, Path, description = "The count", example = "HALL-3")),
    responses(
        (status = 200, description = "The count", body = Count<'_>, example = json!({
            "count_id": "HALL-3", "status": "open", "blind": false, "opened_at": "2027-01-15T08:00:00Z",
            "lines": [{ "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "counted": 5, "expected": 5, "variance": 0 }]
        })),
        FindCountProblems,
    ),
)]
pub(crate) async fn find(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let count_id: CountId = path_identifier::in_path(&request, "count_id")?;
    let read =
        move |queries: &dyn Queries, _| queries.count(&count_id)?.ok_or_else(|| Problem::count_not_found(&count_id));
    let count = api.read(&request, read).await?;
    respond::json(StatusCode::OK, &Count::from(&count))
}

/// Enter a counted batch
///
/// Compares the units that were found with those on hand at this instant: available, allocated or picked. What moves
/// before or after does not matter. If units of the batch are picked and not shipped, say with `picked_counted` whether
/// they were counted.
///
/// Repeating the request changes nothing, whatever has moved meanwhile. Other units replace the entry, and so do the
/// same ones with another `recount`: they are compared with the units on hand then.
#[utoipa::path(
    put,
    path = "/counts/{count_id}/lines/{line}",
    operation_id = "enterCount",
    tag = "Counts",
    params(
        ("count_id" = Identifier, Path, description = "The count", example = "HALL-4"),
        ("line" = i32, Path, description = "The number of the line", minimum = 1, example = 1),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    request_body(content = CountedUnitsSchema, example = json!({ "counted": 5 })),
    responses(
        (status = 200, description = "The line is entered", body = Line<'_>, example = json!({
            "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "counted": 5, "expected": 5, "variance": 0
        })),
        EnterCountProblems,
    ),
)]
pub(crate) async fn enter(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let (count_id, number) = (path.take::<CountId>(2, "count_id"), path.take_number(4, "line"));
    let found = count_id.zip(number);
    let ((count_id, number), entered): (_, CountedUnits) =
        body::read_beside(path.errors(), found, &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let count = api.gate.run(&request, move || use_cases.enter_count(&count_id, number, entered)).await?;
    let line = usize::try_from(number).ok().and_then(|number| Line::of(&count, number));
    respond::json(StatusCode::OK, &line.ok_or_else(|| Problem::of(Kind::InternalError))?)
}

/// Close a count
///
/// Applies all variances as one adjustment with the id of the count and the reason `count`: all of them, or none. Lines
/// that are not entered reject the request, unless `uncounted` is `leave`. The entry of a batch that was deleted since
/// is dropped, so its line is as one that is not entered. The body can be empty.
///
/// As any adjustment, the variances displace at most 1,000 order lines at once; others leave their batch in the
/// background. A variance that would take picked or shipped units rejects the request: count the batch again.
///
/// Closing a closed count returns the same response. A dry run of a blind count does not tell the variances.
#[utoipa::path(
    post,
    path = "/counts/{count_id}/close",
    operation_id = "closeCount",
    tag = "Counts",
    params(
        ("count_id" = Identifier, Path, description = "The count", example = "HALL-3"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    request_body(content = CountClosingSchema, example = json!({ "uncounted": "leave" })),
    responses(
        (status = 200, description = "The count is closed, and the lines that this affected", body = Count<'_>,
            example = json!({
                "count_id": "HALL-3", "status": "closed", "blind": false, "opened_at": "2027-01-15T08:00:00Z",
                "closed_at": "2027-01-15T09:00:00Z",
                "lines": [{ "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "counted": 4, "expected": 5,
                    "variance": -1 }],
                "adjustment": {
                    "lines": [{ "reference": "B-2", "sku": "RED-CHAIR", "change": -1, "on_hand": 4 }],
                    "affected": [], "moved": [], "displaced": []
                }
            })),
        CloseCountProblems,
    ),
)]
pub(crate) async fn close(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let path = PathIdentifiers::beside(&request, query);
    let (count_id, CountClosing { uncounted }): (CountId, _) =
        body::read_optional_beside(path, "count_id", &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let count = match api.gate.run(&request, move || use_cases.close_count(&count_id, uncounted)).await? {
        // Nothing is closed, so what is hidden stays hidden.
        Outcome::Changed(mut count) if is_dry_run && count.request.blind => {
            count.closed = None;
            count
        }
        Outcome::Changed(count) | Outcome::Unchanged(count) => count,
    };
    respond::json(StatusCode::OK, &Count::from(&count))
}

/// Abandon a count
///
/// Its entries are lost, and nothing is adjusted. A closed count stays.
#[utoipa::path(
    delete,
    path = "/counts/{count_id}",
    operation_id = "abandonCount",
    tag = "Counts",
    params(
        ("count_id" = Identifier, Path, description = "The count", example = "LAMPS"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    responses((status = 204, description = "There is no such count any more"), AbandonCountProblems),
)]
pub(crate) async fn abandon(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let count_id: CountId = path_identifier::beside_query(&request, query, "count_id")?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    api.gate.run(&request, move || use_cases.abandon_count(&count_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;

//! Pick lists: units that the warehouse picks together.

mod csv;
mod format;
mod html;
mod picking;
mod request;
mod response;

pub(crate) use format::FormatSchema;
pub(crate) use picking::{__path_pick, __path_put_back, __path_release_line, pick, put_back, release_line};
use request::{ListShipmentSchema, NewPickListSchema};
pub(crate) use response::{ListStatusSchema, PickList, Summary};

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{PageParamsSchema, PageRequest, PageResponse};
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
use allocation_domain::{Outcome, PickListId};
use allocation_ports::{PickListFilter, Queries, StoredPickList};
use allocation_requests::{ListShipment, PickListRequest};
use format::Format;

pub(crate) fn routes() -> [Path; 6] {
    [
        Path::new("/pick-lists").post(Scope::PickingWrite, make).get(Scope::Read, list),
        Path::new("/pick-lists/{pick_list_id}").get(Scope::Read, find).delete(Scope::PickingWrite, release),
        Path::new("/pick-lists/{pick_list_id}/ship").post(Scope::PickingWrite, ship),
        Path::new("/pick-lists/{pick_list_id}/lines/{line}").delete(Scope::PickingWrite, release_line),
        Path::new("/pick-lists/{pick_list_id}/lines/{line}/pick").post(Scope::PickingWrite, pick),
        Path::new("/pick-lists/{pick_list_id}/lines/{line}/put-back").post(Scope::PickingWrite, put_back),
    ]
}

document!(MakePickListProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, NothingToPick, PickListAlreadyExists, Overloaded,
    SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ListPickListsProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);
document!(FindPickListProblems:
    Validation, PickListNotFound, NotAcceptable, Overloaded, DatabaseUnavailable, InternalError,
);
document!(ShipPickListProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, PickListNotFound, NotPicked, NothingPicked,
    Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);
document!(ReleasePickListProblems:
    Validation, PickListNotFound, AlreadyPicked, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Create a pick list
///
/// Selects units that match the criteria, are allocated firmly, are in stock, and are on no other list:
/// sorted by batch, then in the order in which lines are served. No two lists share a unit, even if they are
/// created at the same time. Units beyond `max_lines` are left to further lists.
///
/// Repeating the request returns the list as it is now. A different request with the same id is a conflict.
#[utoipa::path(
    post,
    path = "/pick-lists",
    operation_id = "makePickList",
    tag = "Pick lists",
    params(("dry_run" = Option<bool>, Query, description = "Only return what the list would be, and create nothing")),
    request_body(content = NewPickListSchema, examples(
        ("batch" = (summary = "Up to twenty lines of a batch, with an id of your choice", value = json!({
            "pick_list_id": "MORNING", "references": ["B-1"], "max_lines": 20
        }))),
        ("rest" = (summary = "All other units that can be picked", value = json!({ "pick_list_id": "EVENING" }))),
    )),
    responses(
        (status = 201, description = "The list was created", body = PickList<'_>,
            headers(("Location" = String, description = "The path of the list")),
            example = json!({
                "pick_list_id": "MORNING", "status": "open", "created_at": "2027-01-15T08:00:00Z", "lines": [
                    { "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-7", "qty": 4, "status": "open" }
                ]
            })),
        (status = 200, description = "The list already exists; its current state. Or the list as it would be (`dry_run`)",
            body = PickList<'_>,
            example = json!({
                "pick_list_id": "MORNING", "status": "picked", "created_at": "2027-01-15T08:00:00Z", "lines": [
                    { "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-7", "qty": 4,
                        "status": "picked", "picked": 3 }
                ]
            })),
        MakePickListProblems,
    ),
)]
pub(crate) async fn make(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let ((), mut new): ((), PickListRequest) = body::read_beside(query.errors(), Some(()), &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let list_id = new.list_id.take().or_else(|| use_cases.name_pick_list());
    let list = new.into_list(list_id.ok_or_else(|| Problem::of(Kind::InternalError))?);
    match api.searches.run(&request, move || use_cases.make_pick_list(&list)).await? {
        Outcome::Changed(made) if !is_dry_run => {
            let location = format!("/pick-lists/{}", encode(made.list.list_id.as_str()));
            let mut response = respond::builder(StatusCode::CREATED);
            Ok(response.insert_header((header::LOCATION, location)).body(respond::bytes(&PickList::from(&made))?))
        }
        Outcome::Changed(known) | Outcome::Unchanged(known) => respond::json(StatusCode::OK, &PickList::from(&known)),
    }
}

/// List pick lists
///
/// Sorted by the bytes of their ids, without lines. A page can be short, or even empty, before the last
/// one: follow the `Link` header for as long as there is one.
#[utoipa::path(
    get,
    path = "/pick-lists",
    operation_id = "listPickLists",
    tag = "Pick lists",
    params(
        ("status" = Option<ListStatusSchema>, Query, description = "Only lists with this status"),
        PageParamsSchema,
    ),
    responses(
        (status = 200, description = "A page of pick lists", body = Vec<Summary<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "pick_list_id": "MORNING", "status": "open", "created_at": "2027-01-15T08:00:00Z", "line_count": 3,
                "open_count": 1
            }])),
        ListPickListsProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let filter = PickListFilter { status: query.take_filter("status", str::parse) };
    let page = PageRequest::take(&mut query);
    query.finish()?;
    let page = api.search(&request, move |queries, _| read_page(queries, &filter, page)).await?;
    Ok(page.into())
}

/// Get a pick list
///
/// Returns JSON, CSV or a printable page, as `Accept` or `format` requests.
///
/// CSV is meant for spreadsheets: it starts with a byte order mark, and text that a spreadsheet would
/// evaluate as a formula is preceded by an apostrophe. With `raw=true`, CSV is meant for programs: text is
/// unchanged, and there is no byte order mark.
#[utoipa::path(
    get,
    path = "/pick-lists/{pick_list_id}",
    operation_id = "getPickList",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING"),
        ("format" = Option<FormatSchema>, Query, description = "The format of the list; takes precedence over `Accept`"),
        ("raw" = Option<bool>, Query, description = "Whether CSV is meant for programs"),
    ),
    responses(
        (status = 200, description = "The list",
            content(
                (PickList<'_> = "application/json", example = json!({
                    "pick_list_id": "MORNING", "status": "open", "created_at": "2027-01-15T08:00:00Z", "lines": [
                        { "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-7", "qty": 4,
                            "status": "open" }
                    ]
                })),
                (String = "text/csv"),
                (String = "text/html"),
            ),
            headers(("Vary" = String, description = "`Accept`"))),
        FindPickListProblems,
    ),
)]
pub(crate) async fn find(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let params = format::Params::take(&mut query);
    let list_id: PickListId = path_identifier::beside_query(&request, query, "pick_list_id")?;
    let format = params.choose(&request)?;
    let stored = api.read(&request, move |queries, _| read(queries, &list_id)).await?;
    show(&stored, format)
}

/// Release a pick list
///
/// Makes its units available to other lists. Only a list without picked units can be released. Releasing a
/// released list changes nothing.
#[utoipa::path(
    delete,
    path = "/pick-lists/{pick_list_id}",
    operation_id = "releasePickList",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "EVENING"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    responses((status = 204, description = "The list was released"), ReleasePickListProblems),
)]
pub(crate) async fn release(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let list_id = path_identifier::beside_query(&request, query, "pick_list_id")?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    api.gate.run(&request, move || use_cases.release_pick_list(&list_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ship a pick list
///
/// Ships all picked units that no shipment has taken. No line of the list may be open, unless `open` is `release`: then
/// open lines are withdrawn in the same transaction, and their units are available to other lists. The body can be
/// empty.
///
/// A list of which nothing was picked is not shipped: release it. Shipping a list again changes nothing.
#[utoipa::path(
    post,
    path = "/pick-lists/{pick_list_id}/ship",
    operation_id = "shipPickList",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING"),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything", example = true),
    ),
    request_body(content = ListShipmentSchema, example = json!({ "open": "release" })),
    responses(
        (status = 200, description = "The picked units are shipped", body = PickList<'_>, example = json!({
            "pick_list_id": "MORNING", "status": "shipped", "created_at": "2027-01-15T08:00:00Z", "lines": [
                { "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-7", "qty": 4,
                    "status": "shipped", "picked": 3 }
            ]
        })),
        ShipPickListProblems,
    ),
)]
pub(crate) async fn ship(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let path = PathIdentifiers::beside(&request, query);
    let (list_id, ListShipment { open }): (PickListId, _) =
        body::read_optional_beside(path, "pick_list_id", &request, payload).await?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    let shipped = api.gate.run(&request, move || use_cases.ship_pick_list(&list_id, open)).await?;
    respond::json(StatusCode::OK, &PickList::from(&shipped))
}

/// Returns the response with a list in a format.
fn show(stored: &StoredPickList, format: Format) -> Result<HttpResponse, Problem> {
    let list = PickList::from(stored);
    let mut response = respond::builder(StatusCode::OK);
    response.insert_header((header::VARY, "Accept")).insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    let body = match format {
        Format::Json => respond::bytes(&list)?,
        Format::Csv(reader) => {
            let file = format!("attachment; filename*=UTF-8''{}.csv", encode(list.pick_list_id.0));
            response.insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"));
            response.insert_header((header::CONTENT_DISPOSITION, file));
            csv::write(&list, reader).into_bytes()
        }
        Format::Html => {
            response.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"));
            response.insert_header((header::CONTENT_SECURITY_POLICY, html::POLICY));
            response.insert_header((header::REFERRER_POLICY, "no-referrer"));
            html::write(&list).into_bytes()
        }
    };
    Ok(response.body(body))
}

fn read(queries: &dyn Queries, list_id: &PickListId) -> Result<StoredPickList, Problem> {
    queries.pick_list(list_id)?.ok_or_else(|| Problem::pick_list_not_found(list_id))
}

fn read_page(
    queries: &dyn Queries,
    filter: &PickListFilter,
    page: PageRequest<PickListId>,
) -> Result<PageResponse, Problem> {
    let found = queries.pick_lists(filter, page.after.clone(), page.size)?;
    let rows: Vec<_> = found.lists.iter().map(Summary::from).collect();
    page.response("/pick-lists", &rows, found.next)
}

#[cfg(test)]
mod tests;

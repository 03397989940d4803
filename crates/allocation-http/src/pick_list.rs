//! Pick lists: units that the warehouse takes from the shelves together.

mod csv;
mod format;
mod max_lines;
mod names;
mod new;
mod page;
mod picking;
mod shown;

pub(crate) use format::FormatSchema;
pub(crate) use new::ListToMake;
#[cfg(test)]
pub(crate) use picking::Found;
pub(crate) use picking::{__path_pick, pick};
pub(crate) use shown::{ListStatusSchema, PickList, Summary};

use crate::api::Api;
use crate::identifier::{Identifier, PathIdentifiers, encode};
use crate::openapi::document;
use crate::page::{self as pages, Page, PageAnswer, PageParameters};
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::resource::Path;
use crate::{answer, body};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use allocation_app::MakePickListOutcome;
use allocation_domain::{PickListId, PickListStatus};
use allocation_ports::{PickListFilter, Queries, StoredPickList};
use format::Format;

pub(crate) fn configure(cfg: &mut web::ServiceConfig) {
    Path::new("/pick-lists").post(make).get(list).register(cfg);
    Path::new("/pick-lists/{pick_list_id}").get(find).delete(give_back).register(cfg);
    Path::new("/pick-lists/{pick_list_id}/ship").post(ship).register(cfg);
    Path::new("/pick-lists/{pick_list_id}/lines/{line}/pick").post(pick).register(cfg);
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
document!(GiveBackPickListProblems:
    Validation, PickListNotFound, AlreadyPicked, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// Make a pick list
///
/// It takes what is allocated firmly, in stock and on no other list, as far as it fits what is asked
/// for: by batch, then in the order in which lines are served. No two lists share a unit, whoever makes
/// them at the same time; what another request takes meanwhile is left out. What does not fit on it is
/// for further lists, until there is nothing to pick. A list that was made stays as it is: the same
/// request again shows it, another one of its name is a conflict.
#[utoipa::path(
    post,
    path = "/pick-lists",
    operation_id = "makePickList",
    tag = "Pick lists",
    request_body(content = ListToMake, examples(
        ("all" = (summary = "All there is to pick", value = json!({}))),
        ("named" = (summary = "Twenty lines of a batch, under a name of yours", value = json!({
            "pick_list_id": "MORNING", "references": ["B-2"], "max_lines": 20
        }))),
    )),
    responses(
        (status = 201, description = "The list was made", body = PickList<'_>,
            headers(("Location" = String, description = "The path of the list")),
            example = json!({
                "pick_list_id": "MORNING", "status": "open", "created_at": "2027-01-15T08:00:00Z", "lines": [
                    { "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 5, "status": "open" }
                ]
            })),
        (status = 200, description = "The list was made before; this is what became of it", body = PickList<'_>,
            example = json!({
                "pick_list_id": "MORNING", "status": "picked", "created_at": "2027-01-15T08:00:00Z", "lines": [
                    { "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 5,
                        "status": "picked", "picked": 3 }
                ]
            })),
        MakePickListProblems,
    ),
)]
pub(crate) async fn make(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut new = body::read::<ListToMake>(&request, payload).await?;
    let use_cases = api.use_cases(&request);
    let list_id = new.list_id.take().or_else(|| use_cases.name_pick_list());
    let list = new.named(list_id.ok_or_else(|| Problem::of(Kind::InternalError))?);
    match api.searches.run(&request, move || use_cases.make_pick_list(&list)).await? {
        MakePickListOutcome::Made(made) => {
            let location = format!("/pick-lists/{}", encode(made.list.list_id.as_str()));
            let mut response = answer::builder(StatusCode::CREATED);
            Ok(response.insert_header((header::LOCATION, location)).body(answer::bytes(&PickList::from(&made))?))
        }
        MakePickListOutcome::Unchanged(known) => answer::json(StatusCode::OK, &PickList::from(&known)),
    }
}

/// List pick lists
///
/// By the bytes of their names, without their lines. A page may have fewer rows than its limit, even
/// none, and a further page all the same: follow the header `Link` for as long as there is one.
#[utoipa::path(
    get,
    path = "/pick-lists",
    operation_id = "listPickLists",
    tag = "Pick lists",
    params(
        ("status" = Option<ListStatusSchema>, Query, description = "Only lists with this status"),
        PageParameters,
    ),
    responses(
        (status = 200, description = "A page of pick lists", body = Vec<Summary<'_>>,
            headers(("Link" = String, description = "The next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "pick_list_id": "MORNING", "status": "open", "created_at": "2027-01-15T08:00:00Z", "line_count": 3,
                "open_count": 1
            }])),
        ListPickListsProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let filter = PickListFilter { status: query.take("status", parse_status) };
    let page = Page::take(&mut query);
    query.faults().check(Some(()))?;
    let page = api.search(&request, move |queries, _| read_page(queries, &filter, page)).await?;
    Ok(page.into())
}

/// Look at a pick list
///
/// As JSON, as comma-separated values, or as a page to print, by the header `Accept` or by `format`.
///
/// Comma-separated values are for a spreadsheet: they begin with a byte-order mark, and an apostrophe
/// stands before each name, or part of a name, that would be run as a formula. With `raw=true` they are
/// for a program: every name is as it is, and there is no byte-order mark.
#[utoipa::path(
    get,
    path = "/pick-lists/{pick_list_id}",
    operation_id = "getPickList",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING"),
        ("format" = Option<FormatSchema>, Query, description = "How to show the list, whatever the header `Accept` says"),
        ("raw" = Option<bool>, Query, description = "Whether comma-separated values are for a program"),
    ),
    responses(
        (status = 200, description = "The list",
            content(
                (PickList<'_> = "application/json", example = json!({
                    "pick_list_id": "MORNING", "status": "open", "created_at": "2027-01-15T08:00:00Z", "lines": [
                        { "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 5,
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
    let asked = format::Asked::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take(2, "pick_list_id");
    let list_id: PickListId = path.finish(found)?;
    let format = asked.choose(request.headers())?;
    let stored = api.read(&request, move |queries, _| read(queries, &list_id)).await?;
    show(&stored, format)
}

/// Give a pick list back
///
/// Other lists may take its lines. Only a list of which nothing was picked can be given back; one that
/// was given back stays so.
#[utoipa::path(
    delete,
    path = "/pick-lists/{pick_list_id}",
    operation_id = "giveBackPickList",
    tag = "Pick lists",
    params(("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING")),
    responses((status = 204, description = "Nothing of the list is to be picked"), GiveBackPickListProblems),
)]
pub(crate) async fn give_back(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let list_id = list_id(&request)?;
    let use_cases = api.use_cases(&request);
    api.gate.run(&request, move || use_cases.release_pick_list(&list_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ship a pick list
///
/// All that was picked of it leaves for good, once none of its lines is open. It needs no body; an
/// empty object is accepted. Shipping a list again changes nothing.
#[utoipa::path(
    post,
    path = "/pick-lists/{pick_list_id}/ship",
    operation_id = "shipPickList",
    tag = "Pick lists",
    params(("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING")),
    responses(
        (status = 200, description = "What was picked is shipped", body = PickList<'_>, example = json!({
            "pick_list_id": "MORNING", "status": "shipped", "created_at": "2027-01-15T08:00:00Z", "lines": [
                { "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 5,
                    "status": "shipped", "picked": 3 }
            ]
        })),
        ShipPickListProblems,
    ),
)]
pub(crate) async fn ship(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut path = PathIdentifiers::of(&request);
    let found = path.take(2, "pick_list_id");
    let list_id: PickListId = body::read_nothing_beside(path, found, &request, payload).await?;
    let use_cases = api.use_cases(&request);
    let shipped = api.gate.run(&request, move || use_cases.ship_pick_list(&list_id)).await?;
    answer::json(StatusCode::OK, &PickList::from(&shipped))
}

fn list_id(request: &HttpRequest) -> Result<PickListId, Problem> {
    let mut path = PathIdentifiers::of(request);
    let found = path.take(2, "pick_list_id");
    path.finish(found)
}

/// Returns the response that shows a list in a format.
fn show(stored: &StoredPickList, format: Format) -> Result<HttpResponse, Problem> {
    let list = PickList::from(stored);
    let mut response = answer::builder(StatusCode::OK);
    response.insert_header((header::VARY, "Accept")).insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    let body = match format {
        Format::Json => answer::bytes(&list)?,
        Format::Csv(reader) => {
            let file = format!("attachment; filename*=UTF-8''{}.csv", encode(list.pick_list_id));
            response.insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"));
            response.insert_header((header::CONTENT_DISPOSITION, file));
            csv::write(&list, reader).into_bytes()
        }
        Format::Html => {
            response.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"));
            response.insert_header((header::CONTENT_SECURITY_POLICY, page::POLICY));
            response.insert_header((header::REFERRER_POLICY, "no-referrer"));
            page::write(&list).into_bytes()
        }
    };
    Ok(response.body(body))
}

fn read(queries: &dyn Queries, list_id: &PickListId) -> Result<StoredPickList, Problem> {
    queries.pick_list(list_id)?.ok_or_else(|| Problem::pick_list_not_found(list_id))
}

fn parse_status(text: &str) -> Result<PickListStatus, String> {
    let known = shown::STATUSES.into_iter().find(|status| status.name() == text);
    known.ok_or_else(|| format!("must be one of {}", shown::STATUSES.map(PickListStatus::name).join(", ")))
}

fn read_page(queries: &dyn Queries, filter: &PickListFilter, page: Page<PickListId>) -> Result<PageAnswer, Problem> {
    let found = queries.pick_lists(filter, page.after, page.size)?;
    let rows: Vec<_> = found.lists.iter().map(Summary::from).collect();
    let filters = [("status", filter.status.map(PickListStatus::name))];
    let link = found.next.and_then(|cursor| pages::link("/pick-lists", &filters, page.size, &cursor));
    Ok(PageAnswer { body: answer::bytes(&rows)?, link })
}

#[cfg(test)]
mod tests;

//! Lines of pick lists: what pickers found, and what is left to another list.

use super::response::Line;
use crate::api::Api;
use crate::body::{self, Body};
use crate::eta::EtaDate;
use crate::identifier::{Id, Identifier};
use crate::path_identifier::PathIdentifiers;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::{dry_run, respond};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::{Affected, Displaced, Outcome, PickLine, PickLineId, Picked};
use allocation_requests::{PickedUnits, UnitsPutBack};
use serde::Serialize;
use utoipa::ToSchema;

document!(PickProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, PickLineNotFound, PickLineWithdrawn,
    MoreThanToPick, AlreadyShipped, AlreadyPutBack, NotMissing, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

document!(PutBackProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, PickLineNotFound, MoreThanPicked, AlreadyPutBack,
    AlreadyShipped, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

document!(ReleasePickLineProblems:
    Validation, PickLineNotFound, AlreadyPicked, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// The units that a picker found for a line.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FoundUnits)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct PickedUnitsSchema {
    /// Units found and picked: all units of the line, or fewer if some are missing.
    #[schema(value_type = i32, minimum = 0, maximum = 2_147_483_647, example = 3)]
    qty: u32,
}

/// The units of a picked line that are back on the shelf.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UnitsPutBack)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct UnitsPutBackSchema {
    /// Units of the line that are back on the shelf, in total.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 1)]
    qty: u32,
    /// Why, in your words: 1 to 255 characters by the rules of identifiers. The event has it.
    #[schema(required = false, value_type = String, min_length = 1, max_length = 255, example = "The box is damaged")]
    reason: String,
}

/// A picked line.
#[derive(Serialize, ToSchema)]
#[schema(as = PickedLine)]
pub(crate) struct PickedLine<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    #[serde(flatten)]
    // As if present: generators of clients lose the members of an alternative.
    #[schema(inline, value_type = Short<'a>)]
    short: Option<Short<'a>>,
}

/// What happened to missing units. Absent if all were found, after a correction to more units, and in responses to
/// repeated requests.
#[derive(Serialize, ToSchema)]
#[schema(as = ShortPick)]
pub(crate) struct Short<'a> {
    /// Units that were not found, which the batch loses; after a correction, those in addition. A closed order gets
    /// none in their place.
    #[schema(value_type = i32, required = false, minimum = 1, example = 2)]
    missing: u32,
    /// Units that replace the missing ones, from other batches first, then from the rest of this one.
    /// Together with the backordered units, they make up the missing ones.
    #[schema(required = false)]
    reallocated: Vec<Reallocated<'a>>,
    /// Missing units that could not be replaced and that the line waits for.
    #[schema(value_type = i32, required = false, minimum = 0, example = 0)]
    backordered: u32,
}

/// Units that replace missing ones.
#[derive(Serialize, ToSchema)]
#[schema(as = ReallocatedUnits)]
pub(crate) struct Reallocated<'a> {
    /// The batch.
    reference: Id<'a>,
    /// Units of this batch.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    qty: u32,
    /// The date from which the batch can be picked; null if it is in stock.
    eta: EtaDate,
}

impl<'a> PickedLine<'a> {
    fn of(number: u32, outcome: &'a Outcome<Picked, PickLine>) -> Self {
        match outcome {
            Outcome::Changed(picked) => Self { line: Line::of(number, &picked.line), short: Short::of(picked) },
            Outcome::Unchanged(line) => Self { line: Line::of(number, line), short: None },
        }
    }
}

impl<'a> Short<'a> {
    fn of(picked: &'a Picked) -> Option<Self> {
        let Picked { missing, affected, displaced, .. } = picked;
        let backordered = displaced.as_ref().map_or(0, |Displaced { quantity, .. }| quantity.get());
        let reallocated = affected.iter().map(Reallocated::from).collect();
        (*missing > 0).then_some(Self { missing: *missing, reallocated, backordered })
    }
}

impl<'a> From<&'a Affected> for Reallocated<'a> {
    fn from(line: &'a Affected) -> Self {
        Self { reference: (&line.reference).into(), qty: line.quantity.get(), eta: EtaDate(line.new_eta) }
    }
}

/// Pick a line
///
/// Reports how many units the picker found. Missing units are removed from the batch. In the same
/// transaction, the order line gets replacements from other batches, then from the rest of this one, or it
/// waits.
///
/// Repeating the quantity changes nothing. Another quantity corrects the pick until its units are shipped. Fewer units
/// are a short pick of the difference. More units are no longer missing: the order gets the units that it waits for,
/// then others in place of allocated units that are not picked. Units that it does not want are free and count as
/// `put_back`: return them to the shelf.
///
/// A quantity above that of the line, which may have been lowered since the list was printed, is a conflict.
#[utoipa::path(
    post,
    path = "/pick-lists/{pick_list_id}/lines/{line}/pick",
    operation_id = "pickLine",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING"),
        ("line" = i32, Path, description = "The number of the line", minimum = 1, example = 1),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    request_body(content = PickedUnitsSchema, example = json!({ "qty": 3 })),
    responses(
        (status = 200, description = "The line is picked", body = PickedLine<'_>, example = json!({
            "line": 1, "reference": "B-1", "sku": "RED-CHAIR", "order_id": "O-7", "qty": 4, "status": "picked",
            "picked": 3, "missing": 1, "reallocated": [{ "reference": "B-1", "qty": 1, "eta": "2027-02-01" }],
            "backordered": 0
        })),
        PickProblems,
    ),
)]
pub(crate) async fn pick(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let (is_dry_run, id, PickedUnits(units)) = read_report(&request, payload).await?;
    let (use_cases, number) = (api.use_cases(&request).as_dry_run(is_dry_run), id.line);
    let outcome = api.gate.run(&request, move || use_cases.pick(&id, units)).await?;
    respond::json(StatusCode::OK, &PickedLine::of(number, &outcome))
}

/// Put picked units back
///
/// Reports how many units of a picked line are back on the shelf. They are allocated to the order again, in the same
/// batch, and another list can take them. If the order was closed, they are free, for waiting lines first.
///
/// `qty` is the total for the line, so that repeating the request changes nothing: to put back two more units after
/// one, send 3. `put_back` of the line has the current number.
#[utoipa::path(
    post,
    path = "/pick-lists/{pick_list_id}/lines/{line}/put-back",
    operation_id = "putBackPickedUnits",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING"),
        ("line" = i32, Path, description = "The number of the line", minimum = 1, example = 1),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    request_body(content = UnitsPutBackSchema, example = json!({ "qty": 1, "reason": "The box is damaged" })),
    responses(
        (status = 200, description = "The units are back on the shelf", body = Line<'_>, example = json!({
            "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "order_id": "O-7", "qty": 4, "status": "picked",
            "picked": 2, "put_back": 1
        })),
        PutBackProblems,
    ),
)]
pub(crate) async fn put_back(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let (is_dry_run, id, UnitsPutBack { total, reason }) = read_report(&request, payload).await?;
    let (use_cases, number) = (api.use_cases(&request).as_dry_run(is_dry_run), id.line);
    let line = api.gate.run(&request, move || use_cases.put_back(&id, total, reason.as_ref())).await?;
    respond::json(StatusCode::OK, &Line::of(number, &line))
}

/// Reads a report about a pick line, and whether it is only tried.
async fn read_report<T: Body>(request: &HttpRequest, payload: Payload) -> Result<(bool, PickLineId, T), Problem> {
    let mut query = Query::of(request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(request, query);
    let (list, line) = (path.take(2, "pick_list_id"), path.take_number(4, "line"));
    let found = list.zip(line).map(|(list, line)| PickLineId { list, line });
    let (id, report) = body::read_beside(path.errors(), found, request, payload).await?;
    Ok((is_dry_run, id, report))
}

/// Release a line of a pick list
///
/// Makes its units available to other lists; they stay allocated to the order. Only a line without picked
/// units can be released. Releasing a released line changes nothing.
#[utoipa::path(
    delete,
    path = "/pick-lists/{pick_list_id}/lines/{line}",
    operation_id = "releasePickLine",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "EVENING"),
        ("line" = i32, Path, description = "The number of the line", minimum = 1, example = 1),
        ("dry_run" = Option<bool>, Query, description = "Return the response without changing anything"),
    ),
    responses((status = 204, description = "The line was released"), ReleasePickLineProblems),
)]
pub(crate) async fn release_line(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let is_dry_run = dry_run::take(&mut query);
    let mut path = PathIdentifiers::beside(&request, query);
    let (list, line) = (path.take(2, "pick_list_id"), path.take_number(4, "line"));
    let id = path.errors().check(list.zip(line).map(|(list, line)| PickLineId { list, line }))?;
    let use_cases = api.use_cases(&request).as_dry_run(is_dry_run);
    api.gate.run(&request, move || use_cases.release_pick_line(&id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

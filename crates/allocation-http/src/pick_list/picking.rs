//! What a picker reports.

use super::shown::Line;
use crate::api::Api;
use crate::body::Body;
use crate::eta;
use crate::fault::Faults;
use crate::identifier::{Identifier, PathIdentifiers};
use crate::openapi::document;
use crate::problem::Problem;
use crate::{answer, body, quantity};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::{Affected, Displaced, Eta, PickLineId, PickOutcome, Picked, Units};
use deserr::Deserr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

document!(PickProblems:
    Validation, MalformedJson, UnsupportedMediaType, BodyTooLarge, PickLineNotFound, PickLineWithdrawn,
    MoreThanToPick, PickedOtherwise, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError,
);

/// How many units of a pick line were found.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = Faults, deny_unknown_fields)]
#[schema(as = FoundUnits)]
pub(crate) struct Found {
    /// How many units were found and picked: all of the line, or fewer when some are missing.
    #[serde(deserialize_with = "quantity::deserialize_units")]
    #[schema(value_type = i32, minimum = 0, maximum = 2_147_483_647, example = 3)]
    qty: Units,
}

impl Body for Found {
    type Content = Units;

    fn content(self) -> Result<Units, Faults> {
        Ok(self.qty)
    }
}

/// A line that was picked.
#[derive(Serialize, ToSchema)]
#[schema(as = PickedLine)]
pub(crate) struct PickedLine<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    #[serde(flatten)]
    #[schema(inline)]
    short: Option<Short<'a>>,
}

/// What became of units that were not found. Absent when all were, and in answers to a repeat.
#[derive(Serialize, ToSchema)]
#[schema(as = ShortPick)]
pub(crate) struct Short<'a> {
    /// How many units are missing: their batch has so many less.
    #[schema(value_type = i32, required = false, minimum = 1, example = 2)]
    missing: u32,
    /// What the order line got for them: of other batches, then of what the same one has besides. With
    /// what it waits for, it is all that is missing.
    #[schema(required = false)]
    reallocated: Vec<Reallocated<'a>>,
    /// How many units it waits for, having got none.
    #[schema(value_type = i32, required = false, minimum = 0, example = 0)]
    backordered: u32,
}

/// Units that an order line got for missing ones.
#[derive(Serialize, ToSchema)]
#[schema(as = ReallocatedUnits)]
pub(crate) struct Reallocated<'a> {
    /// The batch.
    #[schema(value_type = Identifier)]
    reference: &'a str,
    /// How many of its units.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    qty: u32,
    /// When the batch can be picked from: a date, or null for stock in the warehouse.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    eta: Eta,
}

impl<'a> PickedLine<'a> {
    fn of(number: u32, outcome: &'a PickOutcome) -> Self {
        match outcome {
            PickOutcome::Picked(picked) => Self { line: Line::of(number, &picked.line), short: Short::of(picked) },
            PickOutcome::Unchanged(line) => Self { line: Line::of(number, line), short: None },
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
        Self { reference: line.reference.as_str(), qty: line.quantity.get(), eta: line.new_eta }
    }
}

/// Pick a line
///
/// The picker says how many units were found. Those that were not are taken off the batch as missing,
/// and the order line gets units of other batches for them (the last ones of the same batch, if that has
/// more), or waits, in the same moment. A line is picked once: the same number again changes nothing,
/// another one is a conflict. So is a number above that of the line, which may have been lowered since
/// the list was printed.
#[utoipa::path(
    post,
    path = "/pick-lists/{pick_list_id}/lines/{line}/pick",
    operation_id = "pickLine",
    tag = "Pick lists",
    params(
        ("pick_list_id" = Identifier, Path, description = "The list", example = "MORNING"),
        ("line" = i32, Path, description = "The number of the line", minimum = 1, example = 1),
    ),
    request_body(content = Found, example = json!({ "qty": 3 })),
    responses(
        (status = 200, description = "The line is picked", body = PickedLine<'_>, example = json!({
            "line": 1, "reference": "B-2", "sku": "RED-CHAIR", "order_id": "O-1", "qty": 5, "status": "picked",
            "picked": 3, "missing": 2, "reallocated": [{ "reference": "B-1", "qty": 2, "eta": "2027-01-15" }],
            "backordered": 0
        })),
        PickProblems,
    ),
)]
pub(crate) async fn pick(api: Data<Api>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let mut path = PathIdentifiers::of(&request);
    let (list, line) = (path.take(2, "pick_list_id"), path.take_number(4, "line"));
    let found = list.zip(line).map(|(list, line)| PickLineId { list, line });
    let (id, found) = body::read_beside::<Found, _>(path, found, &request, payload).await?;
    let (use_cases, number) = (api.use_cases(&request), id.line);
    let outcome = api.gate.run(&request, move || use_cases.pick(&id, found)).await?;
    answer::json(StatusCode::OK, &PickedLine::of(number, &outcome))
}

use crate::choice::choice_schema;
use crate::identifier::Id;
use crate::instant::Instant;
use crate::quantity::is_zero;
use allocation_domain::{PickLine, PickListStatus, PickStatus};
use allocation_ports::{PickListSummary, StoredPickList};
use serde::Serialize;
use utoipa::ToSchema;

/// A pick list with its lines.
#[derive(Serialize, ToSchema)]
pub(crate) struct PickList<'a> {
    /// The id of the list.
    pub(super) pick_list_id: Id<'a>,
    /// The status of the list.
    #[schema(value_type = ListStatusSchema)]
    pub(super) status: &'static str,
    /// The time at which the list was created.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    pub(super) created_at: Instant,
    /// The lines, sorted by batch, then in the order in which order lines are served.
    pub(super) lines: Vec<Line<'a>>,
}

/// Units of one batch to pick for one order line.
#[derive(Serialize, ToSchema)]
#[schema(as = PickLine)]
pub(crate) struct Line<'a> {
    /// The number of the line on its list.
    #[schema(value_type = i32, minimum = 1, example = 1)]
    pub(super) line: u32,
    /// The batch.
    pub(super) reference: Id<'a>,
    /// The SKU to pick.
    pub(super) sku: Id<'a>,
    /// The order that the units are for.
    pub(super) order_id: Id<'a>,
    /// Units to pick.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    pub(super) qty: u32,
    /// The status of the line.
    #[schema(value_type = LineStatusSchema)]
    pub(super) status: &'static str,
    /// Units picked, without those that were put back. Absent if the line was not picked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 10)]
    pub(super) picked: Option<u32>,
    /// Picked units that were shipped. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 2)]
    pub(super) shipped: u32,
    /// Units that were found and are back on the shelf: they were put back, or were found when the order no longer
    /// wanted them. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 1)]
    pub(super) put_back: u32,
}

/// A pick list without its lines.
#[derive(Serialize, ToSchema)]
#[schema(as = PickListSummary)]
pub(crate) struct Summary<'a> {
    /// The id of the list.
    pick_list_id: Id<'a>,
    /// The status of the list.
    #[schema(value_type = ListStatusSchema)]
    status: &'static str,
    /// The time at which the list was created.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    created_at: Instant,
    /// The number of lines.
    #[schema(value_type = i32, minimum = 1, example = 3)]
    line_count: u32,
    /// The number of open lines.
    #[schema(value_type = i32, minimum = 0, example = 1)]
    open_count: u32,
}

choice_schema! {
    /// The status of a pick list. `open`: some lines are open. `picked`: no line is open, and there are picked units
    /// to ship. `shipped`: all picked units were shipped. `withdrawn`: no line is open, and no units were
    /// picked.
    ListStatusSchema as "PickListStatus": PickListStatus::NAMES
}

choice_schema! {
    /// The status of a pick line. `open`: the line is to be picked. `picked`: all units were picked, or all that
    /// were found, and not all of them were shipped. `missing`: no units were found. `shipped`: all picked units were
    /// shipped. `withdrawn`: the line must not be picked any more, or all found units were put back.
    LineStatusSchema as "PickLineStatus": PickStatus::NAMES
}

impl<'a> From<&'a StoredPickList> for PickList<'a> {
    fn from(stored: &'a StoredPickList) -> Self {
        Self {
            pick_list_id: (&stored.list.list_id).into(),
            status: stored.list.status().as_str(),
            created_at: Instant(stored.created_at),
            lines: stored.list.lines.iter().map(|(number, line)| Line::of(*number, line)).collect(),
        }
    }
}

impl<'a> Line<'a> {
    /// Returns a line with its number.
    pub(super) fn of(number: u32, line: &'a PickLine) -> Self {
        Self {
            line: number,
            reference: (&line.reference).into(),
            sku: (&line.sku).into(),
            order_id: (&line.order_id).into(),
            qty: line.quantity.get(),
            status: line.status.as_str(),
            picked: line.found().map(|_| line.picked),
            shipped: line.shipped,
            put_back: line.put_back,
        }
    }
}

impl<'a> From<&'a PickListSummary> for Summary<'a> {
    fn from(list: &'a PickListSummary) -> Self {
        Self {
            pick_list_id: (&list.list_id).into(),
            status: list.status().as_str(),
            created_at: Instant(list.created_at),
            line_count: list.counts.lines,
            open_count: list.counts.open,
        }
    }
}

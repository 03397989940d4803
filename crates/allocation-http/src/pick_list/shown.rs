use crate::identifier::Identifier;
use crate::instant::Instant;
use allocation_domain::{PickLine, PickListStatus, PickStatus};
use allocation_ports::{PickListSummary, StoredPickList};
use serde::Serialize;
use utoipa::ToSchema;

/// A pick list with its lines.
#[derive(Serialize, ToSchema)]
pub(crate) struct PickList<'a> {
    /// The name of the list.
    #[schema(value_type = Identifier)]
    pub(super) pick_list_id: &'a str,
    /// What the list has come to.
    #[schema(value_type = ListStatusSchema)]
    pub(super) status: &'static str,
    /// When the list was made.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    pub(super) created_at: Instant,
    /// Its lines: by batch, then in the order in which order lines are served.
    pub(super) lines: Vec<Line<'a>>,
}

/// Units of one batch that are picked for one order line.
#[derive(Serialize, ToSchema)]
#[schema(as = PickLine)]
pub(crate) struct Line<'a> {
    /// The number of the line on its list.
    #[schema(value_type = i32, minimum = 1, example = 1)]
    pub(super) line: u32,
    /// The batch.
    #[schema(value_type = Identifier)]
    pub(super) reference: &'a str,
    /// What is picked.
    #[schema(value_type = Identifier)]
    pub(super) sku: &'a str,
    /// The order that it is picked for.
    #[schema(value_type = Identifier)]
    pub(super) order_id: &'a str,
    /// How many units are, or were, to be picked.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    pub(super) qty: u32,
    /// What became of the line.
    #[schema(value_type = LineStatusSchema)]
    pub(super) status: &'static str,
    /// How many units were picked. Absent of a line that was not picked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 10)]
    pub(super) picked: Option<u32>,
}

/// A pick list without its lines.
#[derive(Serialize, ToSchema)]
#[schema(as = PickListSummary)]
pub(crate) struct Summary<'a> {
    /// The name of the list.
    #[schema(value_type = Identifier)]
    pick_list_id: &'a str,
    /// What the list has come to.
    #[schema(value_type = ListStatusSchema)]
    status: &'static str,
    /// When the list was made.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    created_at: Instant,
    /// How many lines it has.
    #[schema(value_type = i32, minimum = 1, example = 3)]
    line_count: u32,
    /// How many of them are still to be picked.
    #[schema(value_type = i32, minimum = 0, example = 1)]
    open_count: u32,
}

/// What a pick list has come to.
#[derive(ToSchema)]
#[schema(as = PickListStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum ListStatusSchema {
    /// Some of its lines are to be picked.
    Open,
    /// Nothing is to be picked any more; what was picked can be shipped.
    Picked,
    /// What was picked has left for good.
    Shipped,
    /// Nothing is to be picked, and nothing was.
    Withdrawn,
}

/// What became of a pick line.
#[derive(ToSchema)]
#[schema(as = PickLineStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum LineStatusSchema {
    /// It is to be picked.
    Open,
    /// All its units were picked, or those that were found.
    Picked,
    /// None of its units were found.
    Missing,
    /// What was picked has left for good.
    Shipped,
    /// It is not to be picked any more.
    Withdrawn,
}

/// All that a pick list can have come to.
pub(super) const STATUSES: [PickListStatus; 4] =
    [PickListStatus::Open, PickListStatus::Picked, PickListStatus::Shipped, PickListStatus::Withdrawn];

impl<'a> From<&'a StoredPickList> for PickList<'a> {
    fn from(stored: &'a StoredPickList) -> Self {
        Self {
            pick_list_id: stored.list.list_id.as_str(),
            status: stored.list.status().name(),
            created_at: Instant(stored.created_at),
            lines: stored.list.lines.iter().map(|(number, line)| Line::of(*number, line)).collect(),
        }
    }
}

impl<'a> Line<'a> {
    /// A line with its number.
    pub(super) fn of(number: u32, line: &'a PickLine) -> Self {
        let was_picked = match line.status {
            PickStatus::Open | PickStatus::Withdrawn => false,
            PickStatus::Picked | PickStatus::Missing | PickStatus::Shipped => true,
        };
        Self {
            line: number,
            reference: line.reference.as_str(),
            sku: line.sku.as_str(),
            order_id: line.order_id.as_str(),
            qty: line.quantity.get(),
            status: line.status.name(),
            picked: was_picked.then_some(line.picked),
        }
    }
}

impl<'a> From<&'a PickListSummary> for Summary<'a> {
    fn from(list: &'a PickListSummary) -> Self {
        Self {
            pick_list_id: list.list_id.as_str(),
            status: list.status().name(),
            created_at: Instant(list.created_at),
            line_count: list.counts.lines,
            open_count: list.counts.open,
        }
    }
}

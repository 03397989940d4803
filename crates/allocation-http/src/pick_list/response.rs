use crate::identifier::Identifier;
use crate::instant::Instant;
use allocation_domain::{PickLine, PickListStatus, PickStatus};
use allocation_ports::{PickListSummary, StoredPickList};
use serde::Serialize;
use utoipa::ToSchema;

/// A pick list with its lines.
#[derive(Serialize, ToSchema)]
pub(crate) struct PickList<'a> {
    /// The id of the list.
    #[schema(value_type = Identifier)]
    pub(super) pick_list_id: &'a str,
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
    #[schema(value_type = Identifier)]
    pub(super) reference: &'a str,
    /// The SKU to pick.
    #[schema(value_type = Identifier)]
    pub(super) sku: &'a str,
    /// The order that the units are for.
    #[schema(value_type = Identifier)]
    pub(super) order_id: &'a str,
    /// Units to pick.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    pub(super) qty: u32,
    /// The status of the line.
    #[schema(value_type = LineStatusSchema)]
    pub(super) status: &'static str,
    /// Units picked. Absent if the line was not picked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 10)]
    pub(super) picked: Option<u32>,
}

/// A pick list without its lines.
#[derive(Serialize, ToSchema)]
#[schema(as = PickListSummary)]
pub(crate) struct Summary<'a> {
    /// The id of the list.
    #[schema(value_type = Identifier)]
    pick_list_id: &'a str,
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

/// The status of a pick list.
#[derive(ToSchema)]
#[schema(as = PickListStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum ListStatusSchema {
    /// Some lines are open.
    Open,
    /// No line is open, and the picked units can be shipped.
    Picked,
    /// The picked units were shipped.
    Shipped,
    /// No line is open, and no units were picked.
    Withdrawn,
}

/// The status of a pick line.
#[derive(ToSchema)]
#[schema(as = PickLineStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum LineStatusSchema {
    /// The line is to be picked.
    Open,
    /// All units were picked, or all that were found.
    Picked,
    /// No units were found.
    Missing,
    /// The picked units were shipped.
    Shipped,
    /// The line must not be picked any more.
    Withdrawn,
}

/// All statuses of pick lists.
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
    /// Returns a line with its number.
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

//! Reads of committed data, by subject.

mod allocations;
mod backorders;
mod batches;
mod counts;
mod history;
mod orders;
mod pick_lists;
mod products;
mod shipments;

pub use allocations::{AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow};
pub use backorders::{Backorder, BackorderCursor, BackorderFilter, BackorderQueries};
pub use batches::{BatchCursor, BatchFilter, BatchQueries, OverdueCursor};
pub use counts::{CountPage, CountQueries, CountSummary};
pub use history::{EventCursor, HistoryQueries, MovementPage, RecordedEvent};
pub use orders::{OrderFilter, OrderPage, OrderQueries};
pub use pick_lists::{PickListCounts, PickListFilter, PickListPage, PickListQueries, PickListSummary};
pub use products::{ProductQueries, ProductTotals};
pub use shipments::{ShipmentPage, ShipmentQueries, ShipmentRecord};

use crate::{CompletedOrders, MovingBatches, PickCandidates};

/// Reads committed data without locks. The cost of a page does not depend on its position in the list.
///
/// Results are as of `now`. Units of expired holds are no longer allocated, and lines with expired holds no
/// longer wait, even if no unit of work has released them yet. Totals and availability assign these units
/// to waiting lines, as the next decision will. Batches and allocations show them as free until then.
/// A batch that is being lowered has no free units: they leave it, as in the next decision.
///
/// This trait unites the reads of all subjects. Every type that implements these implements it.
pub trait Queries:
    AllocationQueries
    + BackorderQueries
    + BatchQueries
    + CompletedOrders
    + CountQueries
    + HistoryQueries
    + MovingBatches
    + OrderQueries
    + PickCandidates
    + PickListQueries
    + ProductQueries
    + ShipmentQueries
{
}

impl<T> Queries for T where
    T: AllocationQueries
        + BackorderQueries
        + BatchQueries
        + CompletedOrders
        + CountQueries
        + HistoryQueries
        + MovingBatches
        + OrderQueries
        + PickCandidates
        + PickListQueries
        + ProductQueries
        + ShipmentQueries
{
}

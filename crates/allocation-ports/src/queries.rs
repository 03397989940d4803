use crate::{StoreError, StoredPickList};
use allocation_domain::{
    Availability, Batch, BatchReference, Event, FirstToLeave, Order, OrderId, OrderStatus, PickCriteria, PickListId,
    PickListStatus, PickStatus, Quantity, QueuePosition, Sku, Totals,
};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;

/// The maximum number of rows of a page, from 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The largest number of rows.
    pub const MAX: u16 = 1_000;

    /// A page of one row, to check whether there is any.
    pub const ONE: Self = Self(1);

    /// The largest page.
    pub const LARGEST: Self = Self(Self::MAX);

    /// Returns a page of `rows` rows, or `None` unless `rows` is from 1 to [`PageSize::MAX`].
    #[must_use]
    pub fn new(rows: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&rows).then_some(Self(rows))
    }

    /// Returns the number of rows.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(100)
    }
}

/// Which batches to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchFilter {
    /// Only batches of this SKU.
    pub sku: Option<Sku>,
}

/// The position of a batch in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchCursor {
    /// When the batch was added.
    pub added_at: DateTime<Utc>,
    /// Its reference.
    pub reference: BatchReference,
}

/// The position of a batch in the list of overdue batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueCursor {
    /// The day on which the batch was expected.
    pub eta: NaiveDate,
    /// When the batch was added.
    pub added_at: DateTime<Utc>,
    /// Its reference.
    pub reference: BatchReference,
}

impl From<&Batch> for OverdueCursor {
    /// Orders a batch in stock, which is never overdue, before all others.
    fn from(batch: &Batch) -> Self {
        let eta = batch.eta().date().unwrap_or(NaiveDate::MIN);
        Self { eta, added_at: batch.added_at(), reference: batch.reference().clone() }
    }
}

impl From<&Batch> for BatchCursor {
    fn from(batch: &Batch) -> Self {
        Self { added_at: batch.added_at(), reference: batch.reference().clone() }
    }
}

/// Which allocations to list: allocations that match every given criterion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllocationFilter {
    /// Only allocations of this order.
    pub order_id: Option<OrderId>,
    /// Only allocations of this SKU.
    pub sku: Option<Sku>,
    /// Only allocations of this batch.
    pub reference: Option<BatchReference>,
}

/// Units of one batch that are allocated to one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRow {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The SKU that is ordered.
    pub sku: Sku,
    /// The number of units.
    pub quantity: Quantity,
    /// The batch.
    pub reference: BatchReference,
    /// The priority of the line.
    pub priority: i32,
    /// When the line was placed, in microseconds.
    pub placed_at: DateTime<Utc>,
}

/// The position of an allocation in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationCursor {
    /// The SKU that is ordered.
    pub sku: Sku,
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The batch.
    pub reference: BatchReference,
    /// The priority of the line; part of the sort key only when one batch is listed.
    pub priority: i32,
    /// When the line was placed, in microseconds; part of the sort key only when one batch is listed.
    pub placed_at: DateTime<Utc>,
}

impl From<&AllocationRow> for AllocationCursor {
    fn from(row: &AllocationRow) -> Self {
        let AllocationRow { order_id, sku, reference, priority, placed_at, .. } = row.clone();
        Self { sku, order_id, reference, priority, placed_at }
    }
}

/// Which orders to list: orders that match every given criterion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only orders with this status.
    pub status: Option<OrderStatus>,
    /// Only orders that have a line of this SKU.
    pub sku: Option<Sku>,
}

/// A page of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, by the bytes of their ids.
    pub orders: Vec<Order>,
    /// The order after which the next page begins, `None` at the end of the list. The status of an order
    /// depends on its lines, so a page examines a bounded number of orders and keeps the matches. It may
    /// therefore be short, or even empty, without being the last.
    pub next: Option<OrderId>,
}

/// Which backordered lines to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackorderFilter {
    /// Only lines of this SKU.
    pub sku: Option<Sku>,
}

/// A line that waits for stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backorder {
    /// The SKU that is ordered.
    pub sku: Sku,
    /// The position in the queue of the SKU, from 1.
    pub position: u64,
    /// The priority, age and order id that determine the position.
    pub queued: QueuePosition,
    /// The number of units for which the line waits.
    pub waiting: Quantity,
}

/// The position of a backordered line in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackorderCursor {
    /// The SKU that is ordered.
    pub sku: Sku,
    /// The position in the queue of the SKU, from 1, when the page was read.
    pub position: u64,
    /// The priority, age and order id that determine the position.
    pub queued: QueuePosition,
}

impl From<&Backorder> for BackorderCursor {
    fn from(row: &Backorder) -> Self {
        Self { sku: row.sku.clone(), position: row.position, queued: row.queued.clone() }
    }
}

/// Which pick lists to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PickListFilter {
    /// Only lists with this status.
    pub status: Option<PickListStatus>,
}

/// The lines of a pick list, counted by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PickListCounts {
    /// All lines.
    pub lines: u32,
    /// Lines that are still to be picked.
    pub open: u32,
    /// Lines that were picked but not shipped.
    pub picked: u32,
    /// Lines that were shipped.
    pub shipped: u32,
}

/// A pick list without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickListSummary {
    /// The id of the list.
    pub list_id: PickListId,
    /// When the list was created, in microseconds.
    pub created_at: DateTime<Utc>,
    /// Its lines, counted by status.
    pub counts: PickListCounts,
}

impl PickListSummary {
    /// Returns the status of the list.
    #[must_use]
    pub fn status(&self) -> PickListStatus {
        let PickListCounts { open, picked, shipped, .. } = self.counts;
        let lines = [(open, PickStatus::Open), (picked, PickStatus::Picked), (shipped, PickStatus::Shipped)];
        PickListStatus::of(lines.into_iter().filter(|(count, _)| *count > 0).map(|(_, status)| status))
    }
}

/// A page of pick lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PickListPage {
    /// The lists, by the bytes of their ids.
    pub lists: Vec<PickListSummary>,
    /// The list after which the next page begins, `None` at the end. As with [`OrderPage`], a page may be
    /// short, or even empty, without being the last.
    pub next: Option<PickListId>,
}

/// Order lines from which a new pick list can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickableLines {
    /// The lines, each once, sorted by SKU.
    pub lines: BTreeSet<(Sku, OrderId)>,
    /// Whether the search ended before its bound. If so, these are the first pickable lines; if not, there
    /// may be others.
    pub complete: bool,
}

/// The totals of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductTotals {
    /// The SKU.
    pub sku: Sku,
    /// The totals over its batches and lines.
    pub totals: Totals,
}

/// An event as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The product that the event is about.
    pub sku: Sku,
    /// The version that the unit of work gave the product.
    pub version: u64,
    /// The ordinal of the event within that unit.
    pub ordinal: u32,
    /// When the event occurred, in microseconds.
    pub occurred_at: DateTime<Utc>,
    /// The event.
    pub event: Event,
}

/// The position of an event in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    /// When the event occurred, in microseconds.
    pub occurred_at: DateTime<Utc>,
    /// The product that the event is about.
    pub sku: Sku,
    /// The version that the unit of work gave the product.
    pub version: u64,
    /// The ordinal of the event within that unit.
    pub ordinal: u32,
}

impl From<&RecordedEvent> for EventCursor {
    fn from(row: &RecordedEvent) -> Self {
        Self { occurred_at: row.occurred_at, sku: row.sku.clone(), version: row.version, ordinal: row.ordinal }
    }
}

/// Reads committed data without locks. The cost of a page does not depend on its position in the list.
///
/// Results are as of `now`. Units of expired holds are no longer allocated, and lines with expired holds no
/// longer wait, even if no unit of work has released them yet. Totals and availability assign these units
/// to waiting lines, as the next decision will. Batches and allocations show them as free until then.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Queries: Send + Sync {
    /// Returns a batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn batch(&self, reference: &BatchReference, now: DateTime<Utc>) -> Result<Option<Batch>, StoreError>;

    /// Returns the batches after `after`, by the time at which they were added, then by reference.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn batches(
        &self,
        filter: &BatchFilter,
        after: Option<BatchCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError>;

    /// Returns the overdue batches after `after`: batches expected before `today` that have not been
    /// received. They are ordered by ETA, then by the time at which they were added, then by reference. The
    /// cost of a page MUST NOT grow with the batches that are not overdue.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn overdue_batches(
        &self,
        filter: &BatchFilter,
        today: NaiveDate,
        after: Option<OverdueCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError>;

    /// Returns the allocations after `after`. Allocations of one batch are in the order in which lines are
    /// served ([`QueuePosition`]). Other lists are ordered by SKU, order id and batch reference, each by
    /// its bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn allocations(
        &self,
        filter: &AllocationFilter,
        after: Option<AllocationCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<AllocationRow>, StoreError>;

    /// Returns an order with all its lines as they are stored, standalone lines included; `None` when it
    /// has no line.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn order(&self, order_id: &OrderId) -> Result<Option<Order>, StoreError>;

    /// Returns the orders after `after`, by the bytes of their ids. The cost of a page does not grow with
    /// the orders before it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<OrderId>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<OrderPage, StoreError>;

    /// Returns the waiting lines after `after`, by SKU, then in the order in which lines are served.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn backorders(
        &self,
        filter: &BackorderFilter,
        after: Option<BackorderCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Backorder>, StoreError>;

    /// Returns the totals of a product, `None` when no product has that SKU. The cost does not grow with
    /// past orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn product(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<ProductTotals>, StoreError>;

    /// Returns the totals of the products after `after`, by the bytes of their SKUs.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn products(
        &self,
        after: Option<Sku>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<ProductTotals>, StoreError>;

    /// Returns the free units of a product by date, `None` when no product has that SKU. The cost does not
    /// grow with past orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn availability(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<Availability>, StoreError>;

    /// Returns the retained events of an order after `after`, by the time at which they occurred, then by
    /// SKU, version and ordinal. Events without a position in the log MUST be included.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn history(
        &self,
        order_id: &OrderId,
        after: Option<EventCursor>,
        page: PageSize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns a pick list with its lines, `None` when no list has that id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pick_list(&self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError>;

    /// Returns the pick lists after `after`, by the bytes of their ids. The cost of a page does not grow
    /// with the lists before it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pick_lists(
        &self,
        filter: &PickListFilter,
        after: Option<PickListId>,
        page: PageSize,
    ) -> Result<PickListPage, StoreError>;

    /// Returns order lines from which a new pick list can be made, as far as an unlocked read can
    /// determine. These lines match `criteria` and have firm units in stock that are on no list.
    ///
    /// They MUST include the first `most` lines by batch, then in the order in which lines are served. A
    /// list of `most` lines would consist of these if nothing else changed. The cost MUST NOT grow with
    /// allocations that were picked, nor with the allocations of batches behind the lines found. It MUST
    /// have a bound in rows: a search that reaches it returns the lines found so far and is not complete.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pickable(&self, criteria: &PickCriteria, most: usize) -> Result<PickableLines, StoreError>;

    /// Returns at most `most` batches after `after`, by SKU and reference, whose lines are still being
    /// moved ([`Batch::moving`]). The cost MUST NOT grow with other batches.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn moving_batches(
        &self,
        after: Option<(Sku, BatchReference)>,
        most: u16,
    ) -> Result<Vec<(Sku, BatchReference)>, StoreError>;

    /// Returns the first line to leave a batch when lines with `units` units leave it. Adds up the lines of
    /// the batch from the last one on, without locks; each statement MUST have a bound in rows. Returns
    /// `None` when the lines hold fewer units.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn first_to_leave(&self, reference: &BatchReference, units: u32) -> Result<Option<FirstToLeave>, StoreError>;
}

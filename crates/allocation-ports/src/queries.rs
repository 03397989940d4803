use crate::{StoreError, StoredPickList};
use allocation_domain::{
    Availability, Batch, BatchReference, Event, FirstToLeave, Order, OrderId, OrderStatus, PickCriteria, PickListId,
    PickListStatus, PickStatus, Quantity, QueuePosition, Sku, Totals,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// How many rows a page has at most, from 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The most rows of a page.
    pub const MAX: u16 = 1_000;

    /// A page of one row: to find out whether there is any.
    pub const ONE: Self = Self(1);

    /// The largest page.
    pub const LARGEST: Self = Self(Self::MAX);

    /// A page of so many rows, `None` unless that is from 1 to [`PageSize::MAX`].
    #[must_use]
    pub fn new(rows: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&rows).then_some(Self(rows))
    }

    /// The number of rows.
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
    /// Only those of this SKU.
    pub sku: Option<Sku>,
}

/// The place of a batch in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchCursor {
    /// When the batch was added.
    pub added_at: DateTime<Utc>,
    /// Its reference.
    pub reference: BatchReference,
}

impl From<&Batch> for BatchCursor {
    fn from(batch: &Batch) -> Self {
        Self { added_at: batch.added_at(), reference: batch.reference().clone() }
    }
}

/// Which allocations to list: those that fit all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllocationFilter {
    /// Only those of this order.
    pub order_id: Option<OrderId>,
    /// Only those of this SKU.
    pub sku: Option<Sku>,
    /// Only those in this batch.
    pub reference: Option<BatchReference>,
}

/// Units of one batch that serve one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRow {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// What is ordered.
    pub sku: Sku,
    /// How many units of the batch.
    pub quantity: Quantity,
    /// The batch.
    pub reference: BatchReference,
    /// The priority of the line.
    pub priority: i32,
    /// When the line was placed, in microseconds.
    pub placed_at: DateTime<Utc>,
}

/// The place of an allocation in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationCursor {
    /// What is ordered.
    pub sku: Sku,
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The batch.
    pub reference: BatchReference,
    /// The priority of the line, which counts in the list of a batch.
    pub priority: i32,
    /// When the line was placed, in microseconds, which counts in the list of a batch.
    pub placed_at: DateTime<Utc>,
}

impl From<&AllocationRow> for AllocationCursor {
    fn from(row: &AllocationRow) -> Self {
        let AllocationRow { order_id, sku, reference, priority, placed_at, .. } = row.clone();
        Self { sku, order_id, reference, priority, placed_at }
    }
}

/// Which orders to list: those that fit all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only those that have this status.
    pub status: Option<OrderStatus>,
    /// Only those that have a line of this SKU.
    pub sku: Option<Sku>,
}

/// A page of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, by the bytes of their names.
    pub orders: Vec<Order>,
    /// After which order the list goes on, `None` when it has ended. A page may have fewer orders
    /// than asked for, even none, and still not be the last: a status is told by the lines, so a page
    /// looks through a bounded number of orders and keeps those that fit.
    pub next: Option<OrderId>,
}

/// Which waiting lines to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackorderFilter {
    /// Only those of this SKU.
    pub sku: Option<Sku>,
}

/// A line that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backorder {
    /// What is ordered.
    pub sku: Sku,
    /// The place in the queue of the SKU, from 1.
    pub position: u64,
    /// Priority, age and order: what the place comes from.
    pub queued: QueuePosition,
    /// For how many units the line waits.
    pub waiting: Quantity,
}

/// The place of a waiting line in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackorderCursor {
    /// What is ordered.
    pub sku: Sku,
    /// The place in the queue of the SKU, from 1, when the page was read.
    pub position: u64,
    /// Priority, age and order.
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
    /// Only those that have come to this.
    pub status: Option<PickListStatus>,
}

/// How many lines of a pick list have come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PickListCounts {
    /// All its lines.
    pub lines: u32,
    /// Those that are to be picked.
    pub open: u32,
    /// Those that were picked and not shipped yet.
    pub picked: u32,
    /// Those that were shipped.
    pub shipped: u32,
}

/// A pick list without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickListSummary {
    /// The name of the list.
    pub list_id: PickListId,
    /// When it was made, in microseconds.
    pub created_at: DateTime<Utc>,
    /// Its lines by what they have come to.
    pub counts: PickListCounts,
}

impl PickListSummary {
    /// What the list has come to.
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
    /// The lists, by the bytes of their names.
    pub lists: Vec<PickListSummary>,
    /// After which list the list goes on, `None` when it has ended. A page may have fewer lists
    /// than asked for, even none, and still not be the last, as [`OrderPage`].
    pub next: Option<PickListId>,
}

/// Order lines that a new pick list can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickableLines {
    /// The lines, each once, sorted by SKU.
    pub lines: BTreeSet<(Sku, OrderId)>,
    /// Whether the search has not ended at its bound: then these are the first there are.
    pub complete: bool,
}

/// The totals of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductTotals {
    /// The SKU.
    pub sku: Sku,
    /// What its batches and lines add up to.
    pub totals: Totals,
}

/// An event as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The product that it is about.
    pub sku: Sku,
    /// Which unit of work of the product recorded it.
    pub version: u64,
    /// Its place among the events of that unit.
    pub ordinal: u32,
    /// When it happened, in microseconds.
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
}

/// The place of an event in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    /// When it happened, in microseconds.
    pub occurred_at: DateTime<Utc>,
    /// The product that it is about.
    pub sku: Sku,
    /// Which unit of work of the product recorded it.
    pub version: u64,
    /// Its place among the events of that unit.
    pub ordinal: u32,
}

impl From<&RecordedEvent> for EventCursor {
    fn from(row: &RecordedEvent) -> Self {
        Self { occurred_at: row.occurred_at, sku: row.sku.clone(), version: row.version, ordinal: row.ordinal }
    }
}

/// Reads what is committed, without locks. A page costs the same however far down the list it is.
///
/// What is read is as of `now`: units whose hold has expired by then are not allocated any more,
/// and lines whose hold has expired wait no more, whether anybody has noticed it yet or not. Totals
/// and availability give these units to the lines that wait, as the next decision will; batches and
/// allocations show them as free until it has.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Queries: Send + Sync {
    /// A batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn batch(&self, reference: &BatchReference, now: DateTime<Utc>) -> Result<Option<Batch>, StoreError>;

    /// Batches after a place, in the order in which they were added: by time, then reference.
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

    /// Allocations after a place: those of a batch in the order in which lines are served, by
    /// [`QueuePosition`]; others by SKU, order and batch reference, each by its bytes.
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

    /// An order with all its lines, those that were sent alone included, as they are stored;
    /// `None` when it has no line.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn order(&self, order_id: &OrderId) -> Result<Option<Order>, StoreError>;

    /// Orders after a place, by the bytes of their names. The cost of a page does not grow with the
    /// orders before it.
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

    /// Waiting lines after a place, by SKU, and within it in the order in which they are served.
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

    /// The totals of a product, `None` when there is no product of that SKU. The cost does not grow
    /// with past orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn product(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<ProductTotals>, StoreError>;

    /// The totals of products after a SKU, by the bytes of their SKUs.
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

    /// What is free of a product and when it comes, `None` when there is no product of that SKU.
    /// The cost does not grow with past orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn availability(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<Availability>, StoreError>;

    /// The events of an order after a place, as far as they are retained: by when they happened, then by
    /// SKU, version and ordinal. Those that have no position in the log yet MUST be among them.
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

    /// A pick list with its lines, `None` when there is none of that name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pick_list(&self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError>;

    /// Pick lists after a place, by the bytes of their names. The cost of a page does not grow with
    /// the lists before it.
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

    /// Order lines that a new pick list can take, as far as can be told without locks: those that hold
    /// firmly units in stock which are on no list, and that are among what is asked for.
    ///
    /// They MUST include the first `most` lines by batch, then in the order in which lines are served:
    /// what a list of so many lines would take if nobody else did anything meanwhile. The cost MUST
    /// NOT grow with allocations that were picked, nor with those of a batch behind the ones that are
    /// found, and MUST have a bound in rows. A search that reaches it returns what it has found, and
    /// is not complete.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pickable(&self, criteria: &PickCriteria, most: usize) -> Result<PickableLines, StoreError>;

    /// Batches with something left to be done with their lines ([`Batch::moving`]) after one, by SKU and
    /// reference, at most so many. The cost MUST NOT grow with other batches.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn moving_batches(
        &self,
        after: Option<(Sku, BatchReference)>,
        most: u16,
    ) -> Result<Vec<(Sku, BatchReference)>, StoreError>;

    /// The first line to leave a batch when lines are to leave it with so many units: the lines of the
    /// batch are added up from the last one on, without locks, and each statement MUST have a bound in
    /// rows. `None` when they do not hold so many units.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn first_to_leave(&self, reference: &BatchReference, units: u32) -> Result<Option<FirstToLeave>, StoreError>;
}

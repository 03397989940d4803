use crate::StoreError;
use allocation_domain::{Batch, BatchReference, OrderId, Quantity, Sku};
use chrono::{DateTime, Utc};

/// How many rows a page has at most, from 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The most rows of a page.
    pub const MAX: u16 = 1_000;

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
}

impl From<&AllocationRow> for AllocationCursor {
    fn from(row: &AllocationRow) -> Self {
        Self { sku: row.sku.clone(), order_id: row.order_id.clone(), reference: row.reference.clone() }
    }
}

/// Reads what is committed, without locks. A page costs the same however far down the list it is.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Queries: Send + Sync {
    /// A batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn batch(&self, reference: &BatchReference) -> Result<Option<Batch>, StoreError>;

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
    ) -> Result<Vec<Batch>, StoreError>;

    /// Allocations after a place, by SKU, order and batch reference, each by its bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn allocations(
        &self,
        filter: &AllocationFilter,
        after: Option<AllocationCursor>,
        page: PageSize,
    ) -> Result<Vec<AllocationRow>, StoreError>;
}

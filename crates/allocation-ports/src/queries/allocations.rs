use crate::{PageSize, StoreError};
use allocation_domain::{BatchReference, OrderId, Quantity, Sku};
use chrono::{DateTime, Utc};

/// A filter of allocations: it accepts those that match every given criterion.
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

/// Reads allocations.
pub trait AllocationQueries: Send + Sync {
    /// Returns the allocations after `after`. Allocations of one batch are in the order in which lines are
    /// served ([`QueuePosition`](allocation_domain::QueuePosition)). Other lists are ordered by SKU, order id
    /// and batch reference, each by its bytes.
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
}

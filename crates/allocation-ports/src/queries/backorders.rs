use crate::{PageSize, StoreError};
use allocation_domain::{Quantity, QueuePosition, Sku};
use chrono::{DateTime, Utc};

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

/// Reads backordered lines.
pub trait BackorderQueries: Send + Sync {
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
}

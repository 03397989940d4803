use crate::StoreError;
use allocation_domain::OrderId;
use chrono::{DateTime, Utc};

/// The place of a complete line in the order in which lines were completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionCursor {
    /// When the line was completed.
    pub completed_at: DateTime<Utc>,
    /// The order of the line.
    pub order_id: OrderId,
}

/// A page of the orders that were completed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompletedPage {
    /// The orders whose lines were all completed by the instant, those completed first in front.
    pub orders: Vec<CompletionCursor>,
    /// The place after which the next page begins, `None` at the end. A page examines a bounded number of lines and
    /// keeps the orders that are complete. It may therefore be short, or even empty, without being the last.
    pub next: Option<CompletionCursor>,
}

/// Finds orders that are complete, without locks.
pub trait CompletedOrders: Send + Sync {
    /// Examines at most `limit` lines that were completed by `until`, after `after` and in the order in which they were
    /// completed. Returns their orders if all their other lines were completed by then, too.
    ///
    /// An order that is complete is found with the line that was completed last. The cost MUST NOT grow with other lines,
    /// nor with archived ones, which are not examined.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn completed_orders(
        &self,
        until: DateTime<Utc>,
        after: Option<&CompletionCursor>,
        limit: u16,
    ) -> Result<CompletedPage, StoreError>;
}

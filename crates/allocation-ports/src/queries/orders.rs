use crate::{PageSize, StoreError};
use allocation_domain::{Order, OrderId, OrderStatus, Sku};
use chrono::{DateTime, Utc};

/// A filter of orders: it accepts those that match every given criterion.
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

/// Reads orders.
pub trait OrderQueries: Send + Sync {
    /// Returns an order with all its lines as they are stored, standalone lines included, archived or not; `None` when
    /// it has no line.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn order(&self, order_id: &OrderId) -> Result<Option<Order>, StoreError>;

    /// Returns the orders after `after` that are not archived, by the bytes of their ids. The cost of a page does not
    /// grow with the orders before it.
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
}

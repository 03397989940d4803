use crate::StoreError;
use allocation_domain::{NewOrder, OrderId, Sku};
use chrono::{DateTime, Utc};

/// How an order has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEnd {
    /// Its hold, or that of one of its lines, has expired.
    Expired,
    /// It was cancelled.
    Cancelled,
}

/// The orders, within a unit of work.
///
/// Those that were placed as one are kept as they were sent, to tell a repeat from another order of that name; what became
/// of their lines is in the products of their SKUs. An order has no lock of its own: it changes only
/// under the locks of the products it has lines of, so who decides on it locks these first.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait OrderRepository {
    /// Those of the orders that were placed as one, as they were sent, in any order. An order of
    /// which only single lines were sent is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, order_ids: &[OrderId]) -> Result<Vec<NewOrder>, StoreError>;

    /// Those of the orders of which there is any line, whether it was placed with the order or sent
    /// alone; in any order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn with_lines(&mut self, order_ids: &[OrderId]) -> Result<Vec<OrderId>, StoreError>;

    /// Those of the orders that have ended: of which a line was cancelled, or a hold has expired by
    /// `now`, which comes first when there is both. In any order. Nearly all that are asked for are new:
    /// the cost MUST not grow with the orders that have not ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn ended(&mut self, order_ids: &[OrderId], now: DateTime<Utc>) -> Result<Vec<(OrderId, OrderEnd)>, StoreError>;

    /// The SKUs of all lines of an order, sorted, whether they were placed with it or sent alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn skus_of(&mut self, order_id: &OrderId) -> Result<Vec<Sku>, StoreError>;

    /// Adds orders that were placed at `at`. Their lines are saved with their products.
    ///
    /// The orders MUST be written in the order of their names, in whatever order they are given:
    /// two units that add the same ones then never wait for each other.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when there is an order of one of the names.
    fn add(&mut self, orders: &[NewOrder], at: DateTime<Utc>) -> Result<(), StoreError>;
}

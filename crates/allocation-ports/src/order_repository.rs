use crate::StoreError;
use allocation_domain::{NewOrder, OrderId, Sku};
use chrono::{DateTime, Utc};

/// The orders, within a unit of work.
///
/// Those that were placed as one are kept as they were sent, to tell a repeat from another order of that name; what became
/// of their lines is in the products of their SKUs. The lines of an order change only under the locks of
/// their products, so a unit of work that decides on a whole order locks these first. What keeps new lines
/// out is [`OrderRepository::lock_lines`].
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

    /// The SKUs of all lines of an order, sorted, whether they were placed with it or sent alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn skus_of(&mut self, order_id: &OrderId) -> Result<Vec<Sku>, StoreError>;

    /// Locks the lines of an order until the unit ends: it has lines of these products and of no others,
    /// and gets none. `skus` are sorted, not empty, and their products MUST be locked already.
    ///
    /// A unit that adds a line to the order MUST wait until this one ends or be waited for here, whatever
    /// product its line is of, and MUST see what this one has stored, or conflict.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when the order has lines of other products than these.
    fn lock_lines(&mut self, order_id: &OrderId, skus: &[Sku]) -> Result<(), StoreError>;

    /// Adds orders that were placed at `at`. Their lines are saved with their products.
    ///
    /// The orders MUST be written in the order of their names, in whatever order they are given:
    /// two units that add the same ones then never wait for each other.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when there is an order of one of the names, or a standalone line of
    /// one of the orders.
    fn add(&mut self, orders: &[NewOrder], at: DateTime<Utc>) -> Result<(), StoreError>;
}

use crate::StoreError;
use allocation_domain::{NewOrder, Order, OrderId, Sku};
use chrono::{DateTime, Utc};

/// The orders, within a unit of work.
///
/// Orders that were placed as a whole are stored as they were sent: a retry can thus be distinguished from
/// another order with the same id. The state of their lines is stored with the products of their SKUs.
///
/// Orders that are complete can be archived. Every method finds them like current ones, unless it says otherwise.
///
/// The lines of an order change only under the locks of their products. A unit of work that decides on a
/// whole order therefore locks these first. [`OrderRepository::lock_lines`] keeps new lines out.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait OrderRepository {
    /// Returns the orders that were placed as a whole, as they were sent, in any order. An order that has
    /// only standalone lines is not among them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, order_ids: &[OrderId]) -> Result<Vec<NewOrder>, StoreError>;

    /// Returns the ids of the orders that have any line, placed with the order or standalone, in any order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn with_lines(&mut self, order_ids: &[OrderId]) -> Result<Vec<OrderId>, StoreError>;

    /// Returns the SKUs of all lines of an order, sorted, whether placed with it or standalone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn skus_of(&mut self, order_id: &OrderId) -> Result<Vec<Sku>, StoreError>;

    /// Returns an order as it is stored, with the lines of all products, or `None` if it has no line.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn load(&mut self, order_id: &OrderId) -> Result<Option<Order>, StoreError>;

    /// Locks the lines of an order until the unit ends. Until then the order has lines of exactly these
    /// products. `skus` are sorted and not empty, and their products MUST be locked already.
    ///
    /// A unit that removes lines calls it again once they are saved, with the products of the lines that are
    /// left, so that other units still find the order locked and begun.
    ///
    /// A unit that adds a line to the order, of whatever product, MUST wait for this unit, or this unit for
    /// it. The other unit MUST then see the changes that this one has stored, or conflict.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when the order has lines of other products.
    fn lock_lines(&mut self, order_id: &OrderId, skus: &[Sku]) -> Result<(), StoreError>;

    /// Adds orders that were placed at `at`. Their lines are saved with their products.
    ///
    /// The orders MUST be written in the order of their ids, whatever the order of `orders`. Two units that
    /// add the same orders then never deadlock.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when one of the orders exists already, or has a standalone line.
    fn add(&mut self, orders: &[NewOrder], at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Prepares the store for [`OrderRepository::archive`].
    ///
    /// Programs that do not look into the archive MUST be unable to write once this unit commits, and none of their units
    /// may span the commit. Lines whose completion was not recorded, or was recorded after `now`, are recorded as completed
    /// at `now`: at most `limit`, and none that another unit has locked. Returns their number.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails. MUST be [`StoreError::Unavailable`] with
    /// [`ProgramTooOld`](crate::ProgramTooOld) when a migration has shut out the program.
    fn prepare_archive(&mut self, now: DateTime<Utc>, limit: u16) -> Result<usize, StoreError>;

    /// Moves orders to the archive, with their lines and pick lines, and returns the number of lines.
    ///
    /// `orders` are sorted by their ids, each with the SKUs of its lines. Their products and their lines MUST be locked by
    /// this unit ([`OrderRepository::lock_lines`]), and all their lines complete.
    ///
    /// An archived order MUST still be found by its id: by [`OrderRepository::find`], [`OrderRepository::with_lines`],
    /// [`OrderRepository::skus_of`] and [`OrderRepository::load`], and its pick lines with their lists. When a lock of
    /// products requests its lines ([`crate::ProductRepository::lock`]), it is restored first, by the same unit: it is
    /// current again if the unit commits.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when the orders have other lines, or lines whose completion is not recorded.
    fn archive(&mut self, orders: &[(OrderId, Vec<Sku>)]) -> Result<u64, StoreError>;
}

use crate::StoreError;
use allocation_domain::{NewOrder, OrderId, Sku};
use chrono::{DateTime, Utc};

/// An order as it was placed.
///
/// What became of its lines is in the products of their SKUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// What was sent: equal to a repeat of it.
    pub order: NewOrder,
    /// When it was placed, in microseconds.
    pub placed_at: DateTime<Utc>,
    /// When it was cancelled, in microseconds; `None` when it was not.
    pub cancelled_at: Option<DateTime<Utc>>,
}

/// The orders that were placed as one, within a unit of work.
///
/// An order has no lock of its own: it changes only under the locks of the products it has lines
/// of, so who decides on it locks these first.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait OrderRepository {
    /// An order as it was placed, `None` when none of that name was. An order of which only single
    /// lines were sent is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, order_id: &OrderId) -> Result<Option<PlacedOrder>, StoreError>;

    /// The SKUs of all lines of an order, sorted, whether they were placed with it or sent alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn skus_of(&mut self, order_id: &OrderId) -> Result<Vec<Sku>, StoreError>;

    /// Adds an order that was placed at `at`. Its lines are saved with their products.
    ///
    /// Who adds several adds them in the order of their names: two units that add the same ones
    /// then never wait for each other.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when there is an order of that name.
    fn add(&mut self, order: &NewOrder, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Notes that an order was cancelled at `at`. One that was cancelled before keeps its instant.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when there is no order of that name.
    fn cancel(&mut self, order_id: &OrderId, at: DateTime<Utc>) -> Result<(), StoreError>;
}

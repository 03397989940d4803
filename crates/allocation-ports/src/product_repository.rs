use crate::StoreError;
use allocation_domain::{Batch, BatchReference, OrderId, Product, Sku};
use chrono::{DateTime, Utc};

/// What a decision needs of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The SKU.
    pub sku: Sku,
    /// Whether to make the product when there is none.
    pub create: bool,
    /// Whether to load batches with free units: the most preferred ones, and word of whether there
    /// are more.
    pub open_batches: bool,
    /// Batches to load whatever they hold.
    pub batches: Vec<BatchReference>,
    /// The orders whose lines to load.
    pub order_ids: Vec<OrderId>,
}

impl Wanted {
    /// Nothing but the product itself.
    #[must_use]
    pub const fn product(sku: Sku) -> Self {
        Self { sku, create: false, open_batches: false, batches: Vec::new(), order_ids: Vec::new() }
    }
}

/// The products, within a unit of work.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait ProductRepository {
    /// Which SKU a batch holds, `None` when there is no such batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn sku_of(&mut self, reference: &BatchReference) -> Result<Option<Sku>, StoreError>;

    /// A batch as it is stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find_batch(&mut self, reference: &BatchReference) -> Result<Option<Batch>, StoreError>;

    /// Locks products until the unit ends, and loads what is wanted of them.
    ///
    /// `wanted` names each SKU at most once. The lock MUST be exclusive across all processes on the
    /// database, and taken in the order of the SKUs' bytes, so that two units never wait for each
    /// other. What is loaded MUST include what other units committed before the lock was given. A
    /// SKU without a product is left out of the answer, unless it is to be created.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn lock(&mut self, wanted: &[Wanted]) -> Result<Vec<Product>, StoreError>;

    /// Completes a locked product with all its batches that have free units.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn load_all_open_batches(&mut self, product: &mut Product) -> Result<(), StoreError>;

    /// Writes down the changes of locked products, and their events as of `at`.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when a key is taken meanwhile, such as a batch's reference
    /// under another SKU.
    fn save(&mut self, products: &[Product], at: DateTime<Utc>) -> Result<(), StoreError>;
}

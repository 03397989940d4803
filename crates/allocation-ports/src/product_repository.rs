use crate::{EventContexts, StoreError};
use allocation_domain::{Batch, BatchReference, DataRequest, Eta, OrderId, Product, Sku, Units};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The parts of a product that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The SKU.
    pub sku: Sku,
    /// Whether to create the product if it does not exist.
    pub create: bool,
    /// Whether to load the most preferred batches with free units, and whether there are more.
    pub open_batches: bool,
    /// Batches to load whether or not they have free units.
    pub batches: Vec<BatchReference>,
    /// Orders whose lines to load.
    pub order_ids: Vec<OrderId>,
    /// Orders that receive a standalone line. Their lines are loaded as well, and whether they have ended
    /// (`ProductState::ended_orders`). Nearly all of these orders are new.
    ///
    /// Such an order MUST NOT end unnoticed before the unit does. A unit that locks its lines
    /// ([`crate::OrderRepository::lock_lines`]) waits for this one, or this one waits for it, or this one
    /// conflicts when it is saved.
    pub standalone: Vec<OrderId>,
}

impl LockRequest {
    /// Returns a request for the product itself, and the data that every decision needs.
    #[must_use]
    pub const fn product(sku: Sku) -> Self {
        Self {
            sku,
            create: false,
            open_batches: false,
            batches: Vec::new(),
            order_ids: Vec::new(),
            standalone: Vec::new(),
        }
    }
}

/// A batch that was looked up by its reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBatch {
    /// The current batch.
    pub batch: Batch,
    /// The quantity with which it was added, so that a retry can be distinguished from another batch with
    /// the same reference.
    pub added_quantity: Units,
    /// The ETA with which it was added.
    pub added_eta: Eta,
}

/// The products, within a unit of work.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait ProductRepository {
    /// Returns the SKU of a batch, `None` when there is no such batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn sku_of(&mut self, reference: &BatchReference) -> Result<Option<Sku>, StoreError>;

    /// Returns the SKU of each batch that exists.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn skus_of_batches(&mut self, references: &[BatchReference]) -> Result<BTreeMap<BatchReference, Sku>, StoreError>;

    /// Returns a batch, both as it is stored and as it was added.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find_batch(&mut self, reference: &BatchReference) -> Result<Option<FoundBatch>, StoreError>;

    /// Locks products until the unit ends, and loads the data that decisions need.
    ///
    /// `wanted` names each SKU at most once. The lock MUST be exclusive across all processes that use the
    /// database. Locks MUST be taken in the byte order of the SKUs, so that two units never deadlock. The
    /// loaded data MUST include every change that other units committed before the lock was granted. A SKU
    /// without a product is left out of the result, unless it is to be created. A product that this unit
    /// creates MUST have version 1, and no other product may: decisions recognize a new product by it.
    ///
    /// Each product MUST record the time at which it was locked ([`Product::lock_time`]). The clock is the
    /// one that all processes on the database share: the clock of a database server, not of the process.
    /// `now` MUST be read when all locks are held. `decided_at` MUST be read when the product is locked,
    /// and depend on no other product. It MUST be later than the `decided_at` of the previous unit of work
    /// that locked the product.
    ///
    /// Lines whose hold has expired by `now` MUST be loaded, whether they have units or not: every decision
    /// begins with them. The limit for each product is [`Product::share_of`] the number of products. A product
    /// MUST record whether it has more such lines (`ProductState::more_expired`). It MUST also record whether
    /// lines may wait for free units (`ProductFlags::unserved`), as last saved.
    ///
    /// The named orders and those of standalone lines that are archived MUST be restored before their lines are loaded
    /// ([`crate::OrderRepository::archive`]), whatever the products of their lines.
    ///
    /// With a line, the batches in which it has units MUST be loaded, since it may release them. If any of its
    /// units are listed or picked, its pick lines MUST be loaded too. Waiting lines need not be loaded,
    /// but the product MUST record whether there are any: see [`ProductRepository::load`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails. MUST be [`StoreError::Unavailable`] with
    /// [`ProgramTooOld`](crate::ProgramTooOld) when a migration has shut out the program.
    fn lock(&mut self, wanted: &[LockRequest]) -> Result<Vec<Product>, StoreError>;

    /// Locks the products that no other unit has locked, until the unit ends, and returns the remaining
    /// ones. MUST NOT wait for a lock. A SKU without a product is never returned.
    ///
    /// A store whose units exclude each other returns none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn locked_by_others(&mut self, skus: &[Sku]) -> Result<Vec<Sku>, StoreError>;

    /// Loads into a locked product the data that a decision lacked.
    ///
    /// Of the lines on a batch, it loads at most [`MAX_MOVED_LINES`](allocation_domain::MAX_MOVED_LINES),
    /// by an index in the order in which lines are served.
    ///
    /// Of the waiting lines that could take free units, it loads the next ones in the order in which they
    /// are served. It loads at least one if there is one, no more than requested, and records in the
    /// product whether there are more. A line that takes only its whole rest, where that exceeds the
    /// free units, MUST NOT be loaded. Nor may such lines be examined one by one, however many there are.
    /// With every line, the batches in which it has units MUST be loaded, and its pick lines as with a
    /// lock.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn load(&mut self, product: &mut Product, needed: &DataRequest) -> Result<(), StoreError>;

    /// Returns at most `limit` products that need catching up, each once. Products with a line whose hold
    /// has expired by `now` come first, by expiry; products with lines that may wait for free units follow.
    /// The result may be shorter than `limit`, but is empty only if there are none. The cost MUST NOT grow
    /// with the number of expired holds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn with_expired_holds(&mut self, now: DateTime<Utc>, limit: u16) -> Result<Vec<Sku>, StoreError>;

    /// Saves the changes of locked products. Events are stored with their `contexts`, as of the instant of the
    /// decision on their product.
    ///
    /// The totals of the products MUST change with their batches and lines. A store may count allocated
    /// units, or derive them from the purchased and the free ones.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when another unit has taken a key meanwhile, such as a batch's
    /// reference under another SKU. The same applies when another unit has added the first line of an order
    /// to which this unit adds a line. MUST be [`StoreError::Failed`] for a product that was never locked.
    fn save(&mut self, products: &[Product], contexts: &EventContexts) -> Result<(), StoreError>;
}

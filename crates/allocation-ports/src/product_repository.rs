use crate::{Origins, StoreError};
use allocation_domain::{Batch, BatchReference, DataRequest, Eta, OrderId, Product, Sku, Units};
use chrono::{DateTime, Utc};

/// What a decision needs of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
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
    /// The orders of which lines are sent alone: their lines are to be loaded, too, and word of
    /// whether they have ended (`ProductState::ended_orders`). Nearly all of them are new.
    ///
    /// Such an order MUST NOT end unnoticed before the unit does: a unit that locks its lines
    /// ([`crate::OrderRepository::lock_lines`]) waits for this one or is waited for, or this one
    /// conflicts when it is saved.
    pub alone: Vec<OrderId>,
}

impl LockRequest {
    /// Nothing but the product itself, and what every decision needs of it.
    #[must_use]
    pub const fn product(sku: Sku) -> Self {
        Self { sku, create: false, open_batches: false, batches: Vec::new(), order_ids: Vec::new(), alone: Vec::new() }
    }
}

/// A batch that was looked up by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBatch {
    /// The batch as it is now.
    pub batch: Batch,
    /// How many units it was added with, to tell a repeat from another batch of that name.
    pub added_quantity: Units,
    /// The ETA it was added with.
    pub added_eta: Eta,
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

    /// A batch as it is stored, and as it was added.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find_batch(&mut self, reference: &BatchReference) -> Result<Option<FoundBatch>, StoreError>;

    /// Locks products until the unit ends, and loads what is wanted of them for decisions.
    ///
    /// `wanted` names each SKU at most once. The lock MUST be exclusive across all processes on the
    /// database, and taken in the order of the SKUs' bytes, so that two units never wait for each
    /// other. What is loaded MUST include what other units committed before the lock was given. A
    /// SKU without a product is left out of the answer, unless it is to be created. A product that this
    /// unit creates MUST have version 1, and no other: so a decision tells whether it is new.
    ///
    /// Each product MUST say when it was locked ([`Product::lock_time`]), by the clock that all processes
    /// on the database share: that of a database server, not of the process. `now` MUST be read when all
    /// locks are held. `decided_at` MUST be read when the product is locked, be later than that of the
    /// unit of work which locked the product before, and depend on no other product.
    ///
    /// Of each product lines MUST be loaded whose hold has expired by `now`, whether they hold units or
    /// not: every decision begins with them. Where there are more than [`Product::share_of`] so many
    /// products, only so many are loaded, and the product MUST know that there are more
    /// (`ProductState::more_expired`). It MUST know, too, whether lines may wait for units that are free
    /// (`ProductState::unserved`), as it was saved last. With a line, the batches in which it holds
    /// units MUST be loaded: it may give them back; and of a line of which anything is on a pick list
    /// or was picked, its pick lines. Lines that wait need not be loaded, but the product MUST know
    /// whether there are any: see [`ProductRepository::load`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails. MUST be [`StoreError::Unavailable`] with
    /// [`OtherGeneration`](crate::OtherGeneration) when the schema is one on which the program must not write.
    fn lock(&mut self, wanted: &[LockRequest]) -> Result<Vec<Product>, StoreError>;

    /// Locks those of the products that no other unit has locked, until the unit ends, and tells the
    /// others. MUST NOT wait for a lock. A SKU without a product is in no answer.
    ///
    /// A store whose units exclude each other has nothing to tell.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn locked_by_others(&mut self, skus: &[Sku]) -> Result<Vec<Sku>, StoreError>;

    /// Loads into a locked product what a decision lacked.
    ///
    /// Of the lines on a batch, it loads [`MAX_MOVED_LINES`](allocation_domain::MAX_MOVED_LINES) at most,
    /// by an index in the order in which lines are served.
    ///
    /// Of waiting lines that could take some of the free units, it loads the next ones in the order in
    /// which they are served, at least one if there is one and no more than asked for, and tells the
    /// product whether there are more. Lines that take only their whole rest, which is more than what is
    /// free, MUST NOT be loaded, however many there are, nor be looked at one by one. With every line, the batches
    /// in which it holds units MUST be loaded, and its pick lines as with a lock.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails. [`DataRequest::CatchUp`] is nothing to load, and MUST be
    /// [`StoreError::Failed`].
    fn load(&mut self, product: &mut Product, needed: &DataRequest) -> Result<(), StoreError>;

    /// Products with a line whose hold has expired by `now`, those whose hold expired first before
    /// others, and products of which lines may wait for units that are free; at most so many, each once.
    /// It may give fewer, but none only if there are none. The cost MUST NOT grow with what has expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn with_expired_holds(&mut self, now: DateTime<Utc>, most: u16) -> Result<Vec<Sku>, StoreError>;

    /// Writes down the changes of locked products, and their events as of the instant at which each
    /// product was decided on. `origins` tells where events come from.
    ///
    /// The totals of the products MUST change with their batches and lines. A store may count
    /// units that are allocated, or tell them by what is purchased and not free.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when a key is taken meanwhile, such as a batch's reference
    /// under another SKU, and when another unit has added the first line of an order for which this unit
    /// adds a line, too. A product that was never locked is [`StoreError::Failed`].
    fn save(&mut self, products: &[Product], origins: &Origins) -> Result<(), StoreError>;
}

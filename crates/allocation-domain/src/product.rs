//! The aggregate: one SKU with its batches and lines.

use crate::horizon::Horizon;
use crate::indexed_lines::IndexedLines;
use crate::known_queue::KnownQueue;
use crate::ordered_batches::OrderedBatches;
use crate::originals::Originals;
use crate::pick_line::PickLines;
use crate::{
    Allocation, Batch, BatchPreference, BatchReference, DataRequest, Event, LineState, LoadRequest, LockTime, OrderEnd,
    OrderId, PickLine, PickLineId, ProductFlags, QueuePosition, Sku,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

mod backorders;
mod batch_correction;
mod batches;
mod displacement;
mod holds;
mod improvement;
mod line_change;
mod lines;
mod on_batch;
mod pick_corrections;
mod pick_list_membership;
mod picking;
mod plan;
mod reallocation;
mod receiving;
mod registration;
mod returning;
mod single_line;
mod undo;

use improvement::InTransit;
pub(crate) use line_change::{LineTarget, NewLine};
use on_batch::KnownOn;
pub(crate) use plan::Plan;

/// One SKU with its batches and lines, decided and stored as one.
///
/// A product made with [`Product::new`] has all its batches and lines. A store restores a product
/// with the rows that a decision needs (see [`ProductState`]), makes the decision, and writes
/// [`Product::changes`].
///
/// Every decision that allocates or frees units first releases the holds that have expired by
/// `now`, and allocates their units to waiting lines. It ends by serving the waiting lines. So no
/// line waits while there are free units that it could take.
///
/// `now` is the time of the store's clock; holds are measured by it. Decisions record
/// [`Product::decided_at`] instead, which never goes back: see [`LockTime`].
///
/// A unit of work is bounded: it serves at most [`Product::MAX_AT_ONCE`] waiting lines and releases
/// at most as many expired holds. [`Product::release_expired`] does the rest in further units of
/// work. Until then the product [is behind](Product::is_behind) and no other decision allocates or
/// frees its units, so nothing overtakes a waiting line.
///
/// ```
/// use allocation_domain::{BatchReference, Eta, NewBatch, OrderId, Outcome, Product, Quantity, Sku};
/// use chrono::DateTime;
///
/// let now = DateTime::UNIX_EPOCH;
/// let mut product = Product::new(Sku::parse("RED-CHAIR")?);
/// product.add_batch(NewBatch::new(BatchReference::parse("B-1")?, Quantity::new(20)?, Eta::InStock), now)?;
/// let outcome = product.allocate(&OrderId::parse("O-1")?, Quantity::new(2)?, now)?;
/// assert!(matches!(outcome, Outcome::Changed(_)));
/// assert_eq!(product.available(), 18);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Product {
    sku: Sku,
    version: u64,
    pub(crate) lock_time: Option<LockTime>,
    pub(crate) batches: OrderedBatches,
    /// The preference up to which all batches with free units are loaded.
    horizon: Horizon<BatchPreference>,
    /// The loaded lines.
    pub(crate) lines: IndexedLines,
    /// The parts of the stored queue that are loaded.
    known_queue: KnownQueue,
    /// The number of lines loaded from the queue.
    queue_loaded: usize,
    /// The maximum number of waiting lines that one unit of work serves.
    most_served: usize,
    flags: ProductFlags,
    stored_flags: ProductFlags,
    /// The loaded lines that may move to an earlier batch.
    in_transit: InTransit,
    /// Whether the store has more lines whose hold has expired.
    more_expired: bool,
    /// Whether this unit of work has done its share and the product is still behind.
    has_stepped: bool,
    /// Orders that have ended according to their lines of other products.
    ended_orders: BTreeMap<OrderId, OrderEnd>,
    pub(crate) pick_lines: PickLines,
    /// The stored rows that have changed.
    pub(crate) stored: Originals,
    events: Vec<Event>,
    /// The ranges of a batch's lines that are loaded.
    on_batch: KnownOn,
    /// Whether the progress of moving lines has changed, which records no event.
    moved_on: bool,
    /// The undo log of the current decision.
    before: Option<undo::Before>,
}

/// The stored rows of a product that its decisions need.
///
/// The lines whose hold has expired are needed by every decision except confirming or extending an
/// order and making, shipping or releasing a pick list. If the store has more of them than are
/// loaded, the product [is behind](Product::is_behind). Other omissions cost a [`LoadRequest`],
/// never a wrong decision.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProductState {
    /// The SKU.
    pub sku: Sku,
    /// The number of units of work that have locked the product.
    pub version: u64,
    /// The time of the lock, or `None` if no store has locked the product.
    pub lock_time: Option<LockTime>,
    /// Batches with free units, the most preferred first. A store may load only the first ones.
    pub open_batches: Vec<Batch>,
    /// Whether the store has, or may have, more batches with free units: `true` if it did not look
    /// for any.
    pub more_open_batches: bool,
    /// Batches that the decisions name, and batches in which the lines below hold units that they
    /// may release.
    pub named_batches: Vec<Batch>,
    /// The lines that the decisions name, as far as they exist, and lines whose hold has expired,
    /// even if they only wait. A store may load only some of the expired ones, but at least one if
    /// there is one.
    pub lines: Vec<(OrderId, LineState)>,
    /// Whether the store has more lines whose hold has expired.
    pub more_expired: bool,
    /// The flags as last written from [`Changes::flags`](crate::Changes::flags).
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub flags: ProductFlags,
    /// Whether the store has, or may have, lines on batches in transit that are not loaded.
    #[cfg_attr(feature = "serde", serde(default))]
    pub more_in_transit: bool,
    /// Waiting lines in the order of [`QueuePosition`]. A store may load only the first ones.
    pub waiting: Vec<(OrderId, LineState)>,
    /// Whether the store has, or may have, more waiting lines.
    pub more_waiting: bool,
    /// Of the orders that may receive a standalone line: those that have ended, according to their
    /// lines of other products. They receive no more lines.
    pub ended_orders: Vec<(OrderId, OrderEnd)>,
    /// The pick lines that the decisions name, and the pick lines of the lines above that may
    /// release units. Withdrawn and missing ones are left out.
    pub pick_lines: Vec<(PickLineId, PickLine)>,
}

impl ProductState {
    /// Creates the state of a product without rows.
    #[must_use]
    pub const fn new(sku: Sku, version: u64) -> Self {
        Self {
            sku,
            version,
            lock_time: None,
            open_batches: Vec::new(),
            more_open_batches: false,
            named_batches: Vec::new(),
            lines: Vec::new(),
            more_expired: false,
            flags: ProductFlags::NEW,
            more_in_transit: false,
            waiting: Vec::new(),
            more_waiting: false,
            ended_orders: Vec::new(),
            pick_lines: Vec::new(),
        }
    }
}

impl Product {
    /// The maximum number of waiting lines that a unit of work serves, and of expired holds that it
    /// releases.
    ///
    /// Several products share it, but each gets at least [`Product::MAX_AT_ONCE_OF_MANY`].
    pub const MAX_AT_ONCE: usize = 1_000;

    /// The minimum share of each product, however many products a unit of work has.
    pub const MAX_AT_ONCE_OF_MANY: usize = 20;

    /// Returns each product's share of [`Product::MAX_AT_ONCE`] in a unit of work with `products`
    /// products.
    #[must_use]
    pub const fn share_of(products: usize) -> usize {
        match Self::MAX_AT_ONCE.checked_div(products) {
            None => Self::MAX_AT_ONCE,
            Some(share) if share > Self::MAX_AT_ONCE_OF_MANY => share,
            Some(_) => Self::MAX_AT_ONCE_OF_MANY,
        }
    }

    /// Creates a product without batches.
    #[must_use]
    pub fn new(sku: Sku) -> Self {
        Self::restore(ProductState::new(sku, 0))
    }

    /// Restores a product from its stored rows.
    #[must_use]
    pub fn restore(state: ProductState) -> Self {
        let last_batch = state.open_batches.last().map(Batch::preference);
        let mut product = Self {
            sku: state.sku,
            version: state.version,
            lock_time: state.lock_time,
            batches: OrderedBatches::default(),
            horizon: Horizon::after(last_batch, state.more_open_batches),
            lines: IndexedLines::default(),
            known_queue: KnownQueue::default(),
            queue_loaded: 0,
            most_served: Self::MAX_AT_ONCE,
            flags: state.flags,
            stored_flags: state.flags,
            in_transit: InTransit::new(state.more_in_transit),
            more_expired: state.more_expired,
            has_stepped: false,
            ended_orders: state.ended_orders.into_iter().collect(),
            pick_lines: PickLines::default(),
            stored: Originals::default(),
            events: Vec::new(),
            on_batch: KnownOn::default(),
            moved_on: false,
            before: None,
        };
        product.load_batches(state.open_batches);
        product.load_batches(state.named_batches);
        product.load_lines(state.lines);
        let last = state.waiting.last().map(|(order_id, line)| QueuePosition::of(order_id, line));
        product.known_queue = KnownQueue::up_to(last, state.more_waiting);
        product.load_lines(state.waiting);
        product.load_pick_lines(state.pick_lines);
        product
    }

    /// Loads the batches with free units that [`Product::restore`] left out. Afterwards all are
    /// loaded.
    pub fn complete(&mut self, open_batches: impl IntoIterator<Item = Batch>) {
        self.load_batches(open_batches);
        self.horizon = Horizon::All;
    }

    /// Loads stored batches; batches that are already loaded stay as they are.
    pub fn load_batches(&mut self, batches: impl IntoIterator<Item = Batch>) {
        let is_new = |batch: &Batch| !matches!(self.stored.batches.get(batch.reference()), Some(Some(_)));
        let new: Vec<_> = batches.into_iter().filter(is_new).collect();
        self.batches.extend(new);
    }

    /// Loads stored lines; lines that are already loaded stay as they are.
    pub fn load_lines(&mut self, lines: impl IntoIterator<Item = (OrderId, LineState)>) {
        for (order_id, mut line) in lines {
            if self.lines.get(&order_id).is_some() || matches!(self.stored.lines.get(&order_id), Some(Some(_))) {
                continue;
            }
            // The ETA of the batch may have changed since the line was stored.
            for part in line.allocations.clone() {
                let batch = self.batches.find(&part.reference).filter(|batch| batch.eta() != part.eta);
                if let Some(batch) = batch {
                    line.set_eta(&part.reference, batch.eta());
                }
            }
            self.lines.insert(order_id, line);
        }
    }

    /// Loads the waiting lines that [`DataRequest::WaitingLines`] requests, in the order of
    /// [`QueuePosition`].
    ///
    /// They are the next lines after `after` that could take some of `free` units. With `more`, the
    /// store has further ones.
    pub fn load_waiting(
        &mut self,
        after: Option<&QueuePosition>,
        free: u64,
        lines: impl IntoIterator<Item = (OrderId, LineState)>,
        more: bool,
    ) {
        let lines: Vec<_> = lines.into_iter().collect();
        let last = lines.last().map(|(order_id, line)| QueuePosition::of(order_id, line));
        self.known_queue.add(after, last, more, free);
        self.queue_loaded += lines.len();
        self.load_lines(lines);
    }

    /// Loads stored pick lines; pick lines that are already loaded stay as they are.
    pub fn load_pick_lines(&mut self, lines: impl IntoIterator<Item = (PickLineId, PickLine)>) {
        for (id, line) in lines {
            if self.pick_lines.get(&id).is_none() {
                self.pick_lines.insert(id, line);
            }
        }
    }

    /// Returns whether more holds have expired, or more lines wait for free units, than one unit of
    /// work handles.
    ///
    /// [`Product::release_expired`] processes them, one unit of work at a time. Meanwhile every
    /// other decision that allocates or frees units returns
    /// [`Pending::CatchUp`](crate::Pending::CatchUp).
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        self.more_expired || self.flags.unserved
    }

    /// Returns whether there is anything to store.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.moved_on || !self.events.is_empty() || self.changed_flags().is_some()
    }

    /// Returns the flags, or `None` if the stored ones are current.
    pub(crate) fn changed_flags(&self) -> Option<ProductFlags> {
        (self.flags != self.stored_flags).then_some(self.flags)
    }

    /// Limits how many waiting lines one unit of work serves.
    pub(crate) const fn serve_at_most(&mut self, lines: usize) {
        self.most_served = lines;
    }

    /// Returns the SKU.
    #[must_use]
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// Returns the number of units of work that have locked the product.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Sets the lock time.
    #[must_use]
    pub fn locked_at(self, lock_time: LockTime) -> Self {
        Self { lock_time: Some(lock_time), ..self }
    }

    /// Returns the time of the lock, or `None` if no store has locked the product.
    #[must_use]
    pub const fn lock_time(&self) -> Option<LockTime> {
        self.lock_time
    }

    /// Returns the instant that a decision at `now` records.
    ///
    /// Its events, the `placed_at` of its lines and the `added_at` of its batches carry it. It is
    /// later than the instant of every earlier unit of work on the product, whatever the clock
    /// does. Without a lock it is `now`.
    #[must_use]
    pub fn decided_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.lock_time.map_or(now, |lock| lock.decided_at)
    }

    /// Returns the instant by which holds have expired for a decision at `now`.
    pub(crate) fn expires_by(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.min(self.decided_at(now))
    }

    /// Returns the loaded batches in order of preference.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Returns a loaded batch.
    #[must_use]
    pub fn batch(&self, reference: &BatchReference) -> Option<&Batch> {
        self.batches.find(reference)
    }

    /// Returns the loaded lines, sorted by order.
    pub fn lines(&self) -> impl Iterator<Item = (&OrderId, &LineState)> {
        self.lines.iter()
    }

    /// Returns a loaded line.
    #[must_use]
    pub fn line(&self, order_id: &OrderId) -> Option<&LineState> {
        self.lines.get(order_id)
    }

    /// Returns the loaded lines that wait, in the order in which they are served.
    pub fn waiting(&self) -> impl Iterator<Item = &QueuePosition> {
        self.lines.waiting()
    }

    /// Returns the loaded pick lines, sorted by list and number.
    pub fn pick_lines(&self) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        self.pick_lines.iter()
    }

    /// Returns a loaded pick line.
    #[must_use]
    pub fn pick_line(&self, id: &PickLineId) -> Option<&PickLine> {
        self.pick_lines.get(id)
    }

    /// Returns how many free units the loaded batches have.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.batches.iter().map(|batch| u64::from(batch.available())).sum()
    }

    /// Returns the events since the product was created, restored or last drained, oldest first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Ends a unit of work: removes and returns its events, oldest first.
    ///
    /// The rows then count as stored, so [`Product::changes`] is empty.
    pub fn drain_events(&mut self) -> Vec<Event> {
        if self.has_changed() {
            self.version = self.version.max(1) + 1;
        }
        self.stored = Originals::default();
        self.stored_flags = self.flags;
        (self.moved_on, self.has_stepped, self.queue_loaded) = (false, false, 0);
        self.in_transit.begin_unit();
        std::mem::take(&mut self.events)
    }

    /// Returns all rows of the product, for [`Product::restore`].
    ///
    /// All its rows must be loaded: the state counts as complete.
    #[must_use]
    pub fn state(&self) -> ProductState {
        let (open_batches, named_batches) = self.batches.iter().cloned().partition(|batch| batch.available() > 0);
        let rows = |(order_id, line): (&OrderId, &LineState)| (order_id.clone(), line.clone());
        ProductState {
            lock_time: self.lock_time,
            open_batches,
            named_batches,
            lines: self.lines.iter().map(rows).collect(),
            flags: self.flags,
            ended_orders: self.ended_orders.iter().map(|(order_id, end)| (order_id.clone(), *end)).collect(),
            pick_lines: self.pick_lines.iter().map(|(id, line)| (id.clone(), line.clone())).collect(),
            ..ProductState::new(self.sku.clone(), self.version)
        }
    }

    fn batch_index(&self, reference: &BatchReference) -> Option<usize> {
        self.batches.index_of(reference)
    }

    fn needs(&self, what: DataRequest) -> LoadRequest {
        LoadRequest { sku: self.sku.clone(), what }
    }

    fn record_out_of_stock(&mut self) {
        self.flags.sold_out = true;
        self.events.push(Event::OutOfStock { sku: self.sku.clone() });
    }

    /// Returns the allocation of `part` units of the batch at `index`.
    fn allocation(&self, index: usize, part: crate::Quantity) -> Allocation {
        Allocation::of(&self.batches[index], part)
    }
}

#[cfg(test)]
mod tests;

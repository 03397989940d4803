//! The consistency boundary.

use crate::horizon::Horizon;
use crate::known_queue::KnownQueue;
use crate::ordered_batches::OrderedBatches;
use crate::pick_line::PickLines;
use crate::{
    Allocation, Batch, BatchPreference, BatchReference, DataRequest, Event, LineState, LockTime, MoreNeeded, OrderEnd,
    OrderId, PickLine, PickLineId, QueuePosition, Sku, policy,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};

mod backorders;
mod batch_correction;
mod batches;
mod displacement;
mod holds;
mod lines;
mod on_batch;
mod pick_list_membership;
mod picking;
mod plan;
mod reallocation;
mod registration;
mod single_line;
mod undo;

use on_batch::KnownOn;
pub(crate) use plan::Plan;

/// One SKU with its batches and lines: what is decided and stored as one.
///
/// A product made with [`Product::new`] knows all its batches and lines. A store restores it with
/// what a decision needs (see [`ProductState`]), asks for the decision, and writes down what
/// [`Product::changes`] tells.
///
/// Every decision that takes or frees units begins with the holds that have expired by `now`: their
/// units are free, and go to the lines that wait, before anything else is decided. It ends with
/// serving the lines that wait. So no line waits while there are free units that it could take.
///
/// `now` is the time by the clock of the store, and holds are measured by it. What a decision records
/// carries [`Product::decided_at`] instead, which never goes back: see [`LockTime`].
///
/// A unit of work has a bound: where more lines wait for units that have become free, or more holds
/// have expired, than [`Product::MAX_AT_ONCE`], the rest is left for units of work that follow, by
/// [`Product::release_expired`]. Until then the product [is behind](Product::is_behind), and nothing
/// else is decided on it: nothing overtakes a line that waits.
///
/// ```
/// use allocation_domain::{AllocationOutcome, BatchReference, Eta, OrderId, Product, Quantity, Sku};
/// use chrono::DateTime;
///
/// let now = DateTime::UNIX_EPOCH;
/// let mut product = Product::new(Sku::parse("RED-CHAIR")?);
/// product.add_batch(BatchReference::parse("B-1")?, Quantity::new(20)?, Eta::InStock, now)?;
/// let outcome = product.allocate(&OrderId::parse("O-1")?, Quantity::new(2)?, now)?;
/// assert!(matches!(outcome, AllocationOutcome::Allocated(_)));
/// assert_eq!(product.available(), 18);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Product {
    sku: Sku,
    version: u64,
    pub(crate) lock_time: Option<LockTime>,
    pub(crate) batches: OrderedBatches,
    /// Up to where all batches with free units are known.
    horizon: Horizon<BatchPreference>,
    pub(crate) lines: BTreeMap<OrderId, LineState>,
    /// The lines at hand that wait.
    queue: BTreeSet<QueuePosition>,
    /// Which of the lines that wait are at hand.
    known_queue: KnownQueue,
    /// How many lines were loaded because they wait.
    queue_loaded: usize,
    /// How many waiting lines are served at once.
    most_served: usize,
    /// Whether lines may wait for units that are free.
    unserved: bool,
    stored_unserved: bool,
    /// Whether the store has more lines whose hold has expired.
    more_expired: bool,
    /// Whether this unit of work has done what it can of what the product is behind with.
    has_stepped: bool,
    /// Orders that have ended, by their lines of other products.
    ended_orders: BTreeMap<OrderId, OrderEnd>,
    /// When the holds of the lines at hand expire.
    expiries: BTreeSet<(DateTime<Utc>, OrderId)>,
    /// What the store holds of the batches at hand.
    pub(crate) stored_batches: HashMap<BatchReference, Batch>,
    /// What the store holds of the lines at hand.
    pub(crate) stored_lines: BTreeMap<OrderId, LineState>,
    pub(crate) pick_lines: PickLines,
    /// What the store holds of the pick lines at hand.
    pub(crate) stored_pick_lines: PickLines,
    events: Vec<Event>,
    /// Which lines of a batch are at hand.
    on_batch: KnownOn,
    /// Whether anything has changed of which no event tells.
    moved_on: bool,
    /// What a decision that is under way has changed.
    before: Option<undo::Before>,
}

/// What a store remembers of a product: what the decisions at hand need, and no more.
///
/// Every decision but to confirm, to extend, and to make, ship and give back a pick list needs the
/// lines whose hold has expired by now; while there are more of them than those given, the product
/// [is behind](Product::is_behind). What is left out otherwise costs a [`MoreNeeded`], never a wrong
/// decision.
#[derive(Debug, Clone)]
pub struct ProductState {
    /// The SKU.
    pub sku: Sku,
    /// Counts the units of work that have locked the product.
    pub version: u64,
    /// When the product was locked; `None` for one that no store has locked.
    pub lock_time: Option<LockTime>,
    /// Batches with free units, the most preferred first. Only the first of them may be given.
    pub open_batches: Vec<Batch>,
    /// Whether the store has, or may have, more batches with free units than those given: `true`
    /// when none were looked for.
    pub more_open_batches: bool,
    /// Other batches: those that the decisions name, and those in which the lines below hold units
    /// that they may give back.
    pub named_batches: Vec<Batch>,
    /// The lines that the decisions name, as far as they exist, and lines whose hold has expired,
    /// whether they hold units or only wait. Only some of these may be given, at least one if there is
    /// one.
    pub lines: Vec<(OrderId, LineState)>,
    /// Whether the store has more lines whose hold has expired than those given.
    pub more_expired: bool,
    /// Whether lines may wait for units that are free, as [`Changes::unserved`](crate::Changes::unserved) told.
    pub unserved: bool,
    /// Lines that wait, in the order of [`QueuePosition`]. Only the first of them may be given.
    pub waiting: Vec<(OrderId, LineState)>,
    /// Whether the store has, or may have, more lines that wait than those given.
    pub more_waiting: bool,
    /// Those of the orders whose lines may be sent alone that have ended, by their lines of other
    /// products: none of them gets a line any more.
    pub ended_orders: Vec<(OrderId, OrderEnd)>,
    /// The pick lines that the decisions name, and those of the lines above that may give units
    /// back, but for those that are withdrawn or missing.
    pub pick_lines: Vec<(PickLineId, PickLine)>,
}

impl ProductState {
    /// A product of which there is nothing.
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
            unserved: false,
            waiting: Vec::new(),
            more_waiting: false,
            ended_orders: Vec::new(),
            pick_lines: Vec::new(),
        }
    }
}

impl Product {
    /// How many waiting lines a unit of work serves, and how many expired holds it releases, at most;
    /// with several products, all of them together, but some of each.
    pub const MAX_AT_ONCE: usize = 1_000;

    /// How many of each product at least, of however many products.
    pub const MAX_AT_ONCE_OF_MANY: usize = 20;

    /// How many waiting lines of each of so many products a unit of work serves at most, and how many
    /// expired holds it releases.
    #[must_use]
    pub const fn share_of(products: usize) -> usize {
        match Self::MAX_AT_ONCE.checked_div(products) {
            None => Self::MAX_AT_ONCE,
            Some(share) if share > Self::MAX_AT_ONCE_OF_MANY => share,
            Some(_) => Self::MAX_AT_ONCE_OF_MANY,
        }
    }

    /// A product without batches.
    #[must_use]
    pub fn new(sku: Sku) -> Self {
        Self::restore(ProductState::new(sku, 0))
    }

    /// A product as a store remembers it.
    #[must_use]
    pub fn restore(state: ProductState) -> Self {
        let last_batch = state.open_batches.last().map(Batch::preference);
        let mut product = Self {
            sku: state.sku,
            version: state.version,
            lock_time: state.lock_time,
            batches: OrderedBatches::default(),
            horizon: Horizon::after(last_batch, state.more_open_batches),
            lines: BTreeMap::new(),
            queue: BTreeSet::new(),
            known_queue: KnownQueue::default(),
            queue_loaded: 0,
            most_served: Self::MAX_AT_ONCE,
            unserved: state.unserved,
            stored_unserved: state.unserved,
            more_expired: state.more_expired,
            has_stepped: false,
            ended_orders: state.ended_orders.into_iter().collect(),
            expiries: BTreeSet::new(),
            stored_batches: HashMap::new(),
            stored_lines: BTreeMap::new(),
            pick_lines: PickLines::default(),
            stored_pick_lines: PickLines::default(),
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

    /// Adds the batches with free units that [`Product::restore`] left out; then all are known.
    pub fn complete(&mut self, open_batches: impl IntoIterator<Item = Batch>) {
        self.load_batches(open_batches);
        self.horizon = Horizon::All;
    }

    /// Takes stored batches in, but for those that are at hand.
    pub fn load_batches(&mut self, batches: impl IntoIterator<Item = Batch>) {
        let mut new = Vec::new();
        for batch in batches {
            if !self.stored_batches.contains_key(batch.reference()) {
                self.stored_batches.insert(batch.reference().clone(), batch.clone());
                new.push(batch);
            }
        }
        self.batches.extend(new);
    }

    /// Takes stored lines in, but for those that are at hand.
    pub fn load_lines(&mut self, lines: impl IntoIterator<Item = (OrderId, LineState)>) {
        for (order_id, mut line) in lines {
            if self.stored_lines.contains_key(&order_id) {
                continue;
            }
            self.stored_lines.insert(order_id.clone(), line.clone());
            // A batch may have got another date since the line was stored.
            for part in line.allocations.clone() {
                let batch = self.batches.find(&part.reference).filter(|batch| batch.eta() != part.eta);
                if let Some(batch) = batch {
                    line.expect(&part.reference, batch.eta());
                }
            }
            self.insert_line(order_id, line);
        }
    }

    /// Takes in the next waiting lines after a place that could take some of so many free units, in
    /// the order of [`QueuePosition`], as [`DataRequest::WaitingLines`] asked for them; `more` says whether
    /// the store has more of them.
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

    /// Takes stored pick lines in, but for those that are at hand.
    pub fn load_pick_lines(&mut self, lines: impl IntoIterator<Item = (PickLineId, PickLine)>) {
        for (id, line) in lines {
            if self.stored_pick_lines.get(&line.order_id, &id).is_none() {
                self.stored_pick_lines.insert(id.clone(), line.clone());
                self.pick_lines.insert(id, line);
            }
        }
    }

    /// Whether more holds have expired, or more lines wait for units that are free, than one unit of
    /// work takes on. [`Product::release_expired`] goes on with it, a unit of work each time; meanwhile
    /// every other decision that takes or frees units is [`DataRequest::CatchUp`].
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        self.more_expired || self.unserved
    }

    /// Whether there is anything to write down.
    #[must_use]
    pub const fn has_changed(&self) -> bool {
        self.moved_on || !self.events.is_empty() || self.unserved != self.stored_unserved
    }

    /// Whether lines may wait for units that are free, when the store has it otherwise.
    pub(crate) fn changed_unserved(&self) -> Option<bool> {
        (self.unserved != self.stored_unserved).then_some(self.unserved)
    }

    /// Serves at most so many waiting lines at once.
    pub(crate) const fn serve_at_most(&mut self, lines: usize) {
        self.most_served = lines;
    }

    /// The SKU.
    #[must_use]
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// Counts the units of work that have locked the product.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The same product as it is decided on when it was locked at another time.
    #[must_use]
    pub fn locked_at(self, lock_time: LockTime) -> Self {
        Self { lock_time: Some(lock_time), ..self }
    }

    /// When the product was locked; `None` for one that no store has locked.
    #[must_use]
    pub const fn lock_time(&self) -> Option<LockTime> {
        self.lock_time
    }

    /// The instant that a decision at `now` records: that of its events, `placed_at` of its lines and
    /// `added_at` of its batches. It is later than that of every earlier unit of work on the product,
    /// whatever the clock does; for a product that no store has locked, it is `now`.
    #[must_use]
    pub fn decided_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.lock_time.map_or(now, |lock| lock.decided_at)
    }

    /// The instant by which holds have expired for a decision at `now`.
    pub(crate) fn expires_by(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now.min(self.decided_at(now))
    }

    /// The batches at hand, in order of preference.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// A batch at hand.
    #[must_use]
    pub fn batch(&self, reference: &BatchReference) -> Option<&Batch> {
        self.batches.find(reference)
    }

    /// The lines at hand.
    pub fn lines(&self) -> impl Iterator<Item = (&OrderId, &LineState)> {
        self.lines.iter()
    }

    /// A line at hand.
    #[must_use]
    pub fn line(&self, order_id: &OrderId) -> Option<&LineState> {
        self.lines.get(order_id)
    }

    /// The lines at hand that wait, in the order in which they are served.
    pub fn waiting(&self) -> impl Iterator<Item = &QueuePosition> {
        self.queue.iter()
    }

    /// The pick lines at hand, sorted by order.
    pub fn pick_lines(&self) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        self.pick_lines.iter()
    }

    /// A pick line at hand.
    #[must_use]
    pub fn pick_line(&self, id: &PickLineId) -> Option<&PickLine> {
        self.pick_lines.find(id)
    }

    /// How many units the batches at hand have free.
    #[must_use]
    pub fn available(&self) -> u64 {
        policy::available(&self.batches)
    }

    /// What has happened since the product was made or restored, oldest first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    fn place(&self, reference: &BatchReference) -> Option<usize> {
        self.batches.place(reference)
    }

    fn needs(&self, what: DataRequest) -> MoreNeeded {
        MoreNeeded { sku: self.sku.clone(), what }
    }

    fn record_out_of_stock(&mut self) {
        self.events.push(Event::OutOfStock { sku: self.sku.clone() });
    }

    /// What a line holds in a batch, noted so.
    fn allocation(&self, place: usize, part: crate::Quantity) -> Allocation {
        Allocation::of(&self.batches[place], part)
    }
}

#[cfg(test)]
mod tests;

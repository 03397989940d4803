//! The consistency boundary.

use crate::horizon::Horizon;
use crate::ordered_batches::OrderedBatches;
use crate::pick_line::PickLines;
use crate::{
    Allocation, Batch, BatchPreference, BatchReference, Event, LineState, MoreNeeded, Needed, OrderEnd, OrderId,
    PickLine, PickLineId, QueuePosition, Sku, policy,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};

mod allocating;
mod batches;
mod changing;
mod displacing;
mod holding;
mod lines;
mod listing;
mod picking;
mod placing;
mod queueing;
mod undoing;

pub(crate) use placing::Plan;

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
    not_before: DateTime<Utc>,
    pub(crate) batches: OrderedBatches,
    /// Up to where all batches with free units are known.
    horizon: Horizon<BatchPreference>,
    pub(crate) lines: BTreeMap<OrderId, LineState>,
    /// The lines at hand that wait.
    queue: BTreeSet<QueuePosition>,
    /// Up to where all lines that wait are known.
    queue_horizon: Horizon<QueuePosition>,
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
    /// What a decision that is under way has changed.
    before: Option<undoing::Before>,
}

/// What a store remembers of a product: what the decisions at hand need, and no more.
///
/// Every decision but to confirm, to extend, and to make, ship and give back a pick list needs the
/// lines whose hold has expired by now, all of them. What is left out otherwise costs a
/// [`MoreNeeded`], never a wrong decision.
#[derive(Debug, Clone)]
pub struct ProductState {
    /// The SKU.
    pub sku: Sku,
    /// Counts the units of work that have locked the product.
    pub version: u64,
    /// When the product was decided on last. See [`Product::not_before`].
    pub not_before: DateTime<Utc>,
    /// Batches with free units, the most preferred first. Only the first of them may be given.
    pub open_batches: Vec<Batch>,
    /// Whether the store has, or may have, more batches with free units than those given: `true`
    /// when none were looked for.
    pub more_open_batches: bool,
    /// Other batches: those that the decisions name, and those in which the lines below hold units
    /// that they may give back.
    pub named_batches: Vec<Batch>,
    /// The lines that the decisions name, as far as they exist, and all lines whose hold has
    /// expired, whether they hold units or only wait.
    pub lines: Vec<(OrderId, LineState)>,
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
            not_before: DateTime::UNIX_EPOCH,
            open_batches: Vec::new(),
            more_open_batches: false,
            named_batches: Vec::new(),
            lines: Vec::new(),
            waiting: Vec::new(),
            more_waiting: false,
            ended_orders: Vec::new(),
            pick_lines: Vec::new(),
        }
    }
}

impl Product {
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
            not_before: state.not_before,
            batches: OrderedBatches::default(),
            horizon: Horizon::after(last_batch, state.more_open_batches),
            lines: BTreeMap::new(),
            queue: BTreeSet::new(),
            queue_horizon: Horizon::Nothing,
            ended_orders: state.ended_orders.into_iter().collect(),
            expiries: BTreeSet::new(),
            stored_batches: HashMap::new(),
            stored_lines: BTreeMap::new(),
            pick_lines: PickLines::default(),
            stored_pick_lines: PickLines::default(),
            events: Vec::new(),
            before: None,
        };
        product.load_batches(state.open_batches);
        product.load_batches(state.named_batches);
        product.load_lines(state.lines);
        product.load_waiting(state.waiting, state.more_waiting);
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

    /// Takes the next waiting lines in, in the order of [`QueuePosition`]; `more` says whether the
    /// store has more of them.
    pub fn load_waiting(&mut self, lines: impl IntoIterator<Item = (OrderId, LineState)>, more: bool) {
        let lines: Vec<_> = lines.into_iter().collect();
        let last = lines.last().map(|(order_id, line)| QueuePosition::of(order_id, line));
        self.queue_horizon = Horizon::after(last.or_else(|| self.queue_horizon.last().cloned()), more);
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

    /// The earliest instant at which the product may be decided on: that of the last decision.
    ///
    /// Clocks differ, and a unit of work may wait for its locks. A store that knows when a product was
    /// decided on last says so here, and whoever decides does it then if that is later: events are
    /// in order by their instants, too.
    #[must_use]
    pub const fn not_before(&self) -> DateTime<Utc> {
        self.not_before
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

    fn needs(&self, what: Needed) -> MoreNeeded {
        MoreNeeded { sku: self.sku.clone(), what }
    }

    fn tell_sold_out(&mut self) {
        self.events.push(Event::OutOfStock { sku: self.sku.clone() });
    }

    /// What a line holds in a batch, noted so.
    fn allocation(&self, place: usize, part: crate::Quantity) -> Allocation {
        Allocation::of(&self.batches[place], part)
    }
}

#[cfg(test)]
mod tests;

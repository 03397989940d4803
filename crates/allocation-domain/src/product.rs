//! The consistency boundary.

use crate::policy::{self, Choice};
use crate::{
    AddBatchError, AllocateError, Allocation, AllocationOutcome, Batch, BatchPreference, BatchReference,
    DeallocateError, Eta, Event, LineAllocation, LineAlreadyAllocated, OrderId, OutOfStock, Quantity, RemoveBatchError,
    Sku,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// One SKU with its batches: what is decided and stored as one.
///
/// A product made with [`Product::new`] knows all its batches and lines. A store restores it with
/// what a decision needs (see [`ProductState`]), asks for the decision, and writes down what
/// [`Product::changes`] tells.
///
/// ```
/// use allocation_domain::{AllocationOutcome, BatchReference, Eta, OrderId, Product, Quantity, Sku};
/// use chrono::DateTime;
///
/// let mut product = Product::new(Sku::parse("RED-CHAIR")?);
/// product.add_batch(BatchReference::parse("B-1")?, Quantity::new(20)?, Eta::InStock, DateTime::UNIX_EPOCH)?;
/// let outcome = product.allocate(&OrderId::parse("O-1")?, Quantity::new(2)?)?;
/// assert!(matches!(outcome, AllocationOutcome::Allocated(_)));
/// assert_eq!(product.available(), 18);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Product {
    sku: Sku,
    version: u64,
    /// In order of preference.
    pub(crate) batches: Vec<Batch>,
    /// Up to where all batches with free units are known; `None` when all are.
    horizon: Option<BatchPreference>,
    pub(crate) lines: BTreeMap<OrderId, LineState>,
    /// What the store holds of the batches at hand.
    pub(crate) stored_batches: HashMap<BatchReference, Batch>,
    /// What the store holds of the lines at hand.
    pub(crate) stored_lines: BTreeMap<OrderId, LineState>,
    events: Vec<Event>,
}

/// A line with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineState {
    /// How many units the line has ordered.
    pub quantity: Quantity,
    /// What it holds, the most preferred batch first.
    pub allocations: Vec<Allocation>,
}

/// What a store remembers of a product: what the decisions at hand need, and no more.
#[derive(Debug, Clone)]
pub struct ProductState {
    /// The SKU.
    pub sku: Sku,
    /// Counts the units of work that have locked the product.
    pub version: u64,
    /// Batches with free units, the most preferred first. Only the first of them may be given.
    pub open_batches: Vec<Batch>,
    /// Whether the store has more batches with free units than those given.
    pub more_open_batches: bool,
    /// Other batches that the decisions name, such as one to deallocate from.
    pub named_batches: Vec<Batch>,
    /// The lines that the decisions name, as far as they exist.
    pub lines: Vec<(OrderId, LineState)>,
}

impl Product {
    /// A product without batches.
    #[must_use]
    pub fn new(sku: Sku) -> Self {
        Self {
            sku,
            version: 0,
            batches: Vec::new(),
            horizon: None,
            lines: BTreeMap::new(),
            stored_batches: HashMap::new(),
            stored_lines: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// A product as a store remembers it.
    #[must_use]
    pub fn restore(state: ProductState) -> Self {
        let mut product = Self::new(state.sku);
        product.version = state.version;
        product.horizon = match state.open_batches.last() {
            Some(last) if state.more_open_batches => Some(last.preference()),
            _ => None,
        };
        product.adopt(state.open_batches);
        product.adopt(state.named_batches);
        product.stored_lines = state.lines.into_iter().collect();
        product.lines.clone_from(&product.stored_lines);
        product
    }

    /// Adds the batches with free units that [`Product::restore`] left out; then all are known.
    pub fn complete(&mut self, open_batches: impl IntoIterator<Item = Batch>) {
        self.adopt(open_batches);
        self.horizon = None;
    }

    /// Takes stored batches in, but for those that are at hand.
    fn adopt(&mut self, batches: impl IntoIterator<Item = Batch>) {
        for batch in batches {
            if !self.stored_batches.contains_key(batch.reference()) {
                self.stored_batches.insert(batch.reference().clone(), batch.clone());
                self.batches.push(batch);
            }
        }
        self.batches.sort_by_cached_key(Batch::preference);
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

    /// The batches at hand, in order of preference.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// A batch at hand.
    #[must_use]
    pub fn batch(&self, reference: &BatchReference) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.reference() == reference)
    }

    /// The lines at hand that hold units.
    pub fn lines(&self) -> impl Iterator<Item = (&OrderId, &LineState)> {
        self.lines.iter()
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

    /// Adds a batch.
    ///
    /// # Errors
    ///
    /// [`AddBatchError::AlreadyExists`] when a batch at hand has that reference.
    pub fn add_batch(
        &mut self,
        reference: BatchReference,
        purchased: Quantity,
        eta: Eta,
        added_at: DateTime<Utc>,
    ) -> Result<&Batch, AddBatchError> {
        if self.batch(&reference).is_some() {
            return Err(AddBatchError::AlreadyExists(reference));
        }
        let batch = Batch::new(reference.clone(), self.sku.clone(), purchased, eta, added_at);
        let preference = batch.preference();
        let place = self.batches.partition_point(|other| other.preference() < preference);
        self.batches.insert(place, batch);
        self.events.push(Event::BatchAdded { reference, sku: self.sku.clone(), purchased_quantity: purchased, eta });
        Ok(&self.batches[place])
    }

    /// Removes a batch of which nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`RemoveBatchError`] when there is no such batch, or lines hold units of it.
    pub fn remove_batch(&mut self, reference: &BatchReference) -> Result<(), RemoveBatchError> {
        let place = self.place(reference).ok_or_else(|| RemoveBatchError::NotFound(reference.clone()))?;
        let allocated = self.batches[place].allocated();
        if allocated > 0 {
            return Err(RemoveBatchError::HasAllocations { reference: reference.clone(), allocated });
        }
        self.batches.remove(place);
        self.events.push(Event::BatchRemoved { reference: reference.clone(), sku: self.sku.clone() });
        Ok(())
    }

    /// Allocates a line: what it does not hold yet of its quantity.
    ///
    /// The line goes whole into the first batch in order of preference that can take it, is split
    /// over the batches in that order only when no single one can, and gets nothing when all of
    /// them together cannot serve it.
    ///
    /// # Errors
    ///
    /// [`AllocateError`], and nothing has changed.
    pub fn allocate(&mut self, order_id: &OrderId, quantity: Quantity) -> Result<AllocationOutcome, AllocateError> {
        let Some(missing) = self.missing(order_id, quantity)? else {
            return Ok(AllocationOutcome::Unchanged(self.line_allocation(order_id, quantity)));
        };
        let parts = match policy::choose(&self.batches, missing, self.horizon.as_ref()) {
            Choice::Batches(parts) => parts,
            Choice::NotKnown => return Err(AllocateError::MoreBatchesNeeded),
            Choice::Short(available) => {
                return Err(OutOfStock { sku: self.sku.clone(), requested: quantity, available }.into());
            }
        };
        for (place, part) in parts {
            self.take(place, order_id, part, quantity);
        }
        if self.horizon.is_none() && self.available() == 0 {
            self.events.push(Event::OutOfStock { sku: self.sku.clone() });
        }
        Ok(AllocationOutcome::Allocated(self.line_allocation(order_id, quantity)))
    }

    /// Frees the units that an order holds in a batch.
    ///
    /// A line that holds nothing any more is forgotten, so that it can come back with any quantity.
    ///
    /// # Errors
    ///
    /// [`DeallocateError`] when there is no such batch, or the order holds nothing in it.
    pub fn deallocate(&mut self, order_id: &OrderId, reference: &BatchReference) -> Result<Quantity, DeallocateError> {
        let place = self.place(reference).ok_or_else(|| DeallocateError::BatchNotFound(reference.clone()))?;
        let freed = self.forget_allocation(order_id, reference).ok_or_else(|| DeallocateError::AllocationNotFound {
            order_id: order_id.clone(),
            reference: reference.clone(),
        })?;
        self.batches[place].give_back(freed);
        self.events.push(Event::Deallocated {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            reference: reference.clone(),
            quantity: freed,
        });
        Ok(freed)
    }

    fn place(&self, reference: &BatchReference) -> Option<usize> {
        self.batches.iter().position(|batch| batch.reference() == reference)
    }

    /// What a line lacks of its quantity, `None` when nothing.
    fn missing(&self, order_id: &OrderId, quantity: Quantity) -> Result<Option<Quantity>, AllocateError> {
        let Some(line) = self.lines.get(order_id) else {
            return Ok(Some(quantity));
        };
        if line.quantity != quantity {
            return Err(LineAlreadyAllocated {
                order_id: order_id.clone(),
                sku: self.sku.clone(),
                allocated: line.quantity,
                requested: quantity,
            }
            .into());
        }
        let held = line.allocations.iter().map(|part| part.quantity.get()).sum();
        Ok(quantity.minus(held))
    }

    fn take(&mut self, place: usize, order_id: &OrderId, part: Quantity, line_quantity: Quantity) {
        let batch = &mut self.batches[place];
        batch.take(part);
        let taken = Allocation::of(batch, part);
        let reference = taken.reference.clone();
        let line = self
            .lines
            .entry(order_id.clone())
            .or_insert_with(|| LineState { quantity: line_quantity, allocations: Vec::new() });
        line.add(taken);
        self.events.push(Event::Allocated {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            reference,
            quantity: part,
            line_quantity,
        });
    }

    fn forget_allocation(&mut self, order_id: &OrderId, reference: &BatchReference) -> Option<Quantity> {
        let line = self.lines.get_mut(order_id)?;
        let place = line.allocations.iter().position(|part| part.reference == *reference)?;
        let freed = line.allocations.remove(place).quantity;
        if line.allocations.is_empty() {
            self.lines.remove(order_id);
        }
        Some(freed)
    }

    fn line_allocation(&self, order_id: &OrderId, quantity: Quantity) -> LineAllocation {
        let allocations = self.lines.get(order_id).map(|line| line.allocations.clone());
        LineAllocation {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            quantity,
            allocations: allocations.unwrap_or_default(),
        }
    }
}

impl LineState {
    /// Adds units of a batch; a batch that serves the line already serves it with more.
    fn add(&mut self, taken: Allocation) {
        let place = self.allocations.partition_point(|held| held.rank() < taken.rank());
        match self.allocations.get_mut(place) {
            Some(held) if held.reference == taken.reference => held.quantity = held.quantity.plus(taken.quantity),
            _ => self.allocations.insert(place, taken),
        }
    }
}

#[cfg(test)]
mod tests;

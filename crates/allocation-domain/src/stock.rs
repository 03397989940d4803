//! Stock that is held in memory as a whole.

use crate::{
    AddBatchError, AdjustError, Adjusted, Adjustment, AllocateError, Batch, BatchChange, BatchChanged, BatchReference,
    CancelError, ChangeBatchError, ChangeOrderError, CloseError, ConfirmError, CreateShipmentError, DeallocateError,
    Event, ExtendError, GoodsReturn, HoldDuration, LineAllocation, LoadRequest, MakePickListError, NewBatch, NewOrder,
    NewPickList, NewShipment, OpenLines, Order, OrderChange, OrderConfirmation, OrderId, OrderLine, OutOfStock,
    Outcome, Pending, PickError, PickLine, PickLineId, PickList, PickListId, Picked, PlaceError, Product, ProductState,
    Products, Promises, PutBackError, PutBackReason, Quantity, Receipt, ReceiveError, Received, ReleasePickLineError,
    ReleasePickListError, RemoveBatchError, ReturnError, Returned, ShipError, ShippedLines, Sku, Units,
};
use chrono::{DateTime, Utc};

/// All products of a shop or warehouse, with all their rows in memory.
///
/// A decision never lacks rows here, so each method returns its value or its refusal. No limit of a unit of
/// work applies either: a decision serves every waiting line that it can. After a refusal nothing has changed,
/// except that expired holds may have been released.
///
/// `now` is the time of the decision; it should never go back.
///
/// ```
/// use allocation_domain::{BatchReference, Eta, NewBatch, OrderId, OrderLine, Outcome, Quantity, Sku, Stock};
/// use chrono::DateTime;
///
/// let now = DateTime::UNIX_EPOCH;
/// let chair = Sku::parse("RED-CHAIR")?;
/// let mut stock = Stock::new();
/// stock.add_batch(&chair, NewBatch::new(BatchReference::parse("B-1")?, Quantity::new(20)?, Eta::InStock), now)?;
///
/// let line = OrderLine::new(OrderId::parse("O-1")?, chair.clone(), Quantity::new(2)?)?;
/// assert!(matches!(stock.allocate(&line, now)?, Outcome::Changed(_)));
/// assert!(matches!(stock.allocate(&line, now)?, Outcome::Unchanged(_)));
/// assert_eq!(stock.product(&chair).map(|chairs| chairs.available()), Some(18));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Stock {
    products: Products,
}

impl Stock {
    /// Creates stock without products.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Restores stock from the rows of all products.
    ///
    /// The rows count as complete: `more_open_batches`, `more_expired` and `more_waiting` are ignored.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`] if a row is missing that another one counts or names.
    pub fn restore(states: impl IntoIterator<Item = ProductState>) -> Result<Self, LoadRequest> {
        let complete =
            |state| ProductState { more_open_batches: false, more_expired: false, more_waiting: false, ..state };
        let mut stock = Self { products: states.into_iter().map(|state| Product::restore(complete(state))).collect() };
        stock.lift_bounds();
        stock.products.iter().try_for_each(Product::check_rows)?;
        Ok(stock)
    }

    /// Returns the rows of all products, for [`Stock::restore`].
    pub fn states(&self) -> impl Iterator<Item = ProductState> {
        self.products.iter().map(Product::state)
    }

    /// Removes and returns the events since the last call, sorted by SKU, then oldest first.
    pub fn drain_events(&mut self) -> Vec<Event> {
        self.products.iter_mut().flat_map(Product::drain_events).collect()
    }

    /// Registers a product, so that lines can wait for it; returns whether it was new.
    pub fn register(&mut self, sku: &Sku) -> bool {
        self.product_mut(sku).register()
    }

    /// Returns the products, sorted by SKU.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.iter()
    }

    /// Returns the product of a SKU.
    #[must_use]
    pub fn product(&self, sku: &Sku) -> Option<&Product> {
        self.products.get(sku)
    }

    /// Returns a batch.
    #[must_use]
    pub fn batch(&self, reference: &BatchReference) -> Option<&Batch> {
        self.products.iter().find_map(|product| product.batch(reference))
    }

    /// Returns an order, or `None` if it has no line.
    #[must_use]
    pub fn order(&self, order_id: &OrderId) -> Option<Order> {
        self.products.order(order_id)
    }

    /// Returns a pick list.
    #[must_use]
    pub fn pick_list(&self, list_id: &PickListId) -> Option<PickList> {
        self.products.pick_list(list_id)
    }

    /// Adds a batch, and serves the waiting lines from it. The first batch of a SKU creates its product.
    ///
    /// # Errors
    ///
    /// [`AddBatchError::AlreadyExists`] if any product has a batch with that reference.
    pub fn add_batch(&mut self, sku: &Sku, new: NewBatch, now: DateTime<Utc>) -> Result<Batch, AddBatchError> {
        if self.batch(&new.reference).is_some() {
            return Err(AddBatchError::AlreadyExists(new.reference));
        }
        decided(self.product_mut(sku).add_batch(new, now).cloned())
    }

    /// Removes a batch without allocations: see [`Product::remove_batch`].
    ///
    /// # Errors
    ///
    /// [`RemoveBatchError`].
    pub fn remove_batch(&mut self, reference: &BatchReference, now: DateTime<Utc>) -> Result<(), RemoveBatchError> {
        let product = self.product_of(reference).ok_or_else(|| RemoveBatchError::NotFound(reference.clone()))?;
        decided(product.remove_batch(reference, now))
    }

    /// Corrects a batch, with all effects on its lines: see [`Product::change_batch`].
    ///
    /// # Errors
    ///
    /// [`ChangeBatchError`].
    pub fn change_batch(
        &mut self,
        reference: &BatchReference,
        change: &BatchChange,
        now: DateTime<Utc>,
    ) -> Result<BatchChanged, ChangeBatchError> {
        let product = self.product_of(reference).ok_or_else(|| ChangeBatchError::NotFound(reference.clone()))?;
        let mut changed = decided(product.change_batch(reference, change, now))?;
        if let Some(steps) = self.move_all_lines(reference, now) {
            changed.batch = steps.batch;
            changed.affected.extend(steps.affected);
            changed.displaced.extend(steps.displaced);
        }
        Ok(changed)
    }

    /// Receives units of an inbound batch, with all effects on its lines: see [`Product::receive_batch`].
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]. The reference of the rest is checked against the batches of all products.
    pub fn receive(
        &mut self,
        receipt: &Receipt,
        rest_name: &BatchReference,
        now: DateTime<Utc>,
    ) -> Result<Received, ReceiveError> {
        let reference = receipt.reference();
        let rest = receipt.rest().map(|terms| terms.reference.as_ref().unwrap_or(rest_name));
        if let Some(taken) = rest.filter(|name| self.batch(name).is_some()) {
            return Err(ReceiveError::RestExists(taken.clone()));
        }
        let product = self.product_of(reference).ok_or_else(|| ReceiveError::NotFound(reference.clone()))?;
        let mut received = decided(product.receive_batch(receipt, rest_name, now))?;
        if let Some(steps) = self.move_all_lines(reference, now) {
            received.affected.extend(steps.affected);
            received.displaced.extend(steps.displaced);
        }
        if let Some(rest) = &received.rest {
            self.move_all_lines(&rest.reference, now);
        }
        Ok(received)
    }

    /// Completes a correction of many lines. Returns the effects of the steps, `None` if there was none.
    fn move_all_lines(&mut self, reference: &BatchReference, now: DateTime<Utc>) -> Option<BatchChanged> {
        let product = self.product_of(reference)?;
        let mut moved: Option<BatchChanged> = None;
        loop {
            let before = product.batch(reference)?.moving().cloned();
            if before.is_none() {
                return moved;
            }
            let first = product.first_to_leave(reference);
            let Ok(step) = decided(product.move_lines(reference, first.as_ref(), now));
            // Each step moves lines; one that did not would be the last.
            let Some(step) = step.filter(|step| step.batch.moving() != before.as_ref()) else { return moved };
            moved = Some(match moved {
                None => step,
                Some(mut moved) => {
                    moved.affected.extend(step.affected);
                    moved.displaced.extend(step.displaced);
                    BatchChanged { batch: step.batch, ..moved }
                }
            });
        }
    }

    /// Adjusts the units of batches, with all effects on their lines: see [`Products::adjust`].
    ///
    /// # Errors
    ///
    /// [`AdjustError`].
    pub fn adjust(&mut self, adjustment: &Adjustment, now: DateTime<Utc>) -> Result<Adjusted, AdjustError> {
        let mut adjusted = decided(self.products.adjust(adjustment, now))?;
        for line in adjustment.lines() {
            let Some(steps) = self.move_all_lines(&line.reference, now) else { continue };
            adjusted.affected.extend(steps.affected);
            adjusted.displaced.extend(steps.displaced);
        }
        Ok(adjusted)
    }

    /// Takes back shipped units of an order, with all effects on waiting lines: see [`Products::take_back`].
    ///
    /// # Errors
    ///
    /// [`ReturnError`]. The references of restocked units are checked against the batches of all products.
    pub fn take_back(&mut self, goods_return: &GoodsReturn, now: DateTime<Utc>) -> Result<Returned, ReturnError> {
        decided(self.products.take_back(goods_return, now))
    }

    /// Sets whether lines of a product, which it registers, move to earlier batches when units of them come free: see
    /// [`Product::set_promises`]. Returns whether that is new.
    pub fn set_promises(&mut self, sku: &Sku, promises: Promises, now: DateTime<Utc>) -> bool {
        self.register(sku);
        let Ok(is_new) = decided(self.product_mut(sku).set_promises(promises, now));
        is_new
    }

    /// Allocates a standalone line: see [`Product::allocate`].
    ///
    /// # Errors
    ///
    /// [`AllocateError`]. An order that has expired, or was cancelled or closed, gets no line of any SKU.
    pub fn allocate(&mut self, line: &OrderLine, now: DateTime<Utc>) -> Result<Outcome<LineAllocation>, AllocateError> {
        let end = self.products.end_of(line.order_id(), now);
        let Some(product) = self.products.get_mut(line.sku()) else {
            let (sku, requested) = (line.sku().clone(), line.quantity());
            return Err(OutOfStock { sku, requested, available: 0 }.into());
        };
        if let Some(end) = end {
            product.note_end(line.order_id(), end);
        }
        decided(product.allocate(line.order_id(), line.quantity(), now))
    }

    /// Releases an order's units of a batch: see [`Product::deallocate`].
    ///
    /// # Errors
    ///
    /// [`DeallocateError`].
    pub fn deallocate(
        &mut self,
        order_id: &OrderId,
        reference: &BatchReference,
        now: DateTime<Utc>,
    ) -> Result<Quantity, DeallocateError> {
        let product = self.product_of(reference).ok_or_else(|| DeallocateError::BatchNotFound(reference.clone()))?;
        decided(product.deallocate(order_id, reference, now))
    }

    /// Places a new order: see [`Products::place`].
    ///
    /// # Errors
    ///
    /// [`PlaceError`]. If the order has a line of any SKU: how it ended, or [`PlaceError::AlreadyExists`].
    pub fn place(&mut self, order: &NewOrder, now: DateTime<Utc>) -> Result<Order, PlaceError> {
        if let Some(end) = self.products.end_of(order.order_id(), now) {
            return Err(PlaceError::ended(order.order_id().clone(), end));
        }
        if self.order(order.order_id()).is_some() {
            return Err(PlaceError::AlreadyExists(order.order_id().clone()));
        }
        decided(self.products.place(order, now))
    }

    /// Makes a held order firm: see [`Products::confirm`].
    ///
    /// # Errors
    ///
    /// [`ConfirmError`].
    pub fn confirm(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<Order, ConfirmError> {
        self.products.confirm(order_id, now)
    }

    /// Makes an order firm, also after its hold has expired: see [`Products::reinstate`].
    ///
    /// # Errors
    ///
    /// [`ConfirmError`].
    pub fn reinstate(&mut self, request: &OrderConfirmation, now: DateTime<Utc>) -> Result<Order, ConfirmError> {
        decided(self.products.reinstate(request, now))
    }

    /// Extends the hold of an order to `hold` from `now`: see [`Products::extend`].
    ///
    /// # Errors
    ///
    /// [`ExtendError`].
    pub fn extend(&mut self, order_id: &OrderId, hold: HoldDuration, now: DateTime<Utc>) -> Result<Order, ExtendError> {
        self.products.extend(order_id, hold, now)
    }

    /// Changes an order: see [`Products::change_order`].
    ///
    /// # Errors
    ///
    /// [`ChangeOrderError`].
    pub fn change_order(&mut self, change: &OrderChange, now: DateTime<Utc>) -> Result<Order, ChangeOrderError> {
        decided(self.products.change_order(change, now))
    }

    /// Cancels an order: see [`Products::cancel`].
    ///
    /// # Errors
    ///
    /// [`CancelError`].
    pub fn cancel(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<Order, CancelError> {
        decided(self.products.cancel(order_id, now))
    }

    /// Closes an order: see [`Products::close`].
    ///
    /// # Errors
    ///
    /// [`CloseError`].
    pub fn close(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<Order, CloseError> {
        decided(self.products.close(order_id, now))
    }

    /// Creates a pick list: see [`Products::make_pick_list`].
    ///
    /// # Errors
    ///
    /// [`MakePickListError`].
    pub fn make_pick_list(&mut self, list: &NewPickList) -> Result<PickList, MakePickListError> {
        decided(self.products.make_pick_list(list))
    }

    /// Records that `found` units of a pick line were found and picked: see [`Product::pick`].
    ///
    /// # Errors
    ///
    /// [`PickError`].
    pub fn pick(
        &mut self,
        id: &PickLineId,
        found: Units,
        now: DateTime<Utc>,
    ) -> Result<Outcome<Picked, PickLine>, PickError> {
        decided(self.products.pick(id, found, now))
    }

    /// Puts picked units of a pick line back on the shelf: see [`Product::put_back`].
    ///
    /// # Errors
    ///
    /// [`PutBackError`].
    pub fn put_back(
        &mut self,
        id: &PickLineId,
        total: Quantity,
        reason: Option<&PutBackReason>,
        now: DateTime<Utc>,
    ) -> Result<Outcome<PickLine>, PutBackError> {
        decided(self.products.put_back(id, total, reason, now))
    }

    /// Ships all picked units of a list: see [`Products::ship`].
    ///
    /// # Errors
    ///
    /// [`ShipError`].
    pub fn ship(&mut self, list_id: &PickListId, open: OpenLines) -> Result<Outcome<PickList>, ShipError> {
        decided(self.products.ship(list_id, open))
    }

    /// Ships picked units of pick lines: see [`Products::create_shipment`]. The caller looks for a shipment with that
    /// id.
    ///
    /// # Errors
    ///
    /// [`CreateShipmentError`].
    pub fn create_shipment(&mut self, shipment: &NewShipment) -> Result<ShippedLines, CreateShipmentError> {
        decided(self.products.create_shipment(shipment))
    }

    /// Releases a list of which nothing was picked: see [`Products::release_pick_list`].
    ///
    /// # Errors
    ///
    /// [`ReleasePickListError`].
    pub fn release_pick_list(&mut self, list_id: &PickListId) -> Result<Outcome<PickList>, ReleasePickListError> {
        decided(self.products.release_pick_list(list_id))
    }

    /// Releases a line of a list: see [`Products::release_pick_line`].
    ///
    /// # Errors
    ///
    /// [`ReleasePickLineError`].
    pub fn release_pick_line(&mut self, id: &PickLineId) -> Result<Outcome<PickLine>, ReleasePickLineError> {
        decided(self.products.release_pick_line(id))
    }

    /// Releases the expired holds of all products, and serves the waiting lines; returns the orders.
    ///
    /// Every decision does this first for the products that it needs.
    pub fn release_expired(&mut self, now: DateTime<Utc>) -> Vec<OrderId> {
        let release = |product: &mut Product| {
            let Ok(expired) = decided(product.release_expired(now));
            expired
        };
        self.products.iter_mut().flat_map(release).collect()
    }

    /// Returns the product of a SKU, which it creates if there is none.
    fn product_mut(&mut self, sku: &Sku) -> &mut Product {
        if self.products.get(sku).is_none() {
            self.products.insert(Product::new(sku.clone()));
            self.lift_bounds();
        }
        #[expect(clippy::expect_used, reason = "the product is there, or was inserted just now")]
        self.products.get_mut(sku).expect("the product exists")
    }

    fn product_of(&mut self, reference: &BatchReference) -> Option<&mut Product> {
        self.products.iter_mut().find(|product| product.batch(reference).is_some())
    }

    /// Lets one decision serve any number of waiting lines.
    fn lift_bounds(&mut self) {
        self.products.iter_mut().for_each(|product| product.serve_at_most(usize::MAX));
    }
}

/// Returns a decision on products that have all their rows and no bound.
fn decided<T, R>(decision: Result<T, Pending<R>>) -> Result<T, R> {
    match decision {
        Ok(value) => Ok(value),
        Err(Pending::Refused(refusal)) => Err(refusal),
        Err(Pending::Load(request)) => unreachable!("all rows are in memory, but {request}"),
        Err(Pending::CatchUp(sku)) => unreachable!("SKU {sku} is behind without a bound"),
    }
}

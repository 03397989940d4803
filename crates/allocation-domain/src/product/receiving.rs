//! Receiving what arrives of a batch.

use super::Product;
use super::batch_correction::Target;
use crate::{
    Batch, BatchChange, BatchChanged, BatchReference, Eta, Event, LoadRequest, NewBatch, OverReceipt, Pending,
    Quantity, Receipt, ReceiveError, Received, Rest, RestTerms, Units,
};
use chrono::{DateTime, Utc};

/// What becomes of a batch of which units arrive.
struct Arrival {
    target: Target,
    /// The units that have not arrived.
    rest: u32,
}

impl Arrival {
    fn of(batch: &Batch, receipt: &Receipt) -> Result<Self, ReceiveError> {
        let (consumed, arrived) = (batch.consumed(), receipt.arrived());
        let expected = batch.lowered_to().get().saturating_sub(consumed);
        if arrived > expected && receipt.over() == OverReceipt::Refuse {
            let reference = batch.reference().clone();
            return Err(ReceiveError::MoreThanExpected { reference, expected, arrived });
        }
        let total = Units::new(u64::from(consumed) + u64::from(receipt.kept().get()));
        let total = total.map_err(|_| ReceiveError::TooManyUnits(batch.reference().clone()))?;
        // Earlier adjustments stay with what has arrived, as far as there are as many units.
        let before = batch.adjustments_finally().min(i64::from(consumed) + i64::from(arrived));
        let adjustments = before - i64::from(receipt.rejected().get());
        if Units::new(i64::from(total.get()) - adjustments).is_err() {
            return Err(ReceiveError::TooManyUnits(batch.reference().clone()));
        }
        let adjusting = batch.moving().map_or(0, |moving| moving.adjusting).saturating_add(receipt.rejected().get());
        Ok(Self { target: Target { total, adjustments, adjusting }, rest: expected.saturating_sub(arrived) })
    }
}

impl Product {
    /// Receives units of an inbound batch, which is then in stock with them.
    ///
    /// - The units that have not arrived become a batch of their own, `rest_name` unless the receipt names it, or are
    ///   given up.
    /// - The first lines on the batch in the order of service keep what has arrived. The others leave it as they leave
    ///   a [lowered](Product::change_batch) batch, and the rest is among the batches that they can get units of.
    /// - If they are too many to leave at once, the rest gets its units once they have left, and serves the waiting
    ///   lines in their order.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the batch has changed.
    pub fn receive_batch(
        &mut self,
        receipt: &Receipt,
        rest_name: &BatchReference,
        now: DateTime<Utc>,
    ) -> Result<Received, Pending<ReceiveError>> {
        self.catch_up(now)?;
        let Some(before) = self.batch(receipt.reference()).cloned() else {
            return Err(Pending::Refused(ReceiveError::NotFound(receipt.reference().clone())));
        };
        if before.eta() == Eta::InStock {
            return Err(Pending::Refused(ReceiveError::NotInTransit(receipt.reference().clone())));
        }
        let Arrival { target, rest } = Arrival::of(&before, receipt).map_err(Pending::Refused)?;
        let expected = receipt.rest().and_then(|terms| rest_of(&before, terms, rest, rest_name));
        let given_up = if expected.is_some() { 0 } else { rest };
        if let Some(rest) = expected.as_ref().filter(|rest| self.batch(&rest.reference).is_some()) {
            return Err(Pending::Refused(ReceiveError::RestExists(rest.reference.clone())));
        }
        let changed =
            self.atomically(|product| product.take_delivery(before, receipt, target, expected.as_ref(), now))?;
        Ok(Received {
            sku: self.sku.clone(),
            on_hand: changed.batch.on_hand_finally(),
            rest: expected,
            given_up,
            affected: changed.affected,
            displaced: changed.displaced,
        })
    }

    fn take_delivery(
        &mut self,
        before: Batch,
        receipt: &Receipt,
        target: Target,
        rest: Option<&Rest>,
        now: DateTime<Utc>,
    ) -> Result<BatchChanged, LoadRequest> {
        let (left, old_eta) = (before.moving().cloned(), before.eta());
        let (old_purchased_quantity, old_adjustments) = (before.purchased(), before.adjustments());
        let change = BatchChange { eta: Some(Eta::InStock), ..BatchChange::default() };
        let mut step = self.begin_correction(before, &change, target, now);
        if let Some(rest) = rest {
            self.expect_rest(rest, now);
        }
        self.advance(&mut step, None)?;
        let index = self.need_batch(receipt.reference())?;
        if let Some(rest) = rest.filter(|_| self.batches[index].moving().is_some_and(|it| it.lower_to.is_some())) {
            self.hold_back(rest, receipt.reference())?;
        }
        let index = self.need_batch(receipt.reference())?;
        self.batch_mut(index).revise();
        let batch = &self.batches[index];
        self.events.push(Event::BatchReceived {
            reference: receipt.reference().clone(),
            sku: self.sku.clone(),
            receipt_id: receipt.receipt_id().clone(),
            quantity: receipt.kept(),
            rejected_quantity: receipt.rejected(),
            purchased_quantity: batch.purchased(),
            adjustments: batch.adjustments(),
            old_purchased_quantity: Some(old_purchased_quantity),
            old_adjustments: Some(old_adjustments),
            old_eta,
            revision: batch.revision(),
        });
        self.finish_correction(step, left.as_ref())
    }

    /// Adds the batch of units that are still expected, without serving lines from it yet.
    fn expect_rest(&mut self, rest: &Rest, now: DateTime<Utc>) {
        let Rest { reference, quantity, eta } = rest.clone();
        self.insert_batch(NewBatch::new(reference, quantity, eta), now);
    }

    /// Takes the units of the rest away until all lines have left the received batch.
    fn hold_back(&mut self, rest: &Rest, behind: &BatchReference) -> Result<(), LoadRequest> {
        let index = self.need_batch(&rest.reference)?;
        let before = self.batches[index].clone();
        let batch = self.batch_mut(index);
        batch.hold_back(rest.quantity, behind.clone());
        batch.revise();
        self.record_change(&before);
        Ok(())
    }

    /// Gets the units of a rest once all lines have left the received batch, which is loaded if it exists. Returns
    /// `None` until then.
    pub(super) fn get_rest(&mut self, before: Batch) -> Result<Option<BatchChanged>, LoadRequest> {
        let awaits = before.moving().and_then(|moving| moving.awaits.as_ref());
        let behind = awaits.and_then(|awaited| self.batch(&awaited.behind));
        if behind.and_then(Batch::moving).is_some_and(|moving| moving.lower_to.is_some()) {
            return Ok(None);
        }
        self.atomically(|product| {
            let index = product.need_batch(before.reference())?;
            product.batch_mut(index).get_awaited();
            product.record_change(&before);
            product.serve_waiting()?;
            product.moved_on = true;
            let batch = product.batches[product.need_batch(before.reference())?].clone();
            Ok(Some(BatchChanged { batch, affected: Vec::new(), displaced: Vec::new() }))
        })
    }
}

/// Returns the batch of the units that have not arrived, `None` if there are none.
fn rest_of(batch: &Batch, terms: &RestTerms, units: u32, name: &BatchReference) -> Option<Rest> {
    let reference = terms.reference.clone().unwrap_or_else(|| name.clone());
    Some(Rest { reference, quantity: Quantity::new(units).ok()?, eta: terms.eta.unwrap_or(batch.eta()) })
}

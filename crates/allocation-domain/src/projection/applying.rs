//! The effect of each event on its product.
//!
//! Rows that an event changes are computed first and written last, so a conflict changes nothing.

use super::ProjectionConflict as Conflict;
use super::product_projection::ProductProjection;
use crate::{
    Allocation, AllocationReason, Batch, BatchCounts, BatchReference, DeallocationReason, Eta, Event, Fulfilment,
    LineRow, LineState, LineTerms, ListedUnits, OnShortage, OrderId, PickLine, PickLineId, PickStatus, Quantity,
    ReservationState, Units,
};
use chrono::{DateTime, SubsecRound, Utc};

type Applied = Result<(), Conflict>;

/// The numbers of an [`Event::PickCorrected`].
#[derive(Clone, Copy)]
struct Correction {
    found: Units,
    old_found: Units,
    put_back: Units,
    waited: Units,
}

impl ProductProjection {
    pub(super) fn apply(&mut self, event: &Event, decided_at: DateTime<Utc>) -> Applied {
        match event {
            Event::BatchAdded { reference, sku, purchased_quantity, eta, origin } => {
                let batch = Batch::new(reference.clone(), sku.clone(), *purchased_quantity, *eta, decided_at);
                self.add_batch(batch.with_origin(origin.clone()))
            }
            Event::BatchChanged {
                reference,
                purchased_quantity,
                adjustments,
                eta,
                old_purchased_quantity,
                old_adjustments,
                old_eta,
                revision,
                ..
            } => {
                let from = (*old_purchased_quantity, *old_adjustments, *old_eta);
                self.change_batch(reference, from, (*purchased_quantity, *adjustments, *eta), *revision)
            }
            Event::BatchAdjusted { reference, purchased_quantity, adjustments, revision, .. } => {
                let old = self.existing_batch(reference)?;
                let (from, eta) = ((old.purchased(), old.adjustments(), old.eta()), old.eta());
                self.change_batch(reference, from, (*purchased_quantity, *adjustments, eta), *revision)
            }
            Event::BatchReceived { reference, purchased_quantity, adjustments, old_eta, revision, .. } => {
                let old = self.existing_batch(reference)?;
                let from = (old.purchased(), old.adjustments(), *old_eta);
                self.change_batch(reference, from, (*purchased_quantity, *adjustments, Eta::InStock), *revision)
            }
            Event::BatchRemoved { reference, .. } => self.remove_batch(reference),
            Event::LinePlaced {
                order_id,
                quantity,
                priority,
                on_shortage,
                allow_split,
                promises,
                ship_complete,
                expires_at,
                ..
            } => {
                let terms = LineTerms {
                    of_order: true,
                    priority: *priority,
                    placed_at: decided_at.trunc_subsecs(6),
                    on_shortage: *on_shortage,
                    allow_split: *allow_split,
                    promises: *promises,
                    ship_complete: *ship_complete,
                };
                let commitment = expires_at.map_or(ReservationState::Firm, held_until);
                self.place_line(order_id, *quantity, terms, commitment)
            }
            Event::LineChanged {
                order_id,
                quantity,
                old_quantity,
                priority,
                on_shortage,
                allow_split,
                promises,
                ship_complete,
                requeued,
                ..
            } => self.edit_line(order_id, |line| {
                let is_expected = line.quantity == *old_quantity;
                line.quantity = *quantity;
                let placed_at = if *requeued { decided_at.trunc_subsecs(6) } else { line.terms.placed_at };
                line.terms = LineTerms {
                    priority: *priority,
                    placed_at,
                    on_shortage: *on_shortage,
                    allow_split: *allow_split,
                    promises: *promises,
                    ship_complete: *ship_complete,
                    ..line.terms
                };
                is_expected.then_some(())
            }),
            Event::LineRemoved { order_id, quantity, .. } => self.remove_line(order_id, *quantity),
            Event::LineReinstated { order_id, quantity, .. } => self.reinstate_line(order_id, *quantity, decided_at),
            Event::Allocated { order_id, reference, quantity, line_quantity, reason, .. } => {
                if self.lines.get(order_id).is_none() {
                    let line = LineState::standalone(*line_quantity, decided_at);
                    return self.allocate(order_id, line, reference, *quantity, *reason);
                }
                let line = self.changed_line(order_id, |line| (line.quantity == *line_quantity).then_some(()))?;
                self.allocate(order_id, line, reference, *quantity, *reason)
            }
            Event::Deallocated { order_id, reference, quantity, reason, .. } => {
                self.deallocate(order_id, reference, *quantity, *reason)
            }
            Event::Backordered { order_id, quantity, .. } => self.wait(order_id, *quantity, OnShortage::Backorder),
            Event::LineShort { order_id, quantity, .. } => self.wait(order_id, *quantity, OnShortage::Reject),
            Event::WaitEnded { order_id, quantity, .. } => self.stop_waiting(order_id, *quantity),
            Event::PromiseWorsened { order_id, reference, quantity, .. }
            | Event::PromiseImproved { order_id, reference, quantity, .. } => {
                self.changed_line(order_id, |line| holds(line, reference, *quantity)).map(drop)
            }
            Event::HoldConfirmed { order_id, .. } => self.change_hold(order_id, ReservationState::Firm),
            Event::HoldExtended { order_id, expires_at, .. } => self.change_hold(order_id, held_until(*expires_at)),
            Event::HoldExpired { order_id, .. } => self.end_line(order_id, ReservationState::Expired),
            Event::LineCancelled { order_id, .. } => self.end_line(order_id, ReservationState::Cancelled),
            Event::LineClosed { order_id, .. } => self.end_line(order_id, ReservationState::Closed),
            Event::PickListed(units) => self.list(units),
            Event::PickLineChanged { units, old_quantity, .. } => {
                self.withdraw(&units.id(), *old_quantity, Some(units.quantity))
            }
            Event::PickLineWithdrawn { units, .. } => self.withdraw(&units.id(), units.quantity, None),
            Event::Picked(units) => self.pick(&units.id(), units.quantity),
            Event::PickCorrected { units, found, old_found, put_back, waited } => {
                let counts = Correction { found: *found, old_found: *old_found, put_back: *put_back, waited: *waited };
                self.correct_pick(&units.id(), counts)
            }
            Event::PutBack { units, .. } => self.put_back(&units.id(), units.quantity),
            Event::UnitsMissing(units) => self.short_pick(&units.id(), units.quantity),
            Event::Shipped { units, .. } => self.ship(&units.id(), units.quantity),
            Event::LineReturned { order_id, quantity, .. } => {
                self.edit_line(order_id, |line| add(&mut line.fulfilment.returned, *quantity))
            }
            Event::ProductRegistered { .. }
            | Event::ProductChanged { .. }
            | Event::OutOfStock { .. }
            | Event::BackInStock { .. } => Ok(()),
        }
    }

    fn add_batch(&mut self, batch: Batch) -> Applied {
        if self.batches.contains_key(batch.reference()) {
            return Err(Conflict::BatchExists(batch.reference().clone()));
        }
        self.put_batch(batch);
        Ok(())
    }

    fn change_batch(
        &mut self,
        reference: &BatchReference,
        from: (Units, i32, Eta),
        to: (Units, i32, Eta),
        revision: u32,
    ) -> Applied {
        let old = self.existing_batch(reference)?;
        // The steps of one correction share its revision.
        if (old.purchased(), old.adjustments(), old.eta()) != from || revision < old.revision() {
            return Err(Conflict::BatchDiffers(reference.clone()));
        }
        let (purchased, adjustments, eta) = to;
        let new = Batch::new(reference.clone(), old.sku().clone(), purchased, eta, old.added_at());
        let new = new.with_origin(old.origin().cloned()).with_revision(revision).with_adjustments(adjustments);
        let new = new.and_then(|new| new.with_counts(old.counts()));
        let new = new.map_err(|_| Conflict::BatchDiffers(reference.clone()))?;
        if from.2 != eta {
            let lines = self.lines.on_batch(reference, None);
            let order_ids: Vec<_> = lines.map(|(position, _)| position.order_id().clone()).collect();
            for order_id in order_ids {
                self.edit_line(&order_id, |line| {
                    line.set_eta(reference, eta);
                    Some(())
                })?;
            }
        }
        self.put_batch(new);
        Ok(())
    }

    fn remove_batch(&mut self, reference: &BatchReference) -> Applied {
        let BatchCounts { allocated, picked, shipped, .. } = self.existing_batch(reference)?.counts();
        if (allocated, picked, shipped) != (0, 0, 0) {
            return Err(Conflict::BatchDiffers(reference.clone()));
        }
        self.batches.remove(reference);
        Ok(())
    }

    fn place_line(
        &mut self,
        order_id: &OrderId,
        quantity: Quantity,
        terms: LineTerms,
        commitment: ReservationState,
    ) -> Applied {
        if self.lines.get(order_id).is_some() {
            return Err(Conflict::LineExists(order_id.clone()));
        }
        let row = LineRow { quantity, terms, commitment, waiting: 0, fulfilment: Fulfilment::default() };
        self.lines.insert(order_id.clone(), row.with(Vec::new()));
        Ok(())
    }

    fn allocate(
        &mut self,
        order_id: &OrderId,
        mut line: LineState,
        reference: &BatchReference,
        quantity: Quantity,
        reason: AllocationReason,
    ) -> Applied {
        let batch = self.counted(reference, |counts| add(&mut counts.allocated, quantity))?;
        line.add(Allocation::of(&batch, quantity));
        let waited = reason != AllocationReason::Backorder || subtract(&mut line.waiting, quantity).is_some();
        if !waited || !is_consistent(&line) {
            return Err(Conflict::LineDiffers(order_id.clone()));
        }
        self.put_batch(batch);
        self.lines.insert(order_id.clone(), line);
        Ok(())
    }

    fn deallocate(
        &mut self,
        order_id: &OrderId,
        reference: &BatchReference,
        quantity: Quantity,
        reason: DeallocationReason,
    ) -> Applied {
        let batch = self.counted(reference, |counts| subtract(&mut counts.allocated, quantity))?;
        self.edit_line(order_id, |line| release(line, reference, quantity))?;
        self.put_batch(batch);
        if reason == DeallocationReason::Request {
            self.remove_if_idle(order_id);
        }
        Ok(())
    }

    fn wait(&mut self, order_id: &OrderId, units: Quantity, on_shortage: OnShortage) -> Applied {
        self.edit_line(order_id, |line| {
            add(&mut line.waiting, units)?;
            (line.terms.on_shortage == on_shortage).then_some(())
        })
    }

    fn stop_waiting(&mut self, order_id: &OrderId, units: Quantity) -> Applied {
        self.edit_line(order_id, |line| subtract(&mut line.waiting, units))?;
        self.remove_if_idle(order_id);
        Ok(())
    }

    fn remove_line(&mut self, order_id: &OrderId, quantity: Quantity) -> Applied {
        self.changed_line(order_id, |line| {
            let is_empty = line.allocations.is_empty() && line.fulfilment == Fulfilment::default();
            (is_empty && line.quantity == quantity).then_some(())
        })?;
        self.lines.remove(order_id);
        Ok(())
    }

    fn reinstate_line(&mut self, order_id: &OrderId, quantity: Quantity, decided_at: DateTime<Utc>) -> Applied {
        let mut line = self.lines.get(order_id).cloned().ok_or_else(|| Conflict::NoLine(order_id.clone()))?;
        if line.commitment != ReservationState::Expired || line.quantity != quantity {
            return Err(Conflict::LineDiffers(order_id.clone()));
        }
        line.commitment = ReservationState::Firm;
        line.terms.placed_at = decided_at.trunc_subsecs(6);
        self.lines.insert(order_id.clone(), line);
        Ok(())
    }

    /// Removes a standalone line that has released its last unit.
    fn remove_if_idle(&mut self, order_id: &OrderId) {
        if self.lines.get(order_id).is_some_and(|line| line.is_idle() && !line.terms.of_order) {
            self.lines.remove(order_id);
        }
    }

    fn change_hold(&mut self, order_id: &OrderId, commitment: ReservationState) -> Applied {
        self.edit_line(order_id, |line| {
            line.commitment.expires_at()?;
            line.commitment = commitment;
            Some(())
        })
    }

    fn end_line(&mut self, order_id: &OrderId, commitment: ReservationState) -> Applied {
        self.edit_line(order_id, |line| {
            (line.waiting, line.commitment) = (0, commitment);
            line.allocations.is_empty().then_some(())
        })
    }

    fn list(&mut self, units: &ListedUnits) -> Applied {
        let id = units.id();
        if self.pick_lines.contains_key(&id) {
            return Err(Conflict::PickLineExists(id));
        }
        let ListedUnits { order_id, sku, reference, quantity, .. } = units.clone();
        self.edit_line(&order_id, |line| add(&mut line.fulfilment.listed, quantity))?;
        let status = PickStatus::Open;
        let pick = PickLine { order_id, sku, reference, quantity, picked: 0, shipped: 0, put_back: 0, status };
        self.pick_lines.insert(id, pick);
        Ok(())
    }

    /// Reduces an open pick line to `rest`, or withdraws it.
    fn withdraw(&mut self, id: &PickLineId, from: Quantity, rest: Option<Quantity>) -> Applied {
        let pick = self.changed_pick_line(id, |pick| {
            let is_expected = pick.is_open() && pick.quantity == from;
            match rest {
                Some(rest) => pick.quantity = rest,
                None => pick.status = PickStatus::Withdrawn,
            }
            is_expected.then_some(())
        })?;
        let withdrawn = from.minus(rest.map_or(0, Quantity::get));
        let withdrawn = withdrawn.ok_or_else(|| Conflict::PickLineDiffers(id.clone()))?;
        self.edit_line(&pick.order_id, |line| subtract(&mut line.fulfilment.listed, withdrawn))?;
        self.pick_lines.insert(id.clone(), pick);
        Ok(())
    }

    fn pick(&mut self, id: &PickLineId, quantity: Quantity) -> Applied {
        let pick = self.changed_pick_line(id, |pick| {
            let is_expected = pick.is_open() && quantity <= pick.quantity;
            (pick.picked, pick.status) = (quantity.get(), PickStatus::Picked);
            is_expected.then_some(())
        })?;
        let batch = self.counted(&pick.reference, |counts| {
            subtract(&mut counts.allocated, quantity)?;
            add(&mut counts.picked, quantity)
        })?;
        self.edit_line(&pick.order_id, |line| {
            release(line, &pick.reference, quantity)?;
            subtract(&mut line.fulfilment.listed, quantity)?;
            add(&mut line.fulfilment.picked, quantity)
        })?;
        self.put_batch(batch);
        self.pick_lines.insert(id.clone(), pick);
        Ok(())
    }

    fn short_pick(&mut self, id: &PickLineId, quantity: Quantity) -> Applied {
        let pick = self.changed_pick_line(id, |pick| {
            if pick.is_open() {
                pick.status = PickStatus::Missing;
            }
            let is_short = matches!(pick.status, PickStatus::Missing | PickStatus::Picked);
            (is_short && pick.quantity.minus(pick.picked) == Some(quantity)).then_some(())
        })?;
        let batch = self.counted(&pick.reference, |counts| {
            subtract(&mut counts.allocated, quantity)?;
            add(&mut counts.missing, quantity)
        })?;
        self.edit_line(&pick.order_id, |line| {
            release(line, &pick.reference, quantity)?;
            subtract(&mut line.fulfilment.listed, quantity)
        })?;
        self.put_batch(batch);
        self.pick_lines.insert(id.clone(), pick);
        Ok(())
    }

    fn correct_pick(&mut self, id: &PickLineId, counts: Correction) -> Applied {
        let Correction { found, old_found, put_back, waited } = counts;
        let old_picked = self.pick_lines.get(id).map_or(0, |pick| pick.picked);
        let pick = self.changed_pick_line(id, |pick| {
            let picked = found.get().checked_sub(put_back.get())?;
            let is_expected = pick.found() == Some(old_found.get())
                && pick.status != PickStatus::Shipped
                && (pick.shipped..=pick.quantity.get()).contains(&picked)
                && found.get() <= pick.quantity.get();
            *pick = pick.clone().reported(picked, put_back.get());
            is_expected.then_some(())
        })?;
        let move_picked = |count: &mut u32| {
            *count = count.checked_add(pick.picked)?.checked_sub(old_picked)?;
            Some(())
        };
        let batch = self.counted(&pick.reference, |counts| {
            counts.missing = counts.missing.checked_add(old_found.get())?.checked_sub(found.get())?;
            move_picked(&mut counts.picked)
        })?;
        if pick.picked != old_picked {
            self.edit_line(&pick.order_id, |line| {
                line.waiting = line.waiting.checked_sub(waited.get())?;
                move_picked(&mut line.fulfilment.picked)
            })?;
        }
        self.put_batch(batch);
        self.pick_lines.insert(id.clone(), pick);
        Ok(())
    }

    fn put_back(&mut self, id: &PickLineId, quantity: Quantity) -> Applied {
        let pick = self.changed_pick_line(id, |pick| {
            let is_expected = quantity.get() <= pick.to_ship();
            let picked = pick.picked.checked_sub(quantity.get())?;
            *pick = pick.clone().reported(picked, pick.put_back.checked_add(quantity.get())?);
            is_expected.then_some(())
        })?;
        let batch = self.counted(&pick.reference, |counts| {
            subtract(&mut counts.picked, quantity)?;
            add(&mut counts.allocated, quantity)
        })?;
        self.edit_line(&pick.order_id, |line| {
            line.add(Allocation::of(&batch, quantity));
            subtract(&mut line.fulfilment.picked, quantity)
        })?;
        self.put_batch(batch);
        self.pick_lines.insert(id.clone(), pick);
        Ok(())
    }

    fn ship(&mut self, id: &PickLineId, quantity: Quantity) -> Applied {
        let pick = self.changed_pick_line(id, |pick| {
            if quantity.get() > pick.to_ship() {
                return None;
            }
            *pick = pick.clone().with_shipped(quantity.get());
            Some(())
        })?;
        let batch = self.counted(&pick.reference, |counts| {
            subtract(&mut counts.picked, quantity)?;
            add(&mut counts.shipped, quantity)
        })?;
        self.edit_line(&pick.order_id, |line| {
            subtract(&mut line.fulfilment.picked, quantity)?;
            add(&mut line.fulfilment.shipped, quantity)
        })?;
        self.put_batch(batch);
        self.pick_lines.insert(id.clone(), pick);
        Ok(())
    }

    fn existing_batch(&self, reference: &BatchReference) -> Result<&Batch, Conflict> {
        self.batches.get(reference).ok_or_else(|| Conflict::NoBatch(reference.clone()))
    }

    fn put_batch(&mut self, batch: Batch) {
        self.batches.insert(batch.reference().clone(), batch);
    }

    /// Returns a batch with other counters. `None` from `change` is a conflict.
    fn counted(
        &self,
        reference: &BatchReference,
        change: impl FnOnce(&mut BatchCounts) -> Option<()>,
    ) -> Result<Batch, Conflict> {
        let batch = self.existing_batch(reference)?;
        let mut counts = batch.counts();
        let changed = change(&mut counts).and_then(|()| batch.clone().with_counts(counts).ok());
        changed.ok_or_else(|| Conflict::BatchDiffers(reference.clone()))
    }

    /// Returns a changed line. `None` from `change` is a conflict, and so is a line that has ended.
    fn changed_line(
        &self,
        order_id: &OrderId,
        change: impl FnOnce(&mut LineState) -> Option<()>,
    ) -> Result<LineState, Conflict> {
        let mut line = self.lines.get(order_id).cloned().ok_or_else(|| Conflict::NoLine(order_id.clone()))?;
        let has_ended = matches!(line.commitment, ReservationState::Expired | ReservationState::Cancelled);
        if has_ended || change(&mut line).is_none() || !is_consistent(&line) {
            return Err(Conflict::LineDiffers(order_id.clone()));
        }
        Ok(line)
    }

    /// Changes a line as [`Self::changed_line`] does.
    fn edit_line(&mut self, order_id: &OrderId, edit: impl FnOnce(&mut LineState) -> Option<()>) -> Applied {
        let line = self.changed_line(order_id, edit)?;
        self.lines.insert(order_id.clone(), line);
        Ok(())
    }

    /// Returns a changed pick line. `None` from `change` is a conflict.
    fn changed_pick_line(
        &self,
        id: &PickLineId,
        change: impl FnOnce(&mut PickLine) -> Option<()>,
    ) -> Result<PickLine, Conflict> {
        let mut pick = self.pick_lines.get(id).cloned().ok_or_else(|| Conflict::NoPickLine(id.clone()))?;
        change(&mut pick).ok_or_else(|| Conflict::PickLineDiffers(id.clone()))?;
        Ok(pick)
    }
}

const fn held_until(expires_at: DateTime<Utc>) -> ReservationState {
    ReservationState::Held { expires_at }
}

fn add(count: &mut u32, units: Quantity) -> Option<()> {
    *count = count.checked_add(units.get())?;
    Some(())
}

fn subtract(count: &mut u32, units: Quantity) -> Option<()> {
    *count = count.checked_sub(units.get())?;
    Some(())
}

fn holds(line: &LineState, reference: &BatchReference, units: Quantity) -> Option<()> {
    line.holds(reference).filter(|held| *held >= units).map(drop)
}

/// Releases units of a batch from a line, if it holds them.
fn release(line: &mut LineState, reference: &BatchReference, units: Quantity) -> Option<()> {
    holds(line, reference, units)?;
    line.release(reference, units);
    Some(())
}

/// Returns whether a line has no more units than it ordered, lists no more than it holds, and got back no more than
/// was shipped.
fn is_consistent(line: &LineState) -> bool {
    let Fulfilment { listed, picked, shipped, returned } = line.fulfilment;
    let allocated: u64 = line.allocations.iter().map(|part| u64::from(part.quantity.get())).sum();
    let units = allocated + [line.waiting, picked, shipped].map(u64::from).iter().sum::<u64>();
    units <= u64::from(line.quantity.get()) && u64::from(listed) <= allocated && returned <= shipped
}

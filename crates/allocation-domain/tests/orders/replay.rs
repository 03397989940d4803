//! The state as the events tell it.

use allocation_domain::{
    Allocation, AllocationReason, Batch, BatchCounts, BatchReference, DeallocationReason, Event, Fulfilment, LineState,
    LineTerms, OrderId, PickLine, PickLineId, PickListId, PickStatus, Quantity, QueuePosition, ReservationState,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

#[derive(Debug, Default, Clone)]
pub(crate) struct Replay {
    pub(crate) batches: BTreeMap<BatchReference, Batch>,
    pub(crate) lines: BTreeMap<OrderId, LineState>,
    pub(crate) pick_lines: BTreeMap<PickLineId, PickLine>,
}

impl Replay {
    /// Follows an event, and checks that it was allowed to happen.
    pub(crate) fn apply(&mut self, event: &Event, at: DateTime<Utc>) {
        self.check_turn(event);
        match event.clone() {
            Event::BatchAdded { reference, sku, purchased_quantity, eta } => {
                let batch = Batch::new(reference.clone(), sku, purchased_quantity, eta, at);
                assert!(self.batches.insert(reference, batch).is_none());
            }
            Event::BatchChanged {
                reference,
                sku,
                purchased_quantity,
                eta,
                old_purchased_quantity,
                old_eta,
                revision,
            } => {
                let old = self.batches.remove(&reference).unwrap();
                assert_eq!((old.purchased(), old.eta()), (old_purchased_quantity, old_eta));
                assert_eq!(revision, old.revision() + 1);
                let new = Batch::new(reference.clone(), sku, purchased_quantity, eta, old.added_at());
                let new = new.with_revision(revision).with_counts(old.counts()).unwrap();
                self.batches.insert(reference, new);
                self.join();
            }
            Event::BatchRemoved { reference, .. } => {
                let BatchCounts { allocated, picked, shipped, .. } = self.batches.remove(&reference).unwrap().counts();
                assert_eq!((allocated, picked, shipped), (0, 0, 0));
            }
            Event::LinePlaced { order_id, quantity, priority, on_shortage, allow_split, expires_at, .. } => {
                let terms = LineTerms { of_order: true, priority, placed_at: at, on_shortage, allow_split };
                let commitment =
                    expires_at.map_or(ReservationState::Firm, |expires_at| ReservationState::Held { expires_at });
                let line = LineState {
                    quantity,
                    terms,
                    commitment,
                    waiting: 0,
                    fulfilment: Fulfilment::default(),
                    allocations: Vec::new(),
                };
                assert!(self.lines.insert(order_id, line).is_none());
            }
            Event::Allocated { order_id, reference, quantity, line_quantity, reason, .. } => {
                self.count(&reference, |counts| counts.allocated += quantity.get());
                let line = self.lines.entry(order_id).or_insert_with(|| LineState::standalone(line_quantity, at));
                assert_eq!(line.quantity, line_quantity);
                let held = line.holds(&reference).map_or(0, |held| held.get());
                let now = allocation_domain::Quantity::new(held + quantity.get()).unwrap();
                line.allocations.retain(|part| part.reference != reference);
                line.allocations.push(Allocation::of(&self.batches[&reference], now));
                if reason == AllocationReason::Backorder {
                    line.waiting -= quantity.get();
                }
                self.join();
            }
            Event::Deallocated { order_id, reference, quantity, reason, .. } => {
                self.count(&reference, |counts| counts.allocated -= quantity.get());
                self.give_back(&order_id, &reference, quantity);
                self.forget(&order_id, reason);
            }
            Event::Backordered { order_id, quantity, .. } | Event::LineShort { order_id, quantity, .. } => {
                self.lines.get_mut(&order_id).unwrap().waiting += quantity.get();
            }
            Event::WaitEnded { order_id, quantity, .. } => {
                self.lines.get_mut(&order_id).unwrap().waiting -= quantity.get();
                self.forget(&order_id, DeallocationReason::Request);
            }
            Event::HoldConfirmed { order_id, .. } => self.commit(&order_id, ReservationState::Firm),
            Event::HoldExtended { order_id, expires_at, .. } => {
                self.commit(&order_id, ReservationState::Held { expires_at })
            }
            Event::HoldExpired { order_id, .. } => self.end(&order_id, ReservationState::Expired),
            Event::LineCancelled { order_id, .. } => self.end(&order_id, ReservationState::Cancelled),
            Event::PromiseWorsened { order_id, reference, new_eta, old_eta, .. } => {
                assert!(new_eta > old_eta && self.lines[&order_id].holds(&reference).is_some());
                assert_eq!(self.batches[&reference].eta(), new_eta);
            }
            Event::PickListed { order_id, sku, reference, list, line, quantity } => {
                self.lines.get_mut(&order_id).unwrap().fulfilment.listed += quantity.get();
                let (id, status) = (PickLineId { list, line }, PickStatus::Open);
                let pick = PickLine { order_id, sku, reference, quantity, picked: 0, status };
                assert!(self.pick_lines.insert(id, pick).is_none());
            }
            Event::PickLineChanged { list, line, quantity, old_quantity, .. } => {
                let pick = self.open(list, line);
                assert_eq!(std::mem::replace(&mut pick.quantity, quantity), old_quantity);
                let order_id = pick.order_id.clone();
                self.unlist(&order_id, old_quantity.get() - quantity.get());
            }
            Event::PickLineWithdrawn { order_id, list, line, quantity, .. } => {
                let pick = self.open(list, line);
                assert_eq!((&pick.order_id, pick.quantity), (&order_id, quantity));
                pick.status = PickStatus::Withdrawn;
                self.unlist(&order_id, quantity.get());
            }
            Event::Picked { order_id, reference, list, line, quantity, .. } => {
                let pick = self.open(list, line);
                (pick.picked, pick.status) = (quantity.get(), PickStatus::Picked);
                self.count(&reference, |counts| {
                    counts.allocated -= quantity.get();
                    counts.picked += quantity.get();
                });
                self.give_back(&order_id, &reference, quantity);
                self.unlist(&order_id, quantity.get());
                self.lines.get_mut(&order_id).unwrap().fulfilment.picked += quantity.get();
            }
            Event::UnitsMissing { order_id, reference, list, line, quantity, .. } => {
                let pick = self.pick_lines.get_mut(&PickLineId { list, line }).unwrap();
                assert_eq!(pick.picked + quantity.get(), pick.quantity.get(), "found or missing");
                if pick.is_open() {
                    pick.status = PickStatus::Missing;
                }
                self.count(&reference, |counts| {
                    counts.allocated -= quantity.get();
                    counts.missing += quantity.get();
                });
                self.give_back(&order_id, &reference, quantity);
                self.unlist(&order_id, quantity.get());
            }
            Event::Shipped { order_id, reference, list, line, quantity, .. } => {
                let pick = self.pick_lines.get_mut(&PickLineId { list, line }).unwrap();
                assert_eq!((pick.status, pick.picked), (PickStatus::Picked, quantity.get()));
                pick.status = PickStatus::Shipped;
                self.count(&reference, |counts| {
                    counts.picked -= quantity.get();
                    counts.shipped += quantity.get();
                });
                let fulfilment = &mut self.lines.get_mut(&order_id).unwrap().fulfilment;
                fulfilment.picked -= quantity.get();
                fulfilment.shipped += quantity.get();
            }
            Event::ProductRegistered { .. } => assert!(self.batches.is_empty() && self.lines.is_empty()),
            Event::OutOfStock { .. } => assert_eq!(self.free(), 0),
        }
    }

    fn free(&self) -> u64 {
        self.batches.values().map(|batch| u64::from(batch.available())).sum()
    }

    /// Who gets free units must not overtake: nobody else who could take any may come before.
    fn check_turn(&self, event: &Event) {
        let Event::Allocated { order_id, reason, .. } = event else { return };
        let position = |order_id: &OrderId| self.lines.get(order_id).map(|line| QueuePosition::of(order_id, line));
        for (other, line) in self.lines.iter().filter(|(other, line)| *other != order_id && line.waiting > 0) {
            let comes_before = match reason {
                AllocationReason::Backorder => position(other) < position(order_id),
                AllocationReason::NewLine | AllocationReason::Refill => true,
                // Units that move were not free for anyone.
                AllocationReason::Move => false,
            };
            if comes_before {
                assert!(!can_take(line, self.free()), "{order_id} overtakes {other}");
            }
        }
    }

    fn count(&mut self, reference: &BatchReference, change: impl FnOnce(&mut BatchCounts)) {
        let batch = self.batches.remove(reference).unwrap();
        let mut counts = batch.counts();
        change(&mut counts);
        self.batches.insert(reference.clone(), batch.with_counts(counts).unwrap());
    }

    fn give_back(&mut self, order_id: &OrderId, reference: &BatchReference, quantity: Quantity) {
        let line = self.lines.get_mut(order_id).unwrap();
        let part = line.allocations.iter_mut().find(|part| part.reference == *reference).unwrap();
        match part.quantity.minus(quantity.get()) {
            Some(rest) => part.quantity = rest,
            None => line.allocations.retain(|part| part.reference != *reference),
        }
    }

    fn open(&mut self, list: PickListId, line: u32) -> &mut PickLine {
        let pick = self.pick_lines.get_mut(&PickLineId { list, line }).unwrap();
        assert!(pick.is_open());
        pick
    }

    fn unlist(&mut self, order_id: &OrderId, units: u32) {
        self.lines.get_mut(order_id).unwrap().fulfilment.listed -= units;
    }

    /// A line that was sent alone is forgotten when it has given everything back.
    fn forget(&mut self, order_id: &OrderId, reason: DeallocationReason) {
        let line = &self.lines[order_id];
        if reason == DeallocationReason::Request && line.is_idle() && !line.terms.of_order {
            self.lines.remove(order_id);
        }
    }

    fn commit(&mut self, order_id: &OrderId, commitment: ReservationState) {
        self.lines.get_mut(order_id).unwrap().commitment = commitment;
    }

    fn end(&mut self, order_id: &OrderId, commitment: ReservationState) {
        let line = self.lines.get_mut(order_id).unwrap();
        assert!(line.allocations.is_empty());
        line.waiting = 0;
        line.commitment = commitment;
    }

    fn join(&mut self) {
        for line in self.lines.values_mut() {
            let parts = line.allocations.iter();
            let joined = parts.map(|part| Allocation::of(&self.batches[&part.reference], part.quantity)).collect();
            *line = line.row().with(joined);
        }
    }
}

/// Whether a waiting line can take any of so many free units.
pub(crate) fn can_take(line: &LineState, free: u64) -> bool {
    if line.terms.allow_split { free > 0 } else { free >= u64::from(line.waiting) }
}

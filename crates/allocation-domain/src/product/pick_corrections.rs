//! Picks that are corrected, and picked units that are put back.

use super::Product;
use super::reallocation::DisplacedUnits;
use crate::{
    DeallocationReason, Eta, Event, LineState, ListedUnits, LoadRequest, OrderId, Outcome, Pending, PickError,
    PickLine, PickLineId, PickStatus, Picked, PutBackError, PutBackReason, Quantity, Units,
};
use chrono::{DateTime, Utc};

impl Product {
    /// Puts picked units of a pick line back on the shelf, so that `total` of the units that were found are there.
    ///
    /// The units are allocated to the order line again, in the same batch and on no list. If the order was closed, they
    /// are free and serve the waiting lines.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed, except that expired holds may have been released.
    pub fn put_back(
        &mut self,
        id: &PickLineId,
        total: Quantity,
        reason: Option<&PutBackReason>,
        now: DateTime<Utc>,
    ) -> Result<Outcome<PickLine>, Pending<PutBackError>> {
        self.catch_up(now)?;
        let Some(line) = self.pick_line(id).cloned() else {
            return Err(Pending::Refused(PutBackError::NotFound(id.clone())));
        };
        let id = id.clone();
        let Some(units) = total.minus(line.put_back) else {
            if total.get() == line.put_back {
                return Ok(Outcome::Unchanged(line));
            }
            return Err(Pending::Refused(PutBackError::AlreadyPutBack { id, line, requested: total }));
        };
        if line.status == PickStatus::Shipped || (line.to_ship() + 1..=line.picked).contains(&units.get()) {
            return Err(Pending::Refused(PutBackError::AlreadyShipped { id, line, requested: total }));
        }
        if units.get() > line.picked {
            return Err(Pending::Refused(PutBackError::MoreThanPicked { id, line, requested: total }));
        }
        Ok(Outcome::Changed(self.atomically(|product| product.put_units_back(id, &line, units, reason))?))
    }

    fn put_units_back(
        &mut self,
        id: PickLineId,
        line: &PickLine,
        units: Quantity,
        reason: Option<&PutBackReason>,
    ) -> Result<PickLine, LoadRequest> {
        let index = self.need_both(line)?;
        self.batch_mut(index).put_back(units);
        let allocation = self.allocation(index, units);
        self.edit_line(&line.order_id, |line| {
            line.add(allocation);
            line.fulfilment.picked -= units.get();
        });
        let units_of_line = ListedUnits::of(&id, line, units);
        self.events.push(Event::PutBack { units: units_of_line, reason: reason.cloned() });
        let after = line.clone().reported(line.picked - units.get(), line.put_back + units.get());
        self.set_pick_line(id, after.clone());
        if !self.line(&line.order_id).is_some_and(LineState::lives) {
            self.free(&line.order_id, &line.reference, units, DeallocationReason::Closure)?;
            self.serve_waiting()?;
        } else if self.batches[index].eta() != Eta::InStock {
            // The batch has got an ETA since its units were picked, and others may be free that arrive earlier.
            self.serve_waiting()?;
        }
        Ok(after)
    }

    /// Corrects the number of units that were found for a pick line, from `old` to another one that it may have.
    pub(super) fn correct_pick(
        &mut self,
        id: &PickLineId,
        line: PickLine,
        found: Units,
        old: u32,
    ) -> Result<Picked, Pending<PickError>> {
        if found.get() < line.put_back {
            return Err(Pending::Refused(PickError::AlreadyPutBack { id: id.clone(), line, requested: found }));
        }
        if found.get() - line.put_back < line.shipped {
            return Err(Pending::Refused(PickError::AlreadyShipped { id: id.clone(), line, requested: found }));
        }
        if let Ok(lost) = Quantity::new(old.saturating_sub(found.get())) {
            return Ok(self.atomically(|product| product.lose_picked(id, line, lost))?);
        }
        let missing = self.batch(&line.reference).map_or(0, |batch| batch.counts().missing);
        match Quantity::new(found.get() - old) {
            Ok(more) if more.get() <= missing => Ok(self.atomically(|product| product.find_missing(id, line, more))?),
            _ => Err(Pending::Refused(PickError::NotMissing { line, missing, found: found.get() - old })),
        }
    }

    /// Records that picked units are missing after all, and replaces them as after a short pick.
    fn lose_picked(&mut self, id: &PickLineId, line: PickLine, lost: Quantity) -> Result<Picked, LoadRequest> {
        let index = self.need_both(&line)?;
        let old_eta = self.promised(index, &line.order_id);
        self.batch_mut(index).lose_picked(lost);
        self.edit_line(&line.order_id, |line| line.fulfilment.picked -= lost.get());
        let after = line.clone().reported(line.picked - lost.get(), line.put_back);
        self.record_correction(id, &line, &after, Units::ZERO);
        let order_id = line.order_id;
        let mut picked = Picked { line: after, missing: lost.get(), affected: Vec::new(), displaced: None };
        if self.line(&order_id).is_some_and(LineState::lives) {
            let mut others = self.replace_missing(index, DisplacedUnits { order_id, units: lost, old_eta })?;
            self.record_if_out_of_stock(others.moved)?;
            let events = self.events.len();
            self.serve_waiting()?;
            self.follow_improvements(&mut others.affected, events);
            (picked.affected, picked.displaced) = (others.affected, others.displaced.pop());
        }
        Ok(picked)
    }

    /// Records that missing units were found: the line takes those that it lacks or has allocated elsewhere, and the
    /// others are free.
    fn find_missing(&mut self, id: &PickLineId, line: PickLine, found: Quantity) -> Result<Picked, LoadRequest> {
        let (waited, swapped) = self.wanted(&line.order_id, found);
        self.give_up_replacements(&line.order_id, swapped)?;
        let index = self.need_batch(&line.reference)?;
        let taken = waited.get() + swapped;
        self.batch_mut(index).find(found, taken);
        if taken > 0 {
            self.edit_line(&line.order_id, |line| {
                line.waiting -= waited.get();
                line.fulfilment.picked += taken;
            });
        }
        let after = line.clone().reported(line.picked + taken, line.put_back + (found.get() - taken));
        self.record_correction(id, &line, &after, waited);
        let before = self.batches[index].clone();
        // A batch that is being lowered has no free units.
        self.batch_mut(index).absorb(found.get() - taken);
        if self.batches[index].purchased() != before.purchased() {
            self.record_change(&before);
        }
        self.serve_waiting()?;
        Ok(Picked { line: after, missing: 0, affected: Vec::new(), displaced: None })
    }

    /// Returns how many of the found units an order line waits for, and how many it has allocated but not picked. A
    /// line that has ended or is gone wants none.
    fn wanted(&self, order_id: &OrderId, found: Quantity) -> (Units, u32) {
        let Some(line) = self.line(order_id).filter(|line| line.lives()) else { return (Units::ZERO, 0) };
        let waited = found.at_most(line.waiting).map_or(Units::ZERO, Units::from);
        (waited, line.allocated().min(found.get() - waited.get()))
    }

    /// Releases allocated units of a line, those of its least preferred batches first.
    fn give_up_replacements(&mut self, order_id: &OrderId, units: u32) -> Result<(), LoadRequest> {
        let parts = self.line(order_id).map(|line| line.allocations.clone()).unwrap_or_default();
        let mut rest = units;
        for part in parts.iter().rev() {
            let Some(units) = part.quantity.at_most(rest) else { break };
            self.free(order_id, &part.reference, units, DeallocationReason::PickCorrected)?;
            rest -= units.get();
        }
        Ok(())
    }

    /// Sets a corrected pick line, and records it.
    fn record_correction(&mut self, id: &PickLineId, before: &PickLine, after: &PickLine, waited: Units) {
        let count = |line: &PickLine| line.found().and_then(|found| Units::new(found).ok()).unwrap_or(Units::ZERO);
        self.events.push(Event::PickCorrected {
            units: ListedUnits::of(id, after, after.quantity),
            found: count(after),
            old_found: count(before),
            put_back: Units::new(after.put_back).unwrap_or(Units::ZERO),
            waited,
        });
        self.set_pick_line(id.clone(), after.clone());
    }
}

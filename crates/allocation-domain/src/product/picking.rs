//! Picking, short picks, shipping, and releasing pick lists.

use super::Product;
use super::reallocation::{DisplacedUnits, Reallocation};
use crate::{
    DataRequest, Event, ListedUnits, LoadRequest, OrderId, Outcome, Pending, PickError, PickLine, PickLineId,
    PickListId, PickStatus, Picked, Quantity, ReleasePickLineError, ShipmentId, Units, WithdrawalReason,
};
use chrono::{DateTime, Utc};

impl Product {
    /// Records that `found` units of a pick line were found and picked. Another number corrects an earlier report,
    /// until all picked units are shipped, and never to fewer than are shipped.
    ///
    /// Short-picked units are subtracted from the batch. In the same decision the order line is
    /// reallocated, like a line that leaves a lowered batch. It gets units of other batches in order of
    /// preference, then other units of the same batch. It waits for the rest, and is short if it does not
    /// accept backorders.
    ///
    /// A correction to fewer units is a short pick of the difference. A correction to more units finds missing ones:
    /// the line takes as many as it waits for or has allocated, in place of these, and the others are free and serve
    /// the queue.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed, except that expired holds may have been released.
    pub fn pick(
        &mut self,
        id: &PickLineId,
        found: Units,
        now: DateTime<Utc>,
    ) -> Result<Outcome<Picked, PickLine>, Pending<PickError>> {
        self.catch_up(now)?;
        let Some(line) = self.pick_line(id).cloned() else {
            return Err(Pending::Refused(PickError::NotFound(id.clone())));
        };
        if line.found() == Some(found.get()) {
            return Ok(Outcome::Unchanged(line));
        }
        let id = id.clone();
        let refusal = match line.found() {
            None if line.status == PickStatus::Withdrawn => PickError::Withdrawn(id),
            _ if line.status == PickStatus::Shipped => PickError::AlreadyShipped { id, line, requested: found },
            _ if found.get() > line.quantity.get() => PickError::TooMany { id, line, requested: found },
            None => return Ok(Outcome::Changed(self.atomically(|product| product.pick_open(&id, line, found))?)),
            Some(old) => return Ok(Outcome::Changed(self.correct_pick(&id, line, found, old)?)),
        };
        Err(Pending::Refused(refusal))
    }

    fn pick_open(&mut self, id: &PickLineId, line: PickLine, found: Units) -> Result<Picked, LoadRequest> {
        let index = self.need_both(&line)?;
        let missing = line.quantity.minus(found.get());
        let line = line.reported(found.get(), 0);
        self.set_pick_line(id.clone(), line.clone());
        if let Ok(picked) = Quantity::new(found.get()) {
            self.take_from_shelf(index, id, &line, picked);
        }
        let Some(missing) = missing else {
            return Ok(Picked { line, missing: 0, affected: Vec::new(), displaced: None });
        };
        let old_eta = self.promised(index, &line.order_id);
        self.miss(index, id, &line, missing);
        let mut others =
            self.replace_missing(index, DisplacedUnits { order_id: line.order_id.clone(), units: missing, old_eta })?;
        self.record_if_out_of_stock(others.moved)?;
        let events = self.events.len();
        self.serve_waiting()?;
        self.follow_improvements(&mut others.affected, events);
        Ok(Picked { line, missing: missing.get(), affected: others.affected, displaced: others.displaced.pop() })
    }

    /// Records picked units, which are no longer allocated.
    fn take_from_shelf(&mut self, index: usize, id: &PickLineId, pick: &PickLine, quantity: Quantity) {
        self.batch_mut(index).pick(quantity);
        self.edit_line(&pick.order_id, |line| {
            line.release(&pick.reference, quantity);
            line.fulfilment.listed -= quantity.get();
            line.fulfilment.picked += quantity.get();
        });
        self.events.push(Event::Picked(ListedUnits::of(id, pick, quantity)));
    }

    /// Records short-picked units, which belong to no line.
    fn miss(&mut self, index: usize, id: &PickLineId, pick: &PickLine, quantity: Quantity) {
        self.batch_mut(index).miss(quantity);
        self.edit_line(&pick.order_id, |line| {
            line.release(&pick.reference, quantity);
            line.fulfilment.listed -= quantity.get();
        });
        self.events.push(Event::UnitsMissing(ListedUnits::of(id, pick, quantity)));
    }

    /// Replaces a line's short-picked units: from other batches, then from the rest of the batch at index
    /// `index`. The line waits for the remainder.
    pub(super) fn replace_missing(&mut self, index: usize, lost: DisplacedUnits) -> Result<Reallocation, LoadRequest> {
        let mut others = Reallocation::default();
        let aside = self.batches.remove(index);
        let rest = self.reallocate(&lost, &mut others);
        self.batches.insert(aside);
        if let Ok(units) = Quantity::new(rest?) {
            let of_all = self.reallocate_all(vec![DisplacedUnits { units, ..lost }])?;
            others.moved += of_all.moved;
            others.affected.extend(of_all.affected);
            others.displaced = of_all.displaced;
        }
        Ok(others)
    }

    /// Ships the picked units of a list that are not shipped yet.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; the caller undoes the changes.
    pub(crate) fn ship_list(&mut self, list: &PickListId) -> Result<(), LoadRequest> {
        for (id, pick) in self.of_list(list, PickStatus::Picked) {
            if let Ok(quantity) = Quantity::new(pick.to_ship()) {
                self.ship_units(&ListedUnits::of(&id, &pick, quantity), None)?;
            }
        }
        Ok(())
    }

    /// Ships picked units of a pick line, with a shipment or without one. At least as many are picked and not shipped.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; the caller undoes the changes.
    pub(crate) fn ship_units(
        &mut self,
        units: &ListedUnits,
        shipment_id: Option<&ShipmentId>,
    ) -> Result<(), LoadRequest> {
        let id = units.id();
        let Some(pick) = self.pick_line(&id).cloned() else { return Ok(()) };
        let index = self.need_both(&pick)?;
        let quantity = units.quantity;
        self.batch_mut(index).ship(quantity);
        self.edit_line(&pick.order_id, |line| {
            line.fulfilment.picked -= quantity.get();
            line.fulfilment.shipped += quantity.get();
        });
        self.events.push(Event::Shipped { units: units.clone(), shipment_id: shipment_id.cloned() });
        self.set_pick_line(id, pick.with_shipped(quantity.get()));
        Ok(())
    }

    /// Withdraws all unpicked lines of a list.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; the caller undoes the changes.
    pub(crate) fn withdraw_list(&mut self, list: &PickListId) -> Result<(), LoadRequest> {
        for (id, pick) in self.of_list(list, PickStatus::Open) {
            self.need_line(&pick.order_id)?;
            let all = pick.quantity;
            self.take_off(id, pick, all, WithdrawalReason::Released);
        }
        Ok(())
    }

    /// Withdraws an open pick line. A missing or withdrawn one stays unchanged.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing has changed.
    pub(crate) fn release_pick_line(
        &mut self,
        id: &PickLineId,
    ) -> Result<Outcome<PickLine>, Pending<ReleasePickLineError>> {
        let Some(line) = self.pick_line(id).cloned() else {
            return Err(Pending::Refused(ReleasePickLineError::NotFound(id.clone())));
        };
        match line.status {
            PickStatus::Open => {
                self.need_line(&line.order_id)?;
                self.take_off(id.clone(), line.clone(), line.quantity, WithdrawalReason::Released);
                Ok(Outcome::Changed(PickLine { status: PickStatus::Withdrawn, ..line }))
            }
            PickStatus::Missing | PickStatus::Withdrawn => Ok(Outcome::Unchanged(line)),
            PickStatus::Picked | PickStatus::Shipped => Err(Pending::Refused(ReleasePickLineError::Picked(id.clone()))),
        }
    }

    fn of_list(&self, list: &PickListId, status: PickStatus) -> Vec<(PickLineId, PickLine)> {
        let lines = self.pick_lines.of_list(list).filter(|(_, pick)| pick.status == status);
        lines.map(|(id, pick)| (id.clone(), pick.clone())).collect()
    }

    fn need_line(&self, order_id: &OrderId) -> Result<(), LoadRequest> {
        if self.lines.get(order_id).is_some() { Ok(()) } else { Err(self.needs(DataRequest::Line(order_id.clone()))) }
    }

    /// Checks that the order line and the batch of a pick line are loaded, and returns the index of the
    /// batch.
    pub(super) fn need_both(&self, pick: &PickLine) -> Result<usize, LoadRequest> {
        self.need_line(&pick.order_id)?;
        self.need_batch(&pick.reference)
    }
}

//! Pick list membership, kept in step with the allocations of lines.

use super::Product;
use crate::{
    BatchReference, DataRequest, Eta, Event, Fulfilment, LineState, ListedUnits, LoadRequest, OrderId, PickCriteria,
    PickLine, PickLineId, PickListId, PickStatus, Quantity, QueuePosition, ReservationState, WithdrawalReason,
};

/// Units that can be put on a pick list. Candidates sort in the order of a list's lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    reference: BatchReference,
    position: QueuePosition,
    quantity: Quantity,
}

impl Product {
    /// Returns units of loaded lines that are firm, in stock, on no pick list, and match `criteria`: the first
    /// `limit` in the order of a list's lines. Of the orders that ship complete only those that `may_ship`.
    pub(crate) fn candidates(
        &self,
        criteria: &PickCriteria,
        limit: usize,
        may_ship: &mut dyn FnMut(&OrderId) -> bool,
    ) -> Result<Vec<Candidate>, LoadRequest> {
        let mut candidates = Vec::new();
        if criteria.skus.as_ref().is_some_and(|skus| !skus.contains(&self.sku)) {
            return Ok(candidates);
        }
        if let Some(order_ids) = &criteria.order_ids {
            for order_id in order_ids {
                for part in self.line(order_id).into_iter().flat_map(|line| &line.allocations) {
                    candidates.extend(self.candidate(criteria, order_id, &part.reference, may_ship)?);
                }
            }
            candidates.sort();
            candidates.truncate(limit);
            return Ok(candidates);
        }
        let is_wanted = |reference: &&BatchReference| {
            criteria.references.as_ref().is_none_or(|wanted| wanted.contains(*reference)) && self.is_in_stock(reference)
        };
        for reference in self.lines.batches().filter(is_wanted) {
            for (position, _) in self.lines.on_batch(reference, None) {
                if candidates.len() == limit {
                    return Ok(candidates);
                }
                candidates.extend(self.candidate(criteria, position.order_id(), reference, may_ship)?);
            }
        }
        Ok(candidates)
    }

    /// Returns whether the units that loaded lines hold in a batch are in stock, even if it is not loaded.
    fn is_in_stock(&self, reference: &BatchReference) -> bool {
        let first = self.lines.on_batch(reference, None).next();
        let parts = first.and_then(|(position, _)| self.line(position.order_id())).map(|line| &line.allocations);
        parts.into_iter().flatten().any(|part| part.reference == *reference && part.eta == Eta::InStock)
    }

    /// Returns the units of a line in a batch that can be put on a pick list.
    fn candidate(
        &self,
        criteria: &PickCriteria,
        order_id: &OrderId,
        reference: &BatchReference,
        may_ship: &mut dyn FnMut(&OrderId) -> bool,
    ) -> Result<Option<Candidate>, LoadRequest> {
        let Some(line) = self.line(order_id).filter(|line| line.commitment == ReservationState::Firm) else {
            return Ok(None);
        };
        if line.terms.ship_complete && !may_ship(order_id) {
            return Ok(None);
        }
        let part = line.allocations.iter().find(|part| part.reference == *reference);
        let part = part.filter(|part| part.eta == Eta::InStock && criteria.takes(reference, &self.sku, order_id));
        let Some(part) = part else { return Ok(None) };
        let quantity = part.quantity.minus(self.listed(order_id, line, reference)?);
        let position = QueuePosition::of(order_id, line);
        Ok(quantity.map(|quantity| Candidate { reference: reference.clone(), position, quantity }))
    }

    /// Puts a candidate on a pick list.
    pub(crate) fn put_on_list(&mut self, list: &PickListId, line: u32, candidate: Candidate) {
        let Candidate { reference, position, quantity } = candidate;
        let (order_id, sku) = (position.order_id().clone(), self.sku.clone());
        self.edit_line(&order_id, |line| line.fulfilment.listed += quantity.get());
        let (id, status) = (PickLineId { list: list.clone(), line }, PickStatus::Open);
        let pick = PickLine { order_id, sku, reference, quantity, picked: 0, shipped: 0, put_back: 0, status };
        self.events.push(Event::PickListed(ListedUnits::of(&id, &pick, quantity)));
        self.set_pick_line(id, pick);
    }

    /// Takes units off pick lists before a line releases them from a batch. Unlisted units go first, then
    /// units of the pick lines with the greatest list id and number.
    pub(super) fn take_off_lists(
        &mut self,
        order_id: &OrderId,
        reference: &BatchReference,
        units: Quantity,
    ) -> Result<(), LoadRequest> {
        let Some(line) = self.line(order_id).filter(|line| line.fulfilment.listed > 0) else { return Ok(()) };
        let stays = line.holds(reference).and_then(|held| held.minus(units.get())).map_or(0, Quantity::get);
        let mut excess = self.listed(order_id, line, reference)?.saturating_sub(stays);
        let open: Vec<_> = self.open_of(order_id, reference).map(|(id, line)| (id.clone(), line.clone())).collect();
        for (id, line) in open.into_iter().rev() {
            let Some(units) = line.quantity.at_most(excess) else { break };
            self.take_off(id, line, units, WithdrawalReason::Deallocated);
            excess -= units.get();
        }
        Ok(())
    }

    /// Takes all unpicked units of a batch that is no longer in stock off the pick lists of `lines`.
    pub(super) fn withdraw_all_of<'a>(
        &mut self,
        reference: &BatchReference,
        lines: impl IntoIterator<Item = &'a QueuePosition>,
    ) -> Result<(), LoadRequest> {
        let mut open = Vec::new();
        for position in lines {
            let order_id = position.order_id();
            if let Some(line) = self.line(order_id) {
                self.listed(order_id, line, reference)?;
                open.extend(self.open_of(order_id, reference).map(|(id, line)| (id.clone(), line.clone())));
            }
        }
        for (id, line) in open {
            let all = line.quantity;
            self.take_off(id, line, all, WithdrawalReason::NotInStock);
        }
        Ok(())
    }

    /// Takes units off an open pick line, which is withdrawn if none are left.
    pub(super) fn take_off(&mut self, id: PickLineId, pick: PickLine, units: Quantity, reason: WithdrawalReason) {
        self.edit_line(&pick.order_id, |line| line.fulfilment.listed -= units.get());
        let old_quantity = pick.quantity;
        let (now, event) = match old_quantity.minus(units.get()) {
            Some(quantity) => {
                let units = ListedUnits::of(&id, &pick, quantity);
                (PickLine { quantity, ..pick }, Event::PickLineChanged { units, old_quantity, reason })
            }
            None => {
                let units = ListedUnits::of(&id, &pick, old_quantity);
                (PickLine { status: PickStatus::Withdrawn, ..pick }, Event::PickLineWithdrawn { units, reason })
            }
        };
        self.set_pick_line(id, now);
        self.events.push(event);
    }

    /// Returns whether units of a batch were picked for an order.
    pub(super) fn was_picked_in(&self, order_id: &OrderId, reference: &BatchReference) -> Result<bool, LoadRequest> {
        let Some(line) = self.line(order_id).filter(|line| line.fulfilment.taken() > 0) else { return Ok(false) };
        self.need_pick_lines(order_id, line)?;
        Ok(self.pick_lines.of(order_id).any(|(_, pick)| pick.is_taken() && pick.reference == *reference))
    }

    /// Returns how many of a line's units of a batch are on pick lists.
    fn listed(&self, order_id: &OrderId, line: &LineState, reference: &BatchReference) -> Result<u32, LoadRequest> {
        if line.fulfilment.listed == 0 {
            return Ok(0);
        }
        self.need_pick_lines(order_id, line)?;
        Ok(self.open_of(order_id, reference).map(|(_, pick)| pick.quantity.get()).sum())
    }

    fn open_of(
        &self,
        order_id: &OrderId,
        reference: &BatchReference,
    ) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        self.pick_lines.of(order_id).filter(move |(_, pick)| pick.is_open() && pick.reference == *reference)
    }

    /// Checks that all pick lines of a line are loaded, by comparing their sums with its counters.
    pub(super) fn need_pick_lines(&self, order_id: &OrderId, line: &LineState) -> Result<(), LoadRequest> {
        // Units that came back are counted by the line alone.
        let mut known = Fulfilment { returned: line.fulfilment.returned, ..Fulfilment::default() };
        for (_, pick) in self.pick_lines.of(order_id) {
            match pick.status {
                PickStatus::Open => known.listed += pick.quantity.get(),
                PickStatus::Picked => {
                    known.picked += pick.to_ship();
                    known.shipped += pick.shipped;
                }
                PickStatus::Shipped => known.shipped += pick.picked,
                PickStatus::Missing | PickStatus::Withdrawn => {}
            }
        }
        if known == line.fulfilment { Ok(()) } else { Err(self.needs(DataRequest::PickLinesOf(order_id.clone()))) }
    }
}

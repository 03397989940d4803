//! Commands of many callers that are decided in one unit of work.

use super::error::EngineError;
use super::job::{Decision, Job, Request};
use super::line::{allocate, resolve_line};
use super::orders::Orders;
use crate::locking::{Locked, catch_up, lock};
use crate::saving::changed;
use crate::unit_of_work::{Attempt, FarBehind, UnitOutcome};
use allocation_domain::{OrderId, Sku};
use allocation_ports::{LockRequest, StoreError, UnitOfWork};
use std::collections::BTreeMap;

/// Decides commands in their order and saves the changes; each job records its decision.
///
/// Rejecting one command changes nothing for another. Nor does a product that is behind: only its own
/// commands stay undecided.
///
/// `is_late` returns whether the time of a command has run out. It is called once the products are locked,
/// when no other transaction can intervene. A late command changes nothing; the effect of an unknown commit
/// is reported nevertheless.
///
/// # Isolation
///
/// [`allocate`] and [`Orders::find`] describe how each command's reads are protected. All products of the
/// group are locked before anything is read. Commands affect each other's reads through these products
/// alone.
pub(super) fn decide_group(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    jobs: &mut [&mut Job],
    is_late: &mut dyn FnMut(&Job) -> bool,
) -> Result<UnitOutcome<()>, StoreError> {
    let mut locked = lock(unit, &lock_requests(jobs))?;
    let behind = catch_up(unit, &mut locked)?;
    if attempt.resolving && !behind.is_empty() {
        return Err(StoreError::Busy(FarBehind.into()));
    }
    let mut decider = Decider { orders: Orders::find(unit, &order_ids(jobs))?, unit, attempt, locked };
    for job in jobs {
        if is_late(job) {
            decider.resolve(job)?;
        } else if !behind.is_empty() && job.skus().any(|sku| behind.contains(sku)) {
            job.wait_for_product();
        } else if job.context.is_default() {
            decider.decide(job)?;
        } else {
            let before: Vec<usize> = job.skus().map(|sku| decider.events_of(sku)).collect();
            decider.decide(job)?;
            for (sku, before) in job.skus().zip(before) {
                let events = before..decider.events_of(sku);
                decider.locked.contexts.add(sku, events, &job.context);
            }
        }
    }
    let Decider { orders, unit, locked: Locked { products, now, contexts }, .. } = decider;
    let changed = changed(products);
    if changed.is_empty() {
        return Ok(UnitOutcome::Rollback(()));
    }
    unit.products().save(&changed, &contexts)?;
    orders.add(unit, now)?;
    Ok(UnitOutcome::Commit(()))
}

/// A unit of work with the locked products of a group.
struct Decider<'a> {
    unit: &'a mut dyn UnitOfWork,
    attempt: Attempt,
    locked: Locked,
    orders: Orders,
}

impl Decider<'_> {
    /// Decides a command.
    fn decide(&mut self, job: &mut Job) -> Result<(), StoreError> {
        let Locked { products, now, .. } = &mut self.locked;
        match &mut job.request {
            Request::Line(line) => {
                let decided = allocate(self.unit, self.attempt, products, &line.content, *now)?;
                line.decision = Decision::Made(decided.map_err(EngineError::Refused));
            }
            Request::Order(order) => {
                let reply = self.orders.place(self.unit, self.attempt, products, &order.content, *now)?;
                order.decision = Decision::Made(reply);
            }
        }
        Ok(())
    }

    /// Finds out what an earlier run has decided on a late command.
    fn resolve(&mut self, job: &mut Job) -> Result<(), StoreError> {
        let Locked { products, now, .. } = &self.locked;
        match &mut job.request {
            Request::Line(line) => {
                let reply = resolve_line(self.unit, self.attempt, products, &line.content, *now)?;
                line.decision = Decision::Made(reply);
            }
            Request::Order(order) => {
                let reply = self.orders.resolve(self.attempt, products, &order.content);
                order.decision = Decision::Made(reply);
            }
        }
        Ok(())
    }

    /// Returns how many events a product has.
    fn events_of(&self, sku: &Sku) -> usize {
        self.locked.products.get(sku).map_or(0, |product| product.events().len())
    }
}

/// Returns the lock requests of the commands: each SKU once, with its lines.
fn lock_requests(jobs: &[&mut Job]) -> Vec<LockRequest> {
    let mut by_sku: BTreeMap<&Sku, LockRequest> = BTreeMap::new();
    for job in jobs {
        match &job.request {
            Request::Line(line) => {
                let request = by_sku.entry(line.content.sku()).or_insert_with_key(with_batches);
                request.standalone.push(line.content.order_id().clone());
            }
            Request::Order(order) => {
                for (sku, _) in order.content.lines() {
                    let request = by_sku.entry(sku).or_insert_with_key(with_batches);
                    request.order_ids.push(order.content.order_id().clone());
                }
            }
        }
    }
    by_sku.into_values().collect()
}

fn with_batches(sku: &&Sku) -> LockRequest {
    LockRequest { open_batches: true, ..LockRequest::product((*sku).clone()) }
}

/// Returns the ids of the orders to place.
fn order_ids(jobs: &[&mut Job]) -> Vec<OrderId> {
    let id = |job: &&mut Job| match &job.request {
        Request::Line(_) => None,
        Request::Order(order) => Some(order.content.order_id().clone()),
    };
    jobs.iter().filter_map(id).collect()
}

#[cfg(test)]
mod tests;

use crate::UseCases;
use crate::locking::lock;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{OrderId, Sku};
use allocation_ports::{CompletionCursor, LockRequest, LockWait, StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

/// The maximum number of lines that one search examines.
const SEARCH_LIMIT: u16 = 100;
/// The maximum number of orders, and of their lines, that one unit of work moves: other commands on their products wait
/// until it commits. An order of more lines stays.
const MAX_ORDERS: usize = 20;
const MAX_LINES: usize = 1_000;
/// The maximum number of lines that one unit of work dates.
const MAX_DATED: u16 = 500;

/// What was moved to the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Archived {
    /// The number of orders.
    pub orders: u64,
    /// The number of their lines.
    pub lines: u64,
}

impl AddAssign for Archived {
    fn add_assign(&mut self, more: Self) {
        self.orders += more.orders;
        self.lines += more.lines;
    }
}

impl UseCases {
    /// Prepares the archive, some lines at a time: programs that do not know it write nothing from now on, and complete
    /// lines are dated now whose completion was not recorded. Returns the number of lines.
    ///
    /// `may_continue` is called before each unit of work.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or is busy, or `may_continue` does.
    pub fn prepare_archive(
        &self,
        may_continue: &mut dyn FnMut() -> Result<bool, StoreError>,
    ) -> Result<usize, StoreError> {
        let mut dated = 0;
        while may_continue()? {
            let some = self.units.run_waiting(LockWait::Short, "prepare_archive", |unit, _| {
                Ok(UnitOutcome::Commit(unit.orders().prepare_archive(self.clock.now(), MAX_DATED)?))
            })?;
            dated += some;
            if some < usize::from(MAX_DATED) {
                break;
            }
        }
        Ok(dated)
    }

    /// Moves orders to the archive of which the last line was completed by `until`, those completed first in front.
    ///
    /// `after` is where the search begins; it advances with the search, past orders that stay. `may_continue` is called
    /// before each unit of work.
    ///
    /// # Isolation
    ///
    /// Complete orders are searched without locks. Their lines are read again under the locks of their products, with
    /// each order locked against new lines, so none is moved that is not complete. An order is moved with all its lines
    /// in one unit of work. Any number of processes may do this at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or is busy, or `may_continue` does; orders moved earlier stay archived.
    pub fn archive_orders(
        &self,
        until: DateTime<Utc>,
        after: &mut Option<CompletionCursor>,
        may_continue: &mut dyn FnMut() -> Result<bool, StoreError>,
    ) -> Result<Archived, StoreError> {
        let mut archived = Archived::default();
        loop {
            let page = self.queries.completed_orders(until, after.as_ref(), SEARCH_LIMIT)?;
            if let Some(oldest) = page.orders.first() {
                self.units.counters().archive_lag(until - oldest.completed_at);
            }
            // The lines of an order may have been completed at different instants.
            let mut seen = BTreeSet::new();
            let mut orders: Vec<_> = page.orders.into_iter().map(|order| order.order_id).collect();
            orders.retain(|order_id| seen.insert(order_id.clone()));
            while !orders.is_empty() {
                if !may_continue()? {
                    return Ok(archived);
                }
                let unit = |unit: &mut dyn UnitOfWork, _| archive_first(unit, &orders);
                let step = self.units.run_waiting(LockWait::Brief, "archive_orders", unit)?;
                self.units.counters().archived(step.archived.orders, step.archived.lines);
                archived += step.archived;
                orders.drain(..step.examined);
            }
            let Some(next) = page.next else { break };
            *after = Some(next);
        }
        self.units.counters().archive_lag(chrono::TimeDelta::zero());
        Ok(archived)
    }
}

/// What a unit of work has done.
struct Step {
    /// The number of orders examined, at least one.
    examined: usize,
    archived: Archived,
}

/// Archives the first of some orders, as many as one unit of work may.
fn archive_first(unit: &mut dyn UnitOfWork, orders: &[OrderId]) -> Result<UnitOutcome<Step>, StoreError> {
    let (mut examined, mut lines) = (0, 0);
    let mut first: BTreeMap<&OrderId, Vec<Sku>> = BTreeMap::new();
    for order_id in orders.iter().take(MAX_ORDERS) {
        let skus = unit.orders().skus_of(order_id)?;
        if lines + skus.len() > MAX_LINES && lines > 0 {
            break;
        }
        examined += 1;
        if skus.len() <= MAX_LINES {
            lines += skus.len();
            first.insert(order_id, skus);
        }
    }
    let archived = archive(unit, first)?;
    let step = Step { examined, archived };
    Ok(if archived == Archived::default() { UnitOutcome::Rollback(step) } else { UnitOutcome::Commit(step) })
}

/// Archives those of the orders, with the SKUs of their lines, that are complete.
fn archive(unit: &mut dyn UnitOfWork, orders: BTreeMap<&OrderId, Vec<Sku>>) -> Result<Archived, StoreError> {
    let mut wanted: BTreeMap<&Sku, LockRequest> = BTreeMap::new();
    for (order_id, skus) in &orders {
        for sku in skus {
            let request = wanted.entry(sku).or_insert_with(|| LockRequest::product(sku.clone()));
            request.order_ids.push((*order_id).clone());
        }
    }
    let wanted: Vec<_> = wanted.into_values().collect();
    if wanted.is_empty() {
        return Ok(Archived::default());
    }
    let products = lock(unit, &wanted)?.products;
    let mut complete = Vec::new();
    for (order_id, skus) in orders {
        if products.order(order_id).is_some_and(|order| order.is_complete()) {
            unit.orders().lock_lines(order_id, &skus)?;
            complete.push((order_id.clone(), skus));
        }
    }
    if complete.is_empty() {
        return Ok(Archived::default());
    }
    let lines = unit.orders().archive(&complete)?;
    let orders = u64::try_from(complete.len()).unwrap_or(u64::MAX);
    Ok(Archived { orders, lines })
}

#[cfg(test)]
mod tests;

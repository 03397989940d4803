//! A scan with limits.

use super::{Pickable, Row, parse};
use crate::any_connection::AnyConnection;
use crate::reads::orders;
use allocation_domain::OrderId;
use allocation_ports::{PickableLines, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of allocations that a scan reads, in a few tenths of a second. Allocations that are
/// held, or on pick lists but not picked yet, precede others that could be included.
const MAX_ALLOCATIONS: usize = 100_000;

/// The maximum number of batches that a scan reads.
const MAX_BATCHES: usize = 100_000;

/// The results of a scan, and its progress.
#[derive(Debug)]
pub(super) struct Scan {
    most: usize,
    found: Vec<Pickable>,
    allocations: usize,
    batches: usize,
    /// Whether all results are in the order of a pick list, so that the scan can stop when there are
    /// enough.
    in_order: bool,
    /// Whether the orders that ship complete are in stock, as far as they were looked up.
    in_stock: BTreeMap<OrderId, bool>,
}

impl Scan {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, found: Vec::new(), allocations: 0, batches: 0, in_order: true, in_stock: BTreeMap::new() }
    }

    /// Returns whether the scan continues.
    pub(super) const fn continues(&self) -> bool {
        self.within_bounds() && !(self.in_order && self.found.len() >= self.most)
    }

    const fn within_bounds(&self) -> bool {
        self.allocations < MAX_ALLOCATIONS && self.batches < MAX_BATCHES
    }

    /// Returns the number of allocations that the scan may still read.
    pub(super) fn left(&self) -> i64 {
        i64::try_from(MAX_ALLOCATIONS - self.allocations.min(MAX_ALLOCATIONS)).unwrap_or(i64::MAX)
    }

    pub(super) const fn count_batches(&mut self, batches: usize) {
        self.batches += batches;
    }

    /// Adds the rows that match, except those of orders that ship complete and are not in stock.
    pub(super) fn add(
        &mut self,
        connection: &mut AnyConnection,
        rows: Vec<Row>,
        fits: impl Fn(&Pickable) -> bool,
    ) -> Result<(), StoreError> {
        self.allocations += rows.len();
        let mut matching = Vec::with_capacity(rows.len());
        for row in rows {
            matching.extend(parse(row)?.filter(&fits));
        }
        let complete = matching.iter().filter(|it| it.ships_complete).map(|it| it.position.order_id().clone());
        self.look_up(connection, complete.collect())?;
        let may_ship = |it: &Pickable| !it.ships_complete || self.in_stock.get(it.position.order_id()) == Some(&true);
        self.found.extend(matching.into_iter().filter(may_ship));
        Ok(())
    }

    /// Looks up whether orders are in stock, each once in a scan.
    fn look_up(&mut self, connection: &mut AnyConnection, order_ids: BTreeSet<OrderId>) -> Result<(), StoreError> {
        let new: Vec<_> = order_ids.into_iter().filter(|order_id| !self.in_stock.contains_key(order_id)).collect();
        for some in new.chunks(orders::AT_A_TIME) {
            for order in orders::load(connection, &some.iter().map(OrderId::as_str).collect::<Vec<_>>())? {
                self.allocations += order.lines.len();
                self.in_stock.insert(order.order_id.clone(), order.is_in_stock());
            }
        }
        Ok(())
    }

    /// Drops results beyond the first ones. The lines are scanned in no order, so the scan must not stop
    /// early.
    pub(super) fn retain_first(&mut self) {
        self.in_order = false;
        if self.found.len() > 2 * self.most {
            self.found.sort();
            self.found.truncate(self.most);
        }
    }

    /// Returns the first order lines of the results, each once.
    pub(super) fn finish(self) -> PickableLines {
        let complete = self.within_bounds();
        let mut found = self.found;
        found.sort();
        found.truncate(self.most);
        let complete_orders = found.iter().filter(|it| it.ships_complete).map(|it| it.position.order_id().clone());
        let ship_complete = complete_orders.collect();
        let lines = found.into_iter().map(|it| (it.sku, it.position.order_id().clone())).collect();
        PickableLines { lines, ship_complete, complete }
    }
}

//! A search that ends at a bound.

use super::{Pickable, Row, parse};
use allocation_ports::{PickableLines, StoreError};

/// How many allocations a search looks through at most: those that are held, or on lists that are not
/// picked yet, lie before others that could be taken. It is some tenths of a second.
const MAX_ALLOCATIONS: usize = 100_000;

/// How many batches a search looks through at most.
const MAX_BATCHES: usize = 100_000;

/// What a search has found, and how much it has looked through.
#[derive(Debug)]
pub(super) struct Scan {
    most: usize,
    found: Vec<Pickable>,
    allocations: usize,
    batches: usize,
    /// Whether what was found is all in the order of a list, so that enough is enough.
    in_order: bool,
}

impl Scan {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, found: Vec::new(), allocations: 0, batches: 0, in_order: true }
    }

    /// Whether more is to be looked through.
    pub(super) const fn goes_on(&self) -> bool {
        self.within_bounds() && !(self.in_order && self.found.len() >= self.most)
    }

    const fn within_bounds(&self) -> bool {
        self.allocations < MAX_ALLOCATIONS && self.batches < MAX_BATCHES
    }

    /// How many allocations may be looked through yet.
    pub(super) fn left(&self) -> i64 {
        i64::try_from(MAX_ALLOCATIONS - self.allocations.min(MAX_ALLOCATIONS)).unwrap_or(i64::MAX)
    }

    pub(super) const fn count_batches(&mut self, batches: usize) {
        self.batches += batches;
    }

    /// Adds those of the rows that fit.
    pub(super) fn add(&mut self, rows: Vec<Row>, fits: impl Fn(&Pickable) -> bool) -> Result<(), StoreError> {
        self.allocations += rows.len();
        for row in rows {
            self.found.extend(parse(row)?.filter(&fits));
        }
        Ok(())
    }

    /// Forgets what does not come first. What is looked through is in no order.
    pub(super) fn keep_first(&mut self) {
        self.in_order = false;
        if self.found.len() > 2 * self.most {
            self.found.sort();
            self.found.truncate(self.most);
        }
    }

    /// What comes first of what was found, each line once.
    pub(super) fn finish(self) -> PickableLines {
        let complete = self.within_bounds();
        let mut found = self.found;
        found.sort();
        found.truncate(self.most);
        let lines = found.into_iter().map(|it| (it.sku, it.position.order_id().clone())).collect();
        PickableLines { lines, complete }
    }
}

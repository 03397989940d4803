//! Locks of units of work.

use allocation_domain::{BatchReference, CountId, OrderId, PickListId, Sku};
use allocation_ports::{StockDocumentId, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of open units of work, as a pool limits its connections.
pub(crate) const MAX_UNITS: usize = 64;

/// A row, or a unique key, that one unit of work at a time may write.
///
/// Units lock products first, then orders, references, lists, counts, the batches of counts, and documents, each in the
/// order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A product with all its rows.
    Product(Sku),
    /// The set of lines of an order, and its id.
    Order(OrderId),
    /// The reference of a batch.
    Batch(BatchReference),
    /// The id of a pick list.
    PickList(PickListId),
    /// A count of stock, and its id.
    Count(CountId),
    /// A batch of an open count of stock.
    Counted(BatchReference),
    /// The id of a stock document.
    Document(StockDocumentId),
}

/// Identifies a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnitId(u64);

#[derive(Debug, thiserror::Error)]
#[error("units of work wait for each other's locks")]
struct Deadlock;

/// The locked keys, and the units that wait for one.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    owners: BTreeMap<Key, UnitId>,
    waiting: BTreeMap<UnitId, Key>,
    open: BTreeSet<UnitId>,
    begun: u64,
}

impl Locks {
    /// Opens a unit and returns its id, or `None` while [`MAX_UNITS`] are open.
    pub(crate) fn begin(&mut self) -> Option<UnitId> {
        if self.open.len() >= MAX_UNITS {
            return None;
        }
        self.begun += 1;
        self.open.insert(UnitId(self.begun));
        Some(UnitId(self.begun))
    }

    /// Locks a key unless another unit has it locked; returns whether `unit` has it now.
    pub(crate) fn try_lock(&mut self, unit: UnitId, key: &Key) -> bool {
        self.waiting.remove(&unit);
        *self.owners.entry(key.clone()).or_insert(unit) == unit
    }

    /// Returns whether a unit has locked a key.
    pub(crate) fn has(&self, unit: UnitId, key: &Key) -> bool {
        self.owners.get(key) == Some(&unit)
    }

    /// Records that a unit waits for a key.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the key's owner waits for this unit, directly or through others.
    pub(crate) fn wait(&mut self, unit: UnitId, key: &Key) -> Result<(), StoreError> {
        let mut next = Some(key);
        while let Some(owner) = next.and_then(|key| self.owners.get(key)) {
            if *owner == unit {
                return Err(StoreError::Conflict(Deadlock.into()));
            }
            next = self.waiting.get(owner);
        }
        self.waiting.insert(unit, key.clone());
        Ok(())
    }

    /// Records that a unit waits no longer.
    pub(crate) fn stop_waiting(&mut self, unit: UnitId) {
        self.waiting.remove(&unit);
    }

    /// Unlocks all keys of a unit, which ends.
    pub(crate) fn release(&mut self, unit: UnitId) {
        self.open.remove(&unit);
        self.waiting.remove(&unit);
        self.owners.retain(|_, owner| *owner != unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::Product(Sku::parse(name).unwrap())
    }

    #[test]
    fn a_key_has_one_owner_until_it_is_released() {
        let mut locks = Locks::default();
        let (one, two) = (locks.begin().unwrap(), locks.begin().unwrap());
        assert!(locks.try_lock(one, &key("LAMP")) && locks.try_lock(one, &key("LAMP")));
        assert!(!locks.try_lock(two, &key("LAMP")) && locks.try_lock(two, &key("RUG")));
        locks.release(one);
        assert!(!locks.has(one, &key("LAMP")) && locks.try_lock(two, &key("LAMP")));
    }

    #[test]
    fn the_last_unit_of_a_circle_does_not_wait() {
        let mut locks = Locks::default();
        let units = ["A", "B", "C"].map(|name| {
            let unit = locks.begin().unwrap();
            assert!(locks.try_lock(unit, &key(name)));
            unit
        });
        locks.wait(units[0], &key("B")).unwrap();
        locks.wait(units[1], &key("C")).unwrap();
        assert!(matches!(locks.wait(units[2], &key("A")), Err(StoreError::Conflict(_))));
        locks.release(units[1]);
        locks.wait(units[2], &key("A")).unwrap();
    }
}

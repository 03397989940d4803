//! The locks and the unique keys of a unit of work.

use super::Unit;
use crate::locks::Key;
use allocation_domain::{BatchReference, Changes, CountId, OrderId, PickListId, Product, Sku, StockCount};
use allocation_ports::{LockWait, StockDocumentId, StoreError};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
#[error("other units of work held a lock for longer than {0:?}")]
struct LockTimeout(Duration);

#[derive(Debug, thiserror::Error)]
#[error("batch {0} exists already")]
struct ReferenceTaken(BatchReference);

#[derive(Debug, thiserror::Error)]
#[error("order {0} exists already, or received lines concurrently")]
struct OrderHasBegun(OrderId);

#[derive(Debug, thiserror::Error)]
#[error("the lines of order {0} changed concurrently")]
struct LinesChanged(OrderId);

#[derive(Debug, thiserror::Error)]
#[error("pick list {0} exists already")]
struct ListExists(PickListId);

#[derive(Debug, thiserror::Error)]
#[error("count {0} exists already, or one of its batches is in an open count")]
struct CountExists(CountId);

#[derive(Debug, thiserror::Error)]
#[error("{0} exists already")]
struct DocumentExists(StockDocumentId);

/// Returns how long a unit waits for a lock, or for its beginning.
pub(super) const fn timeout(wait: LockWait, key: Option<&Key>) -> Duration {
    match (wait, key) {
        (LockWait::Short, _) => Duration::from_millis(100),
        (LockWait::Brief, Some(Key::Product(_))) => Duration::from_millis(50),
        (LockWait::Brief | LockWait::Usual, _) => Duration::from_secs(2),
    }
}

impl Unit {
    /// Locks a key until the unit ends.
    pub(super) fn acquire(&mut self, key: &Key) -> Result<(), StoreError> {
        let faults = self.store.faults();
        if matches!(key, Key::Product(_)) && faults.no_product_locks
            || matches!(key, Key::Order(_)) && faults.no_order_locks
        {
            return Ok(());
        }
        let timeout = timeout(self.wait, Some(key));
        let locked = self.store.try_until(timeout, |database| {
            if database.locks.try_lock(self.id, key) {
                return Ok(Some(()));
            }
            database.locks.wait(self.id, key).map(|()| None)
        })?;
        locked.ok_or_else(|| {
            self.store.data().locks.stop_waiting(self.id);
            StoreError::Busy(LockTimeout(timeout).into())
        })
    }

    /// Returns whether the unit has locked a key.
    fn has(&self, key: &Key) -> bool {
        self.store.data().locks.has(self.id, key)
    }

    /// Locks the keys that changes add; returns the ones that the unit had not locked before.
    pub(super) fn claim_keys(&mut self, changed: &[(&Product, Changes<'_>)]) -> Result<Vec<Key>, StoreError> {
        let mut keys = BTreeSet::new();
        for (_, changes) in changed {
            let added = changes.lines.iter().filter(|line| line.before.is_none());
            keys.extend(added.map(|line| Key::Order(line.order_id.clone())));
            keys.extend(changes.added_batches.iter().map(|batch| Key::Batch(batch.reference().clone())));
            let listed = changes.pick_lines.iter().filter(|line| line.before.is_none());
            keys.extend(listed.map(|line| Key::PickList(line.id.list.clone())));
        }
        let new: Vec<_> = keys.into_iter().filter(|key| !self.has(key)).collect();
        new.iter().try_for_each(|key| self.acquire(key))?;
        Ok(new)
    }

    /// Checks that claimed keys are unique once the changes are applied.
    pub(super) fn check_keys(&self, claimed: &[Key]) -> Result<(), StoreError> {
        let faults = self.store.faults();
        if faults.no_unique_keys {
            return Ok(());
        }
        let database = self.store.data();
        let view = database.seen_by(&self.rows);
        for key in claimed {
            match key {
                Key::Product(_) => {}
                // The unit has already read the lines of the products that it has locked.
                Key::Order(order_id) => {
                    let is_unknown = |sku: &Sku| !self.rows.products.contains_key(sku);
                    if !faults.no_order_locks && view.skus_of(order_id).any(is_unknown) {
                        return Err(StoreError::Conflict(OrderHasBegun(order_id.clone()).into()));
                    }
                }
                Key::Batch(reference) => {
                    let with_it = view.products().filter(|(_, rows)| rows.batches.contains_key(reference));
                    if with_it.count() > 1 {
                        return Err(StoreError::Conflict(ReferenceTaken(reference.clone()).into()));
                    }
                }
                Key::PickList(list_id) => {
                    if view.pick_list_row(list_id).is_some() {
                        return Err(StoreError::Conflict(ListExists(list_id.clone()).into()));
                    }
                }
                // Counts are no part of the changes of products.
                Key::Count(_) | Key::Counted(_) => {}
                Key::Document(id) => {
                    if view.document(id).is_some() {
                        return Err(StoreError::Conflict(DocumentExists(id.clone()).into()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Locks the lines of an order, which has lines of exactly these products.
    pub(super) fn lock_order(&mut self, order_id: &OrderId, skus: &[Sku]) -> Result<(), StoreError> {
        self.acquire(&Key::Order(order_id.clone()))?;
        let database = self.store.data();
        let same = database.seen_by(&self.rows).skus_of(order_id).eq(skus);
        if same { Ok(()) } else { Err(StoreError::Conflict(LinesChanged(order_id.clone()).into())) }
    }

    /// Claims the id of a new order.
    pub(super) fn claim_order(&mut self, order_id: &OrderId) -> Result<(), StoreError> {
        self.acquire(&Key::Order(order_id.clone()))?;
        let database = self.store.data();
        let view = database.seen_by(&self.rows);
        let begun = view.placed(order_id).is_some() || view.lines(order_id).any(|(_, line)| !line.terms.of_order);
        if begun && !self.store.faults().no_unique_keys {
            return Err(StoreError::Conflict(OrderHasBegun(order_id.clone()).into()));
        }
        Ok(())
    }

    /// Claims the id of a new count of stock, and its batches.
    pub(super) fn claim_count(&mut self, count: &StockCount) -> Result<(), StoreError> {
        let count_id = count.count_id();
        self.acquire(&Key::Count(count_id.clone()))?;
        let references: BTreeSet<_> = count.lines.iter().map(|line| &line.reference).collect();
        for reference in &references {
            self.acquire(&Key::Counted((*reference).clone()))?;
        }
        let database = self.store.data();
        let view = database.seen_by(&self.rows);
        let is_counted = references.into_iter().any(|reference| view.count_of(reference).is_some());
        if (view.count(count_id).is_some() || is_counted) && !self.store.faults().no_unique_keys {
            return Err(StoreError::Conflict(CountExists(count_id.clone()).into()));
        }
        Ok(())
    }

    /// Claims the id of a new stock document.
    pub(super) fn claim_document(&mut self, id: &StockDocumentId) -> Result<(), StoreError> {
        self.acquire(&Key::Document(id.clone()))?;
        let exists = self.store.data().seen_by(&self.rows).document(id).is_some();
        if exists && !self.store.faults().no_unique_keys {
            return Err(StoreError::Conflict(DocumentExists(id.clone()).into()));
        }
        Ok(())
    }

    /// Claims the id of a new pick list.
    pub(super) fn claim_pick_list(&mut self, list_id: &PickListId) -> Result<(), StoreError> {
        self.acquire(&Key::PickList(list_id.clone()))?;
        let exists = self.store.data().seen_by(&self.rows).pick_list_row(list_id).is_some();
        if exists && !self.store.faults().no_unique_keys {
            return Err(StoreError::Conflict(ListExists(list_id.clone()).into()));
        }
        Ok(())
    }
}

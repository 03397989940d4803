//! Units of work.

mod keys;

use crate::database::{OutboxEvent, PickListRow, Rows, View, count};
use crate::locks::{Key, MAX_UNITS, UnitId};
use crate::product_rows::has_expired;
use crate::store::MemoryStore;
use allocation_domain::{
    Batch, BatchReference, Changes, CountId, CountScope, DataRequest, Eta, LockTime, NewOrder, NewPickList, Order,
    OrderEnd, OrderId, PickLine, PickLineId, PickListId, Product, Sku, StockCount,
};
use allocation_ports::{
    EventContexts, FoundBatch, LockRequest, LockWait, OrderRepository, PickListRepository, ProductRepository,
    RecordedEvent, StockCounts, StockDocument, StockDocumentId, StockDocuments, StoreError, StoredPickList, UnitOfWork,
    UnitOfWorkFactory,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A unit of work, with rows that no other unit sees before the commit.
struct Unit {
    store: MemoryStore,
    id: UnitId,
    wait: LockWait,
    /// The rows of the products that the unit has locked, and the rows that it has added.
    rows: Rows,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// A call failed, so only a rollback may follow.
    Failed,
    Ended,
}

/// As many units of work as may be open at a time, for longer than a new one waits.
#[derive(Debug, thiserror::Error)]
#[error("{MAX_UNITS} units of work were open for longer than {0:?}")]
struct TooManyUnits(Duration);

/// A use of a unit of work after one of its calls failed.
#[derive(Debug, thiserror::Error)]
#[error("the unit of work failed before")]
struct FailedBefore;

/// An attempt to save a product that no unit of work has locked.
#[derive(Debug, thiserror::Error)]
#[error("product {0} was saved without a lock")]
struct NotLocked(Sku);

/// An attempt to archive an order that has other lines, or lines that are not complete.
#[derive(Debug, thiserror::Error)]
#[error("the lines of order {0} are not complete, or have changed")]
struct NotComplete(OrderId);

impl UnitOfWorkFactory for MemoryStore {
    fn begin(&self, wait: LockWait) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.scheduler().port_call();
        let timeout = keys::timeout(wait, None);
        let id = self.try_until(timeout, |database| Ok(database.locks.begin()))?;
        let id = id.ok_or_else(|| StoreError::Busy(TooManyUnits(timeout).into()))?;
        Ok(Box::new(Unit { store: self.clone(), id, wait, rows: Rows::default(), state: State::Open }))
    }
}

impl Unit {
    /// Runs a call of a port; after a failed one, none succeeds.
    fn run<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.state != State::Open {
            return Err(StoreError::Failed(FailedBefore.into()));
        }
        self.store.scheduler().port_call();
        let result = work(self);
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    /// Reads rows as the unit sees them.
    fn read<T>(&mut self, read: impl FnOnce(View<'_>) -> T) -> Result<T, StoreError> {
        self.run(|unit| Ok(read(unit.store.data().seen_by(&unit.rows))))
    }

    fn lock_products(&mut self, wanted: &[LockRequest]) -> Result<Vec<Product>, StoreError> {
        let mut in_order: Vec<_> = wanted.iter().collect();
        in_order.sort_by_key(|wanted| &wanted.sku);
        let mut decided_at = BTreeMap::new();
        for wanted in in_order {
            if let Some(at) = self.lock_product(wanted)? {
                decided_at.insert(&wanted.sku, at);
            }
        }
        self.lock_orders(wanted)?;
        let now = self.store.now();
        let share = Product::share_of(decided_at.len());
        let database = self.store.data();
        let all: Vec<_> = database.seen_by(&self.rows).products().collect();
        let mut products = Vec::with_capacity(decided_at.len());
        for wanted in wanted {
            let Some((rows, decided_at)) = self.rows.products.get(&wanted.sku).zip(decided_at.get(&wanted.sku)) else {
                continue;
            };
            let ended = |order_id: &OrderId| {
                let others = all.iter().filter(|(sku, _)| **sku != wanted.sku);
                others.filter_map(|(_, rows)| rows.end_of(order_id, now)).next()
            };
            let ended: Vec<(OrderId, OrderEnd)> =
                wanted.standalone.iter().filter_map(|order_id| Some((order_id.clone(), ended(order_id)?))).collect();
            let product = Product::restore(rows.state(wanted, ended, now, share));
            products.push(product.locked_at(LockTime { now, decided_at: *decided_at }));
        }
        Ok(products)
    }

    /// Locks a product that exists or is to be created, and returns the instant at which it is decided.
    fn lock_product(&mut self, wanted: &LockRequest) -> Result<Option<DateTime<Utc>>, StoreError> {
        let stored = |unit: &Self| unit.store.data().seen_by(&unit.rows).product(&wanted.sku).cloned();
        let before = stored(self);
        if before.is_none() && !wanted.create {
            return Ok(None);
        }
        self.acquire(&Key::Product(wanted.sku.clone()))?;
        let rows = if self.store.faults().read_before_lock { before } else { stored(self) };
        let mut rows = rows.unwrap_or_default();
        let decided_at = rows.enter(self.store.now());
        self.rows.products.insert(wanted.sku.clone(), rows);
        Ok(Some(decided_at))
    }

    /// Locks the orders of standalone lines, and restores the named orders that are archived.
    fn lock_orders(&mut self, wanted: &[LockRequest]) -> Result<(), StoreError> {
        let standalone: BTreeSet<_> = wanted.iter().flat_map(|wanted| &wanted.standalone).collect();
        let named: BTreeSet<_> = wanted.iter().flat_map(|wanted| &wanted.order_ids).chain(standalone.clone()).collect();
        for order_id in named {
            let is_archived = |unit: &Self| unit.store.data().seen_by(&unit.rows).is_archived(order_id);
            if is_archived(self) || standalone.contains(order_id) {
                self.acquire(&Key::Order(order_id.clone()))?;
                if is_archived(self) {
                    self.rows.archived.insert(order_id.clone(), false);
                }
            }
        }
        Ok(())
    }

    /// Archives an order with lines of these products, which the unit has locked; returns the number of lines.
    fn archive_order(&mut self, order_id: &OrderId, skus: &[Sku]) -> Result<u64, StoreError> {
        let database = self.store.data();
        let view = database.seen_by(&self.rows);
        let has_completed = |sku: &Sku| view.product(sku).is_some_and(|rows| rows.completed.contains_key(order_id));
        if !view.skus_of(order_id).eq(skus) || !skus.iter().all(has_completed) {
            return Err(StoreError::Conflict(NotComplete(order_id.clone()).into()));
        }
        drop(database);
        self.rows.archived.insert(order_id.clone(), true);
        Ok(count(skus.len()))
    }

    /// Locks the products that no other unit has locked, and returns the others.
    fn lock_unlocked(&mut self, skus: &[Sku]) -> Vec<Sku> {
        let mut database = self.store.data();
        let exists = |sku: &&Sku| database.seen_by(&self.rows).product(sku).is_some();
        let existing: Vec<_> = skus.iter().filter(exists).collect();
        let held = existing.into_iter().filter(|sku| !database.locks.try_lock(self.id, &Key::Product((*sku).clone())));
        held.cloned().collect()
    }

    fn save_products(&mut self, products: &[Product], contexts: &EventContexts) -> Result<(), StoreError> {
        let changed = products.iter().map(|product| (product, product.changes()));
        let changed: Vec<_> = changed.filter(|(_, changes)| !changes.is_empty()).collect();
        if let Some((product, _)) = changed.iter().find(|(product, _)| product.lock_time().is_none()) {
            return Err(StoreError::Failed(NotLocked(product.sku().clone()).into()));
        }
        let claimed = self.claim_keys(&changed)?;
        for (product, changes) in &changed {
            let Some(rows) = self.rows.products.get_mut(product.sku()) else {
                return Err(StoreError::invariant("locked_product_exists", NotLocked(product.sku().clone())));
            };
            rows.apply(product, changes)?;
            self.record_events(product, changes, contexts)?;
        }
        self.check_keys(&claimed)
    }

    fn record_events(
        &mut self,
        product: &Product,
        changes: &Changes<'_>,
        contexts: &EventContexts,
    ) -> Result<(), StoreError> {
        let Some(LockTime { decided_at, .. }) = product.lock_time() else { return Ok(()) };
        if self.rows.has_version(changes.sku, changes.version) {
            return Err(StoreError::invariant("outbox_pkey", NotLocked(changes.sku.clone())));
        }
        for (place, (ordinal, event)) in (0..).zip(changes.events).enumerate() {
            let (sku, version) = (changes.sku.clone(), changes.version);
            let context = contexts.of(changes.sku, place).cloned().unwrap_or_default();
            let (event, actor) = (event.clone(), context.actor.clone());
            let recorded = RecordedEvent { sku, version, ordinal, occurred_at: decided_at, event, actor };
            self.rows.outbox.push(OutboxEvent::new(recorded, context)?);
        }
        Ok(())
    }
}

impl UnitOfWork for Unit {
    fn products(&mut self) -> &mut dyn ProductRepository {
        self
    }

    fn orders(&mut self) -> &mut dyn OrderRepository {
        self
    }

    fn pick_lists(&mut self) -> &mut dyn PickListRepository {
        self
    }

    fn documents(&mut self) -> &mut dyn StockDocuments {
        self
    }

    fn counts(&mut self) -> &mut dyn StockCounts {
        self
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.run(|unit| {
            let (mut database, rows) = (unit.store.data(), std::mem::take(&mut unit.rows));
            if unit.store.faults().late_commits {
                database.late.push((unit.id, rows));
            } else {
                database.commit(unit.id, rows);
            }
            Ok(())
        })?;
        self.state = State::Ended;
        self.store.scheduler().release();
        Ok(())
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if self.state != State::Ended {
            self.store.data().locks.release(self.id);
            self.store.scheduler().release();
        }
    }
}

impl ProductRepository for Unit {
    fn sku_of(&mut self, reference: &BatchReference) -> Result<Option<Sku>, StoreError> {
        self.read(|view| view.batch(reference).map(|row| row.batch.sku().clone()))
    }

    fn skus_of_batches(&mut self, references: &[BatchReference]) -> Result<BTreeMap<BatchReference, Sku>, StoreError> {
        self.read(|view| {
            let sku =
                |reference: &BatchReference| Some((reference.clone(), view.batch(reference)?.batch.sku().clone()));
            references.iter().filter_map(sku).collect()
        })
    }

    fn find_batch(&mut self, reference: &BatchReference) -> Result<Option<FoundBatch>, StoreError> {
        self.read(|view| {
            let row = view.batch(reference)?;
            Some(FoundBatch { batch: row.batch.clone(), added_quantity: row.added_quantity, added_eta: row.added_eta })
        })
    }

    fn lock(&mut self, wanted: &[LockRequest]) -> Result<Vec<Product>, StoreError> {
        self.run(|unit| unit.lock_products(wanted))
    }

    fn locked_by_others(&mut self, skus: &[Sku]) -> Result<Vec<Sku>, StoreError> {
        self.run(|unit| Ok(unit.lock_unlocked(skus)))
    }

    fn load(&mut self, product: &mut Product, needed: &DataRequest) -> Result<(), StoreError> {
        self.run(|unit| {
            let database = unit.store.data();
            let rows = database.seen_by(&unit.rows).product(product.sku()).cloned();
            drop(database);
            rows.unwrap_or_default().load(product, needed);
            Ok(())
        })
    }

    fn with_expired_holds(&mut self, now: DateTime<Utc>, limit: u16) -> Result<Vec<Sku>, StoreError> {
        self.read(|view| {
            let mut expired = Vec::new();
            let mut unserved = Vec::new();
            for (sku, rows) in view.products() {
                let lines = rows.lines.values().filter(|line| has_expired(line, now));
                match lines.filter_map(|line| line.commitment.expires_at()).min() {
                    Some(expires_at) => expired.push((expires_at, sku)),
                    None if rows.flags.unserved => unserved.push(sku),
                    None => {}
                }
            }
            expired.sort_unstable();
            let skus = expired.into_iter().map(|(_, sku)| sku).chain(unserved);
            skus.take(usize::from(limit)).cloned().collect()
        })
    }

    fn save(&mut self, products: &[Product], contexts: &EventContexts) -> Result<(), StoreError> {
        self.run(|unit| unit.save_products(products, contexts))
    }
}

impl OrderRepository for Unit {
    fn find(&mut self, order_ids: &[OrderId]) -> Result<Vec<NewOrder>, StoreError> {
        let order_ids: BTreeSet<_> = order_ids.iter().collect();
        self.read(|view| order_ids.into_iter().filter_map(|order_id| view.placed(order_id)).cloned().collect())
    }

    fn with_lines(&mut self, order_ids: &[OrderId]) -> Result<Vec<OrderId>, StoreError> {
        let order_ids: BTreeSet<_> = order_ids.iter().collect();
        self.read(|view| {
            let has_lines = |order_id: &&OrderId| view.skus_of(order_id).next().is_some();
            order_ids.into_iter().filter(has_lines).cloned().collect()
        })
    }

    fn skus_of(&mut self, order_id: &OrderId) -> Result<Vec<Sku>, StoreError> {
        self.read(|view| view.skus_of(order_id).cloned().collect())
    }

    fn load(&mut self, order_id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.read(|view| {
            let lines: Vec<_> = view.lines(order_id).map(|(sku, line)| (sku.clone(), line)).collect();
            (!lines.is_empty()).then(|| Order { order_id: order_id.clone(), lines })
        })
    }

    fn lock_lines(&mut self, order_id: &OrderId, skus: &[Sku]) -> Result<(), StoreError> {
        self.run(|unit| unit.lock_order(order_id, skus))
    }

    fn add(&mut self, orders: &[NewOrder], _: DateTime<Utc>) -> Result<(), StoreError> {
        self.run(|unit| {
            let mut orders: Vec<_> = orders.iter().collect();
            orders.sort_by_key(|order| order.order_id());
            for order in orders {
                unit.claim_order(order.order_id())?;
                unit.rows.orders.insert(order.order_id().clone(), order.clone());
            }
            Ok(())
        })
    }

    fn prepare_archive(&mut self, _: DateTime<Utc>, _: u16) -> Result<usize, StoreError> {
        // One program has the store to itself, and it records every completion.
        self.run(|_| Ok(0))
    }

    fn archive(&mut self, orders: &[(OrderId, Vec<Sku>)]) -> Result<u64, StoreError> {
        self.run(|unit| orders.iter().map(|(order_id, skus)| unit.archive_order(order_id, skus)).sum())
    }
}

impl PickListRepository for Unit {
    fn find(&mut self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError> {
        self.read(|view| view.pick_list(list_id))
    }

    fn request(&mut self, list_id: &PickListId) -> Result<Option<NewPickList>, StoreError> {
        self.read(|view| view.pick_list_row(list_id).map(|row| row.request.clone()))
    }

    fn find_lines(&mut self, ids: &[PickLineId]) -> Result<BTreeMap<PickLineId, PickLine>, StoreError> {
        self.read(|view| {
            let line = |id| view.products().find_map(|(_, rows)| rows.pick_lines.get(id)).cloned();
            ids.iter().filter_map(|id| Some((id.clone(), line(id)?))).collect()
        })
    }

    fn add(&mut self, list: &NewPickList, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.run(|unit| {
            unit.claim_pick_list(list.list_id())?;
            let row = PickListRow { request: list.clone(), created_at: at };
            unit.rows.pick_lists.insert(list.list_id().clone(), row);
            Ok(())
        })
    }
}

impl StockDocuments for Unit {
    fn find(&mut self, id: &StockDocumentId) -> Result<Option<StockDocument>, StoreError> {
        self.read(|view| view.document(id).cloned())
    }

    fn add(&mut self, document: &StockDocument) -> Result<(), StoreError> {
        self.run(|unit| {
            unit.claim_document(&document.id())?;
            unit.rows.documents.insert(document.id(), document.clone());
            Ok(())
        })
    }

    fn prepare_returns(&mut self) -> Result<(), StoreError> {
        // One program at a time has the rows.
        Ok(())
    }
}

impl StockCounts for Unit {
    fn countable(&mut self, scope: &CountScope, limit: usize) -> Result<Vec<(Sku, BatchReference)>, StoreError> {
        self.read(|view| {
            let is_wanted = |batch: &Batch| match scope {
                CountScope::Skus(skus) => skus.contains(batch.sku()) && batch.on_hand() > 0,
                CountScope::References(references) => references.contains(batch.reference()),
            };
            let rows = view.products().flat_map(|(_, rows)| rows.batches.values()).map(|row| &row.batch);
            let wanted = rows.filter(|batch| batch.eta() == Eta::InStock && is_wanted(batch));
            wanted.take(limit).map(|batch| (batch.sku().clone(), batch.reference().clone())).collect()
        })
    }

    fn counted(&mut self, references: &[BatchReference]) -> Result<Option<(BatchReference, CountId)>, StoreError> {
        self.read(|view| {
            let found = |reference: &BatchReference| {
                view.count_of(reference).map(|count| (reference.clone(), count.count_id().clone()))
            };
            references.iter().find_map(found)
        })
    }

    fn find(&mut self, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
        self.read(|view| view.count(count_id).cloned())
    }

    fn lock(&mut self, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
        self.run(|unit| unit.acquire(&Key::Count(count_id.clone())))?;
        StockCounts::find(self, count_id)
    }

    fn add(&mut self, count: &StockCount) -> Result<(), StoreError> {
        self.run(|unit| {
            unit.claim_count(count)?;
            unit.rows.counts.insert(count.count_id().clone(), Some(count.clone()));
            Ok(())
        })
    }

    fn save(&mut self, count: &StockCount) -> Result<(), StoreError> {
        self.run(|unit| {
            unit.rows.counts.insert(count.count_id().clone(), Some(count.clone()));
            Ok(())
        })
    }

    fn remove(&mut self, count_id: &CountId) -> Result<(), StoreError> {
        self.run(|unit| {
            unit.rows.counts.insert(count_id.clone(), None);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WallClock;
    use std::sync::Arc;

    #[test]
    fn a_unit_beyond_the_limit_begins_only_after_another_has_ended() {
        let store = MemoryStore::new(Arc::new(WallClock::default()));
        let begin = || store.begin(LockWait::Short);
        let mut open: Vec<_> = (0..MAX_UNITS).map(|_| begin().unwrap()).collect();
        assert!(matches!(begin(), Err(StoreError::Busy(_))));
        open.pop().unwrap().commit().unwrap();
        open.push(begin().unwrap());
        assert!(matches!(begin(), Err(StoreError::Busy(_))));
        drop(open.pop());
        assert!(begin().is_ok());
    }
}

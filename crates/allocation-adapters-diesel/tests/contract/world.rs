//! A migrated database with a store, and words for what tests do with them.

use allocation_adapters_diesel::{DatabaseUrl, Dialect, Store};
use allocation_domain::{
    AllocateError, AllocationOutcome, Batch, BatchReference, DeallocateError, Eta, OrderId, Product, Quantity, Sku,
};
use allocation_ports::{
    AllocationCursor, AllocationFilter, AllocationRow, BatchCursor, BatchFilter, LockWait, PageSize, Queries,
    StoreError, UnitOfWork, UnitOfWorkFactory, Wanted,
};
use allocation_test_support::TestDatabase;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::atomic::{AtomicI64, Ordering};

pub struct World {
    pub store: Store,
    pub database: TestDatabase,
    clock: AtomicI64,
}

pub fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub fn reference(text: &str) -> BatchReference {
    BatchReference::parse(text).unwrap()
}

pub fn order(text: &str) -> OrderId {
    OrderId::parse(text).unwrap()
}

pub fn quantity(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

pub fn due(date: &str) -> Eta {
    Eta::Due(date.parse().unwrap())
}

/// So many microseconds after a day in 2026.
pub fn instant(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap() + TimeDelta::microseconds(microseconds)
}

/// What allocating lines needs.
pub fn to_allocate(name: &str, order_ids: &[&str]) -> Wanted {
    let order_ids = order_ids.iter().map(|id| order(id)).collect();
    Wanted { open_batches: true, order_ids, ..Wanted::product(sku(name)) }
}

pub fn connect(database: &TestDatabase, pool_size: u32) -> Store {
    Store::connect(&DatabaseUrl::parse(database.url()).unwrap(), pool_size).unwrap()
}

/// The one product that a lock is to give.
pub fn lock_one(unit: &mut dyn UnitOfWork, wanted: Wanted) -> Product {
    let mut products = unit.products().lock(&[wanted]).unwrap();
    assert_eq!(products.len(), 1);
    products.remove(0)
}

impl World {
    pub fn new(database: TestDatabase) -> Self {
        Self::with_pool(database, 8)
    }

    pub fn with_pool(database: TestDatabase, pool_size: u32) -> Self {
        let store = connect(&database, pool_size);
        store.migrations().up().unwrap();
        Self { store, database, clock: AtomicI64::new(0) }
    }

    pub fn is_postgres(&self) -> bool {
        self.store.dialect() == Dialect::Postgres
    }

    pub fn now(&self) -> DateTime<Utc> {
        instant(self.clock.fetch_add(1, Ordering::Relaxed))
    }

    pub fn begin(&self) -> Box<dyn UnitOfWork> {
        self.store.begin(LockWait::Usual).unwrap()
    }

    /// Runs `work` on a locked product and stores what came of it.
    pub fn change<T>(&self, wanted: Wanted, work: impl FnOnce(&mut Product) -> T) -> Result<T, StoreError> {
        let mut unit = self.store.begin(LockWait::Usual)?;
        let mut products = unit.products().lock(&[wanted])?;
        let answer = work(&mut products[0]);
        unit.products().save(&products, self.now())?;
        unit.commit()?;
        Ok(answer)
    }

    pub fn add(&self, name: &str, batch: &str, units: u32, eta: Eta) -> Batch {
        self.add_at(name, batch, units, eta, self.now())
    }

    pub fn add_at(&self, name: &str, batch: &str, units: u32, eta: Eta, at: DateTime<Utc>) -> Batch {
        let wanted = Wanted { create: true, ..Wanted::product(sku(name)) };
        self.change(wanted, |product| product.add_batch(reference(batch), quantity(units), eta, at).unwrap().clone())
            .unwrap()
    }

    /// Allocates a line; loads all open batches when the first ones do not decide.
    pub fn allocate(&self, name: &str, order_id: &str, units: u32) -> Result<AllocationOutcome, AllocateError> {
        let mut unit = self.begin();
        let mut product = lock_one(&mut *unit, to_allocate(name, &[order_id]));
        let mut outcome = product.allocate(&order(order_id), quantity(units));
        if outcome == Err(AllocateError::MoreBatchesNeeded) {
            unit.products().load_all_open_batches(&mut product).unwrap();
            outcome = product.allocate(&order(order_id), quantity(units));
        }
        unit.products().save(&[product], self.now()).unwrap();
        unit.commit().unwrap();
        outcome
    }

    pub fn deallocate(&self, name: &str, order_id: &str, batch: &str) -> Result<Quantity, DeallocateError> {
        let wanted =
            Wanted { batches: vec![reference(batch)], order_ids: vec![order(order_id)], ..Wanted::product(sku(name)) };
        self.change(wanted, |product| product.deallocate(&order(order_id), &reference(batch))).unwrap()
    }

    pub fn remove_batch(&self, name: &str, batch: &str) {
        let wanted = Wanted { batches: vec![reference(batch)], ..Wanted::product(sku(name)) };
        self.change(wanted, |product| product.remove_batch(&reference(batch))).unwrap().unwrap();
    }

    pub fn batch(&self, batch: &str) -> Option<Batch> {
        self.store.batch(&reference(batch)).unwrap()
    }

    /// How many units of a batch are allocated.
    pub fn allocated(&self, batch: &str) -> u32 {
        self.batch(batch).unwrap().allocated()
    }

    /// All allocations that fit, in pages of `page` rows.
    pub fn allocations(&self, filter: &AllocationFilter, page: u16) -> Vec<AllocationRow> {
        let mut rows: Vec<AllocationRow> = Vec::new();
        loop {
            let after = rows.last().map(AllocationCursor::from);
            let more = self.store.allocations(filter, after, PageSize::new(page).unwrap()).unwrap();
            let last = more.len() < usize::from(page);
            rows.extend(more);
            if last {
                return rows;
            }
        }
    }

    /// All batches that fit, in pages of `page` rows.
    pub fn batches(&self, filter: &BatchFilter, page: u16) -> Vec<Batch> {
        let mut rows: Vec<Batch> = Vec::new();
        loop {
            let after = rows.last().map(BatchCursor::from);
            let more = self.store.batches(filter, after, PageSize::new(page).unwrap()).unwrap();
            let last = more.len() < usize::from(page);
            rows.extend(more);
            if last {
                return rows;
            }
        }
    }

    /// Lines as `order sku batch quantity`, all of them.
    pub fn allocation_texts(&self) -> Vec<String> {
        let rows = self.allocations(&AllocationFilter::default(), 100);
        rows.iter().map(|row| format!("{} {} {} {}", row.order_id, row.sku, row.reference, row.quantity)).collect()
    }

    pub fn assert_counters_equal_sums(&self) {
        let wrong = self.database.count(
            "SELECT count(*) FROM batches b WHERE allocated_quantity <> (
                SELECT coalesce(sum(a.quantity), 0) FROM allocations a
                WHERE a.sku = b.sku AND a.reference = b.reference
            )",
        );
        assert_eq!(wrong, 0, "counters that differ from the sum of their allocations");
    }
}

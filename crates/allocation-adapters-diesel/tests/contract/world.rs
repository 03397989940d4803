//! A migrated database with a store, and the actions of tests on them.

use crate::database::{Store, TestDatabase};
use allocation_domain::{
    AllocateError, Batch, BatchReference, DeallocateError, Eta, HoldDuration, LineAllocation, NewBatch, NewOrder,
    OnShortage, Order, OrderId, OrderTerms, Outcome, Pending, Product, Products, Quantity, Sku,
};
use allocation_ports::{
    AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow, BatchCursor, BatchFilter, BatchQueries,
    EventContexts, Lease, Leases, Loaded, LockRequest, LockWait, LogSequencer, PageSize, StoreError, UnitOfWork,
    UnitOfWorkFactory,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub struct World {
    pub store: Store,
    pub database: TestDatabase,
    pub clock: AtomicI64,
}

/// A SKU that some version accepted.
pub fn sku(text: &str) -> Sku {
    Sku::restore(text).unwrap()
}

/// A reference that some version accepted.
pub fn reference(text: &str) -> BatchReference {
    BatchReference::restore(text).unwrap()
}

/// An order id that some version accepted.
pub fn order(text: &str) -> OrderId {
    OrderId::restore(text).unwrap()
}

pub fn quantity(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

pub fn due(date: &str) -> Eta {
    Eta::Due(date.parse().unwrap())
}

/// An order with lines of these units.
pub fn new_order(name: &str, lines: &[(&str, u32)], terms: OrderTerms) -> NewOrder {
    let lines = lines.iter().map(|(name, units)| (sku(name), quantity(*units)));
    NewOrder::new(order(name), lines, terms).unwrap()
}

/// The terms of an order that is held.
pub fn held(seconds: u32) -> OrderTerms {
    OrderTerms { hold: Some(HoldDuration::from_seconds(seconds).unwrap()), ..OrderTerms::default() }
}

/// The terms of an order that accepts backorders.
pub fn waits(priority: i32) -> OrderTerms {
    OrderTerms { on_shortage: OnShortage::Backorder, priority, ..OrderTerms::default() }
}

/// An instant this many microseconds after a day in 2026.
pub fn instant(microseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap() + TimeDelta::microseconds(microseconds)
}

/// The rows for allocating lines.
pub fn to_allocate(name: &str, order_ids: &[&str]) -> LockRequest {
    let order_ids = order_ids.iter().map(|id| order(id)).collect();
    LockRequest { open_batches: true, order_ids, ..LockRequest::product(sku(name)) }
}

/// The rows for a standalone line.
pub fn standalone(name: &str, order_id: &str) -> LockRequest {
    LockRequest { open_batches: true, standalone: vec![order(order_id)], ..LockRequest::product(sku(name)) }
}

/// Returns the one product of a lock.
pub fn lock_one(unit: &mut dyn UnitOfWork, wanted: LockRequest) -> Product {
    let mut products = unit.products().lock(&[wanted]).unwrap();
    assert_eq!(products.len(), 1);
    products.remove(0)
}

/// Decides on locked products, and loads the rows that the decision needs.
pub fn decide<P: Loaded, T, R>(
    unit: &mut dyn UnitOfWork,
    locked: &mut P,
    decision: impl FnMut(&mut P) -> Result<T, Pending<R>>,
) -> Result<T, R> {
    unit.decide(locked, decision).unwrap()
}

/// Returns a decision without its result: a refusal is as good a random step as any other.
pub fn taken<T, R>(decided: Result<T, Pending<R>>) -> Result<(), Pending<Infallible>> {
    match decided {
        Ok(_) | Err(Pending::Refused(_)) => Ok(()),
        Err(Pending::Load(request)) => Err(Pending::Load(request)),
        Err(Pending::CatchUp(sku)) => Err(Pending::CatchUp(sku)),
    }
}

impl World {
    /// Sequences all events, each as a block of its own.
    pub fn sequence_all(&self) {
        let (lease, time) = (Lease { name: "events", holder: "me".to_owned() }, Duration::from_secs(30));
        assert!(self.store.take(&lease, time).unwrap());
        while self.store.sequence(&lease, time, 1).unwrap().events > 0 {}
    }

    pub fn new(database: TestDatabase) -> Self {
        Self::with_pool(database, 8)
    }

    pub fn now(&self) -> DateTime<Utc> {
        instant(self.clock.fetch_add(1, Ordering::Relaxed))
    }

    pub fn begin(&self) -> Box<dyn UnitOfWork> {
        self.store.begin(LockWait::Usual).unwrap()
    }

    /// Runs `work` in a unit and commits it.
    pub fn begin_and<T>(
        &self,
        work: impl FnOnce(&mut dyn UnitOfWork) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut unit = self.store.begin(LockWait::Usual)?;
        let answer = work(&mut *unit)?;
        unit.commit()?;
        Ok(answer)
    }

    /// Runs `work` on a locked product and saves it.
    pub fn change<T>(&self, wanted: LockRequest, work: impl FnOnce(&mut Product) -> T) -> Result<T, StoreError> {
        self.set_time(self.now());
        let mut unit = self.store.begin(LockWait::Usual)?;
        let mut products = unit.products().lock(&[wanted])?;
        let answer = work(&mut products[0]);
        unit.products().save(&products, &EventContexts::default())?;
        unit.commit()?;
        Ok(answer)
    }

    /// Decides on a locked product, loads requested rows, and saves it.
    pub fn decide<T, R>(
        &self,
        wanted: LockRequest,
        now: DateTime<Utc>,
        decision: impl FnMut(&mut Product) -> Result<T, Pending<R>>,
    ) -> Result<T, R> {
        self.set_time(now);
        let mut unit = self.begin();
        let mut product = unit.products().lock(&[wanted]).unwrap().remove(0);
        let decided = decide(&mut *unit, &mut product, decision);
        unit.products().save(&[product], &EventContexts::default()).unwrap();
        unit.commit().unwrap();
        decided
    }

    pub fn add(&self, name: &str, batch: &str, units: u32, eta: Eta) -> Batch {
        self.add_at(name, batch, units, eta, self.now())
    }

    pub fn add_at(&self, name: &str, batch: &str, units: u32, eta: Eta, at: DateTime<Utc>) -> Batch {
        let wanted = LockRequest { create: true, ..LockRequest::product(sku(name)) };
        self.decide(wanted, at, |product| {
            product.add_batch(NewBatch::new(reference(batch), quantity(units), eta), at).cloned()
        })
        .unwrap()
    }

    pub fn allocate(&self, name: &str, order_id: &str, units: u32) -> Result<Outcome<LineAllocation>, AllocateError> {
        let now = self.now();
        let order_id = order(order_id);
        self.decide(standalone(name, order_id.as_str()), now, |product| {
            product.allocate(&order_id, quantity(units), now)
        })
    }

    /// Allocates a line at an instant.
    pub fn allocate_at(&self, name: &str, order_id: &str, units: u32, now: DateTime<Utc>) {
        let order_id = order(order_id);
        let wanted = to_allocate(name, &[order_id.as_str()]);
        self.decide(wanted, now, |product| product.allocate(&order_id, quantity(units), now)).unwrap();
    }

    pub fn deallocate(&self, name: &str, order_id: &str, batch: &str) -> Result<Quantity, DeallocateError> {
        let (now, order_id, batch) = (self.now(), order(order_id), reference(batch));
        let wanted = LockRequest {
            batches: vec![batch.clone()],
            order_ids: vec![order_id.clone()],
            ..LockRequest::product(sku(name))
        };
        self.decide(wanted, now, |product| product.deallocate(&order_id, &batch, now))
    }

    /// Places an order of one line.
    pub fn place(&self, placed: &NewOrder, now: DateTime<Utc>) -> Order {
        let name = placed.lines()[0].0.as_str();
        let wanted = LockRequest { create: true, ..to_allocate(name, &[placed.order_id().as_str()]) };
        self.decide(wanted, now, |product| self.with_order(product, |products| products.place(placed, now))).unwrap()
    }

    /// Decides on an order of which only one product is loaded.
    pub fn with_order<T>(&self, product: &mut Product, decide: impl FnOnce(&mut Products) -> T) -> T {
        let mut products = Products::from_iter([product.clone()]);
        let decided = decide(&mut products);
        *product = products.into_iter().next().unwrap();
        decided
    }

    pub fn remove_batch(&self, name: &str, batch: &str) {
        let wanted = LockRequest { batches: vec![reference(batch)], ..LockRequest::product(sku(name)) };
        self.change(wanted, |product| product.remove_batch(&reference(batch), self.now())).unwrap().unwrap();
    }

    pub fn batch(&self, batch: &str) -> Option<Batch> {
        self.store.batch(&reference(batch), instant(0)).unwrap()
    }

    /// Returns the allocated units of a batch.
    pub fn allocated(&self, batch: &str) -> u32 {
        self.batch(batch).unwrap().allocated()
    }

    /// Returns all matching allocations, in pages of `page` rows.
    pub fn allocations(&self, filter: &AllocationFilter, page: u16) -> Vec<AllocationRow> {
        self.allocations_at(filter, page, instant(0))
    }

    pub fn allocations_at(&self, filter: &AllocationFilter, page: u16, now: DateTime<Utc>) -> Vec<AllocationRow> {
        let mut rows: Vec<AllocationRow> = Vec::new();
        loop {
            let after = rows.last().map(AllocationCursor::from);
            let more = self.store.allocations(filter, after, PageSize::new(page).unwrap(), now).unwrap();
            let last = more.len() < usize::from(page);
            rows.extend(more);
            if last {
                return rows;
            }
        }
    }

    /// Returns all matching batches, in pages of `page` rows.
    pub fn batches(&self, filter: &BatchFilter, page: u16) -> Vec<Batch> {
        self.batches_at(filter, page, instant(0))
    }

    pub fn batches_at(&self, filter: &BatchFilter, page: u16, now: DateTime<Utc>) -> Vec<Batch> {
        let mut rows: Vec<Batch> = Vec::new();
        loop {
            let after = rows.last().map(BatchCursor::from);
            let more = self.store.batches(filter, after, PageSize::new(page).unwrap(), now).unwrap();
            let last = more.len() < usize::from(page);
            rows.extend(more);
            if last {
                return rows;
            }
        }
    }

    /// Returns all lines as `order sku batch quantity`.
    pub fn allocation_texts(&self) -> Vec<String> {
        let rows = self.allocations(&AllocationFilter::default(), 100);
        rows.iter().map(|row| format!("{} {} {} {}", row.order_id, row.sku, row.reference, row.quantity)).collect()
    }
}

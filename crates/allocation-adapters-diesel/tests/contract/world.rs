//! A migrated database with a store, and the actions of tests on them.

use allocation_adapters_diesel::{DatabaseUrl, Dialect, Store};
use allocation_domain::{
    AllocateError, Batch, BatchReference, DeallocateError, Eta, HoldDuration, LineAllocation, NewOrder, OnShortage,
    Order, OrderId, OrderTerms, Outcome, Pending, Product, Products, Quantity, Sku,
};
use allocation_ports::{
    AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow, BatchCursor, BatchFilter, BatchQueries,
    EventContexts, Loaded, LockRequest, LockWait, PageSize, StoreError, UnitOfWork, UnitOfWorkFactory,
};
use allocation_test_support::TestDatabase;
use chrono::{DateTime, TimeDelta, Utc};
use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};

pub struct World {
    pub store: Store,
    pub database: TestDatabase,
    clock: AtomicI64,
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

pub fn connect(database: &TestDatabase, pool_size: u32) -> Store {
    Store::connect(&DatabaseUrl::parse(database.url()).unwrap(), pool_size).unwrap()
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
    pub fn new(database: TestDatabase) -> Self {
        Self::with_pool(database, 8)
    }

    pub fn with_pool(database: TestDatabase, pool_size: u32) -> Self {
        let store = connect(&database, pool_size);
        store.migrations().up().unwrap();
        store.clock().stop_at(instant(0));
        Self { store, database, clock: AtomicI64::new(0) }
    }

    pub fn is_postgres(&self) -> bool {
        self.store.dialect() == Dialect::Postgres
    }

    /// Adds lines by SQL, with slots in their orders on PostgreSQL.
    pub fn insert_lines(&self, sql: &str) {
        if !self.is_postgres() {
            return self.database.execute(sql);
        }
        self.database.execute("DROP INDEX order_lines_by_order");
        self.database.execute(sql);
        self.database.execute(
            "UPDATE order_lines SET order_slot = sku;
             CREATE UNIQUE INDEX order_lines_by_order ON order_lines (order_id, order_slot)",
        );
    }

    pub fn now(&self) -> DateTime<Utc> {
        instant(self.clock.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes units of work decide at this instant from now on.
    pub fn set_time(&self, now: DateTime<Utc>) {
        self.store.clock().stop_at(now);
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
        self.decide(wanted, at, |product| product.add_batch(reference(batch), quantity(units), eta, at).cloned())
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

    /// The stored totals of a product: in stock, in transit, held, backordered, and the number of waiting
    /// lines.
    pub fn totals(&self, name: &str) -> [i64; 5] {
        ["in_stock", "on_its_way", "held", "backordered", "waiting_lines"]
            .map(|column| self.database.count(&format!("SELECT {column} FROM products WHERE sku = '{name}'")))
    }

    pub fn assert_events_are_in_order(&self) {
        let earlier = self.database.count(
            "SELECT count(*) FROM outbox a JOIN outbox b ON a.sku = b.sku
             WHERE a.version < b.version AND a.occurred_at > b.occurred_at",
        );
        assert_eq!(earlier, 0, "events recorded before those of an earlier version");
    }

    pub fn assert_totals_equal_sums(&self) {
        let sums = [
            (
                "in_stock",
                "coalesce(sum(purchased_quantity - shipped_quantity - missing_quantity), 0) FROM batches r WHERE eta IS NULL",
            ),
            (
                "on_its_way",
                "coalesce(sum(purchased_quantity - shipped_quantity - missing_quantity), 0) FROM batches r WHERE eta IS NOT NULL",
            ),
            (
                "held",
                "coalesce(sum(a.quantity), 0) FROM allocations a
                 JOIN order_lines r ON r.sku = a.sku AND r.order_id = a.order_id WHERE expires_at IS NOT NULL",
            ),
            ("picked", "coalesce(sum(picked_quantity), 0) FROM batches r WHERE true"),
            ("backordered", "coalesce(sum(waiting), 0) FROM order_lines r WHERE true"),
            ("held_lines", "count(*) FROM order_lines r WHERE expires_at IS NOT NULL"),
            ("waiting_lines", "count(*) FROM order_lines r WHERE waiting > 0"),
        ];
        for (column, sum) in sums {
            let wrong = format!("SELECT count(*) FROM products p WHERE {column} <> (SELECT {sum} AND r.sku = p.sku)");
            assert_eq!(self.database.count(&wrong), 0, "{column} differs from the sum of its rows");
        }
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

    pub fn assert_counters_equal_sums(&self) {
        let wrong = self.database.count(
            "SELECT count(*) FROM batches b WHERE allocated_quantity <> (
                SELECT coalesce(sum(a.quantity), 0) FROM allocations a
                WHERE a.sku = b.sku AND a.reference = b.reference
            )",
        );
        assert_eq!(wrong, 0, "counters that differ from the sum of their allocations");
        let picked = |status: &str, of: &str| {
            format!("(SELECT coalesce(sum(p.picked), 0) FROM pick_list_lines p WHERE p.status = '{status}' AND {of})")
        };
        let of_batch = "p.reference = t.reference";
        let (picked_of, shipped_of) = (picked("picked", of_batch), picked("shipped", of_batch));
        let batches = format!(
            "SELECT count(*) FROM batches t WHERE picked_quantity <> {picked_of} OR shipped_quantity <> {shipped_of}"
        );
        let of_line = "p.sku = t.sku AND p.order_id = t.order_id";
        let (picked_of, shipped_of) = (picked("picked", of_line), picked("shipped", of_line));
        let lines = format!(
            "SELECT count(*) FROM order_lines t WHERE picked <> {picked_of} OR shipped <> {shipped_of}
             OR listed <> (SELECT coalesce(sum(p.quantity), 0) FROM pick_list_lines p
                           WHERE p.status = 'open' AND {of_line})"
        );
        let reserved = "
            SELECT count(*) FROM (
                SELECT sku, order_id, reference, sum(quantity) AS listed FROM pick_list_lines
                WHERE status = 'open' GROUP BY sku, order_id, reference
            ) AS p
            LEFT JOIN allocations a ON a.sku = p.sku AND a.order_id = p.order_id AND a.reference = p.reference
            WHERE a.quantity IS NULL OR a.quantity < p.listed";
        for (wrong, what) in [(&*batches, "batches"), (&*lines, "lines"), (reserved, "reservations")] {
            assert_eq!(self.database.count(wrong), 0, "{what} that differ from their pick lines");
        }
    }
}

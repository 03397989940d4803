//! A store in memory as a database of the suite.

use crate::world::{World, instant};
use allocation_domain::{Eta, ReservationState};
use allocation_ports::{
    AllocationCursor, AllocationFilter, AllocationQueries, BackorderFilter, BackorderQueries, BatchFilter, Clock,
    EventLog, HistoryQueries, OrderFilter, OrderQueries, PageSize, PickListFilter, PickListQueries, ProductQueries,
    RelayStore, Subject,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub use allocation_adapters_memory::MemoryStore as Store;

/// Before all holds expire.
const EVER: DateTime<Utc> = DateTime::<Utc>::MIN_UTC;

/// A clock that stands still where a test has stopped it.
#[derive(Debug, Default)]
struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

pub struct TestDatabase {
    store: Store,
    clock: Arc<StoppedClock>,
}

impl TestDatabase {
    pub fn memory() -> Self {
        let clock = Arc::new(StoppedClock::default());
        Self { store: Store::new(clock.clone()), clock }
    }

    /// Counts the rows of a table, the only question in SQL that a store in memory understands.
    #[track_caller]
    pub fn count(&self, sql: &str) -> i64 {
        let (store, page) = (&self.store, PageSize::LARGEST);
        let orders = || store.orders(&OrderFilter::default(), None, page, EVER).unwrap().orders;
        let rows = match sql.strip_prefix("SELECT count(*) FROM ") {
            Some("products") => store.products(None, page, EVER).unwrap().len(),
            Some("batches" | "batch_references") => self.batches().len(),
            Some("allocations") => self.allocated().len(),
            Some("order_lines") => orders().iter().map(|order| order.lines.len()).sum(),
            Some("outbox") => usize::try_from(store.unsequenced_count().unwrap()).unwrap(),
            Some("all_events") => {
                let bounds = store.bounds().unwrap();
                usize::try_from(bounds.last + 1 - bounds.oldest + store.unsequenced_count().unwrap()).unwrap()
            }
            _ => panic!("a store in memory does not speak SQL: {sql}"),
        };
        i64::try_from(rows).unwrap()
    }

    pub fn execute(&self, sql: &str) {
        panic!("a store in memory does not speak SQL: {sql}");
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        panic!("a store in memory does not speak SQL: {sql}");
    }

    fn batches(&self) -> Vec<allocation_domain::Batch> {
        let batches = allocation_ports::BatchQueries::batches(
            &self.store,
            &BatchFilter::default(),
            None,
            PageSize::LARGEST,
            EVER,
        );
        batches.unwrap()
    }

    fn allocated(&self) -> Vec<allocation_ports::AllocationRow> {
        let mut rows: Vec<allocation_ports::AllocationRow> = Vec::new();
        loop {
            let after = rows.last().map(AllocationCursor::from);
            let page = self.store.allocations(&AllocationFilter::default(), after, PageSize::LARGEST, EVER).unwrap();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }
}

pub fn connect(database: &TestDatabase, _: u32) -> Store {
    database.store.clone()
}

impl World {
    pub fn with_pool(database: TestDatabase, pool_size: u32) -> Self {
        let store = connect(&database, pool_size);
        let world = Self { store, database, clock: AtomicI64::new(0) };
        world.set_time(instant(0));
        world
    }

    /// Units lock rows as on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        true
    }

    pub fn insert_lines(&self, sql: &str) {
        self.database.execute(sql);
    }

    /// Units of work decide at this instant from now on.
    pub fn set_time(&self, now: DateTime<Utc>) {
        self.database.clock.0.store(now.timestamp_micros(), Ordering::Relaxed);
    }

    /// Units in stock, in transit, held and backordered, and lines that wait.
    pub fn totals(&self, name: &str) -> [i64; 5] {
        let sku = crate::world::sku(name);
        let totals = self.store.product(&sku, EVER).unwrap().unwrap().totals;
        let filter = BackorderFilter { sku: Some(sku) };
        let waiting = self.store.backorders(&filter, None, PageSize::LARGEST, EVER).unwrap().len();
        [totals.in_stock, totals.on_its_way, totals.held, totals.backordered, u64::try_from(waiting).unwrap()]
            .map(|units| i64::try_from(units).unwrap())
    }

    pub fn assert_events_are_in_order(&self) {
        for order in self.store.orders(&OrderFilter::default(), None, PageSize::LARGEST, EVER).unwrap().orders {
            let mut events = self.store.history(&Subject::Order(order.order_id), None, PageSize::LARGEST).unwrap();
            events.sort_by_key(|event| (event.sku.clone(), event.version, event.ordinal));
            let by_sku = events.chunk_by(|one, other| one.sku == other.sku);
            by_sku.for_each(|events| assert!(events.is_sorted_by_key(|event| event.occurred_at), "{events:?}"));
        }
    }

    pub fn assert_totals_equal_sums(&self) {
        let orders = self.store.orders(&OrderFilter::default(), None, PageSize::LARGEST, EVER).unwrap().orders;
        let batches = self.database.batches();
        for product in self.store.products(None, PageSize::LARGEST, EVER).unwrap() {
            let on_hand = |in_stock: bool| {
                let of_sku = batches.iter().filter(|batch| *batch.sku() == product.sku);
                let fits = of_sku.filter(|batch| (batch.eta() == Eta::InStock) == in_stock);
                fits.map(|batch| u64::from(batch.on_hand())).sum::<u64>()
            };
            let lines = orders.iter().flat_map(|order| &order.lines).filter(|(sku, _)| *sku == product.sku);
            let (mut held, mut backordered) = (0, 0);
            for (_, line) in lines {
                backordered += u64::from(line.waiting);
                if matches!(line.commitment, ReservationState::Held { .. }) {
                    held += u64::from(line.allocated());
                }
            }
            let totals = product.totals;
            let counted = (totals.in_stock, totals.on_its_way, totals.held, totals.backordered);
            assert_eq!(counted, (on_hand(true), on_hand(false), held, backordered), "{}", product.sku);
        }
    }

    pub fn assert_counters_equal_sums(&self) {
        let mut sums: BTreeMap<_, [u32; 3]> = BTreeMap::new();
        for row in self.database.allocated() {
            sums.entry(row.reference).or_default()[0] += row.quantity.get();
        }
        for list in self.store.pick_lists(&PickListFilter::default(), None, PageSize::LARGEST).unwrap().lists {
            for (_, line) in self.store.pick_list(&list.list_id).unwrap().unwrap().list.lines {
                let sums = sums.entry(line.reference.clone()).or_default();
                sums[1] += line.to_ship();
                sums[2] += line.shipped;
            }
        }
        for batch in self.database.batches() {
            let counts = batch.counts();
            let sums = sums.get(batch.reference()).copied().unwrap_or_default();
            assert_eq!([counts.allocated, counts.picked, counts.shipped], sums, "{batch:?}");
        }
    }
}

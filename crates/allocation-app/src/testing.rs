//! Helpers of the use cases' unit tests.

mod shop;

pub(crate) use shop::Shop;

use crate::{RetryPolicy, UnitRunner, UseCases};
use allocation_domain::{
    Allocation, Batch, BatchReference, Eta, Event, LineState, LockTime, NewOrder, NewPickList, OrderId, OrderLine,
    OrderTerms, PickCriteria, PickLineId, PickListId, Product, ProductState, Products, Quantity, ReservationState, Sku,
};
use allocation_ports::mocks::{
    MockClock, MockOrderRepository, MockPickListRepository, MockProductRepository, MockQueries, MockStockDocuments,
    MockUnitOfWork, MockUnitOfWorkFactory,
};
use allocation_ports::{Span, SpanSink, StoreError, StoredPickList, UnitOfWork};
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub(crate) fn reference(text: &str) -> BatchReference {
    BatchReference::parse(text).unwrap()
}

pub(crate) fn order(text: &str) -> OrderId {
    OrderId::parse(text).unwrap()
}

pub(crate) fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

pub(crate) fn line(order_id: &str, sku_text: &str, quantity: u32) -> OrderLine {
    OrderLine::new(order(order_id), sku(sku_text), units(quantity)).unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(crate) fn batch(name: &str, sku_text: &str, purchased: u32) -> Batch {
    Batch::new(reference(name), sku(sku_text), units(purchased), Eta::InStock, DateTime::UNIX_EPOCH)
}

/// Returns the empty state of a product that was locked just now.
pub(crate) fn locked_state(sku_text: &str, version: u64) -> ProductState {
    let lock_time = Some(LockTime { now: now(), decided_at: now() });
    ProductState { lock_time, ..ProductState::new(sku(sku_text), version) }
}

/// Returns a locked product with these batches.
pub(crate) fn product(sku_text: &str, batches: Vec<Batch>) -> Product {
    Product::restore(ProductState { open_batches: batches, ..locked_state(sku_text, 7) })
}

/// Returns an order over SKUs with quantities.
pub(crate) fn new_order(order_id: &str, lines: &[(&str, u32)], terms: OrderTerms) -> NewOrder {
    NewOrder::new(order(order_id), lines.iter().map(|(name, quantity)| (sku(name), units(*quantity))), terms).unwrap()
}

/// Returns a locked product with one batch, of which a line of `O-1` holds some units.
pub(crate) fn product_with_line(sku_text: &str, purchased: u32, held: u32, commitment: ReservationState) -> Product {
    let batch = batch(&format!("B-{sku_text}"), sku_text, purchased).with_allocated(held).unwrap();
    let mut line = LineState::standalone(units(held), now());
    line.terms.of_order = true;
    line.commitment = commitment;
    line.allocations = vec![Allocation::of(&batch, units(held))];
    Product::restore(ProductState {
        open_batches: vec![batch],
        lines: vec![(order("O-1"), line)],
        ..locked_state(sku_text, 7)
    })
}

/// Sets up order `O-1` with lines in products, which are locked with the lines.
pub(crate) fn order_in(
    unit: Result<MockUnitOfWork, StoreError>,
    skus: &'static [&'static str],
) -> Result<MockUnitOfWork, StoreError> {
    with_orders(unit, |orders| {
        orders
            .expect_skus_of()
            .withf(|id| *id == order("O-1"))
            .returning(|_| Ok(skus.iter().map(|name| sku(name)).collect()));
        orders
            .expect_lock_lines()
            .times(usize::from(!skus.is_empty()))
            .withf(|id, locked| *id == order("O-1") && locked.iter().map(Sku::as_str).eq(skus.iter().copied()))
            .returning(|_, _| Ok(()));
    })
}

/// Returns these products when exactly they are locked with the lines of `O-1`.
pub(crate) fn locks(products: &mut MockProductRepository, locked: Vec<Product>) {
    let skus: Vec<Sku> = locked.iter().map(|product| product.sku().clone()).collect();
    let mut locked = Some(locked);
    products
        .expect_lock()
        .times(1)
        .withf(move |wanted| {
            wanted.iter().all(|wanted| wanted.order_ids == [order("O-1")])
                && wanted.iter().map(|wanted| wanted.sku.clone()).eq(skus.iter().cloned())
        })
        .returning(move |_| Ok(locked.take().unwrap()));
}

/// Expects that events with these names are saved, product by product.
pub(crate) fn saves(products: &mut MockProductRepository, names: &'static [&'static str]) {
    products
        .expect_save()
        .times(1)
        .withf(move |products, _| products.iter().flat_map(Product::events).map(Event::name).eq(names.iter().copied()))
        .returning(|_, _| Ok(()));
}

pub(crate) fn cause(text: &str) -> Box<dyn std::error::Error + Send + Sync> {
    text.into()
}

pub(crate) fn conflict() -> StoreError {
    StoreError::Conflict(cause("deadlock detected"))
}

/// A monotonic clock that is advanced by hand. Clones share it.
#[derive(Clone)]
pub(crate) struct ManualTime {
    base: Instant,
    passed: Arc<Mutex<Duration>>,
}

impl Default for ManualTime {
    fn default() -> Self {
        Self { base: Instant::now(), passed: Arc::default() }
    }
}

impl ManualTime {
    pub(crate) fn pass(&self, time: Duration) {
        *self.passed.lock().unwrap() += time;
    }

    pub(crate) fn monotonic(&self) -> Arc<dyn Fn() -> Instant + Send + Sync> {
        let time = self.clone();
        Arc::new(move || time.base + *time.passed.lock().unwrap())
    }
}

pub(crate) fn clock() -> MockClock {
    let mut clock = MockClock::new();
    clock.expect_now().returning(now);
    clock
}

/// Returns a unit whose repository is set up by `expect` and whose commit succeeds.
pub(crate) fn committed(expect: impl FnOnce(&mut MockProductRepository)) -> Result<MockUnitOfWork, StoreError> {
    ending(Ok(()), expect)
}

/// Returns a unit whose repository is set up by `expect` and whose commit returns `outcome`.
pub(crate) fn ending(
    outcome: Result<(), StoreError>,
    expect: impl FnOnce(&mut MockProductRepository),
) -> Result<MockUnitOfWork, StoreError> {
    let mut products = MockProductRepository::new();
    expect(&mut products);
    Ok(MockUnitOfWork::committed(products, outcome).with_orders(new_orders()))
}

/// Returns orders without lines.
pub(crate) fn new_orders() -> MockOrderRepository {
    let mut orders = MockOrderRepository::new();
    orders.expect_with_lines().returning(|_| Ok(Vec::new()));
    orders.expect_load().returning(|_| Ok(None));
    orders
}

/// Returns this unit with orders that are set up by `expect`.
pub(crate) fn with_orders(
    unit: Result<MockUnitOfWork, StoreError>,
    expect: impl FnOnce(&mut MockOrderRepository),
) -> Result<MockUnitOfWork, StoreError> {
    let mut orders = MockOrderRepository::new();
    expect(&mut orders);
    orders.expect_with_lines().returning(|_| Ok(Vec::new()));
    orders.expect_load().returning(|_| Ok(None));
    unit.map(|unit| unit.with_orders(orders))
}

/// Returns this unit with pick lists that are set up by `expect`.
pub(crate) fn with_pick_lists(
    unit: Result<MockUnitOfWork, StoreError>,
    expect: impl FnOnce(&mut MockPickListRepository),
) -> Result<MockUnitOfWork, StoreError> {
    let mut lists = MockPickListRepository::new();
    expect(&mut lists);
    unit.map(|unit| unit.with_pick_lists(lists))
}

/// Returns this unit with stock documents that are set up by `expect`.
pub(crate) fn with_documents(
    unit: Result<MockUnitOfWork, StoreError>,
    expect: impl FnOnce(&mut MockStockDocuments),
) -> Result<MockUnitOfWork, StoreError> {
    let mut documents = MockStockDocuments::new();
    expect(&mut documents);
    unit.map(|unit| unit.with_documents(documents))
}

/// Returns a unit over the pick list `P-1` with lines in these products.
pub(crate) fn with_list(
    unit: Result<MockUnitOfWork, StoreError>,
    products: &[Product],
) -> Result<MockUnitOfWork, StoreError> {
    let stored = Products::from_iter(products.iter().cloned());
    with_pick_lists(unit, |lists| {
        let found = stored.pick_list(&list_id("P-1")).map(|list| StoredPickList { list, created_at: now() });
        lists.expect_find().returning(move |asked| Ok(found.clone().filter(|found| found.list.list_id == *asked)));
        lists.expect_request().returning(|id| Ok(Some(NewPickList::new(id.clone(), PickCriteria::default()))));
        lists.expect_find_lines().returning(move |ids| {
            let line = |id: &PickLineId| stored.iter().find_map(|product| product.pick_line(id).cloned());
            Ok(ids.iter().filter_map(|id| Some((id.clone(), line(id)?))).collect())
        });
    })
}

pub(crate) fn list_id(text: &str) -> PickListId {
    PickListId::parse(text).unwrap()
}

/// Returns locked products, each with a line of `O-1` whose units are on the pick list `P-1`.
pub(crate) fn listed(names: &[&str]) -> Vec<Product> {
    let lines = names.iter().map(|name| product_with_line(name, 9, 3, ReservationState::Firm));
    let mut shop: Products = lines.collect();
    let list = NewPickList::new(list_id("P-1"), PickCriteria::default());
    shop.make_pick_list(&list).unwrap();
    shop.into_iter().map(|product| restored(&product)).collect()
}

/// Returns the product that a store restores after a save.
pub(crate) fn restored(product: &Product) -> Product {
    Product::restore(ProductState {
        open_batches: product.batches().to_vec(),
        lines: product.lines().map(|(id, line)| (id.clone(), line.clone())).collect(),
        pick_lines: product.pick_lines().map(|(id, line)| (id.clone(), line.clone())).collect(),
        ..locked_state(product.sku().as_str(), product.version() + 1)
    })
}

/// Keeps spans.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Span>>);

impl SpanSink for Recorder {
    fn record(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }
}

impl Recorder {
    pub(crate) fn taken(&self) -> Vec<Span> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Returns a unit whose repository is set up by `expect` and that must not be committed.
pub(crate) fn rolled_back(expect: impl FnOnce(&mut MockProductRepository)) -> Result<MockUnitOfWork, StoreError> {
    let mut products = MockProductRepository::new();
    expect(&mut products);
    Ok(MockUnitOfWork::never_committed(products).with_orders(new_orders()))
}

/// Returns a runner that begins exactly these units, one after the other, without waits.
pub(crate) fn runner(units: Vec<Result<MockUnitOfWork, StoreError>>) -> UnitRunner {
    let mut factory = MockUnitOfWorkFactory::new();
    let times = units.len();
    // mockall requires a `Send` closure; the mocked units move between threads as a whole.
    let units = Mutex::new(units.into_iter());
    factory.expect_begin().times(times).returning(move |_| {
        let unit = units.lock().unwrap().next().unwrap();
        unit.map(|unit| -> Box<dyn UnitOfWork> { Box::new(unit) })
    });
    UnitRunner::new(Arc::new(factory), retry_policy(times))
}

impl UnitRunner {
    /// Returns the same runner, which starts no attempt after `max_elapsed`.
    pub(crate) fn giving_up_after(mut self, max_elapsed: Duration) -> Self {
        self.retry.max_elapsed = max_elapsed;
        self
    }
}

/// Returns a policy without waits.
fn retry_policy(attempts: usize) -> RetryPolicy {
    RetryPolicy {
        attempts: u32::try_from(attempts.max(3)).unwrap(),
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
        max_elapsed: Duration::MAX,
    }
}

pub(crate) fn use_cases(units: Vec<Result<MockUnitOfWork, StoreError>>) -> UseCases {
    use_cases_with(MockQueries::new(), units)
}

/// Returns use cases that read with these queries.
pub(crate) fn use_cases_with(queries: MockQueries, units: Vec<Result<MockUnitOfWork, StoreError>>) -> UseCases {
    UseCases::new(runner(units), Arc::new(queries), Arc::new(clock()))
}

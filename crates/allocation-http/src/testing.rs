//! Shared by the tests of routes: an API over mocked ports, and requests without a server.

use crate::{Api, BlockingLimits, Build, EventFeed, MetricSources, app};
use actix_web::body::to_bytes;
use actix_web::http::{Method, StatusCode, header};
use actix_web::test::{self, TestRequest};
use actix_web::web::Bytes;
use allocation_app::{
    AgeLimit, AllocationEngine, BacklogMonitor, EngineCounters, EngineSettings, EventTail, RetryPolicy, UnitRunner,
    UseCases,
};
use allocation_domain::{
    Batch, BatchReference, CountId, CountScope, Eta, LockTime, NewBatch, NewOrder, NewPickList, OrderId, PickCriteria,
    Product, Products, Quantity, Sku, StockCount,
};
use allocation_ports::mocks::{
    MockClock, MockEventLog, MockOrderRepository, MockPickListRepository, MockProductRepository, MockQueries,
    MockReadiness, MockStockCounts, MockStockDocuments, MockStoreMonitor, MockUnitOfWorkFactory,
};
use allocation_ports::{
    Clock, ConnectionUsage, EventBacklog, FailedCheck, FoundBatch, Readiness, ReplicationLag, StockDocument,
    StoreError, StoreMonitor, StoredPickList, UnitOfWork,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// The ports of an API under test. Ports that a test does not set must not be called.
pub(crate) struct Ports {
    pub(crate) queries: MockQueries,
    pub(crate) readiness: MockReadiness,
    pub(crate) log: MockEventLog,
    pub(crate) units: MockUnitOfWorkFactory,
    pub(crate) limits: BlockingLimits,
    pub(crate) max_age: Duration,
}

fn with_checks(failed: Vec<FailedCheck>) -> MockReadiness {
    let mut readiness = MockReadiness::new();
    readiness.expect_failed_checks().returning(move || failed.clone());
    readiness.expect_replication_lag().return_const(None);
    readiness
}

/// Returns a readiness without failed checks.
pub(crate) fn ready() -> Arc<dyn Readiness> {
    Arc::new(with_checks(Vec::new()))
}

impl Ports {
    pub(crate) fn new() -> Self {
        Self {
            queries: MockQueries::new(),
            readiness: with_checks(Vec::new()),
            log: MockEventLog::new(),
            units: MockUnitOfWorkFactory::new(),
            limits: BlockingLimits { running: 3, waiting: 2, turn_within: Duration::from_secs(30) },
            max_age: Duration::from_secs(600),
        }
    }

    /// Returns ports whose units of work are created by `begin`.
    pub(crate) fn with_units(
        begin: impl Fn() -> Result<Box<dyn UnitOfWork>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        let mut ports = Self::new();
        ports.units.expect_begin().returning(move |_| begin());
        ports
    }

    /// Returns ports over a store that always fails.
    pub(crate) fn failing(error: fn() -> StoreError) -> Self {
        let mut ports = Self::with_units(move || Err(error()));
        ports.queries.expect_batch().returning(move |_, _| Err(error()));
        ports.queries.expect_batches().returning(move |_, _, _, _| Err(error()));
        ports.queries.expect_overdue_batches().returning(move |_, _, _, _, _| Err(error()));
        ports.queries.expect_allocations().returning(move |_, _, _, _| Err(error()));
        ports.queries.expect_order().returning(move |_| Err(error()));
        ports.queries.expect_orders().returning(move |_, _, _, _| Err(error()));
        ports.queries.expect_backorders().returning(move |_, _, _, _| Err(error()));
        ports.queries.expect_product().returning(move |_, _| Err(error()));
        ports.queries.expect_products().returning(move |_, _, _| Err(error()));
        ports.queries.expect_availability().returning(move |_, _| Err(error()));
        ports.queries.expect_pick_list().returning(move |_| Err(error()));
        ports.queries.expect_pick_lists().returning(move |_, _, _| Err(error()));
        ports.queries.expect_pickable().returning(move |_, _| Err(error()));
        ports.queries.expect_history().returning(move |_, _, _| Err(error()));
        ports.readiness =
            with_checks(vec![FailedCheck::new(FailedCheck::DATABASE, "The database does not accept a write")]);
        ports.log.expect_read().returning(move |_, _, _| Err(error().into()));
        ports
    }

    /// Returns ports with failed readiness checks.
    pub(crate) fn with_failed_checks(failed: Vec<FailedCheck>) -> Self {
        Self { readiness: with_checks(failed), ..Self::new() }
    }

    /// Returns ports over a standby with this lag.
    pub(crate) fn lagging(lag: ReplicationLag) -> Self {
        let mut readiness = MockReadiness::new();
        readiness.expect_failed_checks().returning(Vec::new);
        readiness.expect_replication_lag().return_const(Some(lag));
        Self { readiness, ..Self::new() }
    }

    pub(crate) fn api(self) -> Api {
        self.api_and_engine().0
    }

    /// Returns the API and its engine, for tests that shut it down.
    pub(crate) fn api_and_engine(self) -> (Api, AllocationEngine) {
        let mut clock = MockClock::new();
        clock.expect_now().returning(now);
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let retry = RetryPolicy {
            attempts: 2,
            first_wait: Duration::ZERO,
            longest_wait: Duration::ZERO,
            max_elapsed: Duration::MAX,
        };
        let units = UnitRunner::new(Arc::new(self.units), retry);
        let settings = EngineSettings {
            workers: NonZeroUsize::MIN,
            queue_length: NonZeroUsize::MIN,
            group_size: NonZeroUsize::MIN,
        };
        let counters = Arc::new(EngineCounters::default());
        let age = AgeLimit::start(self.max_age).unwrap();
        let engine = AllocationEngine::start(&units, &counters, &age, settings).unwrap();
        let (queries, readiness) = (Arc::new(self.queries), Arc::new(self.readiness));
        let use_cases = UseCases::new(units, queries.clone(), Arc::clone(&clock)).with_age_limit(age);
        let log = Arc::new(self.log);
        let tail = EventTail::start(log.clone(), 2).unwrap();
        let feed = EventFeed { log, tail, source: "/allocation".into() };
        let api = Api::new(use_cases, engine.clone(), queries, readiness, clock, feed, self.limits);
        (api, engine)
    }
}

/// A complete response.
pub(crate) struct TestResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: Bytes,
}

impl TestResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the tag of a batch without its content part, as `If-Match` compares it.
    pub(crate) fn version(&self) -> Option<String> {
        let (version, content) = self.header("etag")?.split_once('.')?;
        assert!(content.len() == 17 && content.ends_with('"'), "{content}");
        Some(format!("{version}\""))
    }

    /// Returns the problem of an error response, after checking the properties of every problem.
    pub(crate) fn problem(&self, name: &str) -> Value {
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{name}"), "{problem}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }

    /// Returns the location and detail of each validation error.
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        assert_eq!(self.status, 422, "{:?}", self.body);
        let problem = self.problem("validation");
        let place =
            |error: &Value| error.get("pointer").or(error.get("parameter")).unwrap().as_str().unwrap().to_owned();
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|error| (place(error), error["detail"].as_str().unwrap().to_owned())).collect()
    }

    /// Returns the path of the next page.
    pub(crate) fn next(&self) -> &str {
        self.header("link").unwrap().strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap()
    }

    /// Returns the locations of all errors.
    pub(crate) fn places(&self) -> Vec<String> {
        self.errors().into_iter().map(|(place, _)| place).collect()
    }
}

/// Sends a request through the application that the server runs.
pub(crate) async fn send(api: &Api, request: TestRequest) -> TestResponse {
    let app = test::init_service(app(api)).await;
    let request = request.to_request();
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let response = test::call_service(&app, request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let Ok(body) = to_bytes(response.into_body()).await else { panic!("the body cannot be read") };
    assert!(headers.contains_key("x-request-id"));
    let answer = TestResponse { status, headers, body };
    assert_documented(&method, &path, &answer);
    answer
}

/// Asserts that the OpenAPI document lists the response, if it describes the operation.
fn assert_documented(method: &Method, path: &str, answer: &TestResponse) {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&crate::openapi_json()).unwrap());
    let fits = |template: &str| {
        let mut pairs = template.split('/').zip(path.split('/'));
        let same_length = template.split('/').count() == path.split('/').count();
        same_length && pairs.all(|(known, given)| known == given || known.starts_with('{') && !given.is_empty())
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let Some((_, item)) = paths.iter().find(|(template, _)| fits(template)) else { return };
    let Some(operation) = item.get(method.as_str().to_lowercase()) else { return };
    let documented = &operation["responses"][answer.status.as_str()];
    let shared = documented["$ref"].as_str().and_then(|shared| DOCUMENT.pointer(shared.strip_prefix('#')?));
    let documented = shared.unwrap_or(documented);
    assert!(documented.is_object(), "{method} {path} does not document {}", answer.status);
    if answer.header("content-type") == Some("application/problem+json") {
        let problem = answer.json();
        let name = problem["type"].as_str().unwrap().rsplit_once("/problems/").unwrap().1.to_owned();
        let examples = &documented["content"]["application/problem+json"]["examples"];
        assert!(examples[&name].is_object(), "{method} {path} does not document {name}");
    }
}

pub(crate) async fn get(api: &Api, uri: &str) -> TestResponse {
    send(api, TestRequest::get().uri(uri)).await
}

pub(crate) async fn delete(api: &Api, uri: &str) -> TestResponse {
    send(api, TestRequest::delete().uri(uri)).await
}

pub(crate) async fn post(api: &Api, uri: &str, body: impl Into<Bytes>) -> TestResponse {
    send(api, json_request(uri, body)).await
}

pub(crate) async fn patch(api: &Api, uri: &str, body: impl Into<Bytes>) -> TestResponse {
    send(api, json_request(uri, body).method(Method::PATCH)).await
}

pub(crate) fn json_request(uri: &str, body: impl Into<Bytes>) -> TestRequest {
    let json = (header::CONTENT_TYPE, "application/json");
    TestRequest::default().method(Method::POST).uri(uri).insert_header(json).set_payload(body)
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap()
}

pub(crate) fn reference(text: &str) -> BatchReference {
    BatchReference::parse(text).unwrap()
}

pub(crate) fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub(crate) fn order(text: &str) -> OrderId {
    OrderId::parse(text).unwrap()
}

pub(crate) fn quantity(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

pub(crate) fn due(year: i32, month: u32, day: u32) -> Eta {
    Eta::Due(NaiveDate::from_ymd_opt(year, month, day).unwrap())
}

/// Returns a batch of 20 red chairs in stock.
pub(crate) fn batch(name: &str) -> Batch {
    Batch::new(reference(name), sku("RED-CHAIR"), quantity(20), Eta::InStock, now())
}

/// Returns the red chairs, with batches of 20 units.
pub(crate) fn chairs(batches: &[&str]) -> Product {
    let mut product = Product::new(sku("RED-CHAIR"));
    for name in batches {
        product.add_batch(NewBatch::new(reference(name), quantity(20), Eta::InStock), now()).unwrap();
    }
    product
}

/// Returns units of work over a store that holds one product and accepts every save.
pub(crate) fn holding(product: Product) -> impl Fn() -> Result<Box<dyn UnitOfWork>, StoreError> {
    holding_all(vec![product], Vec::new())
}

/// Returns units of work over a store that holds products and orders, accepts every save, and remembers the
/// stock documents.
pub(crate) fn holding_all(
    products: Vec<Product>,
    orders: Vec<NewOrder>,
) -> impl Fn() -> Result<Box<dyn UnitOfWork>, StoreError> {
    let (documents, counts) = (Arc::default(), Arc::default());
    let stored = products.clone();
    move || {
        Ok(Box::new(Forgetful(
            product_repository(&products),
            order_repository(&products, &orders),
            pick_list_repository(&products),
            document_repository(&documents),
            count_repository(&stored, &counts),
        )))
    }
}

fn product_repository(stored: &[Product]) -> MockProductRepository {
    let mut products = MockProductRepository::new();
    let batches: Vec<Batch> = stored.iter().flat_map(|product| product.batches().to_vec()).collect();
    products.expect_find_batch().returning({
        let batches = batches.clone();
        move |reference| {
            let found = batches.iter().find(|batch| batch.reference() == reference).cloned();
            Ok(found.map(|batch| FoundBatch { added_quantity: batch.purchased(), added_eta: batch.eta(), batch }))
        }
    });
    products.expect_sku_of().returning(move |reference| {
        Ok(batches.iter().find(|batch| batch.reference() == reference).map(|batch| batch.sku().clone()))
    });
    let stored = stored.to_vec();
    products.expect_skus_of_batches().returning({
        let products = stored.clone();
        move |references| {
            let batches = products.iter().flat_map(|product| product.batches().to_vec());
            let named = batches.filter(|batch| references.contains(batch.reference()));
            Ok(named.map(|batch| (batch.reference().clone(), batch.sku().clone())).collect())
        }
    });
    products.expect_lock().returning(move |wanted| {
        let is_wanted = |product: &&Product| wanted.iter().any(|wanted| wanted.sku == *product.sku());
        let locked = |product: &Product| product.clone().locked_at(LockTime { now: now(), decided_at: now() });
        Ok(stored.iter().filter(is_wanted).map(locked).collect())
    });
    products.expect_save().returning(|_, _| Ok(()));
    products
}

fn order_repository(products: &[Product], stored: &[NewOrder]) -> MockOrderRepository {
    let mut orders = MockOrderRepository::new();
    let stored = stored.to_vec();
    orders.expect_find().returning(move |order_ids| {
        Ok(stored.iter().filter(|order| order_ids.contains(order.order_id())).cloned().collect())
    });
    let products = products.to_vec();
    let known = products.clone();
    orders.expect_with_lines().returning(move |order_ids| {
        let has_line = |id: &&OrderId| known.iter().any(|product| product.line(id).is_some());
        Ok(order_ids.iter().filter(has_line).cloned().collect())
    });
    orders.expect_load().returning({
        let stored: Products = products.iter().cloned().collect();
        move |order_id| Ok(stored.order(order_id))
    });
    orders.expect_skus_of().returning(move |order_id| {
        let with_line = products.iter().filter(|product| product.line(order_id).is_some());
        Ok(with_line.map(|product| product.sku().clone()).collect())
    });
    orders.expect_lock_lines().returning(|_, _| Ok(()));
    orders.expect_add().returning(|_, _| Ok(()));
    orders
}

/// Returns a repository of the pick lists that have lines in the products, made without criteria.
fn pick_list_repository(products: &[Product]) -> MockPickListRepository {
    let mut lists = MockPickListRepository::new();
    let stored: Products = products.iter().cloned().collect();
    lists.expect_find().returning({
        let stored = stored.clone();
        move |list_id| Ok(stored.pick_list(list_id).map(|list| StoredPickList { list, created_at: now() }))
    });
    lists.expect_find_lines().returning({
        let stored = stored.clone();
        move |ids| {
            let line = |id| stored.iter().find_map(|product| product.pick_line(id).cloned());
            Ok(ids.iter().filter_map(|id| Some((id.clone(), line(id)?))).collect())
        }
    });
    lists.expect_request().returning(move |id| {
        let list = NewPickList::new(id.clone(), PickCriteria::default());
        Ok(stored.pick_list(id).map(|_| list))
    });
    lists.expect_add().returning(|_, _| Ok(()));
    lists
}

fn document_repository(stored: &Arc<Mutex<Vec<StockDocument>>>) -> MockStockDocuments {
    let mut documents = MockStockDocuments::new();
    documents.expect_find().returning({
        let stored = Arc::clone(stored);
        move |id| Ok(stored.lock().unwrap().iter().find(|document| document.id() == *id).cloned())
    });
    documents.expect_prepare_returns().returning(|| Ok(()));
    let stored = Arc::clone(stored);
    documents.expect_add().returning(move |document| {
        stored.lock().unwrap().push(document.clone());
        Ok(())
    });
    documents
}

/// Returns counts that remember what is added and saved.
fn count_repository(products: &[Product], stored: &Arc<Mutex<Vec<StockCount>>>) -> MockStockCounts {
    let mut counts = MockStockCounts::new();
    let batches: Vec<Batch> = products.iter().flat_map(|product| product.batches().to_vec()).collect();
    counts.expect_countable().returning(move |scope, limit| {
        let is_wanted = |batch: &&Batch| match scope {
            CountScope::Skus(skus) => skus.contains(batch.sku()) && batch.on_hand() > 0,
            CountScope::References(references) => references.contains(batch.reference()),
        };
        let wanted = batches.iter().filter(is_wanted).take(limit);
        Ok(wanted.map(|batch| (batch.sku().clone(), batch.reference().clone())).collect())
    });
    counts.expect_counted().returning({
        let stored = Arc::clone(stored);
        move |references| {
            let stored = stored.lock().unwrap();
            let mut lines = stored.iter().filter(|count| count.closed.is_none()).flat_map(|count| {
                count.lines.iter().map(move |line| (line.reference.clone(), count.count_id().clone()))
            });
            Ok(lines.find(|(reference, _)| references.contains(reference)))
        }
    });
    let found = {
        let stored = Arc::clone(stored);
        move |id: &CountId| Ok(stored.lock().unwrap().iter().find(|count| count.count_id() == id).cloned())
    };
    counts.expect_find().returning(found.clone());
    counts.expect_lock().returning(found);
    let save = {
        let stored = Arc::clone(stored);
        move |count: &StockCount| {
            let mut stored = stored.lock().unwrap();
            stored.retain(|known| known.count_id() != count.count_id());
            stored.push(count.clone());
            Ok(())
        }
    };
    counts.expect_add().returning(save.clone());
    counts.expect_save().returning(save);
    let stored = Arc::clone(stored);
    counts.expect_remove().returning(move |id| {
        stored.lock().unwrap().retain(|known| known.count_id() != id);
        Ok(())
    });
    counts
}

/// A unit of work that may be committed or dropped.
struct Forgetful(
    MockProductRepository,
    MockOrderRepository,
    MockPickListRepository,
    MockStockDocuments,
    MockStockCounts,
);

impl UnitOfWork for Forgetful {
    fn products(&mut self) -> &mut dyn allocation_ports::ProductRepository {
        &mut self.0
    }

    fn orders(&mut self) -> &mut dyn allocation_ports::OrderRepository {
        &mut self.1
    }

    fn pick_lists(&mut self) -> &mut dyn allocation_ports::PickListRepository {
        &mut self.2
    }

    fn documents(&mut self) -> &mut dyn allocation_ports::StockDocuments {
        &mut self.3
    }

    fn counts(&mut self) -> &mut dyn allocation_ports::StockCounts {
        &mut self.4
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Returns an error whose text must not reach clients.
pub(crate) fn secret() -> Box<dyn std::error::Error + Send + Sync> {
    "UPDATE products SET /var/lib/secret.db".into()
}

/// Runs a future and returns the log lines of the request with this id, as JSON.
///
/// All tests share one log, because work on other threads is logged too: ids must differ.
pub(crate) async fn logged(id: &str, run: impl Future<Output = ()>) -> Vec<Value> {
    static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
        subscriber.with_writer(move || Log(Arc::clone(&writer))).init();
        log
    });
    LazyLock::force(&LOG);
    run.await;
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["fields"]["request_id"] == id || line["span"]["request_id"] == id).collect()
}

struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns an API that serves metrics.
pub(crate) fn metered(ports: Ports) -> Api {
    let mut store = MockStoreMonitor::new();
    store.expect_connections().return_const(ConnectionUsage { used: 2, max: 8, ..ConnectionUsage::default() });
    store.expect_backlog().returning(|| Ok(EventBacklog { last: 9, checkpoint: 4, ..EventBacklog::default() }));
    let store: Arc<dyn StoreMonitor> = Arc::new(store);
    let api = ports.api();
    let metrics = api.metrics(MetricSources {
        engine: Arc::default(),
        units: Arc::default(),
        backlog: BacklogMonitor::start(Arc::clone(&store)).unwrap(),
        store,
        invariants: None,
        has_relay: true,
        threads: Vec::new(),
        dropped_log_lines: Box::new(|| 0),
        dropped_spans: Box::new(|| 0),
        tls: None,
        build: Build { version: "1.2.3", commit: "unknown", database: "memory" },
    });
    api.with_metrics(Arc::new(metrics))
}

//! The allocation engine over real stores.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use allocation_adapters_diesel::{DatabaseUrl, Store};
use allocation_app::{
    AgeLimit, AllocationEngine, EngineCounters, EngineError, EngineSettings, RetryPolicy, UnitRunner, UseCases,
};
use allocation_domain::{
    AllocateError, BatchReference, Eta, LineAllocation, NewBatch, OrderId, OrderLine, Outcome, Quantity, Sku,
};
use allocation_ports::{Clock, EventContext, LockWait, StoreError, UnitOfWork, UnitOfWorkFactory};
use allocation_test_support::TestDatabase;
use chrono::{DateTime, SubsecRound, Utc};
use std::future::{poll_fn, ready};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

mod failure;
mod groups;

/// Makes a test of each function on each database: `sqlite::NAME` and `postgres::NAME`.
macro_rules! on_every_database {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(crate::World::new(allocation_test_support::TestDatabase::sqlite()));
            })+
        }

        mod postgres {
            $(#[test]
            fn $name() {
                super::$name(crate::World::new(allocation_test_support::TestDatabase::postgres()));
            })+
        }
    };
}
use on_every_database;

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A store whose units of work wait at a closed gate, so that lines gather behind them.
struct Gated {
    store: Arc<Store>,
    closed: Mutex<bool>,
    opened: Condvar,
    /// The number of units of work that have reached the gate.
    arrived: AtomicUsize,
}

impl Gated {
    fn set_closed(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.opened.notify_all();
    }
}

impl UnitOfWorkFactory for Gated {
    fn begin(&self, wait: LockWait) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let closed = self.closed.lock().unwrap();
        self.arrived.fetch_add(1, Ordering::SeqCst);
        drop(self.opened.wait_while(closed, |closed| *closed).unwrap());
        self.store.begin(wait)
    }
}

/// An engine over a database of its own.
struct World {
    engine: AllocationEngine,
    use_cases: UseCases,
    gate: Arc<Gated>,
    counters: Arc<EngineCounters>,
    runtime: Runtime,
    // Dropped last, because the store above uses it.
    database: TestDatabase,
}

impl World {
    fn new(database: TestDatabase) -> Self {
        Self::with_queue(database, 1_000)
    }

    fn with_queue(database: TestDatabase, queue_length: usize) -> Self {
        let store = Arc::new(Store::connect(&DatabaseUrl::parse(database.url()).unwrap(), 4).unwrap());
        store.migrations().up().unwrap();
        let queries = store.clone();
        let gate =
            Arc::new(Gated { store, closed: Mutex::new(false), opened: Condvar::new(), arrived: AtomicUsize::new(0) });
        let units = UnitRunner::new(gate.clone(), RetryPolicy::default());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let counters = Arc::new(EngineCounters::default());
        let settings = EngineSettings {
            workers: NonZeroUsize::MIN,
            queue_length: NonZeroUsize::new(queue_length).unwrap(),
            group_size: NonZeroUsize::new(500).unwrap(),
        };
        let age = AgeLimit::start(Duration::from_secs(600)).unwrap();
        let engine = AllocationEngine::start(&units, &counters, &age, settings).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        Self { engine, use_cases: UseCases::new(units, queries, clock), gate, counters, runtime, database }
    }

    fn add_batch(&self, reference: &str, sku: &str, units: u32) {
        let (sku, reference) = (Sku::parse(sku).unwrap(), BatchReference::parse(reference).unwrap());
        let batch = NewBatch::new(reference, Quantity::new(units).unwrap(), Eta::InStock);
        assert!(matches!(self.use_cases.add_batch(&sku, &batch), Ok(Outcome::Changed(_))));
    }

    /// Sends a line, which is queued when this returns; the result is awaited separately.
    fn send(&self, order_id: &str, sku: &str, units: u32) -> JoinHandle<String> {
        let line =
            OrderLine::new(OrderId::parse(order_id).unwrap(), Sku::parse(sku).unwrap(), Quantity::new(units).unwrap());
        let (engine, line) = (self.engine.clone(), line.unwrap());
        let mut answer = Box::pin(async move { describe(engine.allocate(line, EventContext::default()).await) });
        match self.runtime.block_on(poll_fn(|context| Poll::Ready(answer.as_mut().poll(context)))) {
            Poll::Ready(described) => self.runtime.spawn(ready(described)),
            Poll::Pending => self.runtime.spawn(answer),
        }
    }

    /// Returns the results of lines that shared a group, queued behind a first line.
    fn in_one_group(&self, lines: &[(&str, &str, u32)]) -> Vec<String> {
        let ahead = self.hold_up("AHEAD", "NOTHING", 1);
        let answers: Vec<_> = lines.iter().map(|(order_id, sku, units)| self.send(order_id, sku, *units)).collect();
        self.gate.set_closed(false);
        self.answer(ahead);
        answers.into_iter().map(|answer| self.answer(answer)).collect()
    }

    fn answer(&self, answer: JoinHandle<String>) -> String {
        self.runtime.block_on(answer).unwrap()
    }

    /// Closes the gate and sends a line whose unit of work waits there when this returns.
    fn hold_up(&self, order_id: &str, sku: &str, units: u32) -> JoinHandle<String> {
        self.gate.set_closed(true);
        let before = self.gate.arrived.load(Ordering::SeqCst);
        let sent = self.send(order_id, sku, units);
        while self.gate.arrived.load(Ordering::SeqCst) == before {
            std::thread::yield_now();
        }
        sent
    }

    fn count(&self, query: &str) -> i64 {
        self.database.count(query)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.gate.set_closed(false);
        self.engine.shut_down();
    }
}

fn describe(answer: Result<Outcome<LineAllocation>, EngineError<AllocateError>>) -> String {
    match answer {
        Ok(Outcome::Changed(line)) => format!("allocated {} {}", line.order_id, line.quantity),
        Ok(Outcome::Unchanged(line)) => format!("unchanged {} {}", line.order_id, line.quantity),
        Err(EngineError::Refused(AllocateError::OutOfStock(short))) => {
            format!("short of {}, has {}", short.requested, short.available)
        }
        Err(EngineError::Refused(AllocateError::LineAlreadyAllocated(line))) => {
            format!("has {} already", line.allocated)
        }
        Err(EngineError::Refused(AllocateError::HoldExpired(_))) => "expired".to_owned(),
        Err(EngineError::Refused(AllocateError::OrderCancelled(_))) => "cancelled".to_owned(),
        Err(EngineError::Refused(AllocateError::OrderClosed(_))) => "closed".to_owned(),
        Err(EngineError::Overloaded) => "overloaded".to_owned(),
        Err(EngineError::ShuttingDown) => "shutting down".to_owned(),
        Err(EngineError::Store(error)) => match &*error {
            StoreError::Conflict(_) | StoreError::Busy(_) => "busy".to_owned(),
            StoreError::ConnectionLost(_) | StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => {
                "unavailable".to_owned()
            }
            StoreError::Invariant { .. } | StoreError::Failed(_) => "failed".to_owned(),
        },
    }
}

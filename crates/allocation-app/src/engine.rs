//! The allocation engine: group commit.
//!
//! A durable commit costs about as much for one line as for two hundred. So the lines and orders of
//! all callers go into bounded queues, one for each worker; a worker takes what has gathered while
//! its commit before was under way, decides all of it in one unit of work, commits once, and only
//! then answers each caller. A lone line is a group of one: nothing ever waits for a group to fill.
//!
//! A product that another transaction holds stops none but the commands about it: they go into a lane of
//! their own, and the group goes on without them. A command that has waited longer than its limit is
//! refused and never carried out.

mod counters;
mod held_skus;
mod job;
mod lane;
mod load_monitor;
mod queue;
mod worker;

use crate::allocate_line::{AllocateLineError, LineAnswer};
use crate::health::Alive;
use crate::place_order::{OrderAnswer, PlaceOrderError, PlaceOrderOutcome};
use crate::{AgeLimit, UnitRunner, Vital};
use allocation_domain::{AllocationOutcome, NewOrder, OrderLine};
use allocation_ports::{EngineMetrics, Origin, StoreError};
pub use counters::{Distribution, EngineCounters, EngineSnapshot};
use job::{Job, Request};
use lane::{Lane, LaneWorker};
pub use load_monitor::LoadMonitor;
use queue::Queue;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use worker::Worker;

/// How an [`AllocationEngine`] is laid out.
#[derive(Debug, Clone, Copy)]
pub struct EngineSettings {
    /// How many workers, each with a queue and a unit of work of its own. A SKU belongs to one
    /// worker, so that two workers do not wait for each other's product. Orders over several SKUs
    /// have one worker more: two groups of them would mostly have a product in common, and do better
    /// as one.
    pub workers: NonZeroUsize,
    /// How many lines may wait for each worker, those of orders included; one more is refused as
    /// overload.
    pub queue_length: NonZeroUsize,
    /// How many lines a group has at most, but for an order that has more by itself.
    pub group_size: NonZeroUsize,
}

/// Allocates lines and places orders in groups. Cloning gives another handle to the same engine.
#[derive(Clone)]
pub struct AllocationEngine {
    /// Of lines and orders of one SKU, by its hash.
    queues: Arc<[Queue]>,
    /// Of orders over several SKUs.
    orders: Queue,
    /// Of commands whose products others hold.
    lane: Lane,
    threads: Arc<Mutex<Threads>>,
    age: AgeLimit,
    metrics: Arc<dyn EngineMetrics>,
    vitals: Arc<[Vital]>,
}

/// What runs.
#[derive(Default)]
struct Threads {
    workers: Vec<JoinHandle<()>>,
    /// It ends after the workers, who put into it.
    lane: Vec<JoinHandle<()>>,
}

/// How often a shutdown looks whether it is done.
const POLL: Duration = Duration::from_millis(2);

impl AllocationEngine {
    /// How long a shutdown waits for the workers.
    pub const SHUT_DOWN_AT_MOST: Duration = Duration::from_secs(30);

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(
        units: &UnitRunner,
        metrics: &Arc<dyn EngineMetrics>,
        age: &AgeLimit,
        settings: EngineSettings,
    ) -> io::Result<Self> {
        let (mut threads, mut vitals) = (Threads::default(), Vec::new());
        let mut alive = || {
            let alive = Alive::new();
            vitals.push(alive.vital("allocate"));
            alive
        };
        let (lane, receiver) = Lane::new(Arc::clone(metrics));
        let worker = || Worker {
            units: units.clone(),
            metrics: Arc::clone(metrics),
            age: age.clone(),
            held: Arc::clone(&lane.held),
            group_size: settings.group_size.get(),
        };
        let (lane_worker, lane_alive) = (LaneWorker::new(worker(), Arc::clone(&lane.held)), alive());
        let of_lane = thread::Builder::new().name("allocate-held".to_owned());
        threads.lane.push(of_lane.spawn(move || {
            let _alive = lane_alive;
            lane_worker.run(receiver);
        })?);
        let mut start = |name: String| {
            let (queue, receiver) = Queue::new(settings.queue_length.get());
            let (worker, lane, alive) = (worker(), lane.clone(), alive());
            let run = move || {
                let _alive = alive;
                worker.run(receiver, &lane);
            };
            threads.workers.push(thread::Builder::new().name(name).spawn(run)?);
            io::Result::Ok(queue)
        };
        let by_sku = (0..settings.workers.get()).map(|number| start(format!("allocate-{number}")));
        let queues = by_sku.collect::<io::Result<Vec<Queue>>>()?.into();
        let orders = start("orders".to_owned())?;
        let (threads, metrics) = (Arc::new(Mutex::new(threads)), Arc::clone(metrics));
        Ok(Self { queues, orders, lane, threads, age: age.clone(), metrics, vitals: vitals.into() })
    }

    /// Allocates a line, whose events tell where it came from. The answer comes after the commit.
    ///
    /// Once this is called the line is decided, even if the caller goes away.
    ///
    /// # Errors
    ///
    /// [`AllocateLineError`], and nothing has changed; [`AllocateLineError::Overloaded`] at once
    /// when the queue is full, and when the line was not decided within the limit of its age.
    pub async fn allocate(&self, line: OrderLine, origin: Origin) -> Result<AllocationOutcome, AllocateLineError> {
        let answer = self.submit_line(line, origin)?;
        answer.await.unwrap_or_else(|_| Err(abandoned().into()))
    }

    /// Places an order: all its lines in one unit of work. Its events tell where it came from. The answer
    /// comes after the commit.
    ///
    /// Once this is called the order is decided, even if the caller goes away.
    ///
    /// # Errors
    ///
    /// [`PlaceOrderError`], and nothing of the order is stored; [`PlaceOrderError::Overloaded`] at
    /// once when the queue is full, and when the order was not decided within the limit of its age.
    pub async fn place_order(&self, order: NewOrder, origin: Origin) -> Result<PlaceOrderOutcome, PlaceOrderError> {
        let answer = self.submit_order(order, origin)?;
        answer.await.unwrap_or_else(|_| Err(abandoned().into()))
    }

    fn submit_line(&self, line: OrderLine, origin: Origin) -> Result<oneshot::Receiver<LineAnswer>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Request::Line { line, reply }, origin).map(|()| answer)
    }

    fn submit_order(&self, order: NewOrder, origin: Origin) -> Result<oneshot::Receiver<OrderAnswer>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Request::Order { order, reply }, origin).map(|()| answer)
    }

    fn submit(&self, request: Request, origin: Origin) -> Result<(), SubmitError> {
        let job = Job { request, origin, deadline: self.age.deadline(), room: None };
        let taken = self.queue(&job).put(job);
        if taken == Err(SubmitError::Overloaded) {
            self.metrics.overload();
        }
        taken
    }

    #[expect(clippy::expect_used, reason = "the remainder of a number of queues is the place of one")]
    fn queue(&self, job: &Job) -> &Queue {
        if job.lines() > 1 {
            return &self.orders;
        }
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(job.first_sku());
        let queues = u64::try_from(self.queues.len()).expect("queues are few");
        &self.queues[usize::try_from(hash % queues).expect("places are few")]
    }

    /// Whether its workers live.
    #[must_use]
    pub fn vitals(&self) -> Vec<Vital> {
        self.vitals.to_vec()
    }

    /// Takes no more lines, decides and answers those that wait, and ends the workers.
    ///
    /// Blocks until they have ended, but no longer than [`AllocationEngine::SHUT_DOWN_AT_MOST`]: a
    /// database that has stopped to answer must not keep the process from ending.
    pub fn shut_down(&self) {
        let until = Instant::now() + Self::SHUT_DOWN_AT_MOST;
        self.queues.iter().chain([&self.orders]).for_each(Queue::close);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if join_until(threads.workers, until) {
            self.lane.close();
            join_until(threads.lane, until);
        }
    }
}

/// Waits for threads to end; answers whether they have in time.
fn join_until(threads: Vec<JoinHandle<()>>, until: Instant) -> bool {
    while threads.iter().any(|thread| !thread.is_finished()) {
        if Instant::now() >= until {
            tracing::error!("the database does not answer: lines in flight are given up");
            return false;
        }
        thread::sleep(POLL);
    }
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a worker of the allocation engine had panicked");
        }
    }
    true
}

/// Why the engine does not take a command in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubmitError {
    Overloaded,
    ShuttingDown,
}

/// A worker answers all that it takes, unless it panics: a fault of the program.
fn abandoned() -> Arc<StoreError> {
    Arc::new(StoreError::Failed("the unit of work was abandoned by a panic".into()))
}

#[cfg(test)]
mod tests;

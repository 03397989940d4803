//! The allocation engine: group commit.
//!
//! A durable commit costs about as much for one line as for two hundred. The lines and orders of all
//! callers therefore go into bounded queues, one for each worker. A worker takes the commands that gathered
//! during its last commit and decides all of them in one unit of work. It commits once, and only then
//! replies to each caller. A lone line is a group of one: no command waits for a group to fill.
//!
//! A product that another transaction has locked stops only its own commands: they go into a separate lane,
//! and the group continues without them. A command that has waited longer than its limit is rejected and
//! never decided.

mod counters;
mod held_skus;
mod job;
mod lane;
mod load_monitor;
mod queue;
mod worker;

use crate::allocate_line::LineAnswer;
use crate::health::Alive;
use crate::place_order::OrderAnswer;
use crate::{AgeLimit, EngineError, UnitRunner, Vital};
use allocation_domain::{AllocateError, LineAllocation, NewOrder, Order, OrderLine, Outcome, PlaceError};
use allocation_ports::{EngineMetrics, EventContext, StoreError};
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

/// The settings of an [`AllocationEngine`].
#[derive(Debug, Clone, Copy)]
pub struct EngineSettings {
    /// The number of workers, each with its own queue and unit of work.
    ///
    /// A SKU belongs to one worker, so that two workers never wait for each other's product. Orders over
    /// several SKUs have one additional worker: two groups of them would mostly share a product, and do
    /// better as one.
    pub workers: NonZeroUsize,
    /// The most lines that may wait for each worker, including the lines of orders; any more are rejected
    /// as overload.
    pub queue_length: NonZeroUsize,
    /// The most lines in a group, unless a single order has more.
    pub group_size: NonZeroUsize,
}

/// Allocates lines and places orders in groups. Clones are handles to the same engine.
#[derive(Clone)]
pub struct AllocationEngine {
    /// The queues of lines, and of orders over one SKU, chosen by the hash of the SKU.
    queues: Arc<[Queue]>,
    /// The queue of orders over several SKUs.
    orders: Queue,
    /// The lane of commands whose products other transactions have locked.
    lane: Lane,
    threads: Arc<Mutex<Threads>>,
    age: AgeLimit,
    metrics: Arc<dyn EngineMetrics>,
    vitals: Arc<[Vital]>,
}

/// The threads of an engine.
#[derive(Default)]
struct Threads {
    workers: Vec<JoinHandle<()>>,
    /// The lane ends after the workers, which put commands into it.
    lane: Vec<JoinHandle<()>>,
}

/// The interval at which a shutdown checks whether the threads have ended.
const POLL: Duration = Duration::from_millis(2);

impl AllocationEngine {
    /// The longest time that a shutdown waits for the threads.
    pub const SHUT_DOWN_AT_MOST: Duration = Duration::from_secs(30);

    /// Starts the workers and the lane.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
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

    /// Allocates a line and returns after the commit; its events record `context`.
    ///
    /// Once this is called the line is decided, even if the caller disconnects.
    ///
    /// # Errors
    ///
    /// [`EngineError`], and nothing has changed. [`EngineError::Overloaded`] is returned at
    /// once when the queue is full, and also when the line was not decided within the age limit.
    pub async fn allocate(
        &self,
        line: OrderLine,
        context: EventContext,
    ) -> Result<Outcome<LineAllocation>, EngineError<AllocateError>> {
        let answer = self.submit_line(line, context)?;
        answer.await.unwrap_or_else(|_| Err(abandoned().into()))
    }

    /// Places an order, with all its lines in one unit of work, and returns after the commit. Its events
    /// record `context`.
    ///
    /// Once this is called the order is decided, even if the caller disconnects.
    ///
    /// # Errors
    ///
    /// [`EngineError`], and nothing of the order is stored. [`EngineError::Overloaded`] is returned
    /// at once when the queue is full, and also when the order was not decided within the age limit.
    pub async fn place_order(
        &self,
        order: NewOrder,
        context: EventContext,
    ) -> Result<Outcome<Order, ()>, EngineError<PlaceError>> {
        let answer = self.submit_order(order, context)?;
        answer.await.unwrap_or_else(|_| Err(abandoned().into()))
    }

    fn submit_line(
        &self,
        line: OrderLine,
        context: EventContext,
    ) -> Result<oneshot::Receiver<LineAnswer>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Request::Line { line, reply }, context).map(|()| answer)
    }

    fn submit_order(
        &self,
        order: NewOrder,
        context: EventContext,
    ) -> Result<oneshot::Receiver<OrderAnswer>, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Request::Order { order, reply }, context).map(|()| answer)
    }

    fn submit(&self, request: Request, context: EventContext) -> Result<(), SubmitError> {
        let job = Job { request, context, deadline: self.age.deadline(), room: None };
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

    /// Returns the vital signs of the workers and the lane.
    #[must_use]
    pub fn vitals(&self) -> Vec<Vital> {
        self.vitals.to_vec()
    }

    /// Rejects new commands, decides the queued ones, and ends the threads.
    ///
    /// Blocks until the threads have ended, but no longer than [`AllocationEngine::SHUT_DOWN_AT_MOST`]: a
    /// database that has stopped responding must not keep the process from ending.
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

/// Waits for threads to end; returns whether they ended in time.
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

/// The reason why the engine does not accept a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubmitError {
    Overloaded,
    ShuttingDown,
}

/// Returns the error for a command without a reply: its thread panicked outside of a decision, perhaps after the
/// commit.
fn abandoned() -> Arc<StoreError> {
    Arc::new(StoreError::OutcomeUnknown("the unit of work was abandoned by a panic".into()))
}

#[cfg(test)]
mod tests;

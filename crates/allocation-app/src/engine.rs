//! The allocation engine: group commit.
//!
//! A durable commit costs about as much for one line as for two hundred. The lines and orders of all
//! callers therefore go into bounded queues, one for each worker. A worker takes the commands that gathered
//! during its last commit and decides all of them in one unit of work. It commits once, and only then
//! replies to each caller. A lone line is a group of one: no timer waits for a group to fill.
//!
//! A product that another transaction has locked stops only its own commands: they go into a separate lane,
//! and the group continues without them. A command that has waited longer than its limit is rejected and
//! never decided.

mod counters;
mod error;
mod group;
mod held_skus;
mod job;
mod lane;
mod lane_worker;
mod line;
mod load_monitor;
mod orders;
mod queue;
mod room;
mod worker;

use crate::{AgeLimit, BackgroundTask, UnitRunner, Vital};
use allocation_domain::{AllocateError, LineAllocation, NewOrder, Order, OrderLine, Outcome, PlaceError};
use allocation_ports::{EventContext, StoreError};
#[cfg(test)]
pub(crate) use counters::GroupMeasure;
pub use counters::{EngineCounters, EngineSnapshot};
pub use error::EngineError;
use error::SubmitError;
use job::Job;
use lane::Lane;
use lane_worker::LaneWorker;
use line::LineReply;
pub(crate) use line::allocate;
pub use load_monitor::LoadMonitor;
pub use orders::OrderPreview;
use orders::OrderReply;
pub(crate) use orders::preview_order;
use queue::Queue;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The maximum number of lines that wait for each worker, including the lines of orders. Further lines are
    /// rejected as overload.
    pub queue_length: NonZeroUsize,
    /// The maximum number of lines in a group, unless a single order has more.
    pub group_size: NonZeroUsize,
}

/// The lines that wait in a queue of an engine, including the lines of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedLines {
    /// The name of the queue: `by-sku` for commands on one SKU, `several-skus`, or `held` for commands on products that
    /// other transactions have locked.
    pub queue: &'static str,
    /// The lines that wait.
    pub lines: usize,
    /// The maximum number of lines.
    pub capacity: usize,
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
    tasks: Arc<Mutex<Tasks>>,
    age: AgeLimit,
    counters: Arc<EngineCounters>,
    vitals: Arc<[Vital]>,
}

/// The threads of an engine.
#[derive(Default)]
struct Tasks {
    workers: Vec<BackgroundTask>,
    /// The lane ends after the workers, which put commands into it.
    lane: Option<BackgroundTask>,
}

impl AllocationEngine {
    /// The longest time that a shutdown waits for the threads.
    pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

    /// Starts the workers and the lane, which record their work in `counters`.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(
        units: &UnitRunner,
        counters: &Arc<EngineCounters>,
        age: &AgeLimit,
        settings: EngineSettings,
    ) -> io::Result<Self> {
        let (lane, receiver) = Lane::new(Arc::clone(counters));
        let worker = || Worker {
            units: units.clone(),
            counters: Arc::clone(counters),
            age: age.clone(),
            held: Arc::clone(&lane.held),
            group_size: settings.group_size.get(),
        };
        let lane_worker = LaneWorker::new(worker(), Arc::clone(&lane.held));
        let lane_task = BackgroundTask::spawn("allocate-held", move |_| lane_worker.run(receiver))?;
        let mut workers = Vec::new();
        let mut start = |name: String| {
            let (queue, receiver) = Queue::new(settings.queue_length.get());
            let (worker, lane) = (worker(), lane.clone());
            workers.push(BackgroundTask::spawn(name, move |_| worker.run(receiver, &lane))?);
            io::Result::Ok(queue)
        };
        let by_sku = (0..settings.workers.get()).map(|number| start(format!("allocate-{number}")));
        let queues = by_sku.collect::<io::Result<Vec<Queue>>>()?.into();
        let orders = start("orders".to_owned())?;
        let vitals = workers.iter().chain([&lane_task]).map(BackgroundTask::vital).collect();
        let tasks = Arc::new(Mutex::new(Tasks { workers, lane: Some(lane_task) }));
        Ok(Self { queues, orders, lane, tasks, age: age.clone(), counters: Arc::clone(counters), vitals })
    }

    /// Allocates a line and returns after the commit; its events record `context`.
    ///
    /// Dropping the future does not withdraw a queued line.
    ///
    /// # Errors
    ///
    /// [`EngineError`]; nothing has changed, except possibly after [`StoreError::OutcomeUnknown`].
    /// [`EngineError::Overloaded`] is returned at once when the queue is full, and also when the line was not
    /// decided within the age limit.
    pub async fn allocate(
        &self,
        line: OrderLine,
        context: EventContext,
    ) -> Result<Outcome<LineAllocation>, EngineError<AllocateError>> {
        let reply = self.submit_line(line, context)?;
        received(reply).await
    }

    /// Places an order, with all its lines in one unit of work, and returns after the commit. Its events
    /// record `context`.
    ///
    /// Dropping the future does not withdraw a queued order.
    ///
    /// # Errors
    ///
    /// [`EngineError`]; nothing of the order is stored, except possibly after [`StoreError::OutcomeUnknown`].
    /// [`EngineError::Overloaded`] is returned at once when the queue is full, and also when the order was not
    /// decided within the age limit.
    pub async fn place_order(
        &self,
        order: NewOrder,
        context: EventContext,
    ) -> Result<Outcome<Order, ()>, EngineError<PlaceError>> {
        let reply = self.submit_order(order, context)?;
        received(reply).await
    }

    /// Allocates a line of a bulk request: like [`AllocationEngine::allocate`], but waits up to 30 s for room in the
    /// queue.
    ///
    /// The age of the line counts from the time when it has room. Bulk commands take at most half of a queue. The
    /// future must run on a Tokio runtime with time enabled.
    ///
    /// # Errors
    ///
    /// As for [`AllocationEngine::allocate`], but [`EngineError::Overloaded`] only if the line had no room in time, was
    /// not decided within the age limit, or its product is locked and too many commands wait for locked products.
    pub async fn allocate_in_bulk(
        &self,
        line: OrderLine,
        context: EventContext,
    ) -> Result<Outcome<LineAllocation>, EngineError<AllocateError>> {
        let (job, reply) = Job::line(line, context, self.age.deadline());
        self.submit_in_bulk(job).await?;
        received(reply).await
    }

    /// Places an order of a bulk request: like [`AllocationEngine::place_order`], but waits up to 30 s for room in
    /// the queue.
    ///
    /// The age of the order counts from the time when it has room. Bulk commands take at most half of a queue. The
    /// future must run on a Tokio runtime with time enabled.
    ///
    /// # Errors
    ///
    /// As for [`AllocationEngine::place_order`], but [`EngineError::Overloaded`] only if the order had no room in time,
    /// was not decided within the age limit, or a product is locked and too many commands wait for locked products.
    pub async fn place_order_in_bulk(
        &self,
        order: NewOrder,
        context: EventContext,
    ) -> Result<Outcome<Order, ()>, EngineError<PlaceError>> {
        let (job, reply) = Job::order(order, context, self.age.deadline());
        self.submit_in_bulk(job).await?;
        received(reply).await
    }

    async fn submit_in_bulk(&self, mut job: Job) -> Result<(), SubmitError> {
        let queue = self.queue(&job);
        let room = queue.reserve_in_bulk(job.lines()).await.inspect_err(|error| self.count(error))?;
        job.room = Some(room);
        job.deadline = self.age.deadline();
        queue.send(job)
    }

    fn submit_line(&self, line: OrderLine, context: EventContext) -> Result<oneshot::Receiver<LineReply>, SubmitError> {
        let (job, reply) = Job::line(line, context, self.age.deadline());
        self.submit(job).map(|()| reply)
    }

    fn submit_order(
        &self,
        order: NewOrder,
        context: EventContext,
    ) -> Result<oneshot::Receiver<OrderReply>, SubmitError> {
        let (job, reply) = Job::order(order, context, self.age.deadline());
        self.submit(job).map(|()| reply)
    }

    fn submit(&self, job: Job) -> Result<(), SubmitError> {
        self.queue(&job).put(job).inspect_err(|error| self.count(error))
    }

    fn count(&self, error: &SubmitError) {
        if *error == SubmitError::Overloaded {
            self.counters.overload();
        }
    }

    #[expect(clippy::expect_used, reason = "the remainder is less than the number of queues")]
    fn queue(&self, job: &Job) -> &Queue {
        if job.lines() > 1 {
            return &self.orders;
        }
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(job.first_sku());
        let queues = u64::try_from(self.queues.len()).expect("the number of queues fits u64");
        &self.queues[usize::try_from(hash % queues).expect("the index fits usize")]
    }

    /// Returns the lines that wait in the queues, and the room of the queues.
    #[must_use]
    pub fn queued(&self) -> [QueuedLines; 3] {
        let sum = |count: fn(&Queue) -> usize| self.queues.iter().map(count).sum();
        let by_sku = QueuedLines { queue: "by-sku", lines: sum(Queue::lines), capacity: sum(Queue::capacity) };
        let of = |queue: &'static str, it: &Queue| QueuedLines { queue, lines: it.lines(), capacity: it.capacity() };
        [by_sku, of("several-skus", &self.orders), of("held", self.lane.queue())]
    }

    /// Returns the vital signs of the workers and the lane.
    #[must_use]
    pub fn vitals(&self) -> Vec<Vital> {
        self.vitals.to_vec()
    }

    /// Rejects new commands, decides the queued ones, and ends the threads.
    ///
    /// Blocks until the threads have ended, but no longer than [`AllocationEngine::SHUTDOWN_TIMEOUT`]: a
    /// database that has stopped responding must not keep the process from ending.
    pub fn shut_down(&self) {
        let until = Instant::now() + Self::SHUTDOWN_TIMEOUT;
        self.queues.iter().chain([&self.orders]).for_each(Queue::close);
        let Tasks { workers, lane } = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ended = workers.into_iter().all(|worker| worker.stop_by(until));
        if ended {
            self.lane.close();
            ended = lane.is_none_or(|lane| lane.stop_by(until));
        }
        if !ended {
            tracing::error!("the database does not respond: the shutdown abandons commands in progress");
        }
    }
}

/// Waits for the reply to a command.
async fn received<T, R>(reply: oneshot::Receiver<Result<T, EngineError<R>>>) -> Result<T, EngineError<R>> {
    reply.await.unwrap_or_else(|_| Err(abandoned().into()))
}

/// Returns the error for a command without a reply: its thread panicked outside of a decision, perhaps after the
/// commit.
fn abandoned() -> Arc<StoreError> {
    Arc::new(StoreError::OutcomeUnknown("the unit of work was abandoned by a panic".into()))
}

/// Decides a line in a group of its own, on the caller's thread; returns `None` if its product is behind.
#[cfg(test)]
pub(crate) fn decide_line(units: &UnitRunner, line: OrderLine) -> Result<Option<LineReply>, StoreError> {
    let (job, mut reply) = Job::line(line, EventContext::default(), Instant::now());
    decide_alone(units, job)?;
    Ok(reply.try_recv().ok())
}

/// Decides an order in a group of its own, on the caller's thread; returns `None` if a product is behind.
#[cfg(test)]
pub(crate) fn decide_order(units: &UnitRunner, order: NewOrder) -> Result<Option<OrderReply>, StoreError> {
    let (job, mut reply) = Job::order(order, EventContext::default(), Instant::now());
    decide_alone(units, job)?;
    Ok(reply.try_recv().ok())
}

#[cfg(test)]
fn decide_alone(units: &UnitRunner, mut job: Job) -> Result<(), StoreError> {
    units.run("group", |unit, attempt| group::decide_group(unit, attempt, &mut [&mut job], &mut |_| false))?;
    job.reply();
    Ok(())
}

#[cfg(test)]
mod tests;

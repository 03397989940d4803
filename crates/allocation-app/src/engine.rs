//! The allocation engine: group commit.
//!
//! A durable commit costs about as much for one line as for two hundred. So the lines and orders of
//! all callers go into bounded queues, one for each worker; a worker takes what has gathered while
//! its commit before was under way, decides all of it in one unit of work, commits once, and only
//! then answers each caller. A lone line is a group of one: nothing ever waits for a group to fill.

mod counters;
mod job;
mod worker;

use crate::UnitRunner;
use crate::allocate_line::{AllocateLineError, LineAnswer};
use crate::place_order::{OrderAnswer, PlaceOrderError, PlaceOrderOutcome};
use allocation_domain::{AllocationOutcome, NewOrder, OrderLine};
use allocation_ports::{Clock, EngineMetrics, StoreError};
pub use counters::{Distribution, EngineCounters, EngineSnapshot};
use job::{Job, Message};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use worker::Worker;

/// How an [`AllocationEngine`] is laid out.
#[derive(Debug, Clone, Copy)]
pub struct EngineSettings {
    /// How many workers, each with a queue and a unit of work of its own. A SKU belongs to one
    /// worker, so that two workers do not wait for each other's product. Orders over several SKUs
    /// belong to the first worker: two groups of them would mostly have a product in common, and do
    /// better as one.
    pub workers: NonZeroUsize,
    /// How many lines and orders may wait for each worker; one more is refused as overload.
    pub queue_length: NonZeroUsize,
    /// How many lines a group has at most, but for an order that has more by itself.
    pub group_size: NonZeroUsize,
}

/// Allocates lines and places orders in groups. Cloning gives another handle to the same engine.
#[derive(Clone)]
pub struct AllocationEngine {
    queues: Arc<[mpsc::Sender<Message>]>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    metrics: Arc<dyn EngineMetrics>,
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
        clock: &Arc<dyn Clock>,
        metrics: &Arc<dyn EngineMetrics>,
        settings: EngineSettings,
    ) -> io::Result<Self> {
        let mut queues = Vec::new();
        let mut threads = Vec::new();
        for number in 0..settings.workers.get() {
            let (sender, receiver) = mpsc::channel(settings.queue_length.get());
            let worker = Worker::new(units.clone(), Arc::clone(clock), Arc::clone(metrics), settings.group_size.get());
            let thread = std::thread::Builder::new().name(format!("allocate-{number}"));
            threads.push(thread.spawn(move || worker.run(receiver))?);
            queues.push(sender);
        }
        Ok(Self { queues: queues.into(), threads: Arc::new(Mutex::new(threads)), metrics: Arc::clone(metrics) })
    }

    /// Allocates a line. The answer comes after the commit.
    ///
    /// Once this is called the line is decided, even if the caller goes away.
    ///
    /// # Errors
    ///
    /// [`AllocateLineError`], and nothing has changed; [`AllocateLineError::Overloaded`] at once
    /// when the queue is full.
    pub async fn allocate(&self, line: OrderLine) -> Result<AllocationOutcome, AllocateLineError> {
        let answer = self.submit_line(line)?;
        answer.await.unwrap_or_else(|_| Err(abandoned().into()))
    }

    /// Places an order: all its lines in one unit of work. The answer comes after the commit.
    ///
    /// Once this is called the order is decided, even if the caller goes away.
    ///
    /// # Errors
    ///
    /// [`PlaceOrderError`], and nothing of the order is stored; [`PlaceOrderError::Overloaded`] at
    /// once when the queue is full.
    pub async fn place_order(&self, order: NewOrder) -> Result<PlaceOrderOutcome, PlaceOrderError> {
        let answer = self.submit_order(order)?;
        answer.await.unwrap_or_else(|_| Err(abandoned().into()))
    }

    fn submit_line(&self, line: OrderLine) -> Result<oneshot::Receiver<LineAnswer>, NotTaken> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Line { line, reply }).map(|()| answer)
    }

    fn submit_order(&self, order: NewOrder) -> Result<oneshot::Receiver<OrderAnswer>, NotTaken> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Order { order, reply }).map(|()| answer)
    }

    fn submit(&self, job: Job) -> Result<(), NotTaken> {
        self.queue(&job).try_send(Message::Job(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                self.metrics.overload();
                NotTaken::Overloaded
            }
            mpsc::error::TrySendError::Closed(_) => NotTaken::ShuttingDown,
        })
    }

    fn queue(&self, job: &Job) -> &mpsc::Sender<Message> {
        if job.lines() > 1 {
            return &self.queues[0];
        }
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(job.first_sku());
        // The remainder is less than the number of queues, and so fits any size.
        let place = u64::try_from(self.queues.len()).map_or(0, |queues| hash % queues);
        &self.queues[usize::try_from(place).unwrap_or(0)]
    }

    /// Takes no more lines, decides and answers those that wait, and ends the workers.
    ///
    /// Blocks until they have ended, but no longer than [`AllocationEngine::SHUT_DOWN_AT_MOST`]: a
    /// database that has stopped to answer must not keep the process from ending.
    pub fn shut_down(&self) {
        let until = Instant::now() + Self::SHUT_DOWN_AT_MOST;
        for queue in &*self.queues {
            // A worker that is gone has nothing to be told, and one whose queue is full is told
            // with the next try.
            while queue.try_send(Message::Stop).is_err_and(|error| matches!(error, mpsc::error::TrySendError::Full(_)))
                && Instant::now() < until
            {
                thread::sleep(POLL);
            }
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        while threads.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() >= until {
                tracing::error!("the database does not answer: lines in flight are given up");
                return;
            }
            thread::sleep(POLL);
        }
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a worker of the allocation engine had panicked");
            }
        }
    }
}

/// Why the engine does not take a command in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Overloaded,
    ShuttingDown,
}

/// A worker answers all that it takes, unless it panics: a fault of the program.
fn abandoned() -> Arc<StoreError> {
    Arc::new(StoreError::Failed("the unit of work was abandoned by a panic".into()))
}

#[cfg(test)]
mod tests;

//! Where commands wait whose products others hold.

use super::held_skus::HeldSkus;
use super::job::Job;
use super::queue::{Queue, Receiver};
use super::worker::Worker;
use allocation_ports::{EngineMetrics, StoreError};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How many lines may wait in the lane, those of orders included; one more is refused as overload.
/// They do not take up room in the queues, so that one product fills none of them.
pub(super) const LANE_LENGTH: usize = 1_024;
/// How long the lane rests when nothing in it could be decided and the database did not make it wait.
const PAUSE: Duration = Duration::from_millis(5);

/// The way into the lane. Cloning gives another handle to the same one.
#[derive(Clone)]
pub(super) struct Lane {
    queue: Queue,
    pub(super) held: Arc<HeldSkus>,
    metrics: Arc<dyn EngineMetrics>,
}

impl Lane {
    pub(super) fn new(metrics: Arc<dyn EngineMetrics>) -> (Self, Receiver) {
        let (queue, receiver) = Queue::new(LANE_LENGTH);
        (Self { queue, held: Arc::default(), metrics }, receiver)
    }

    /// Has jobs wait here, or refuses those for which there is no room.
    pub(super) fn put(&self, jobs: impl IntoIterator<Item = Job>) {
        for mut job in jobs {
            match self.queue.reserve(job.lines()) {
                Ok(room) => {
                    job.room = Some(room);
                    // Only a lane that is gone takes none, and then nobody waits for the answer.
                    let _gone = self.queue.send(job);
                }
                Err(_) => {
                    self.metrics.overload();
                    job.refuse();
                }
            }
        }
    }

    /// Takes no more in, and tells the lane to end when it has dealt with all that waits.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

/// Decides the commands of a lane as soon as their products are free, none later than its deadline.
pub(super) struct LaneWorker {
    worker: Worker,
    held: Arc<HeldSkus>,
}

impl LaneWorker {
    pub(super) const fn new(worker: Worker, held: Arc<HeldSkus>) -> Self {
        Self { worker, held }
    }

    pub(super) fn run(&self, mut queue: Receiver) {
        let mut waiting: Vec<Job> = Vec::new();
        loop {
            if waiting.is_empty() {
                let Some(jobs) = queue.take(LANE_LENGTH) else { return };
                waiting = jobs;
            } else {
                waiting.extend(queue.take_ready(LANE_LENGTH));
            }
            waiting = Worker::survive(|| self.round(waiting));
        }
    }

    /// Decides what can be decided, and gives back the rest.
    fn round(&self, waiting: Vec<Job>) -> Vec<Job> {
        let (late, mut waiting): (Vec<Job>, Vec<Job>) =
            waiting.into_iter().partition(|job| self.worker.age().is_over(job.deadline));
        fail_late(late);
        let before = waiting.len();
        waiting = self.worker.decide_unheld(waiting);
        if waiting.len() < before || waiting.is_empty() {
            return waiting;
        }
        self.wait_for_first(waiting)
    }

    /// Waits a moment for the products of the first command, and lets the next be first.
    ///
    /// To ask who is free is not enough: a product that others lock one after the other would never
    /// be found so. Who waits for a lock is given it in turn.
    fn wait_for_first(&self, waiting: Vec<Job>) -> Vec<Job> {
        let Some(first) = waiting.first() else { return waiting };
        let sku = first.first_sku().cloned();
        let alone = first.lines() > 1;
        let mut taken = false;
        let (first, mut others): (Vec<Job>, Vec<Job>) = waiting.into_iter().partition(|job| {
            let same = if alone { !taken } else { job.lines() == 1 && job.first_sku() == sku.as_ref() };
            taken = true;
            same
        });
        let undecided = self.worker.decide_with_a_wait(first);
        if !undecided.is_empty() {
            self.held.remember(undecided.iter().flat_map(Job::skus), self.worker.age());
            thread::sleep(PAUSE);
        }
        others.extend(undecided);
        others
    }
}

/// Tells those whose time is up that nothing was decided.
fn fail_late(late: Vec<Job>) {
    if late.is_empty() {
        return;
    }
    let error = Arc::new(StoreError::Busy("another transaction holds a product for too long".into()));
    for job in late {
        job.fail(Arc::clone(&error));
    }
}

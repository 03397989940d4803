//! The lane of commands whose products other transactions have locked.

use super::counters::EngineCounters;
use super::held_skus::HeldSkus;
use super::job::Job;
use super::queue::{Queue, Receiver};
use super::worker::Worker;
use allocation_ports::StoreError;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The most lines that may wait in the lane, including the lines of orders; any more are rejected as
/// overload.
///
/// They occupy no room in the queues, so that one product cannot fill a queue.
pub(super) const LANE_LENGTH: usize = 1_024;
/// The pause of the lane after it has waited for a product in vain.
const PAUSE: Duration = Duration::from_millis(5);

/// The sending side of the lane. Clones are handles to the same lane.
#[derive(Clone)]
pub(super) struct Lane {
    queue: Queue,
    pub(super) held: Arc<HeldSkus>,
    counters: Arc<EngineCounters>,
}

impl Lane {
    pub(super) fn new(counters: Arc<EngineCounters>) -> (Self, Receiver) {
        let (queue, receiver) = Queue::new(LANE_LENGTH);
        (Self { queue, held: Arc::default(), counters }, receiver)
    }

    /// Queues jobs, and rejects those for which there is no room.
    pub(super) fn put(&self, jobs: impl IntoIterator<Item = Job>) {
        for mut job in jobs {
            match self.queue.reserve(job.lines()) {
                Ok(room) => {
                    job.room = Some(room);
                    // Sending fails only once the lane has ended, when no caller waits for a reply.
                    let _gone = self.queue.send(job);
                }
                Err(_) => {
                    self.counters.overload();
                    job.refuse();
                }
            }
        }
    }

    /// Rejects new jobs; the lane ends after the jobs that wait.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

/// Decides the commands of a lane as soon as their products are free, and fails them at their deadlines.
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

    /// Decides the commands that can be decided; returns the rest.
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

    /// Waits briefly for the products of the first command; moves the command to the end if that is in vain.
    ///
    /// Asking which products are free is not enough: a product that other transactions lock in turn would
    /// never be found free. A lock is granted to its waiters in turn.
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

/// Replies to late commands that nothing was decided.
fn fail_late(late: Vec<Job>) {
    if late.is_empty() {
        return;
    }
    let error = Arc::new(StoreError::Busy("another transaction holds a product for too long".into()));
    for job in late {
        job.fail(Arc::clone(&error));
    }
}

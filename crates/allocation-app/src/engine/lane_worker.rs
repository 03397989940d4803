//! The worker of the lane.

use super::held_skus::HeldSkus;
use super::job::Job;
use super::lane::LANE_LENGTH;
use super::queue::Receiver;
use super::worker::Worker;
use allocation_ports::StoreError;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The pause of the lane after a wait for a product has timed out.
const PAUSE: Duration = Duration::from_millis(5);

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
                queue.take_ready(LANE_LENGTH, &mut waiting);
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

    /// Waits briefly for the products of the first command; moves the command to the end if they stay locked.
    ///
    /// A check for free products is not enough: it would never find a product free that other transactions
    /// lock in turn. A lock is granted to its waiters in turn.
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

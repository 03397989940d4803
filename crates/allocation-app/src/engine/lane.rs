//! The lane of commands whose products other transactions have locked.

use super::counters::EngineCounters;
use super::held_skus::HeldSkus;
use super::job::Job;
use super::queue::{Queue, Receiver};
use std::sync::Arc;

/// The maximum number of lines that wait in the lane, including the lines of orders. Further lines are rejected as
/// overload.
///
/// They occupy no room in the queues, so that one product cannot fill a queue.
pub(super) const LANE_LENGTH: usize = 1_024;

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

    pub(super) const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Rejects new jobs; the lane ends after the jobs that wait.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

//! The queue of a worker.

use super::error::SubmitError;
use super::job::Job;
use super::room::Room;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::{AcquireError, Semaphore, TryAcquireError, mpsc};
use tokio::time::timeout;

/// The longest wait of a bulk command for room.
const BULK_TIMEOUT: Duration = Duration::from_secs(30);

/// The sending side of a queue that is bounded by its lines. Clones are handles to the same queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: mpsc::UnboundedSender<Message>,
    /// One permit for each line that may still be queued: an order takes as many as it has lines.
    room: Arc<Semaphore>,
    length: usize,
    /// The part of the room that bulk commands may take, half of it: the others find room beside them.
    bulk: Arc<Semaphore>,
    bulk_length: usize,
}

/// A message in a queue.
#[expect(clippy::large_enum_variant, reason = "all messages but the last are jobs")]
#[derive(Debug)]
enum Message {
    Job(Job),
    /// The receiver rejects new jobs, finishes the queued ones, and ends.
    Stop,
}

/// The receiving side of a queue.
#[derive(Debug)]
pub(super) struct Receiver {
    messages: mpsc::UnboundedReceiver<Message>,
    /// Whether the last call of [`Receiver::take`] returned several jobs.
    had_several: bool,
}

impl Queue {
    /// Returns a queue for `length` lines.
    pub(super) fn new(length: usize) -> (Self, Receiver) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let length = length.min(Semaphore::MAX_PERMITS);
        let bulk_length = length.div_ceil(2);
        let (room, bulk) = (Arc::new(Semaphore::new(length)), Arc::new(Semaphore::new(bulk_length)));
        (Self { sender, room, length, bulk, bulk_length }, Receiver { messages: receiver, had_several: false })
    }

    /// Queues a job, unless there is no room for its lines.
    ///
    /// A job with more lines than the whole queue has room for enters an empty queue.
    pub(super) fn put(&self, mut job: Job) -> Result<(), SubmitError> {
        job.room = Some(self.reserve(job.lines())?);
        self.send(job)
    }

    /// Reserves room for `lines` lines.
    pub(super) fn reserve(&self, lines: usize) -> Result<Room, SubmitError> {
        let reserved = Arc::clone(&self.room).try_acquire_many_owned(permits(lines, self.length));
        let reserved = reserved.map_err(|error| match error {
            TryAcquireError::NoPermits => SubmitError::Overloaded,
            TryAcquireError::Closed => SubmitError::ShuttingDown,
        })?;
        Ok(Room::new(reserved, None))
    }

    /// Waits until there is room for `lines` lines of a bulk command, for [`BULK_TIMEOUT`] at most.
    pub(super) async fn reserve_in_bulk(&self, lines: usize) -> Result<Room, SubmitError> {
        let reserved = async {
            let bulk = Arc::clone(&self.bulk).acquire_many_owned(permits(lines, self.bulk_length)).await?;
            let lines = Arc::clone(&self.room).acquire_many_owned(permits(lines, self.length)).await?;
            Ok::<_, AcquireError>(Room::new(lines, Some(bulk)))
        };
        let reserved = timeout(BULK_TIMEOUT, reserved).await.map_err(|_| SubmitError::Overloaded)?;
        reserved.map_err(|_| SubmitError::ShuttingDown)
    }

    /// Queues a job that has reserved its room.
    pub(super) fn send(&self, job: Job) -> Result<(), SubmitError> {
        self.sender.send(Message::Job(job)).map_err(|_| SubmitError::ShuttingDown)
    }

    /// Returns the number of lines that wait or have reserved room.
    pub(super) fn lines(&self) -> usize {
        self.length.saturating_sub(self.room.available_permits())
    }

    /// Returns the maximum number of lines.
    pub(super) const fn capacity(&self) -> usize {
        self.length
    }

    /// Rejects new jobs; the worker ends after the jobs that wait.
    pub(super) fn close(&self) {
        self.room.close();
        self.bulk.close();
        // Sending fails only when the worker has ended already.
        let _gone = self.sender.send(Message::Stop);
    }
}

/// Returns the permits for `lines` lines in a queue of `length`.
fn permits(lines: usize, length: usize) -> u32 {
    u32::try_from(lines.min(length)).unwrap_or(u32::MAX)
}

impl Receiver {
    /// Takes up to `limit` jobs, waiting for the first; returns `None` when the queue is closed and empty.
    ///
    /// Yields once after the first job if the last call returned several. The list is empty if only the stop arrived.
    pub(super) fn take(&mut self, limit: usize) -> Option<Vec<Job>> {
        let mut jobs = Vec::with_capacity(limit);
        if self.messages.is_empty() {
            let first = self.messages.blocking_recv()?;
            self.accept(first, &mut jobs);
            if self.had_several {
                // Waking this thread often preempts the HTTP thread that submits more jobs. Yielding lets it submit them
                // for this group.
                thread::yield_now();
            }
        }
        self.take_ready(limit - jobs.len(), &mut jobs);
        self.had_several = jobs.len() > 1;
        Some(jobs)
    }

    /// Adds up to `limit` jobs to `jobs`, without waiting.
    pub(super) fn take_ready(&mut self, limit: usize, jobs: &mut Vec<Job>) {
        let limit = jobs.len() + limit;
        while jobs.len() < limit
            && let Ok(message) = self.messages.try_recv()
        {
            self.accept(message, jobs);
        }
    }

    fn accept(&mut self, message: Message, jobs: &mut Vec<Job>) {
        match message {
            Message::Job(job) => jobs.push(job),
            Message::Stop => self.messages.close(),
        }
    }

    /// Returns how many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocation_domain::{OrderId, OrderLine, Quantity, Sku};
    use allocation_ports::EventContext;
    use std::time::Instant;

    fn job(number: u32) -> Job {
        let order_id = OrderId::parse(format!("O-{number}")).unwrap();
        let line = OrderLine::new(order_id, Sku::parse("LAMP").unwrap(), Quantity::new(1).unwrap()).unwrap();
        Job::line(line, EventContext::default(), Instant::now()).0
    }

    #[test]
    fn a_group_has_no_more_jobs_than_its_limit() {
        let (queue, mut receiver) = Queue::new(10);
        (0..5).for_each(|number| queue.put(job(number)).unwrap());
        let sizes = [2, 2, 2].map(|limit| receiver.take(limit).unwrap().len());
        assert_eq!(sizes, [2, 2, 1]);

        receiver.had_several = true;
        let sizes = std::thread::scope(|scope| {
            scope.spawn(|| (0..5).for_each(|number| queue.put(job(number)).unwrap()));
            let mut sizes = Vec::new();
            while sizes.iter().sum::<usize>() < 5 {
                sizes.push(receiver.take(2).unwrap().len());
            }
            sizes
        });
        assert!(sizes.iter().all(|size| (1..=2).contains(size)), "{sizes:?}");
    }

    #[test]
    fn jobs_before_the_stop_are_returned_and_later_ones_rejected() {
        let (queue, mut receiver) = Queue::new(10);
        queue.put(job(1)).unwrap();
        queue.close();
        assert_eq!(receiver.take(5).unwrap().len(), 1);
        assert_eq!(queue.put(job(2)), Err(SubmitError::ShuttingDown));
        assert!(receiver.take(5).is_none());
    }

    #[test]
    fn a_bulk_command_without_room_is_rejected_after_its_timeout() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (queue, _receiver) = Queue::new(2);
            let room = [queue.reserve(1).unwrap(), queue.reserve(1).unwrap()];
            assert_eq!(queue.reserve_in_bulk(1).await.unwrap_err(), SubmitError::Overloaded);
            drop(room);
            queue.reserve_in_bulk(1).await.unwrap();
        });
    }
}

//! What waits for a worker.

use super::NotTaken;
use super::job::Job;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};

/// The way into a queue that holds so many lines. Cloning gives another handle to the same queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: mpsc::UnboundedSender<Message>,
    /// A permit for each line that may still come in: an order takes as many as it has lines.
    room: Arc<Semaphore>,
    length: usize,
}

/// What goes through a queue.
#[derive(Debug)]
enum Message {
    Job(Waiting),
    /// Take no more, finish what waits, end.
    Stop,
}

/// A job with the room that it takes up while it waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) job: Job,
    _room: OwnedSemaphorePermit,
}

/// Where a worker takes from.
#[derive(Debug)]
pub(super) struct Receiver(mpsc::UnboundedReceiver<Message>);

impl Queue {
    /// A queue for so many lines.
    pub(super) fn new(length: usize) -> (Self, Receiver) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let length = length.min(Semaphore::MAX_PERMITS);
        (Self { sender, room: Arc::new(Semaphore::new(length)), length }, Receiver(receiver))
    }

    /// Puts a job into the queue, unless there is no room for its lines. One that has more of them
    /// than the queue is long gets into an empty one.
    pub(super) fn put(&self, job: Job) -> Result<(), NotTaken> {
        let lines = u32::try_from(job.lines().min(self.length)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(lines).map_err(|error| match error {
            TryAcquireError::NoPermits => NotTaken::Overloaded,
            TryAcquireError::Closed => NotTaken::ShuttingDown,
        })?;
        let waiting = Waiting { job, _room: room };
        self.sender.send(Message::Job(waiting)).map_err(|_| NotTaken::ShuttingDown)
    }

    /// Takes no more in, and tells the worker to end when it has taken all that waits.
    pub(super) fn close(&self) {
        self.room.close();
        // A worker that is gone has nothing to be told.
        let _gone = self.sender.send(Message::Stop);
    }
}

impl Receiver {
    /// Takes up to so many jobs, and waits for the first; `None` when the queue is closed and empty.
    pub(super) fn take(&mut self, most: usize) -> Option<Vec<Waiting>> {
        let mut messages = Vec::with_capacity(most);
        if self.0.blocking_recv_many(&mut messages, most) == 0 {
            return None;
        }
        let mut jobs = Vec::with_capacity(messages.len());
        for message in messages {
            match message {
                Message::Job(waiting) => jobs.push(waiting),
                Message::Stop => self.0.close(),
            }
        }
        Some(jobs)
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

//! What waits for a worker.

use super::SubmitError;
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
    Job(Job),
    /// Take no more, finish what waits, end.
    Stop,
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
    pub(super) fn put(&self, mut job: Job) -> Result<(), SubmitError> {
        job.room = Some(self.reserve(job.lines())?);
        self.send(job)
    }

    /// Takes room for so many lines.
    pub(super) fn reserve(&self, lines: usize) -> Result<OwnedSemaphorePermit, SubmitError> {
        let lines = u32::try_from(lines.min(self.length)).unwrap_or(u32::MAX);
        Arc::clone(&self.room).try_acquire_many_owned(lines).map_err(|error| match error {
            TryAcquireError::NoPermits => SubmitError::Overloaded,
            TryAcquireError::Closed => SubmitError::ShuttingDown,
        })
    }

    /// Puts a job that has its room into the queue.
    pub(super) fn send(&self, job: Job) -> Result<(), SubmitError> {
        self.sender.send(Message::Job(job)).map_err(|_| SubmitError::ShuttingDown)
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
    pub(super) fn take(&mut self, most: usize) -> Option<Vec<Job>> {
        let mut messages = Vec::with_capacity(most);
        if self.0.blocking_recv_many(&mut messages, most) == 0 {
            return None;
        }
        let mut jobs = Vec::with_capacity(messages.len());
        for message in messages {
            match message {
                Message::Job(job) => jobs.push(job),
                Message::Stop => self.0.close(),
            }
        }
        Some(jobs)
    }

    /// Takes up to so many jobs that are there, and waits for none.
    pub(super) fn take_ready(&mut self, most: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        while jobs.len() < most
            && let Ok(message) = self.0.try_recv()
        {
            match message {
                Message::Job(job) => jobs.push(job),
                Message::Stop => self.0.close(),
            }
        }
        jobs
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

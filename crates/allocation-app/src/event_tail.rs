//! Waiting for the event log to grow.

use crate::{BackgroundTask, FailureLog, Vital};
use allocation_ports::EventLog;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The interval between polls of the database while there are waiters.
const POLL: Duration = Duration::from_millis(50);

/// Notifies waiters of new events, without a thread or a connection for each.
///
/// One thread polls the newest position, and only while there are waiters. Clones are handles to the same
/// tail, which closes when the last one is dropped.
#[derive(Clone)]
pub struct EventTail(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    vital: Vital,
    task: Mutex<Option<BackgroundTask>>,
}

struct Shared {
    newest: watch::Sender<Newest>,
    /// The number of waiters.
    waiting: Mutex<usize>,
    changed: Condvar,
    limit: usize,
}

/// The known state of the log.
#[derive(Debug, Clone, Copy)]
struct Newest {
    position: u64,
    closed: bool,
}

/// A registered waiter.
pub struct EventWaiter {
    newest: watch::Receiver<Newest>,
    shared: Arc<Shared>,
}

impl EventTail {
    /// Starts to watch a log, for up to `limit` waiters at a time.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(log: Arc<dyn EventLog>, limit: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            newest: watch::Sender::new(Newest { position: 0, closed: false }),
            waiting: Mutex::new(0),
            changed: Condvar::new(),
            limit,
        });
        let watched = Arc::clone(&shared);
        // The thread ends when the tail is closed.
        let task = BackgroundTask::spawn("tail", move |_| watched.watch(&*log))?;
        Ok(Self(Arc::new(Handle { shared, vital: task.vital(), task: Mutex::new(Some(task)) })))
    }

    /// Reports a newer position of the log, ahead of the next poll.
    pub fn advance(&self, position: u64) {
        self.0.shared.advance(position);
    }

    /// Registers a waiter; returns `None` when all places are taken.
    #[must_use]
    pub fn enter(&self) -> Option<EventWaiter> {
        let shared = &self.0.shared;
        let mut waiting = locked(&shared.waiting);
        if *waiting >= shared.limit {
            return None;
        }
        *waiting += 1;
        shared.changed.notify_one();
        Some(EventWaiter { newest: shared.newest.subscribe(), shared: Arc::clone(shared) })
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.0.vital.clone()
    }

    /// Ends all waits, current and future.
    pub fn close(&self) {
        self.0.shared.close();
    }

    /// Ends all waits, current and future, and the thread.
    pub fn stop(&self) {
        self.close();
        let task = locked(&self.0.task).take();
        if let Some(task) = task {
            task.stop();
        }
    }
}

impl EventWaiter {
    /// Waits for events after a position; returns `false` when the tail is closed.
    pub async fn grown_past(&mut self, position: u64) -> bool {
        let grown = self.newest.wait_for(|newest| newest.closed || newest.position > position).await;
        grown.is_ok_and(|newest| !newest.closed)
    }

    /// Waits until the tail is closed.
    pub async fn closed(&mut self) {
        // The sender lives as long as the waiter.
        let _closed = self.newest.wait_for(|newest| newest.closed).await;
    }
}

impl Drop for EventWaiter {
    fn drop(&mut self) {
        *locked(&self.shared.waiting) -= 1;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Shared {
    fn close(&self) {
        // Under the lock, so that the thread cannot miss the change between its check and its sleep.
        let _waiting = locked(&self.waiting);
        self.newest.send_modify(|newest| newest.closed = true);
        self.changed.notify_one();
    }

    fn advance(&self, position: u64) {
        self.newest.send_if_modified(|newest| {
            let grown = position > newest.position;
            newest.position = newest.position.max(position);
            grown
        });
    }

    fn watch(&self, log: &dyn EventLog) {
        let failures = FailureLog::new("watching the event log", "retrying");
        while self.has_waiters() {
            // A panic costs one poll, not the thread.
            match panic::catch_unwind(AssertUnwindSafe(|| log.bounds())) {
                Ok(Ok(bounds)) => {
                    self.advance(bounds.last);
                    failures.succeeded();
                }
                Ok(Err(error)) => failures.failed(&error),
                Err(_panic) => {}
            }
            let waiting = locked(&self.waiting);
            drop(self.changed.wait_timeout_while(waiting, POLL, |_| !self.newest.borrow().closed));
        }
    }

    /// Sleeps until there is a waiter; returns `false` when the tail is closed.
    fn has_waiters(&self) -> bool {
        let waiting = locked(&self.waiting);
        let is_idle = |waiting: &mut usize| *waiting == 0 && !self.newest.borrow().closed;
        drop(self.changed.wait_while(waiting, is_idle));
        !self.newest.borrow().closed
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

//! Waiting for the log to grow.

use crate::health::Alive;
use crate::{FailureLog, Vital};
use allocation_ports::EventLog;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::watch;

/// How often the database is asked while somebody waits.
const POLL: Duration = Duration::from_millis(50);

/// Tells those who wait for events when there are more, without a thread or a connection for each.
///
/// One thread watches the newest position, and only while somebody waits. Cloning gives another handle
/// to the same tail, which closes with the last of them.
#[derive(Clone)]
pub struct EventTail(Arc<Handle>);

struct Handle(Arc<Shared>, Vital);

struct Shared {
    newest: watch::Sender<Newest>,
    /// How many wait.
    waiting: Mutex<usize>,
    changed: Condvar,
    most: usize,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What is known of the log.
#[derive(Debug, Clone, Copy)]
struct Newest {
    position: u64,
    closed: bool,
}

/// A place among those who wait.
pub struct EventWaiter {
    newest: watch::Receiver<Newest>,
    shared: Arc<Shared>,
}

impl EventTail {
    /// Starts to watch a log, for so many who wait at a time.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(log: Arc<dyn EventLog>, most: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            newest: watch::Sender::new(Newest { position: 0, closed: false }),
            waiting: Mutex::new(0),
            changed: Condvar::new(),
            most,
            thread: Mutex::new(None),
        });
        let watched = Arc::clone(&shared);
        let alive = Alive::new();
        let vital = alive.vital("tail");
        let thread = thread::Builder::new().name("tail".to_owned()).spawn(move || {
            let _alive = alive;
            watched.watch(&*log);
        })?;
        *locked(&shared.thread) = Some(thread);
        Ok(Self(Arc::new(Handle(shared, vital))))
    }

    /// Says that the log has grown, which is known before anybody has asked the database.
    pub fn advance(&self, position: u64) {
        self.0.0.advance(position);
    }

    /// A place to wait in, `None` when all are taken.
    #[must_use]
    pub fn enter(&self) -> Option<EventWaiter> {
        let shared = &self.0.0;
        let mut waiting = locked(&shared.waiting);
        if *waiting >= shared.most {
            return None;
        }
        *waiting += 1;
        shared.changed.notify_one();
        Some(EventWaiter { newest: shared.newest.subscribe(), shared: Arc::clone(shared) })
    }

    /// Whether its thread lives.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.0.1.clone()
    }

    /// Lets nobody wait any longer, from now on.
    pub fn close(&self) {
        self.0.0.close();
    }

    /// Lets nobody wait any longer, and ends the thread.
    pub fn stop(&self) {
        self.close();
        if let Some(thread) = locked(&self.0.0.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watches the log had panicked");
        }
    }
}

impl EventWaiter {
    /// Waits until there are events after a position. Answers `false` when nobody may wait any longer.
    pub async fn grown_past(&mut self, position: u64) -> bool {
        let grown = self.newest.wait_for(|newest| newest.closed || newest.position > position).await;
        grown.is_ok_and(|newest| !newest.closed)
    }

    /// Waits until nobody may wait any longer.
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
        self.0.close();
    }
}

impl Shared {
    fn close(&self) {
        // Under the lock, so that the thread does not miss it between its look and its sleep.
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
        while self.somebody_waits() {
            // A panic costs one look, not those to come.
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

    /// Sleeps until somebody waits; `false` when nobody may any longer.
    fn somebody_waits(&self) -> bool {
        let waiting = locked(&self.waiting);
        let nobody = |waiting: &mut usize| *waiting == 0 && !self.newest.borrow().closed;
        drop(self.changed.wait_while(waiting, nobody));
        !self.newest.borrow().closed
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

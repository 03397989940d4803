//! Tidying up from time to time.

use crate::health::Alive;
use crate::{FailureLog, UseCases, Vital};
use allocation_ports::StoreError;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Releases expired holds from time to time, on a thread of its own, until it is stopped.
///
/// Nothing depends on it but that events tell of expired holds soon after. Any number of replicas may
/// sweep at once.
#[derive(Debug)]
pub struct Sweeper {
    stop: Sender<()>,
    thread: JoinHandle<()>,
    vital: Vital,
}

impl Sweeper {
    /// Starts to sweep, with so long a pause after each time.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(use_cases: UseCases, pause: Duration) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let alive = Alive::new();
        let vital = alive.vital("sweep");
        let thread = thread::Builder::new().name("sweep".to_owned()).spawn(move || {
            let (_alive, log) = (alive, FailureLog::new("releasing expired holds", "retrying"));
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // A panic costs one sweep, not those to come.
                let swept = panic::catch_unwind(AssertUnwindSafe(|| {
                    use_cases.release_expired_holds(|| stopped.try_recv() == Err(TryRecvError::Empty))
                }));
                if let Ok(swept) = swept {
                    note(swept, &log);
                }
            }
        })?;
        Ok(Self { stop, thread, vital })
    }

    /// Whether its thread lives.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.vital.clone()
    }

    /// Stops when the unit of work that is under way has ended.
    pub fn stop(self) {
        drop(self.stop);
        // It survives its panics.
        let _ended = self.thread.join();
    }
}

/// Logs the result of a sweep. Locks that others hold are no failure.
fn note(swept: Result<usize, StoreError>, log: &FailureLog) {
    match swept {
        Ok(products) => {
            log.succeeded();
            if products > 0 {
                tracing::debug!(products, "expired holds were released");
            }
        }
        Err(StoreError::Busy(cause)) => tracing::debug!(%cause, "others are in the way of the sweeper"),
        Err(error) => log.failed(&error),
    }
}

#[cfg(test)]
mod tests;

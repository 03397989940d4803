//! Tidying up from time to time.

use crate::UseCases;
use allocation_ports::StoreError;
use std::error::Error;
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
}

impl Sweeper {
    /// Starts to sweep, with so long a pause after each time.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(use_cases: UseCases, pause: Duration) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("sweep".to_owned()).spawn(move || {
            let mut failing = false;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // A panic costs one sweep, not those to come.
                let swept = panic::catch_unwind(AssertUnwindSafe(|| {
                    use_cases.release_expired_holds(|| stopped.try_recv() == Err(TryRecvError::Empty))
                }));
                failing = swept.map_or(true, |swept| tell(swept, failing));
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Stops when the unit of work that is under way has ended.
    pub fn stop(self) {
        drop(self.stop);
        // It survives its panics.
        let _ended = self.thread.join();
    }
}

/// Logs what came of a sweep, and a fault that lasts only once; answers whether it failed.
fn tell(swept: Result<usize, StoreError>, failing: bool) -> bool {
    match swept {
        Ok(products) if products > 0 => tracing::debug!(products, "expired holds were released"),
        Ok(_) => {}
        Err(StoreError::Busy(cause)) => tracing::debug!(%cause, "others are in the way of the sweeper"),
        Err(error) => {
            if !failing {
                tracing::warn!(%error, cause = error.source(), "expired holds are not released for the time being");
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;

//! Checks of invariants, now and then, in the background.

use crate::{BackgroundTask, FailureLog, Vital};
use allocation_ports::{BrokenInvariant, InvariantCheck};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The pause between two steps of a check, so that it never needs much of the database.
const STEP_PAUSE: Duration = Duration::from_millis(50);
/// The longest time from the start to the first check.
const FIRST: Duration = Duration::from_secs(3_600);
/// The longest time from a check that failed to the next one.
const RETRY: Duration = Duration::from_secs(60);

/// Checks the invariants of a store at intervals, and keeps the last result.
pub struct InvariantMonitor {
    last: Arc<Mutex<Option<(Instant, u64)>>>,
    started: Instant,
    interval: Duration,
    task: BackgroundTask,
}

impl InvariantMonitor {
    /// Starts to check, first after the interval or an hour.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(store: Arc<dyn InvariantCheck>, interval: Duration) -> io::Result<Self> {
        let last = Arc::<Mutex<_>>::default();
        let (result, log) = (Arc::clone(&last), FailureLog::new("checking invariants", "retrying"));
        let task = BackgroundTask::repeat("check", interval.min(FIRST), interval, move |stop| {
            match store.broken_invariants(&mut || stop.continues_after(STEP_PAUSE)) {
                Ok(Some(broken)) => {
                    log.succeeded();
                    let rows = report(&broken);
                    *result.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), rows));
                }
                Ok(None) => {}
                Err(error) => {
                    log.failed(&error);
                    return interval.min(RETRY);
                }
            }
            interval
        })?;
        Ok(Self { last, started: Instant::now(), interval, task })
    }

    /// Returns the number of rows that broke an invariant at the last check; `None` before the first.
    #[must_use]
    pub fn broken_rows(&self) -> Option<u64> {
        self.last().map(|(_, rows)| rows)
    }

    /// Returns the time since the last check was completed, or since the start before the first.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.last().map_or(self.started, |(at, _)| at).elapsed()
    }

    /// Returns the interval between two checks.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    fn last(&self) -> Option<(Instant, u64)> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.task.vital()
    }
}

/// Logs broken invariants, and returns the number of their rows.
fn report(broken: &[BrokenInvariant]) -> u64 {
    for BrokenInvariant { what, rows } in broken {
        tracing::error!(rows, "an invariant is broken: {what}; run allocation check");
    }
    broken.iter().map(|broken| broken.rows).sum()
}

#[cfg(test)]
mod tests;

//! The backlog of events, read in the background for monitoring.

use crate::{BackgroundTask, Vital};
use allocation_ports::{EventBacklog, StoreMonitor};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The pause between two reads.
const PAUSE: Duration = Duration::from_secs(2);
/// The age from which a result is not reported any more.
const STALE: Duration = Duration::from_secs(20);

/// Reads the backlog of events every two seconds, so that no request for it waits for the database.
pub struct BacklogMonitor {
    last: Arc<Mutex<Option<(Instant, EventBacklog)>>>,
    task: BackgroundTask,
}

impl BacklogMonitor {
    /// Starts to read.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(store: Arc<dyn StoreMonitor>) -> io::Result<Self> {
        let last = Arc::<Mutex<_>>::default();
        let read = Arc::clone(&last);
        let task = BackgroundTask::repeat("backlog", Duration::ZERO, PAUSE, move |_| {
            refresh(&*store, &read);
            PAUSE
        })?;
        Ok(Self { last, task })
    }

    /// Returns the backlog as it was last read; `None` if that was not within the last 20 seconds.
    #[must_use]
    pub fn backlog(&self) -> Option<EventBacklog> {
        let (at, backlog) = (*self.last.lock().unwrap_or_else(PoisonError::into_inner))?;
        (at.elapsed() <= STALE).then_some(backlog)
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.task.vital()
    }
}

fn refresh(store: &dyn StoreMonitor, last: &Mutex<Option<(Instant, EventBacklog)>>) {
    match store.backlog() {
        Ok(backlog) => *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), backlog)),
        // The probe reports that the database fails, and the last result grows stale.
        Err(error) => tracing::debug!(%error, "the backlog of events was not read"),
    }
}

#[cfg(test)]
mod tests;

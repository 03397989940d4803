use crate::RefusalCode;
use crate::histogram::{Distribution, Histogram};
use allocation_ports::StoreError;
use chrono::TimeDelta;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The number of codes of refusals.
const CODES: usize = RefusalCode::ALL.len();

/// Lock-free counters of units of work, over all transports and background tasks.
#[derive(Debug)]
pub struct UnitCounters {
    commit_micros: Histogram,
    retries: [AtomicU64; CAUSES.len()],
    refusals: [AtomicU64; CODES],
    released_holds: AtomicU64,
    archived_orders: AtomicU64,
    archived_lines: AtomicU64,
    archive_lag_micros: AtomicU64,
}

/// The causes of retries.
const CAUSES: [&str; 4] = ["conflict", "busy", "connection-lost", "outcome-unknown"];

/// The values of [`UnitCounters`] at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSnapshot {
    /// Microseconds from the request to commit to the reply of the database, failures included.
    pub commit_micros: Distribution,
    /// Units that ran again, by cause: another unit came in between, the database was busy, the connection was lost
    /// before the commit, or the outcome of the commit was unknown.
    pub retries: Vec<(&'static str, u64)>,
    /// Commands that a rule refused, by code.
    pub refusals: Vec<(RefusalCode, u64)>,
    /// Expired holds that the sweeper has released. Decisions on a product release its expired holds, too.
    pub released_holds: u64,
    /// Orders that this process has archived.
    pub archived_orders: u64,
    /// The lines of these orders.
    pub archived_lines: u64,
    /// The microseconds for which the oldest order had been due that the archive found last; 0 once none is left.
    pub archive_lag_micros: u64,
}

impl Default for UnitCounters {
    fn default() -> Self {
        Self {
            commit_micros: Histogram::default(),
            retries: [const { AtomicU64::new(0) }; CAUSES.len()],
            refusals: [const { AtomicU64::new(0) }; CODES],
            released_holds: AtomicU64::new(0),
            archived_orders: AtomicU64::new(0),
            archived_lines: AtomicU64::new(0),
            archive_lag_micros: AtomicU64::new(0),
        }
    }
}

impl UnitCounters {
    /// Returns the counts so far.
    #[must_use]
    pub fn snapshot(&self) -> UnitSnapshot {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        UnitSnapshot {
            commit_micros: self.commit_micros.distribution(),
            retries: CAUSES.into_iter().zip(self.retries.iter().map(count)).collect(),
            refusals: RefusalCode::ALL.iter().copied().zip(self.refusals.iter().map(count)).collect(),
            released_holds: count(&self.released_holds),
            archived_orders: count(&self.archived_orders),
            archived_lines: count(&self.archived_lines),
            archive_lag_micros: count(&self.archive_lag_micros),
        }
    }

    /// Records a commit that took `time`.
    pub(super) fn commit(&self, time: Duration) {
        self.commit_micros.record_micros(time);
    }

    /// Records that a unit runs again after an error.
    pub(super) fn retry(&self, error: &StoreError) {
        let cause = match error {
            StoreError::Conflict(_) => 0,
            StoreError::Busy(_) => 1,
            StoreError::ConnectionLost(_) => 2,
            StoreError::OutcomeUnknown(_) => 3,
            // No unit runs again after these.
            StoreError::Unavailable(_) | StoreError::Invariant { .. } | StoreError::Failed(_) => return,
        };
        self.retries[cause].fetch_add(1, Ordering::Relaxed);
    }

    /// Records a command that a rule refused.
    pub(crate) fn refusal(&self, code: RefusalCode) {
        let counters = RefusalCode::ALL.iter().zip(&self.refusals);
        if let Some((_, counter)) = counters.into_iter().find(|(known, _)| **known == code) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records expired holds that the sweeper has released.
    pub(crate) fn released_holds(&self, holds: usize) {
        self.released_holds.fetch_add(u64::try_from(holds).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Records orders that were archived.
    pub(crate) fn archived(&self, orders: u64, lines: u64) {
        self.archived_orders.fetch_add(orders, Ordering::Relaxed);
        self.archived_lines.fetch_add(lines, Ordering::Relaxed);
    }

    /// Records for how long the oldest order has been due that is not archived.
    pub(crate) fn archive_lag(&self, lag: TimeDelta) {
        let micros = lag.num_microseconds().and_then(|micros| u64::try_from(micros).ok()).unwrap_or(0);
        self.archive_lag_micros.store(micros, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_has_its_place() {
        let counters = UnitCounters::default();
        for code in RefusalCode::ALL {
            counters.refusal(*code);
        }
        counters.refusal(RefusalCode::OutOfStock);
        counters.retry(&StoreError::Busy("locked".into()));
        counters.retry(&StoreError::Failed("no such table".into()));
        counters.commit(Duration::from_millis(3));
        counters.released_holds(5);
        counters.archived(2, 7);
        counters.archive_lag(TimeDelta::seconds(3));
        let snapshot = counters.snapshot();
        assert!(
            snapshot.refusals.iter().all(|(code, count)| *count == 1 + u64::from(*code == RefusalCode::OutOfStock))
        );
        assert_eq!(snapshot.retries, [("conflict", 0), ("busy", 1), ("connection-lost", 0), ("outcome-unknown", 0)]);
        assert_eq!((snapshot.commit_micros.count, snapshot.commit_micros.sum), (1, 3_000));
        assert_eq!(snapshot.released_holds, 5);
        assert_eq!((snapshot.archived_orders, snapshot.archived_lines), (2, 7));
        assert_eq!(snapshot.archive_lag_micros, 3_000_000);
    }
}

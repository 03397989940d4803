use crate::RefusalCode;
use crate::histogram::{Distribution, Histogram};
use allocation_ports::StoreError;
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
}

impl Default for UnitCounters {
    fn default() -> Self {
        Self {
            commit_micros: Histogram::default(),
            retries: [const { AtomicU64::new(0) }; CAUSES.len()],
            refusals: [const { AtomicU64::new(0) }; CODES],
            released_holds: AtomicU64::new(0),
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
        let snapshot = counters.snapshot();
        assert!(
            snapshot.refusals.iter().all(|(code, count)| *count == 1 + u64::from(*code == RefusalCode::OutOfStock))
        );
        assert_eq!(snapshot.retries, [("conflict", 0), ("busy", 1), ("connection-lost", 0), ("outcome-unknown", 0)]);
        assert_eq!((snapshot.commit_micros.count, snapshot.commit_micros.sum), (1, 3_000));
        assert_eq!(snapshot.released_holds, 5);
    }
}

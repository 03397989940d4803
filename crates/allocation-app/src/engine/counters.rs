use crate::histogram::{Distribution, Histogram};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Lock-free counters of an allocation engine.
#[derive(Debug, Default)]
pub struct EngineCounters {
    lines: AtomicU64,
    refused: AtomicU64,
    failed_groups: AtomicU64,
    retries: AtomicU64,
    overloads: AtomicU64,
    group_size: Histogram,
    queue_depth: Histogram,
    unit_micros: Histogram,
}

/// The values of [`EngineCounters`] at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSnapshot {
    /// Lines decided.
    pub lines: u64,
    /// Lines rejected by a rule.
    pub refused: u64,
    /// Groups that failed as a whole.
    pub failed_groups: u64,
    /// Units of work that ran again.
    pub retries: u64,
    /// Lines and orders rejected as overload.
    pub overloads: u64,
    /// Lines in a group.
    pub group_size: Distribution,
    /// Lines and orders that were waiting when a group started.
    pub queue_depth: Distribution,
    /// Microseconds from begin to commit of a group.
    pub unit_micros: Distribution,
}

impl EngineCounters {
    /// Returns the counts so far.
    #[must_use]
    pub fn snapshot(&self) -> EngineSnapshot {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EngineSnapshot {
            lines: count(&self.lines),
            refused: count(&self.refused),
            failed_groups: count(&self.failed_groups),
            retries: count(&self.retries),
            overloads: count(&self.overloads),
            group_size: self.group_size.distribution(),
            queue_depth: self.queue_depth.distribution(),
            unit_micros: self.unit_micros.distribution(),
        }
    }
}

/// The outcome of one group of lines and orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupMeasure {
    /// The number of lines in the group, including the lines of its orders.
    pub(crate) lines: usize,
    /// The number of lines that a rule rejected.
    pub(crate) refused: usize,
    /// The number of lines and orders in the queue when the group was taken from it.
    pub(crate) waiting: usize,
    /// The duration of the unit of work from begin to commit, retries included.
    pub(crate) took: Duration,
    /// Whether the whole group failed.
    pub(crate) failed: bool,
}

impl EngineCounters {
    /// Records a group that was decided or failed.
    pub(crate) fn group(&self, measure: GroupMeasure) {
        self.unit_micros.record_micros(measure.took);
        self.group_size.record(wide(measure.lines));
        self.queue_depth.record(wide(measure.waiting));
        if measure.failed {
            self.failed_groups.fetch_add(1, Ordering::Relaxed);
        } else {
            self.lines.fetch_add(wide(measure.lines), Ordering::Relaxed);
            self.refused.fetch_add(wide(measure.refused), Ordering::Relaxed);
        }
    }

    /// Records a retry of a unit of work.
    pub(super) fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Records a line or an order that was rejected as overload.
    pub(super) fn overload(&self) {
        self.overloads.fetch_add(1, Ordering::Relaxed);
    }
}

#[expect(clippy::expect_used, reason = "no platform has more than 64 bits for a size")]
fn wide(number: usize) -> u64 {
    u64::try_from(number).expect("sizes have 64 bits at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_failed_decides_no_line() {
        let counters = EngineCounters::default();
        let measure = GroupMeasure { lines: 6, refused: 2, waiting: 9, took: Duration::from_millis(3), failed: false };
        counters.group(measure);
        counters.group(GroupMeasure { refused: 0, failed: true, ..measure });
        counters.retry();
        counters.overload();
        let snapshot = counters.snapshot();
        assert_eq!((snapshot.lines, snapshot.refused, snapshot.failed_groups), (6, 2, 1));
        assert_eq!((snapshot.retries, snapshot.overloads), (1, 1));
        assert_eq!((snapshot.group_size.mean(), snapshot.unit_micros.mean()), (Some(6), Some(3_000)));
        assert_eq!(EngineCounters::default().snapshot().queue_depth.mean(), None);
    }
}

//! Lock-free histograms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The number of buckets: values of 31 and more binary digits share the last one.
const BUCKETS: usize = 32;

/// Counts values by their number of binary digits.
#[derive(Debug)]
pub(crate) struct Histogram {
    sum: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

/// The distribution of a histogram's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The number of values.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The number of values below 1, 2, 4, 8 and so on, each excluding the values below the previous bound. The last
    /// number has no bound.
    pub below_power_of_two: Vec<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { sum: AtomicU64::new(0), buckets: [const { AtomicU64::new(0) }; BUCKETS] }
    }
}

impl Histogram {
    /// Records a value.
    #[expect(clippy::expect_used, reason = "a number has 64 digits at most")]
    pub(crate) fn record(&self, value: u64) {
        let digits = usize::try_from(u64::BITS - value.leading_zeros()).expect("digits are few");
        self.buckets[digits.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Records a duration in microseconds.
    pub(crate) fn record_micros(&self, time: Duration) {
        self.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn distribution(&self) -> Distribution {
        let below_power_of_two: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        Distribution {
            count: below_power_of_two.iter().sum(),
            sum: self.sum.load(Ordering::Relaxed),
            below_power_of_two,
        }
    }
}

impl Distribution {
    /// Returns the mean, `None` without values.
    #[must_use]
    pub const fn mean(&self) -> Option<u64> {
        self.sum.checked_div(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_by_their_power_of_two() {
        let histogram = Histogram::default();
        for value in [0, 1, 2, 3, 4, 7, 8, u64::MAX >> 8] {
            histogram.record(value);
        }
        let spread = histogram.distribution();
        assert_eq!(spread.below_power_of_two[..5], [1, 1, 2, 2, 1]);
        assert_eq!((spread.below_power_of_two[BUCKETS - 1], spread.count), (1, 8));
    }
}

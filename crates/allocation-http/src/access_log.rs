//! A sample of requests for the log.

use std::sync::atomic::{AtomicU64, Ordering};

/// Chooses one of a number of requests; by default none.
#[derive(Debug, Default)]
pub(crate) struct AccessLog {
    every: u64,
    seen: AtomicU64,
}

impl AccessLog {
    pub(crate) fn new(every: u32) -> Self {
        Self { every: every.into(), seen: AtomicU64::new(0) }
    }

    /// Counts a request, and returns whether it is to be logged.
    pub(crate) fn chooses(&self) -> bool {
        self.every > 0 && self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::AccessLog;

    #[test]
    fn one_of_a_number_of_requests_is_logged() {
        for (every, logged) in [(0, 0), (1, 12), (5, 3)] {
            let log = AccessLog::new(every);
            assert_eq!((0..12).filter(|_| log.chooses()).count(), logged, "one of {every}");
        }
    }
}

use std::time::Duration;

/// How often a unit of work is retried, and the waits in between.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The maximum number of runs of a unit, including the first.
    pub attempts: u32,
    /// The upper bound of the wait before the second attempt; it doubles with every attempt.
    pub first_wait: Duration,
    /// The upper bound of every wait.
    pub longest_wait: Duration,
    /// The time since the first attempt after which no further attempt starts.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_millis(4),
            longest_wait: Duration::from_millis(100),
            max_elapsed: Duration::from_secs(4),
        }
    }
}

impl RetryPolicy {
    /// Returns the wait after attempt number `attempt`, from 1.
    ///
    /// The wait is random, up to an exponentially growing bound, so that units that collided do not collide
    /// again.
    pub(crate) fn wait_after(&self, attempt: u32) -> Duration {
        let growth = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.first_wait.saturating_mul(growth).min(self.longest_wait).mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_below_a_bound_that_grows_and_then_stays() {
        let policy = RetryPolicy::default();
        for attempt in 1..100 {
            let growing = policy.first_wait.saturating_mul(2_u32.saturating_pow(attempt - 1));
            assert!(policy.wait_after(attempt) <= growing.min(policy.longest_wait));
        }
    }
}

use std::time::Duration;

/// How often a unit of work is run again, and how long to wait before.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How many times a unit is run at most, the first time included.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles with every attempt.
    pub first_wait: Duration,
    /// The longest wait of all.
    pub longest_wait: Duration,
    /// After how long since the first attempt none is begun any more.
    pub give_up_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_millis(4),
            longest_wait: Duration::from_millis(100),
            give_up_after: Duration::from_secs(4),
        }
    }
}

impl RetryPolicy {
    /// How long to wait after attempt number `attempt` (from 1): a random time up to an
    /// exponentially growing bound, so that those who collided do not collide again.
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

use std::time::Duration;

/// The pauses after consecutive failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The upper bound of the pause after the first failure; it doubles with every further failure.
    pub first: Duration,
    /// The upper bound of every pause.
    pub longest: Duration,
}

impl Backoff {
    /// Returns the pause after `failures` consecutive failures.
    ///
    /// Half of the bound is fixed and the rest is random, so that processes that failed together
    /// do not retry together.
    #[must_use]
    pub fn after(&self, failures: u32) -> Duration {
        let growth = 2_u32.saturating_pow(failures.saturating_sub(1));
        let bound = self.first.saturating_mul(growth).min(self.longest);
        bound.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound() {
        let backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(30) };
        for failures in 1..100 {
            let bound = backoff.first.saturating_mul(2_u32.saturating_pow(failures - 1)).min(backoff.longest);
            let wait = backoff.after(failures);
            assert!(wait >= bound / 2 && wait <= bound, "{wait:?} after {failures}");
        }
    }
}

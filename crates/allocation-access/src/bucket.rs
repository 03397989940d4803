use crate::Rate;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The token bucket of a key: full at first, it holds the requests of one window and refills evenly.
///
/// One atomic number holds its state, the time at which it is full again (the generic cell rate algorithm), so
/// requests never wait for each other. Times are durations since any one instant of a monotonic clock.
#[derive(Debug)]
pub struct Bucket {
    rate: Rate,
    full_at: AtomicU64,
}

/// What is left in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The rate of the bucket.
    pub rate: Rate,
    /// The number of requests that are allowed at once.
    pub remaining: u32,
    /// The time until the bucket is full.
    pub reset: Duration,
}

/// A request for which the bucket has no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key may send {} requests", quota.rate)]
pub struct RateLimited {
    /// What is left in the bucket.
    pub quota: Quota,
    /// The time until the bucket has a token.
    pub retry_after: Duration,
}

impl Bucket {
    /// Returns a full bucket.
    #[must_use]
    pub const fn new(rate: Rate) -> Self {
        Self { rate, full_at: AtomicU64::new(0) }
    }

    /// Returns the rate of the bucket.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes a token at a time.
    ///
    /// # Errors
    ///
    /// [`RateLimited`] if the bucket is empty.
    pub fn take(&self, now: Duration) -> Result<Quota, RateLimited> {
        let now = nanos(now);
        let interval = nanos(self.rate.interval());
        let capacity = interval * u64::from(self.rate.requests());
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        loop {
            let next = full_at.max(now) + interval;
            let Some(excess) = (next - now).checked_sub(capacity).filter(|excess| *excess > 0) else {
                match self.full_at.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => return Ok(self.quota(next - now, interval, capacity)),
                    Err(newer) => full_at = newer,
                }
                continue;
            };
            let quota = self.quota(full_at.saturating_sub(now), interval, capacity);
            return Err(RateLimited { quota, retry_after: Duration::from_nanos(excess) });
        }
    }

    /// Returns what is left in a bucket that is full after `reset` nanoseconds.
    fn quota(&self, reset: u64, interval: u64, capacity: u64) -> Quota {
        let remaining = capacity.saturating_sub(reset) / interval;
        let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
        Quota { rate: self.rate, remaining, reset: Duration::from_nanos(reset) }
    }
}

/// Returns nanoseconds, which suffice for 292 years with room for a window.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket(rate: &str) -> Bucket {
        Bucket::new(rate.parse().unwrap())
    }

    #[test]
    fn a_full_bucket_allows_the_requests_of_a_window_and_then_one_for_each_interval() {
        let bucket = bucket("10/s");
        let now = 100 * SECOND;
        for remaining in (0..10).rev() {
            assert_eq!(bucket.take(now).unwrap().remaining, remaining);
        }
        let limited = bucket.take(now).unwrap_err();
        assert_eq!((limited.retry_after, limited.quota.remaining, limited.quota.reset), (SECOND / 10, 0, SECOND));
        assert!(bucket.take(now + SECOND / 10 - Duration::from_nanos(1)).is_err());
        assert_eq!(bucket.take(now + SECOND / 10).unwrap().remaining, 0);
        assert_eq!(bucket.take(now + 100 * SECOND).unwrap().remaining, 9);
    }

    #[test]
    fn threads_together_take_no_more_than_the_bucket_holds() {
        let (bucket, taken) = (bucket("1000/h"), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        taken.fetch_add(u32::from(bucket.take(SECOND).is_ok()), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(taken.into_inner(), 1_000);
    }

    proptest! {
        #[test]
        fn no_time_allows_more_than_the_capacity_and_what_was_refilled(
            requests in 1..1_000_u32, seconds in prop::sample::select(vec![1, 60, 3_600]),
            pauses in prop::collection::vec(0..2_000_000_000_u64, 1..300),
        ) {
            let rate = Rate::new(requests, seconds).unwrap();
            let (bucket, start) = (Bucket::new(rate), SECOND);
            let (mut now, mut taken) = (start, 0_u128);
            for pause in pauses {
                now += Duration::from_nanos(pause);
                match bucket.take(now) {
                    Ok(_) => taken += 1,
                    // A retry after the stated pause succeeds.
                    Err(limited) => {
                        now += limited.retry_after;
                        prop_assert!(bucket.take(now).is_ok());
                        taken += 1;
                    }
                }
                let refilled = (now - start).as_nanos() * u128::from(requests) / (u128::from(seconds) * 1_000_000_000);
                prop_assert!(taken <= u128::from(requests) + refilled);
            }
        }
    }
}

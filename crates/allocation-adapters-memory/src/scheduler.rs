//! Scheduling of concurrent units of work.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Decides when a call of a port continues, and when a unit of work waits for locks.
///
/// Every method may block, because the store calls none of them while it has its data locked.
pub trait Scheduler: Send + Sync {
    /// Marks the beginning of a call of a port.
    fn port_call(&self);

    /// Returns how many times locks were released.
    fn releases(&self) -> u64;

    /// Records that locks were released, and wakes the units that wait for one.
    fn release(&self);

    /// Waits until locks were released more than `seen` times, for at most `timeout`. Returns whether they
    /// were.
    fn wait(&self, seen: u64, timeout: Duration) -> bool;
}

/// The scheduler of the operating system: each unit of work runs on the thread that calls it.
#[derive(Debug, Default)]
pub struct Threads {
    releases: Mutex<u64>,
    released: Condvar,
}

impl Scheduler for Threads {
    fn port_call(&self) {}

    fn releases(&self) -> u64 {
        *self.releases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        *self.releases.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.released.notify_all();
    }

    fn wait(&self, seen: u64, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // The time is checked first: a stream of releases must not extend it.
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            if *releases > seen {
                return true;
            }
            (releases, _) = self.released.wait_timeout(releases, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_ends_a_wait_only_within_its_time() {
        let threads = Threads::default();
        threads.release();
        assert!(threads.wait(0, Duration::from_secs(60)), "it was released in time");
        assert!(!threads.wait(0, Duration::ZERO), "the time was over");
        assert!(!threads.wait(1, Duration::from_millis(1)), "nothing was released");
    }
}

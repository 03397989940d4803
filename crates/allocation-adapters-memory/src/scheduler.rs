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
        while *releases <= seen {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (releases, _) = self.released.wait_timeout(releases, left).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }
}

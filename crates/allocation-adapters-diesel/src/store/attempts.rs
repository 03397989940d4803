//! The attempts of a read.

use allocation_ports::{ReadLogError, StoreError};
use std::thread;
use std::time::{Duration, Instant};

/// The maximum number of retries after lost connections.
const MAX_LOST: u32 = 3;
/// How long a read is retried after the recovery of a standby has cancelled it.
const CANCELLED_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause after a cancellation. A standby that has caught up with its primary lets reads finish.
const CANCELLED_PAUSE: Duration = Duration::from_millis(20);

/// The attempts of a read, which changes nothing and can therefore run again.
pub(super) struct Attempts {
    begun: Instant,
    lost: u32,
}

impl Attempts {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), lost: 0 }
    }

    /// Returns whether the read runs again after a lost connection.
    pub(super) const fn continue_after_loss(&mut self) -> bool {
        self.lost += 1;
        self.lost <= MAX_LOST
    }

    /// Returns whether the read runs again after an error, and waits a moment if so. No connection may be held.
    ///
    /// Reads lock nothing. They conflict only with the recovery of a standby, which removes rows that they still see.
    pub(super) fn continue_after(&self, error: &impl ReadError) -> bool {
        let continues = error.is_conflict() && self.begun.elapsed() < CANCELLED_TIMEOUT;
        if continues {
            thread::sleep(CANCELLED_PAUSE);
        }
        continues
    }
}

/// An error of a read.
pub(super) trait ReadError: From<StoreError> {
    /// Returns whether the read conflicted with changes of the database.
    fn is_conflict(&self) -> bool;
}

impl ReadError for StoreError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

impl ReadError for ReadLogError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

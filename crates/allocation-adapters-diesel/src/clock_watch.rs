//! Synchronization with the clock of the database.

use crate::Store;
use allocation_ports::MAX_CLOCK_DIFFERENCE;
use std::time::Duration;

/// Reads the clock of the database, and logs when the clock of the process becomes wrong, or right again.
#[derive(Debug)]
pub struct ClockWatch {
    store: Store,
    /// Whether the clock was wrong at the last reading.
    was_off: bool,
}

impl ClockWatch {
    /// The pause between two readings.
    pub const PAUSE: Duration = Duration::from_secs(1);

    /// Returns a watch over the clock of a store.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store, was_off: false }
    }

    /// Reads the clock of the database once.
    pub fn read(&mut self) {
        if let Err(error) = self.store.measure_clock() {
            // Requests and probes report an unavailable database.
            tracing::debug!(%error, "the clock of the database was not read");
            return;
        }
        let ahead = self.store.clock().ahead();
        let is_off = ahead.abs() > MAX_CLOCK_DIFFERENCE;
        let seconds = ahead.num_milliseconds().unsigned_abs().saturating_add(500) / 1_000;
        if is_off && !self.was_off {
            tracing::warn!(
                ahead = %ahead,
                "the clock of this machine is off by {} s from that of the database, which decides; not ready",
                seconds
            );
        } else if self.was_off && !is_off {
            tracing::info!("the clock of this machine agrees with that of the database again");
        }
        self.was_off = is_off;
    }
}

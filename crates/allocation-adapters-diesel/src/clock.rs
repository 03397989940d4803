//! The clock of a store.

use allocation_ports::Clock;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::atomic::{AtomicI64, Ordering};

/// Stands for a clock that goes: no instant of a calendar.
const GOES: i64 = i64::MIN;

/// The clock of a store: that of the process.
///
/// Tests may set it to another time, or stop it; then units of work decide at the instant at which it
/// has stopped, on either database.
#[derive(Debug)]
pub struct StoreClock {
    /// By how much a test has set the clock of the process forward, in microseconds.
    shift: AtomicI64,
    /// When a test has stopped it, in microseconds since 1970.
    stopped_at: AtomicI64,
}

impl Default for StoreClock {
    fn default() -> Self {
        Self { shift: AtomicI64::new(0), stopped_at: AtomicI64::new(GOES) }
    }
}

impl StoreClock {
    /// Goes wrong by so much from now on: for tests.
    #[doc(hidden)]
    pub fn shift(&self, by: TimeDelta) {
        self.shift.store(by.num_microseconds().unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Stops at an instant, for tests: every unit of work that takes its locks from now on does so then.
    #[doc(hidden)]
    pub fn stop_at(&self, at: DateTime<Utc>) {
        self.stopped_at.store(at.timestamp_micros(), Ordering::Relaxed);
    }

    /// When it was stopped, in microseconds since 1970.
    pub(crate) fn stopped_at(&self) -> Option<i64> {
        Some(self.stopped_at.load(Ordering::Relaxed)).filter(|at| *at != GOES)
    }
}

impl Clock for StoreClock {
    fn now(&self) -> DateTime<Utc> {
        let stopped_at = self.stopped_at().and_then(DateTime::from_timestamp_micros);
        let shift = TimeDelta::microseconds(self.shift.load(Ordering::Relaxed));
        stopped_at.unwrap_or_else(|| Utc::now().trunc_subsecs(6) + shift)
    }
}

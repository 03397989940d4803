//! The clock of a store.

use crate::any_connection::AnyConnection;
use crate::postgres::NOW;
use crate::statement::joined;
use allocation_ports::Clock;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Returns the time of a PostgreSQL server in microseconds since 1970.
pub(crate) fn server_time(connection: &mut AnyConnection) -> QueryResult<i64> {
    diesel::dsl::sql::<BigInt>(joined!("SELECT ", NOW)).get_result(connection)
}

/// The value for a clock that is not stopped, or was never measured; it is outside the calendar.
const NONE: i64 = i64::MIN;
/// The drift of two clocks in microseconds per second: the maximum rate at which the kernel slews a clock for NTP.
const DRIFT: u32 = 500;

/// A reading of the database's clock.
#[derive(Debug, Clone, Copy)]
struct Reading {
    taken: Instant,
    /// The offset from the monotonic clock, in microseconds.
    offset: i64,
    /// The possible error of the offset, in microseconds: half of the round trip.
    margin: i64,
}

impl Reading {
    /// Returns the possible error at a later instant, in microseconds.
    fn margin_at(&self, now: Instant) -> i64 {
        let drift = now.saturating_duration_since(self.taken) * DRIFT / 1_000_000;
        self.margin.saturating_add(duration_micros(drift))
    }

    /// Returns whether this reading is better than an earlier one: more certain, or taken after the clock
    /// was set.
    ///
    /// Follows the clock filter of NTP, which prefers the reading with the shortest round trip.
    fn improves_on(&self, earlier: &Self) -> bool {
        let margin = earlier.margin_at(self.taken);
        let apart = self.offset.saturating_sub(earlier.offset).saturating_abs();
        self.margin <= margin || apart > self.margin.saturating_add(margin)
    }
}

/// The clock that a store uses for decisions and queries.
///
/// On PostgreSQL it is the server's clock as last measured, continued by the monotonic clock of this
/// process. On SQLite it is the wall clock of this process.
///
/// Units of work on PostgreSQL read the server's clock in the statement that locks products. This clock
/// serves views, the search for expired holds, and dates that need no lock.
///
/// Tests may shift the wall clock of the process, or stop this clock. On either database, units of work
/// then decide at the instant at which it stopped.
#[derive(Debug)]
pub struct StoreClock {
    /// The origin of the monotonic clock.
    begun: Instant,
    /// The offset of the database's clock from the monotonic clock, in microseconds since 1970; [`NONE`] if
    /// the wall clock of the process is used.
    database: AtomicI64,
    /// The reading that determined the offset.
    reading: Mutex<Option<Reading>>,
    /// The lead of the process's wall clock over the database's clock, in microseconds.
    ahead: AtomicI64,
    /// The shift of the process's wall clock by a test, in microseconds.
    shift: AtomicI64,
    /// The instant at which a test stopped the clock, in microseconds since 1970, or [`NONE`].
    stopped_at: AtomicI64,
}

impl Default for StoreClock {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            database: AtomicI64::new(NONE),
            reading: Mutex::new(None),
            ahead: AtomicI64::new(0),
            shift: AtomicI64::new(0),
            stopped_at: AtomicI64::new(NONE),
        }
    }
}

impl StoreClock {
    /// Shifts the wall clock of the process forward or back, for tests.
    #[doc(hidden)]
    pub fn shift(&self, by: TimeDelta) {
        self.shift.store(micros(by), Ordering::Relaxed);
    }

    /// Stops the clock at an instant, for tests: units of work that lock from now on do so at that instant.
    #[doc(hidden)]
    pub fn stop_at(&self, at: DateTime<Utc>) {
        self.stopped_at.store(at.timestamp_micros(), Ordering::Relaxed);
    }

    /// Returns the instant at which the clock was stopped, in microseconds since 1970.
    pub(crate) fn stopped_at(&self) -> Option<i64> {
        Some(self.stopped_at.load(Ordering::Relaxed)).filter(|at| *at != NONE)
    }

    /// Returns the lead of the process's wall clock over the database's clock at the last measurement.
    #[must_use]
    pub fn ahead(&self) -> TimeDelta {
        TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed))
    }

    /// Synchronizes with the database's clock, which `read` returns in microseconds since 1970.
    ///
    /// The reading counts as taken in the middle of the call. A slow reading does not replace a better one,
    /// unless it shows that the clock was set.
    ///
    /// # Errors
    ///
    /// Returns the error of `read`; the clock is then unchanged.
    pub(crate) fn measure<E>(&self, read: impl FnOnce() -> Result<i64, E>) -> Result<(), E> {
        let (requested_at, wall) = (Instant::now(), self.wall());
        let read = read()?;
        let taken = Instant::now();
        let half = taken.duration_since(requested_at) / 2;
        let margin = duration_micros(half);
        let monotonic = duration_micros(requested_at.duration_since(self.begun) + half);
        self.follow(Reading { taken, offset: read.saturating_sub(monotonic), margin });
        let ahead = wall.timestamp_micros().saturating_add(margin).saturating_sub(read);
        // A difference that the round trip can explain is not counted.
        let certain = ahead.saturating_abs().saturating_sub(margin).max(0);
        self.ahead.store(certain * ahead.signum(), Ordering::Relaxed);
        Ok(())
    }

    fn follow(&self, reading: Reading) {
        // A panic leaves no partial state under the lock, so a poisoned lock is safe to use.
        let mut best = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if best.is_none_or(|best| reading.improves_on(&best)) {
            *best = Some(reading);
            self.database.store(reading.offset, Ordering::Relaxed);
        }
    }

    /// Returns the wall clock of the process.
    fn wall(&self) -> DateTime<Utc> {
        let shift = TimeDelta::microseconds(self.shift.load(Ordering::Relaxed));
        let now = Utc::now().trunc_subsecs(6);
        now.checked_add_signed(shift).unwrap_or(now)
    }

    fn going(&self) -> DateTime<Utc> {
        let database = Some(self.database.load(Ordering::Relaxed)).filter(|offset| *offset != NONE);
        let now = database.map(|offset| offset.saturating_add(duration_micros(self.begun.elapsed())));
        now.and_then(DateTime::from_timestamp_micros).unwrap_or_else(|| self.wall())
    }
}

impl Clock for StoreClock {
    fn now(&self) -> DateTime<Utc> {
        self.stopped_at().and_then(DateTime::from_timestamp_micros).unwrap_or_else(|| self.going())
    }
}

/// Converts a duration to microseconds, saturating at the largest number.
fn duration_micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

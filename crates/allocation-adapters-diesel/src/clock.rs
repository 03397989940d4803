//! The clock of a store.

mod watch;

pub use watch::ClockWatch;

use allocation_ports::Clock;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Stands for a clock that goes, and for one that was never measured: no instant of a calendar.
const NONE: i64 = i64::MIN;
/// By how many microseconds in a second two clocks may drift apart: the most by which the kernel slews one
/// that is kept right by NTP.
const DRIFT: u32 = 500;

/// One reading of the database's clock.
#[derive(Debug, Clone, Copy)]
struct Reading {
    taken: Instant,
    /// What to add to the monotonic clock, in microseconds.
    offset: i64,
    /// By how much the offset may be wrong, in microseconds: half of the time that the reading took.
    margin: i64,
}

impl Reading {
    /// By how much it may be wrong at a later instant, in microseconds.
    fn margin_at(&self, now: Instant) -> i64 {
        let drift = now.saturating_duration_since(self.taken) * DRIFT / 1_000_000;
        self.margin.saturating_add(duration_micros(drift))
    }

    /// Whether it tells more than an earlier one: it is more certain, or the clock was set meanwhile.
    /// After the clock filter of NTP, which believes the reading of the shortest round trip.
    fn improves_on(&self, earlier: &Self) -> bool {
        let margin = earlier.margin_at(self.taken);
        let apart = self.offset.saturating_sub(earlier.offset).saturating_abs();
        self.margin <= margin || apart > self.margin.saturating_add(margin)
    }
}

/// The clock by which a store decides and is read: on PostgreSQL that of the server, as it was measured
/// last and goes on by the monotonic clock of this process; on SQLite the wall clock of this process.
///
/// Units of work on PostgreSQL read the server's own in the statement that locks products. This one leads
/// views, the search for expired holds and the dates of what no lock is needed for.
///
/// Tests may set the wall clock of the process to another time, or stop the clock; then units of work
/// decide at the instant at which it has stopped, on either database.
#[derive(Debug)]
pub struct StoreClock {
    /// From where the monotonic clock is counted.
    begun: Instant,
    /// What to add to the monotonic clock to have that of the database, in microseconds since 1970;
    /// [`NONE`] where the wall clock of the process is the clock.
    database: AtomicI64,
    /// The reading that the above is taken from.
    reading: Mutex<Option<Reading>>,
    /// By how much the wall clock of the process is ahead of that of the database, in microseconds.
    ahead: AtomicI64,
    /// By how much a test has set the wall clock of the process forward, in microseconds.
    shift: AtomicI64,
    /// When a test has stopped it, in microseconds since 1970, else [`NONE`].
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
    /// Sets the wall clock of the process forward by so much, or back: for tests.
    #[doc(hidden)]
    pub fn shift(&self, by: TimeDelta) {
        self.shift.store(micros(by), Ordering::Relaxed);
    }

    /// Stops at an instant, for tests: every unit of work that takes its locks from now on does so then.
    #[doc(hidden)]
    pub fn stop_at(&self, at: DateTime<Utc>) {
        self.stopped_at.store(at.timestamp_micros(), Ordering::Relaxed);
    }

    /// When it was stopped, in microseconds since 1970.
    pub(crate) fn stopped_at(&self) -> Option<i64> {
        Some(self.stopped_at.load(Ordering::Relaxed)).filter(|at| *at != NONE)
    }

    /// By how much the wall clock of the process was ahead of the database's when it was measured last.
    #[must_use]
    pub fn ahead(&self) -> TimeDelta {
        TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed))
    }

    /// Follows the clock of the database, which `read` reads in microseconds since 1970. It is taken to have
    /// been read in the middle of the time that this took. A slow reading does not displace a better one,
    /// unless it shows that the clock was set.
    ///
    /// # Errors
    ///
    /// That of `read`, and nothing has changed.
    pub(crate) fn measure<E>(&self, read: impl FnOnce() -> Result<i64, E>) -> Result<(), E> {
        let (asked, wall) = (Instant::now(), self.wall());
        let read = read()?;
        let taken = Instant::now();
        let half = taken.duration_since(asked) / 2;
        let margin = duration_micros(half);
        let monotonic = duration_micros(asked.duration_since(self.begun) + half);
        self.follow(Reading { taken, offset: read.saturating_sub(monotonic), margin });
        let ahead = wall.timestamp_micros().saturating_add(margin).saturating_sub(read);
        // What the way there and back may account for says nothing.
        let certain = ahead.saturating_abs().saturating_sub(margin).max(0);
        self.ahead.store(certain * ahead.signum(), Ordering::Relaxed);
        Ok(())
    }

    fn follow(&self, reading: Reading) {
        // Nothing is left half done under the lock.
        let mut best = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if best.is_none_or(|best| reading.improves_on(&best)) {
            *best = Some(reading);
            self.database.store(reading.offset, Ordering::Relaxed);
        }
    }

    /// The wall clock of the process.
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

/// The greatest number there is for a time that is longer.
fn duration_micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

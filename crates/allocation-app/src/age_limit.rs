//! The age limit of commands.

use crate::{BackgroundTask, Vital};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The interval at which the process records that it runs.
const BEAT: Duration = Duration::from_millis(50);
/// The pause between two beats above which the process has stalled: it was suspended or starved.
const STALL: Duration = Duration::from_millis(500);
/// The time after a stall in which a message just read may date from the stall. The buffers of connections
/// and the queue of new ones are drained within this time.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// A monotonic clock.
type Monotonic = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A limit on the age of commands, by the monotonic clock. Cloning is cheap.
///
/// A command decided after its caller has given up does harm: the caller may have sent it to another
/// replica meanwhile, and undone it there.
///
/// While a process is suspended, requests gather in system buffers, which record no time of arrival. A task
/// therefore records that the process runs. A command read within a second after a stall counts as sent
/// when the stall began.
#[derive(Clone)]
pub struct AgeLimit {
    monotonic: Monotonic,
    max_age: Duration,
    beats: Arc<Beats>,
    /// The task that records the beats until the last clone is dropped.
    heartbeat: Option<Arc<BackgroundTask>>,
}

/// The times at which the process was seen running, in microseconds since `base`.
struct Beats {
    base: Instant,
    last: AtomicU64,
    /// The time until which a message that is read may have been sent since `stalled_since`.
    suspect_until: AtomicU64,
    stalled_since: AtomicU64,
}

impl AgeLimit {
    /// Returns a limit of `max_age`, and starts a task that watches for stalls until the last clone is
    /// dropped.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(max_age: Duration) -> io::Result<Self> {
        let limit = Self::by(Arc::new(Instant::now), max_age);
        let (monotonic, beats) = (Arc::clone(&limit.monotonic), Arc::clone(&limit.beats));
        let heartbeat = BackgroundTask::repeat("heartbeat", Duration::ZERO, BEAT, move |_| {
            beats.beat(monotonic());
            BEAT
        })?;
        Ok(Self { heartbeat: Some(Arc::new(heartbeat)), ..limit })
    }

    /// Returns a limit by a clock; the caller triggers the beats.
    pub(crate) fn by(monotonic: Monotonic, max_age: Duration) -> Self {
        let beats = Beats {
            base: monotonic(),
            last: AtomicU64::new(0),
            suspect_until: AtomicU64::new(0),
            stalled_since: AtomicU64::new(0),
        };
        Self { monotonic, max_age, beats: Arc::new(beats), heartbeat: None }
    }

    /// Returns the vital sign of the task that watches for stalls. Once it has ended, every command counts as
    /// sent at its last beat, and soon as too old.
    #[must_use]
    pub fn vital(&self) -> Option<Vital> {
        self.heartbeat.as_ref().map(|heartbeat| heartbeat.vital())
    }

    /// Returns the maximum age of a command.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.max_age
    }

    /// Returns the time before which a command that has just been read may be decided.
    pub(crate) fn deadline(&self) -> Instant {
        self.beats.earliest((self.monotonic)()) + self.max_age
    }

    /// Records that the process runs.
    #[cfg(test)]
    pub(crate) fn beat(&self) {
        self.beats.beat(self.now());
    }

    /// Returns whether a deadline has passed.
    pub(crate) fn is_over(&self, deadline: Instant) -> bool {
        self.now() >= deadline
    }

    pub(crate) fn now(&self) -> Instant {
        (self.monotonic)()
    }
}

impl Beats {
    /// Returns the earliest time at which a command that is read at `at` may have been sent.
    fn earliest(&self, at: Instant) -> Instant {
        let micros = self.micros(at);
        let last = self.last.load(Ordering::SeqCst);
        if micros.saturating_sub(last) > micros_of(STALL) {
            // The thread has not run since the stall either.
            return self.instant(last);
        }
        if micros < self.suspect_until.load(Ordering::SeqCst) {
            return self.instant(self.stalled_since.load(Ordering::SeqCst)).min(at);
        }
        at
    }

    /// Records that the process runs at `at`.
    fn beat(&self, at: Instant) {
        let micros = self.micros(at);
        let last = self.last.load(Ordering::SeqCst);
        if micros.saturating_sub(last) > micros_of(STALL) {
            // Messages from before the previous stall may still be unread.
            let unread = last < self.suspect_until.load(Ordering::SeqCst);
            let since = if unread { last.min(self.stalled_since.load(Ordering::SeqCst)) } else { last };
            self.stalled_since.store(since, Ordering::SeqCst);
            self.suspect_until.store(micros + micros_of(READ_WITHIN), Ordering::SeqCst);
            tracing::warn!(
                stalled_ms = (micros - last) / 1_000,
                "the process was suspended; commands that arrived meanwhile are dated from the suspension"
            );
        }
        self.last.store(micros, Ordering::SeqCst);
    }

    fn micros(&self, at: Instant) -> u64 {
        micros_of(at.saturating_duration_since(self.base))
    }

    fn instant(&self, micros: u64) -> Instant {
        self.base + Duration::from_micros(micros)
    }
}

fn micros_of(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! The sequencer of the event log.

use crate::{BackgroundTask, EventTail, FailureLog, Vital};
use allocation_ports::{Lease, Leases, LogSequencer, RetentionTime, SequenceError, Sequenced, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The duration of the lease unless it is renewed. If the holder dies, another process takes the lease after
/// this time, or a little later.
const LEASE: Duration = Duration::from_secs(2);
/// The interval at which the holder renews the lease, and other processes try to take it.
const RENEW: Duration = Duration::from_millis(500);
/// The maximum number of events that are sequenced at a time.
const MAX_SEQUENCED: u16 = 2_000;
/// How long events gather after a small chunk: a commit costs about the same for one event as for many.
const GATHER: Duration = Duration::from_millis(20);
/// The interval between checks for unsequenced events.
const CHECK_INTERVAL: Duration = Duration::from_millis(25);
/// The number of sequenced events after which the outbox is vacuumed, once few events are pending.
const VACUUM_AFTER: u64 = 50_000;
/// The maximum number of old events that are pruned at a time, the pause before the next chunk, and the
/// interval between checks once there are fewer.
const MAX_PRUNED: u16 = 1_000;
const PRUNE_PAUSE: Duration = Duration::from_millis(50);
const PRUNE_INTERVAL: Duration = Duration::from_secs(10);
/// How far the retention time may lag behind the clock before that is logged. It also lags after a time in
/// which no server ran.
const MAX_BEHIND: TimeDelta = TimeDelta::days(1);
/// The pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// Sequences committed events and prunes old ones, on a thread of its own, while this process holds the
/// lease.
///
/// Otherwise it waits for the lease.
#[derive(Debug)]
pub struct EventSequencer(BackgroundTask);

/// The ports of an [`EventSequencer`].
pub struct SequencerPorts {
    /// The leases.
    pub leases: Arc<dyn Leases>,
    /// The log to sequence.
    pub log: Arc<dyn LogSequencer>,
    /// The tail that is notified when the log has grown.
    pub tail: EventTail,
}

/// How long events are retained.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The maximum age of an event, `None` for no limit.
    pub age: Option<TimeDelta>,
    /// How long a process that has taken the lease prunes nothing: a clock that is wrong at startup is
    /// often corrected soon after.
    pub grace: Duration,
}

impl EventSequencer {
    /// Starts the sequencer. `holder` is its name in the lease, which no other process and no earlier run may
    /// have used.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(ports: SequencerPorts, holder: String, retention: Retention) -> io::Result<Self> {
        let log = FailureLog::new("event sequencing", "retrying");
        let sequencer = Sequencer { ports, lease: Lease { name: "events", holder }, retention, log };
        let mut tenure = Tenure { sequencer, held: None };
        let task = BackgroundTask::repeat("events", Duration::ZERO, AFTER_FAILURE, move |_| tenure.step())?;
        Ok(Self(task))
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.0.vital()
    }

    /// Stops after the current step and releases the lease, so that another process can take it at once.
    pub fn stop(self) {
        self.0.stop();
    }
}

/// A sequencer with its state while it holds the lease, which is released on drop.
struct Tenure {
    sequencer: Sequencer,
    held: Option<Held>,
}

impl Tenure {
    fn step(&mut self) -> Duration {
        let step = self.sequencer.step(&mut self.held);
        self.sequencer.after(step, &mut self.held)
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        if self.held.is_some()
            && let Err(error) = self.sequencer.ports.leases.release(&self.sequencer.lease)
        {
            tracing::debug!(%error, "the lease of the event log was not released");
        }
    }
}

struct Sequencer {
    ports: SequencerPorts,
    lease: Lease,
    retention: Retention,
    log: FailureLog,
}

/// The state of a process that holds the lease.
struct Held {
    renewed: Instant,
    /// Whether the last chunk was full, so that more events may be pending.
    more: bool,
    /// The number of events sequenced since the last vacuum.
    since_vacuum: u64,
    prune_next: Instant,
    /// When the retention time was last advanced.
    retention_advanced: Option<Instant>,
    /// The instant before which events are pruned, while more are due.
    before: Option<DateTime<Utc>>,
    /// Whether the retention time was found far behind the clock.
    behind: bool,
}

impl Held {
    /// Returns the state of a lease taken now; nothing is pruned within the grace period.
    fn now(grace: Duration) -> Self {
        let now = Instant::now();
        Self {
            renewed: now,
            more: false,
            since_vacuum: 0,
            prune_next: now + grace,
            retention_advanced: None,
            before: None,
            behind: false,
        }
    }
}

impl Sequencer {
    /// Logs the outcome of a step, and a lasting failure only once; returns the pause.
    fn after(&self, step: Result<Duration, SequenceError>, held: &mut Option<Held>) -> Duration {
        let error = match step {
            Ok(pause) => {
                self.log.succeeded();
                return pause;
            }
            Err(SequenceError::LeaseLost) => {
                *held = None;
                tracing::warn!("another process has taken over event sequencing");
                return RENEW;
            }
            Err(SequenceError::Store(error)) => error,
        };
        match error {
            StoreError::Busy(cause) | StoreError::Conflict(cause) => {
                tracing::debug!(%cause, "event sequencing gives way to other writers");
            }
            error => self.log.failed(&error),
        }
        AFTER_FAILURE
    }

    /// Performs one step; returns the pause after it.
    fn step(&self, held: &mut Option<Held>) -> Result<Duration, SequenceError> {
        let Some(held) = held else {
            if !self.take()? {
                return Ok(RENEW);
            }
            tracing::info!("this process sequences events");
            *held = Some(Held::now(self.retention.grace));
            return Ok(Duration::ZERO);
        };
        self.prune(held)?;
        // The check skips over rows sequenced since the last vacuum; after a full chunk it is unnecessary.
        if held.more || self.ports.log.has_unsequenced()? {
            return self.sequence(held);
        }
        if held.renewed.elapsed() >= RENEW {
            if !self.take()? {
                return Err(SequenceError::LeaseLost);
            }
            held.renewed = Instant::now();
        }
        Ok(CHECK_INTERVAL)
    }

    fn take(&self) -> Result<bool, StoreError> {
        self.ports.leases.take(&self.lease, LEASE)
    }

    fn sequence(&self, held: &mut Held) -> Result<Duration, SequenceError> {
        let Sequenced { events, last } = self.ports.log.sequence(&self.lease, LEASE, MAX_SEQUENCED)?;
        held.renewed = Instant::now();
        held.since_vacuum += events;
        if events > 0 {
            self.ports.tail.advance(last);
        }
        held.more = events >= u64::from(MAX_SEQUENCED);
        if held.more {
            return Ok(Duration::ZERO);
        }
        // Not earlier: with many events pending, a vacuum could outlast the lease.
        if held.since_vacuum >= VACUUM_AFTER {
            held.since_vacuum = 0;
            self.ports.log.vacuum()?;
        }
        Ok(GATHER)
    }

    fn prune(&self, held: &mut Held) -> Result<(), SequenceError> {
        let Some(age) = self.retention.age.filter(|_| Instant::now() >= held.prune_next) else { return Ok(()) };
        // Set first: after a failure, sequencing continues until the next check.
        held.prune_next = Instant::now() + PRUNE_INTERVAL;
        let before = match held.before {
            Some(before) => before,
            None => self.advance_retention(held, age)?,
        };
        let pruned = self.ports.log.prune(&self.lease, LEASE, before, MAX_PRUNED)?;
        held.renewed = Instant::now();
        if pruned >= u64::from(MAX_PRUNED) {
            // More events are due: the instant stays until they are pruned.
            (held.prune_next, held.before) = (held.renewed + PRUNE_PAUSE, Some(before));
        } else {
            held.before = None;
        }
        Ok(())
    }

    /// Advances the retention time, within the limit that the time passed since the last advance sets.
    ///
    /// Returns the instant before which events are pruned.
    fn advance_retention(&self, held: &mut Held, age: TimeDelta) -> Result<DateTime<Utc>, SequenceError> {
        let now = Instant::now();
        let passed = held.retention_advanced.map_or(Duration::ZERO, |last| now.duration_since(last));
        let RetentionTime { trusted, now: clock } = self.ports.log.retention_time(&self.lease, LEASE, passed)?;
        held.retention_advanced = Some(now);
        let behind = clock - trusted > MAX_BEHIND;
        if behind && !held.behind {
            tracing::warn!(
                %clock, %trusted,
                "the clock is far ahead of the time that has passed, by which events are retained; they go later"
            );
        } else if held.behind && !behind {
            tracing::info!("the time by which events are retained has caught up with the clock");
        }
        held.behind = behind;
        Ok(trusted.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }
}

#[cfg(test)]
mod tests;

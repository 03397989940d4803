//! Keeping the log of events.

use crate::{BackgroundTask, EventTail, FailureLog, Vital};
use allocation_ports::{Lease, Leases, LogSequencer, OutboxKey, RetentionTime, SequenceError, Sequenced, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the lease lasts unless it is renewed: who waits for it takes it that long after the holder
/// has died, and a little later.
const LEASE: Duration = Duration::from_secs(2);
/// How often the lease is renewed, and how often it is tried for.
const RENEW: Duration = Duration::from_millis(500);
/// How many events are numbered at a time.
const MOST: u16 = 2_000;
/// How long events gather before the next are numbered, when these were few: a commit costs about the
/// same for one as for many.
const GATHER: Duration = Duration::from_millis(20);
/// How often it is looked whether there are events to number.
const LOOK: Duration = Duration::from_millis(25);
/// How many times in a row events of one product are numbered before it is the turn of others.
const TURNS: u32 = 4;
/// After how many events the store is tidied, as soon as there are few to number.
const TIDY: u64 = 50_000;
/// How many old events are removed at a time, how long to pause before the next, and how often to look
/// for more when there were fewer.
const FORGET: u16 = 1_000;
const FORGET_PAUSE: Duration = Duration::from_millis(50);
const FORGET_LOOK: Duration = Duration::from_secs(10);
/// How far the time of retention may be behind the clock before the log says so: after a while without a
/// server it is behind, too.
const MAX_BEHIND: TimeDelta = TimeDelta::days(1);
/// How long to pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// Numbers committed events and forgets old ones, on a thread of its own, as long as this process holds
/// the lease to do so; else it waits for the lease.
#[derive(Debug)]
pub struct EventSequencer(BackgroundTask);

/// What an [`EventSequencer`] works with.
pub struct SequencerPorts {
    /// Gives the lease.
    pub leases: Arc<dyn Leases>,
    /// Keeps the log.
    pub log: Arc<dyn LogSequencer>,
    /// Is told when the log has grown.
    pub tail: EventTail,
}

/// For how long events are retained.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// How old they become, `None` for any age.
    pub age: Option<TimeDelta>,
    /// How long after it has taken the lease a process removes nothing: a clock that was wrong at a start is
    /// often put right then.
    pub grace: Duration,
}

impl EventSequencer {
    /// Starts, under a name that no other process has, and this one never had before.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(ports: SequencerPorts, holder: String, retention: Retention) -> io::Result<Self> {
        let log = FailureLog::new("event sequencing", "retrying");
        let keeper = Keeper { ports, lease: Lease { name: "events", holder }, retention, log };
        let mut tenure = Tenure { keeper, held: None };
        let task = BackgroundTask::start("events", Duration::ZERO, AFTER_FAILURE, move |_| tenure.step())?;
        Ok(Self(task))
    }

    /// Whether its thread lives.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.0.vital()
    }

    /// Stops after the step that is under way, and gives the lease back, so that another process takes it at
    /// once.
    pub fn stop(self) {
        self.0.stop();
    }
}

/// A keeper with what it knows while it holds the lease, which it gives back in the end.
struct Tenure {
    keeper: Keeper,
    held: Option<Held>,
}

impl Tenure {
    fn step(&mut self) -> Duration {
        let step = self.keeper.step(&mut self.held);
        self.keeper.after(step, &mut self.held)
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        if self.held.is_some()
            && let Err(error) = self.keeper.ports.leases.release(&self.keeper.lease)
        {
            tracing::debug!(%error, "the lease of the log was not given back");
        }
    }
}

struct Keeper {
    ports: SequencerPorts,
    lease: Lease,
    retention: Retention,
    log: FailureLog,
}

/// What is known while the lease is held.
struct Held {
    renewed: Instant,
    /// Where to go on, `None` for the start.
    place: Option<OutboxKey>,
    /// How many times in a row events of the same product came last.
    turns: u32,
    /// How many events were numbered since the store was tidied.
    untidied: u64,
    forget_next: Instant,
    /// When the time of retention was moved on last.
    time_kept: Option<Instant>,
    /// The instant before which events go, as far as it is known.
    before: Option<DateTime<Utc>>,
    /// Whether the clock was found far ahead of the time of retention.
    behind: bool,
}

impl Held {
    /// Held from now on; nothing is removed for a while.
    fn now(grace: Duration) -> Self {
        let now = Instant::now();
        Self {
            renewed: now,
            place: None,
            turns: 0,
            untidied: 0,
            forget_next: now + grace,
            time_kept: None,
            before: None,
            behind: false,
        }
    }

    /// From where to go on after a full chunk that ended at a place. A product of which events come
    /// faster than they are numbered must not keep the others waiting: its rest comes with the next
    /// round.
    fn go_on(&mut self, place: Option<OutboxKey>) {
        let same = |before: &OutboxKey, now: &OutboxKey| before.sku == now.sku;
        let stays = self.place.as_ref().zip(place.as_ref()).is_some_and(|(before, now)| same(before, now));
        self.turns = if stays { self.turns + 1 } else { 0 };
        self.place = match place {
            Some(place) if self.turns >= TURNS => Some(OutboxKey::past(place.sku)),
            place => place,
        };
    }
}

impl Keeper {
    /// Logs what came of a step, and a fault that lasts only once; answers how long to pause.
    fn after(&self, step: Result<Duration, SequenceError>, held: &mut Option<Held>) -> Duration {
        let error = match step {
            Ok(pause) => {
                self.log.succeeded();
                return pause;
            }
            Err(SequenceError::LeaseLost) => {
                *held = None;
                tracing::warn!("another process has taken the log of events over");
                return RENEW;
            }
            Err(SequenceError::Store(error)) => error,
        };
        match error {
            StoreError::Busy(cause) | StoreError::Conflict(cause) => {
                tracing::debug!(%cause, "others are in the way of the log of events");
            }
            error => self.log.failed(&error),
        }
        AFTER_FAILURE
    }

    /// One thing that is to be done, and how long to pause after it.
    fn step(&self, held: &mut Option<Held>) -> Result<Duration, SequenceError> {
        let Some(held) = held else {
            if !self.take()? {
                return Ok(RENEW);
            }
            tracing::info!("this process keeps the log of events");
            *held = Some(Held::now(self.retention.grace));
            return Ok(Duration::ZERO);
        };
        self.forget(held)?;
        // Within a round there is no need to look, and each look from the start passes by all that was
        // numbered since the store was tidied.
        if held.place.is_some() || self.ports.log.has_unnumbered()? {
            return self.number(held);
        }
        if held.renewed.elapsed() >= RENEW {
            if !self.take()? {
                return Err(SequenceError::LeaseLost);
            }
            held.renewed = Instant::now();
        }
        Ok(LOOK)
    }

    fn take(&self) -> Result<bool, StoreError> {
        self.ports.leases.take(&self.lease, LEASE)
    }

    fn number(&self, held: &mut Held) -> Result<Duration, SequenceError> {
        let from_start = held.place.is_none();
        let Sequenced { events, last, place } = self.ports.log.number(&self.lease, LEASE, held.place.clone(), MOST)?;
        held.renewed = Instant::now();
        held.untidied += events;
        if events > 0 {
            self.ports.tail.advance(last);
        }
        if events >= u64::from(MOST) {
            held.go_on(place);
            return Ok(Duration::ZERO);
        }
        // The end is reached: another round begins, at once unless this one has seen the start.
        (held.place, held.turns) = (None, 0);
        // Not before: while there is much to number, tidying could take longer than the lease.
        if held.untidied >= TIDY {
            held.untidied = 0;
            self.ports.log.tidy()?;
        }
        Ok(if from_start { GATHER } else { Duration::ZERO })
    }

    fn forget(&self, held: &mut Held) -> Result<(), SequenceError> {
        let Some(age) = self.retention.age.filter(|_| Instant::now() >= held.forget_next) else { return Ok(()) };
        // When it fails, events are numbered all the same.
        held.forget_next = Instant::now() + FORGET_LOOK;
        let before = match held.before {
            Some(before) => before,
            None => self.keep_time(held, age)?,
        };
        let gone = self.ports.log.forget(&self.lease, LEASE, before, FORGET)?;
        held.renewed = Instant::now();
        if gone >= u64::from(FORGET) {
            // More of the same: the time is moved on with the next look.
            (held.forget_next, held.before) = (held.renewed + FORGET_PAUSE, Some(before));
        } else {
            held.before = None;
        }
        Ok(())
    }

    /// Moves the time of retention on by what has really passed since this process did so before, and answers
    /// the instant before which events go.
    fn keep_time(&self, held: &mut Held, age: TimeDelta) -> Result<DateTime<Utc>, SequenceError> {
        let now = Instant::now();
        let passed = held.time_kept.map_or(Duration::ZERO, |kept| now.duration_since(kept));
        let RetentionTime { trusted, now: clock } = self.ports.log.retention_time(&self.lease, LEASE, passed)?;
        held.time_kept = Some(now);
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

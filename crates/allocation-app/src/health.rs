//! Readiness for requests, probed by a dedicated thread.

use crate::{BackgroundTask, FailureLog, Vital};
use allocation_ports::{
    Access, DatabaseProbe, FailedCheck, MAX_CLOCK_DIFFERENCE, Probed, Readiness, ReplicationLag, SchemaState,
};
use chrono::TimeDelta;
use std::io;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The pause between two probes.
const PAUSE: Duration = Duration::from_secs(1);
/// The age of the last result from which the probe counts as failed.
const STALE: Duration = Duration::from_secs(5);
/// How long the sequencer's lease may be free: another process takes over within seconds after its holder
/// dies.
const UNSEQUENCED: Duration = Duration::from_secs(10);

/// Probes the database once a second over a dedicated connection, and keeps the result for [`Readiness`].
///
/// Reading the result takes no connection and never waits.
pub struct Health {
    shared: Arc<Shared>,
    /// Stops when it is dropped.
    _task: BackgroundTask,
}

struct Shared {
    probe: Arc<dyn DatabaseProbe>,
    access: Access,
    vitals: Vec<Vital>,
    log: FailureLog,
    last: Mutex<Last>,
}

/// The result of the last probe.
struct Last {
    at: Instant,
    failed: Vec<FailedCheck>,
    /// The last time at which a process was seen with the sequencer's lease.
    sequenced: Instant,
    /// How far a standby lagged behind its primary.
    lag: Option<ReplicationLag>,
}

impl Health {
    /// Starts to probe, and waits for the first result for some seconds at most.
    ///
    /// With read-only access, the probe reads, and other processes sequence events. `vitals` reveal threads that
    /// end without being stopped.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(probe: Arc<dyn DatabaseProbe>, access: Access, vitals: Vec<Vital>) -> io::Result<Self> {
        let now = Instant::now();
        let log = FailureLog::new("the database", "not ready");
        let last = Mutex::new(Last { at: now, failed: Vec::new(), sequenced: now, lag: None });
        let shared = Arc::new(Shared { probe, access, vitals, log, last });
        let (first, probed) = mpsc::channel::<()>();
        let health = Arc::clone(&shared);
        let mut first = Some(first);
        let task = BackgroundTask::repeat("health", Duration::ZERO, PAUSE, move |_| {
            // Dropped after the first probe, even if that panics; the last result then grows stale.
            let _first = first.take();
            health.probe();
            PAUSE
        })?;
        let _ended = probed.recv_timeout(STALE);
        Ok(Self { shared, _task: task })
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn probe(&self) {
        let probed = self.probe.probe();
        let now = Instant::now();
        let mut last = self.locked();
        let failed = match probed {
            Ok(Probed::Schema(state)) => {
                self.log.succeeded();
                schema(state).into_iter().collect()
            }
            Ok(Probed::Written { sequenced }) => {
                self.log.succeeded();
                if sequenced {
                    last.sequenced = now;
                }
                Vec::new()
            }
            Ok(Probed::Read { lag }) => {
                self.log.succeeded();
                (last.lag, last.sequenced) = (lag, now);
                Vec::new()
            }
            // Other transactions write. If that lasts, the result grows stale.
            Ok(Probed::Busy) => return,
            Err(error) => {
                self.log.failed(&error);
                let detail = match self.access {
                    Access::ReadWrite => "The database does not accept a write",
                    Access::ReadOnly => "The database does not serve reads",
                };
                vec![FailedCheck::new(FailedCheck::DATABASE, detail)]
            }
        };
        (last.at, last.failed) = (now, failed);
    }

    fn failed_checks(&self, now: Instant) -> Vec<FailedCheck> {
        let last = self.locked();
        let mut failed = last.failed.clone();
        if now.saturating_duration_since(last.at) > STALE {
            failed = vec![FailedCheck::new(FailedCheck::DATABASE, "The database has not answered for some seconds")];
        } else if failed.is_empty() && now.saturating_duration_since(last.sequenced) > UNSEQUENCED {
            failed.push(FailedCheck::new(FailedCheck::SEQUENCER, "No replica sequences events"));
        }
        drop(last);
        failed.extend(clock(self.probe.clock_ahead()));
        for vital in self.vitals.iter().filter(|vital| vital.has_ended()) {
            failed.push(FailedCheck::new(FailedCheck::THREADS, format!("The thread {} has ended", vital.name())));
        }
        failed
    }
}

fn schema(state: SchemaState) -> Option<FailedCheck> {
    let detail = match state {
        SchemaState::Current => return None,
        SchemaState::Older => "Migrations have still to be run",
        SchemaState::Newer => "A newer version of the service has run migrations that shut this version out",
    };
    Some(FailedCheck::new(FailedCheck::SCHEMA, detail))
}

/// Checks that the clock of the process is close to the database's.
fn clock(ahead: TimeDelta) -> Option<FailedCheck> {
    if ahead.abs() <= MAX_CLOCK_DIFFERENCE {
        return None;
    }
    let direction = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
    let seconds = grouped(ahead.num_milliseconds().unsigned_abs().saturating_add(500) / 1_000);
    let detail = format!("The clock is off by {seconds} s: {direction} that of the database");
    Some(FailedCheck::new(FailedCheck::CLOCK, detail))
}

/// Formats a number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Readiness for Health {
    fn failed_checks(&self) -> Vec<FailedCheck> {
        self.shared.failed_checks(Instant::now())
    }

    fn replication_lag(&self) -> Option<ReplicationLag> {
        self.shared.locked().lag
    }
}

#[cfg(test)]
mod tests;

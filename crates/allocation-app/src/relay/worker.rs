use super::deliveries::{Page, Refusals, sum_up_retried};
use super::{Relay, RelayPorts, RelaySettings};
use crate::FailureLog;
use crate::background::StopSignal;
use allocation_ports::{
    BrokerUnavailable, Delivery, EventFilter, Lease, LoggedEvent, ParkedEvent, PendingConfirms, PublishStatus,
    ReadLogError, RecordError, RelayProgress, StoreError,
};
use std::convert::Infallible;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

/// How long the broker may take to confirm published events once the relay must stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// The ratio of rest to work under high load. On a machine that broker and database share, publishing an
/// event costs more than deciding its allocation.
const REST_RATIO: u32 = 4;
/// The interval between checks for parked events to retry.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The reason why relaying has ended, until it starts again.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("stop requested")]
    Stopped,
    #[error("another process relays")]
    LeaseLost,
    #[error(transparent)]
    Away(#[from] BrokerUnavailable),
    #[error("the broker refuses the event at position {0}")]
    Refused(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadLogError> for Ended {
    fn from(error: ReadLogError) -> Self {
        match error {
            ReadLogError::Store(error) => Self::Store(error),
            // `read` handles removed positions itself.
            gone @ ReadLogError::Gone { .. } => Self::Store(StoreError::Failed(gone.into())),
        }
    }
}

impl From<RecordError> for Ended {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::LeaseLost => Self::LeaseLost,
            RecordError::Store(error) => Self::Store(error),
        }
    }
}

pub(super) struct Worker {
    ports: RelayPorts,
    settings: RelaySettings,
    stopped: StopSignal,
    lease: Lease,
    /// The time of the last renewal of the lease.
    renewed: Instant,
    /// The number of failures since relaying last succeeded.
    failures: u32,
    log: FailureLog,
    refusals: Refusals,
    /// The checkpoint in the store.
    checkpoint: u64,
}

impl Worker {
    pub(super) fn new(ports: RelayPorts, settings: RelaySettings, stopped: StopSignal) -> Self {
        let lease = Lease { name: Relay::LEASE, holder: settings.holder.clone() };
        let (renewed, refusals) = (Instant::now(), Refusals::default());
        let log = FailureLog::new("event relay", "retrying");
        Self { ports, settings, stopped, lease, renewed, failures: 0, log, refusals, checkpoint: 0 }
    }

    pub(super) fn run(mut self) {
        let mut pause = Duration::ZERO;
        while !self.stops_within(pause) {
            // A panic ends one tenure, not the thread.
            let ended = panic::catch_unwind(AssertUnwindSafe(|| self.relay_under_lease()));
            let ended = ended.unwrap_or_else(|_| Ended::Store(StoreError::Failed("relaying has panicked".into())));
            pause = self.pause_after(&ended);
        }
    }

    /// Returns whether the relay must stop, now or within `time`.
    fn stops_within(&self, time: Duration) -> bool {
        !self.stopped.continues_after(time)
    }

    /// Returns the pause after relaying has ended. Logs a lasting failure only once.
    fn pause_after(&mut self, ended: &Ended) -> Duration {
        match ended {
            Ended::Stopped => Duration::ZERO,
            Ended::LeaseLost => self.renewal(),
            Ended::Away(_) | Ended::Refused(_) | Ended::Store(_) => {
                self.failures = self.failures.saturating_add(1);
                self.log.failed(ended);
                self.settings.backoff.after(self.failures)
            }
        }
    }

    /// Returns the interval between renewals of the lease.
    fn renewal(&self) -> Duration {
        self.settings.lease_time / 4
    }

    /// Relays until something ends it, then releases the lease: another process may succeed.
    fn relay_under_lease(&mut self) -> Ended {
        match self.renew() {
            Ok(()) => {}
            Err(ended) => return ended,
        }
        let Err(ended) = self.relay();
        if !matches!(ended, Ended::LeaseLost)
            && let Err(error) = self.ports.leases.release(&self.lease)
        {
            tracing::debug!(%error, "the lease of the relay ends by itself");
        }
        ended
    }

    fn renew(&mut self) -> Result<(), Ended> {
        let requested_at = Instant::now();
        let taken = self.ports.leases.take(&self.lease, self.settings.lease_time)?;
        self.renewed = requested_at;
        if taken { Ok(()) } else { Err(Ended::LeaseLost) }
    }

    fn renew_in_time(&mut self) -> Result<(), Ended> {
        if self.renewed.elapsed() < self.renewal() { Ok(()) } else { self.renew() }
    }

    /// Publishes the events of the log, one chunk at a time, so that every reply belongs to that chunk.
    ///
    /// While the broker works, the previous progress is recorded and the next events are read.
    fn relay(&mut self) -> Result<Infallible, Ended> {
        self.ports.publisher.connect()?;
        self.checkpoint = self.ports.store.checkpoint()?;
        let (mut after, mut retried) = (self.checkpoint, None);
        let (mut done, mut events) = (RelayProgress::default(), Vec::new());
        loop {
            let begun = Instant::now();
            if events.is_empty() {
                // Events that are no longer retained cannot be published.
                done.checkpoint = after;
                self.record(&mut done)?;
                events = self.read(&mut after)?;
            }
            self.renew_in_time()?;
            if !events.is_empty() {
                let sent = self.ports.publisher.send(&events)?;
                self.record(&mut done)?;
                let next = self.read(&mut after);
                let page = self.finish(&events, sent)?;
                done = page.progress;
                let ended = page.refused.map_or_else(|| next.map(|next| events = next), |at| Err(Ended::Refused(at)));
                if ended.is_err() {
                    self.record(&mut done)?;
                }
                ended?;
            }
            if retried.is_none_or(|retried: Instant| retried.elapsed() >= RETRY_PAUSE) {
                self.record(&mut done)?;
                retried = if self.retry_parked()? { None } else { Some(Instant::now()) };
            }
            let idle = if events.is_empty() { self.settings.idle_pause } else { Duration::ZERO };
            let rest = self.rest_after(begun.elapsed());
            if !rest.is_zero() {
                self.record(&mut done)?;
            }
            if self.stops_within(idle.max(rest)) {
                self.record(&mut done)?;
                return Err(Ended::Stopped);
            }
        }
    }

    /// Returns how long to yield to allocation after some work: zero, except under high load.
    fn rest_after(&mut self, worked: Duration) -> Duration {
        let at_most = self.settings.lease_time / 2;
        if self.ports.load.is_overloaded() { (worked * REST_RATIO).min(at_most) } else { Duration::ZERO }
    }

    /// Returns the next events and advances the position to read after.
    fn read(&self, after: &mut u64) -> Result<Vec<LoggedEvent>, Ended> {
        let mut events = Vec::new();
        for _ in 0..self.settings.pages.max(1) {
            match self.ports.log.read(*after, &EventFilter::default(), self.settings.page) {
                Ok(page) => {
                    *after = page.next;
                    let is_last = page.events.len() < usize::from(self.settings.page.get());
                    events.extend(page.events);
                    if is_last {
                        break;
                    }
                }
                // The error recurs once the events before it are done.
                Err(_) if !events.is_empty() => break,
                Err(ReadLogError::Gone { oldest }) => {
                    tracing::error!(after, oldest, "events were not relayed before they were too old to be retained");
                    *after = oldest.saturating_sub(1);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(events)
    }

    /// Waits for the broker to confirm events, renewing the lease meanwhile.
    fn deliveries(&mut self, mut sent: Box<dyn PendingConfirms>) -> Result<Vec<Delivery>, Ended> {
        let (mut begun, mut logged) = (Instant::now(), false);
        loop {
            let blocked = match sent.wait(self.renewal())? {
                PublishStatus::Answered(deliveries) => return Ok(deliveries),
                PublishStatus::Waiting => false,
                PublishStatus::Blocked => true,
            };
            let stops = self.stops_within(Duration::ZERO);
            if blocked && !stops {
                // Another connection would not help.
                begun = Instant::now();
                if !logged {
                    tracing::warn!("the broker is short of memory or disk and accepts no events");
                    logged = true;
                }
            }
            let timeout = if stops { STOP_TIMEOUT } else { self.settings.confirm_timeout };
            if begun.elapsed() >= timeout {
                return Err(BrokerUnavailable("it confirms nothing".into()).into());
            }
            self.renew_in_time()?;
        }
    }

    /// Waits for the broker to confirm events, and sums up the results.
    fn finish(&mut self, events: &[LoggedEvent], sent: Box<dyn PendingConfirms>) -> Result<Page, Ended> {
        let deliveries = self.deliveries(sent)?;
        let page = self.refusals.sum_up(events, deliveries, self.ports.clock.now());
        log_parked(&page.progress.parked);
        Ok(page)
    }

    /// Records progress and resets it.
    fn record(&mut self, done: &mut RelayProgress) -> Result<(), Ended> {
        let progress = std::mem::take(done);
        if progress.checkpoint <= self.checkpoint && progress.parked.is_empty() && progress.delivered.is_empty() {
            return Ok(());
        }
        let requested_at = Instant::now();
        let forgotten = self.ports.store.record(&self.lease, self.settings.lease_time, &progress)?;
        (self.renewed, self.checkpoint) = (requested_at, self.checkpoint.max(progress.checkpoint));
        if forgotten > 0 {
            tracing::error!(events = forgotten, "parked events are not retained any more, and were never delivered");
        }
        self.log.succeeded();
        self.failures = 0;
        Ok(())
    }

    /// Publishes again the first parked events that are marked for it; returns whether there were any.
    fn retry_parked(&mut self) -> Result<bool, Ended> {
        let events = self.ports.store.to_retry(self.settings.page)?;
        if events.is_empty() {
            return Ok(false);
        }
        let sent = self.ports.publisher.send(&events)?;
        let deliveries = self.deliveries(sent)?;
        let mut progress = sum_up_retried(&events, deliveries, self.ports.clock.now());
        log_parked(&progress.parked);
        self.record(&mut progress)?;
        Ok(true)
    }
}

/// Logs parked events in one line.
fn log_parked(parked: &[ParkedEvent]) {
    if let [first, ..] = parked {
        let (events, position, reason) = (parked.len(), first.position, &first.reason);
        tracing::warn!(events, position, reason, "events are parked; see `allocation outbox status`");
    }
}

use super::{Relay, RelayPorts, RelaySettings};
use allocation_ports::{
    BrokerAway, Delivery, EventFilter, Lease, LoggedEvent, PageSize, ParkedEvent, ReadLogError, RecordError,
    RelayProgress, SentEvents, StoreError,
};
use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long the broker may take to confirm a page before it counts as away.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take when the relay is told to stop.
const PATIENCE_AT_STOP: Duration = Duration::from_secs(3);
/// How often the broker may refuse an event before it counts as poison.
const MOST_REFUSALS: u32 = 10;
/// How often to look for parked events that are to be sent again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Why relaying ends for now.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("told to stop")]
    Stopped,
    #[error("another process relays")]
    LeaseLost,
    #[error(transparent)]
    Away(#[from] BrokerAway),
    #[error("the broker refuses the event at position {0}")]
    Refused(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordError> for Ended {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::LeaseLost => Self::LeaseLost,
            RecordError::Store(error) => Self::Store(error),
        }
    }
}

/// A page that the broker has not confirmed yet.
struct InFlight {
    events: Vec<LoggedEvent>,
    sent: Box<dyn SentEvents>,
}

pub(super) struct Worker {
    ports: RelayPorts,
    settings: RelaySettings,
    stopped: Receiver<()>,
    lease: Lease,
    /// When the lease was renewed.
    renewed: Instant,
    /// How often relaying has failed since it last went on.
    failures: u32,
    /// Which event was refused, and how often.
    refused: (u64, u32),
}

impl Worker {
    pub(super) fn new(ports: RelayPorts, settings: RelaySettings, stopped: Receiver<()>) -> Self {
        let lease = Lease { name: Relay::LEASE, holder: settings.holder.clone() };
        Self { ports, settings, stopped, lease, renewed: Instant::now(), failures: 0, refused: (0, 0) }
    }

    pub(super) fn run(mut self) {
        let mut pause = Duration::ZERO;
        while !self.stops_within(pause) {
            // A panic costs one tenure, not those to come.
            let ended = panic::catch_unwind(AssertUnwindSafe(|| self.relay_under_lease()));
            let ended = ended.unwrap_or_else(|_| Ended::Store(StoreError::Failed("relaying has panicked".into())));
            pause = self.pause_after(&ended);
        }
    }

    /// Whether the relay is told to stop, now or within some time.
    fn stops_within(&self, time: Duration) -> bool {
        self.stopped.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }

    /// How long to wait after relaying has ended. A fault that lasts is logged once.
    fn pause_after(&mut self, ended: &Ended) -> Duration {
        match ended {
            Ended::Stopped => Duration::ZERO,
            Ended::LeaseLost => self.renewal(),
            Ended::Away(_) | Ended::Refused(_) | Ended::Store(_) => {
                self.failures = self.failures.saturating_add(1);
                let pause = self.settings.backoff.after(self.failures);
                if self.failures == 1 {
                    tracing::warn!(error = %ended, cause = ended.source(), "events are not relayed for the time being");
                } else {
                    tracing::debug!(error = %ended, cause = ended.source(), ?pause, "events are still not relayed");
                }
                pause
            }
        }
    }

    /// How long after a renewal the lease is renewed.
    fn renewal(&self) -> Duration {
        self.settings.lease_time / 4
    }

    /// Relays until something ends it. The lease is given back then: another process may be luckier.
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
        let asked = Instant::now();
        let taken = self.ports.leases.take(&self.lease, self.settings.lease_time)?;
        self.renewed = asked;
        if taken { Ok(()) } else { Err(Ended::LeaseLost) }
    }

    fn renew_in_time(&mut self) -> Result<(), Ended> {
        if self.renewed.elapsed() < self.renewal() { Ok(()) } else { self.renew() }
    }

    fn relay(&mut self) -> Result<std::convert::Infallible, Ended> {
        self.ports.publisher.connect()?;
        let mut after = self.ports.store.bookmark()?;
        let mut in_flight: Option<InFlight> = None;
        let mut retried: Option<Instant> = None;
        loop {
            self.renew_in_time()?;
            let events = self.read(&mut after, self.settings.page)?;
            let next = if events.is_empty() { None } else { Some(self.send(events)?) };
            if let Some(previous) = in_flight.take() {
                self.finish(previous)?;
            }
            let idle = next.is_none();
            in_flight = next;
            if retried.is_none_or(|retried| retried.elapsed() >= RETRY_PAUSE) {
                if let Some(page) = in_flight.take() {
                    self.finish(page)?;
                }
                self.retry_parked()?;
                retried = Some(Instant::now());
            }
            let pause = if idle { self.settings.idle_pause } else { Duration::ZERO };
            if self.stops_within(pause) {
                in_flight.map_or(Ok(()), |page| self.finish(page))?;
                return Err(Ended::Stopped);
            }
        }
    }

    /// The next events, and moves the place to read after.
    fn read(&self, after: &mut u64, page: PageSize) -> Result<Vec<LoggedEvent>, Ended> {
        match self.ports.log.read(*after, &EventFilter::default(), page) {
            Ok(read) => {
                *after = read.next;
                Ok(read.events)
            }
            Err(ReadLogError::Gone { oldest }) => {
                tracing::error!(after, oldest, "events were removed before they were relayed: retention is too short");
                *after = oldest.saturating_sub(1);
                Ok(Vec::new())
            }
            Err(ReadLogError::Store(error)) => Err(error.into()),
        }
    }

    fn send(&mut self, events: Vec<LoggedEvent>) -> Result<InFlight, Ended> {
        let sent = self.ports.publisher.send(&events)?;
        Ok(InFlight { events, sent })
    }

    /// Waits until the broker has told what became of a page, and keeps the lease meanwhile.
    fn deliveries(&mut self, mut sent: Box<dyn SentEvents>) -> Result<Vec<Delivery>, Ended> {
        let begun = Instant::now();
        loop {
            if let Some(deliveries) = sent.wait(self.renewal())? {
                return Ok(deliveries);
            }
            let patience = if self.stops_within(Duration::ZERO) { PATIENCE_AT_STOP } else { PATIENCE };
            if begun.elapsed() >= patience {
                return Err(BrokerAway("it confirms nothing".into()).into());
            }
            self.renew_in_time()?;
        }
    }

    /// Waits for a page and writes down how far the relay has come with it.
    fn finish(&mut self, page: InFlight) -> Result<(), Ended> {
        let deliveries = self.deliveries(page.sent)?;
        let mut progress = RelayProgress::default();
        let mut refused = None;
        for (event, delivery) in page.events.iter().zip(deliveries) {
            match self.reason_to_park(event.position, delivery) {
                Ok(None) => {}
                Ok(Some(reason)) => progress.parked.push(self.parked(event.position, reason)),
                Err(ended) => {
                    refused = Some(ended);
                    break;
                }
            }
            progress.bookmark = event.position;
        }
        self.record(&progress)?;
        refused.map_or(Ok(()), Err)
    }

    /// Why an event is to be parked, `None` for one that is delivered. One that the broker refuses is
    /// sent again first, with all behind it, so that the order is kept as far as can be.
    fn reason_to_park(&mut self, position: u64, delivery: Delivery) -> Result<Option<String>, Ended> {
        match delivery {
            Delivery::Confirmed => Ok(None),
            Delivery::Unroutable(reason) | Delivery::Poison(reason) => Ok(Some(reason)),
            Delivery::Refused => {
                let (last, times) = self.refused;
                let times = if last == position { times + 1 } else { 1 };
                self.refused = (position, times);
                if times < MOST_REFUSALS {
                    return Err(Ended::Refused(position));
                }
                Ok(Some(format!("the broker has refused it {times} times")))
            }
        }
    }

    fn parked(&self, position: u64, reason: String) -> ParkedEvent {
        tracing::warn!(position, reason, "an event is parked");
        ParkedEvent { position, reason, parked_at: self.ports.clock.now(), retry: false }
    }

    fn record(&mut self, progress: &RelayProgress) -> Result<(), Ended> {
        if *progress == RelayProgress::default() {
            return Ok(());
        }
        let asked = Instant::now();
        self.ports.store.record(&self.lease, self.settings.lease_time, progress)?;
        self.renewed = asked;
        if self.failures > 0 {
            tracing::info!("events are relayed again");
            self.failures = 0;
        }
        Ok(())
    }

    /// Sends parked events again that are to be.
    fn retry_parked(&mut self) -> Result<(), Ended> {
        loop {
            let positions = self.ports.store.to_retry(self.settings.page)?;
            if positions.is_empty() {
                return Ok(());
            }
            let mut events = Vec::new();
            let mut progress = RelayProgress::default();
            for position in positions {
                match self.event(position)? {
                    Some(event) => events.push(event),
                    None => progress.parked.push(self.parked(position, "it is not retained any more".to_owned())),
                }
                self.renew_in_time()?;
            }
            self.resend(events, progress)?;
        }
    }

    /// The event at a position, unless it is not retained any more.
    fn event(&self, position: u64) -> Result<Option<LoggedEvent>, Ended> {
        let Some(one) = PageSize::new(1) else { return Ok(None) };
        match self.ports.log.read(position.saturating_sub(1), &EventFilter::default(), one) {
            Ok(page) => Ok(page.events.into_iter().find(|event| event.position == position)),
            Err(ReadLogError::Gone { .. }) => Ok(None),
            Err(ReadLogError::Store(error)) => Err(error.into()),
        }
    }

    fn resend(&mut self, events: Vec<LoggedEvent>, mut progress: RelayProgress) -> Result<(), Ended> {
        if !events.is_empty() {
            let page = self.send(events)?;
            let deliveries = self.deliveries(page.sent)?;
            for (event, delivery) in page.events.iter().zip(deliveries) {
                match self.reason_to_park(event.position, delivery)? {
                    None => progress.delivered.push(event.position),
                    Some(reason) => progress.parked.push(self.parked(event.position, reason)),
                }
            }
        }
        self.record(&progress)
    }
}

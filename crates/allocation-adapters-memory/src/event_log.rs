//! The event log and its maintenance.

use crate::database::Database;
use crate::store::MemoryStore;
use allocation_domain::{Event, OrderId, Sku};
use allocation_ports::{
    CausationId, CommandEffects, EventContext, EventFilter, EventLog, EventPage, Lease, LogBounds, LogSequencer,
    LoggedEvent, OutboxKey, PageSize, ReadLogError, RecordedEvent, RetentionTime, SequenceError, Sequenced, StoreError,
    Subject,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;
use std::time::Duration;

/// The number of events that a page examines for a filter by type alone.
const SCAN_LIMIT: usize = 10_000;

/// The multiple of the prune limit that is scanned, to find an old event behind a run of events from the
/// future.
const LOOK_AHEAD: usize = 5;

/// An event as a unit of work wrote it.
#[derive(Debug, Clone)]
pub(crate) struct OutboxEvent {
    pub(crate) recorded: RecordedEvent,
    pub(crate) json: String,
    pub(crate) context: EventContext,
}

impl OutboxEvent {
    pub(crate) fn new(recorded: RecordedEvent, context: EventContext) -> Result<Self, StoreError> {
        let json = serde_json::to_string(&recorded.event).map_err(|error| StoreError::Failed(error.into()))?;
        Ok(Self { recorded, json, context })
    }
}

/// The retained events with a position, oldest first.
#[derive(Debug)]
pub(crate) struct Log {
    events: VecDeque<OutboxEvent>,
    /// The position of the first of them.
    oldest: u64,
    /// The time against which retention is measured.
    trusted: Option<DateTime<Utc>>,
}

impl Default for Log {
    fn default() -> Self {
        Self { events: VecDeque::new(), oldest: 1, trusted: None }
    }
}

impl Log {
    pub(crate) fn bounds(&self) -> LogBounds {
        LogBounds { oldest: self.oldest, last: self.oldest + count(self.events.len()) - 1 }
    }

    /// Returns the event at a position.
    pub(crate) fn event(&self, position: u64) -> Option<LoggedEvent> {
        let place = usize::try_from(position.checked_sub(self.oldest)?).ok()?;
        let OutboxEvent { recorded: RecordedEvent { occurred_at, event, .. }, json, context } =
            self.events.get(place)?.clone();
        let (name, subject) = (event.name().to_owned(), Subject::of(&event));
        Some(LoggedEvent { position, occurred_at, name, subject, json, context })
    }

    fn read(&self, after: u64, filter: &EventFilter, page: PageSize) -> Result<EventPage, ReadLogError> {
        let LogBounds { oldest, last } = self.bounds();
        if after < oldest.saturating_sub(1) || after > last {
            return Err(ReadLogError::Gone { oldest });
        }
        let limit = if filter.subject.is_none() && !filter.is_open() { SCAN_LIMIT } else { usize::MAX };
        let (mut events, mut next) = (Vec::new(), after);
        for event in (after + 1..=last).take(limit).filter_map(|position| self.event(position)) {
            next = event.position;
            events.extend(Some(event).filter(|event| filter.fits(event)));
            if events.len() == usize::from(page.get()) {
                break;
            }
        }
        Ok(EventPage { events, next })
    }

    /// Returns how many of the oldest events to prune.
    fn due(&self, before: DateTime<Utc>, most: usize, now: DateTime<Utc>) -> usize {
        let times = self.events.iter().map(|event| event.recorded.occurred_at);
        let scanned: Vec<_> = times.take(most.saturating_mul(LOOK_AHEAD)).collect();
        let young = scanned.iter().position(|at| (before..=now).contains(at)).unwrap_or(scanned.len());
        // Events from the future in front of an old one go with it.
        let last_old = scanned[..young].iter().rposition(|at| *at < before);
        last_old.map_or(0, |last| last + 1).min(most)
    }
}

/// Returns a number of rows as the ports count them.
pub(crate) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

impl Database {
    /// Returns the retained events, with and without a position.
    pub(crate) fn all_events(&self) -> impl Iterator<Item = &OutboxEvent> {
        self.log.events.iter().chain(&self.rows.outbox)
    }

    /// Returns the retained events of an order.
    pub(crate) fn events_of(&self, order_id: &OrderId) -> impl Iterator<Item = &RecordedEvent> {
        let recorded = self.all_events().map(|event| &event.recorded);
        recorded.filter(|recorded| recorded.event.order_id() == Some(order_id))
    }

    fn renew(&mut self, lease: &Lease, time: Duration) -> Result<(), SequenceError> {
        if self.leases.renew(lease, time) { Ok(()) } else { Err(SequenceError::LeaseLost) }
    }
}

impl EventLog for MemoryStore {
    fn read(&self, after: u64, filter: &EventFilter, page: PageSize) -> Result<EventPage, ReadLogError> {
        self.database().log.read(after, filter, page)
    }

    fn bounds(&self) -> Result<LogBounds, StoreError> {
        Ok(self.database().log.bounds())
    }
}

impl LogSequencer for MemoryStore {
    fn has_unsequenced(&self) -> Result<bool, StoreError> {
        Ok(!self.database().rows.outbox.is_empty())
    }

    fn sequence(
        &self,
        lease: &Lease,
        time: Duration,
        _: Option<OutboxKey>,
        most: u16,
    ) -> Result<Sequenced, SequenceError> {
        let mut database = self.database();
        database.renew(lease, time)?;
        // Commits append their events, so the events of each product are in order.
        let next = database.rows.outbox.len().min(usize::from(most));
        let next: Vec<_> = database.rows.outbox.drain(..next).collect();
        let events = count(next.len());
        database.log.events.extend(next);
        Ok(Sequenced { events, last: database.log.bounds().last, last_key: None })
    }

    fn retention_time(&self, lease: &Lease, time: Duration, passed: Duration) -> Result<RetentionTime, SequenceError> {
        let (mut database, now) = (self.database(), self.now());
        database.renew(lease, time)?;
        let step = TimeDelta::from_std(passed.saturating_mul(2)).unwrap_or(TimeDelta::MAX);
        let newest = database.log.events.back().map(|event| event.recorded.occurred_at);
        let from = database.log.trusted.or(newest).unwrap_or(now);
        let trusted = from.checked_add_signed(step).map_or(now, |at| at.min(now));
        database.log.trusted = Some(trusted);
        Ok(RetentionTime { trusted, now })
    }

    fn prune(&self, lease: &Lease, time: Duration, before: DateTime<Utc>, most: u16) -> Result<u64, SequenceError> {
        let (mut database, now) = (self.database(), self.now());
        database.renew(lease, time)?;
        let due = database.log.due(before, usize::from(most), now);
        database.log.events.drain(..due);
        database.log.oldest += count(due);
        Ok(count(due))
    }

    fn vacuum(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl CommandEffects for MemoryStore {
    fn caused_by(&self, commands: &[(CausationId, &'static str)]) -> Result<Vec<(CausationId, Event)>, StoreError> {
        let database = self.database();
        let caused = |OutboxEvent { recorded, context, .. }: &OutboxEvent| {
            let cause = context.causation_id.as_ref()?;
            let asked = commands.iter().any(|(id, name)| id == cause && *name == recorded.event.name());
            asked.then(|| (cause.clone(), recorded.event.clone()))
        };
        Ok(database.all_events().filter_map(caused).collect())
    }
}

/// Returns whether a product has an event of a version.
pub(crate) fn has_version(outbox: &[OutboxEvent], sku: &Sku, version: u64) -> bool {
    outbox.iter().any(|event| event.recorded.sku == *sku && event.recorded.version == version)
}

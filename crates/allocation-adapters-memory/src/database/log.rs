use super::count;
use allocation_ports::{
    EventContext, EventFilter, EventPage, LogBounds, LoggedEvent, PageSize, ReadLogError, RecordedEvent, StoreError,
    Subject,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;

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

    /// Returns the retained events, oldest first.
    pub(crate) fn events(&self) -> impl Iterator<Item = &OutboxEvent> {
        self.events.iter()
    }

    /// Returns the event at a position.
    pub(crate) fn event(&self, position: u64) -> Option<LoggedEvent> {
        let place = usize::try_from(position.checked_sub(self.oldest)?).ok()?;
        let OutboxEvent { recorded: RecordedEvent { occurred_at, event, .. }, json, context } =
            self.events.get(place)?.clone();
        let (name, subject) = (event.name().to_owned(), Subject::of(&event));
        Some(LoggedEvent { position, occurred_at, name, subject, json, context })
    }

    /// Returns a page of the events after a position that a filter lets through.
    pub(crate) fn read(&self, after: u64, filter: &EventFilter, page: PageSize) -> Result<EventPage, ReadLogError> {
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

    /// Assigns the next positions to events.
    pub(crate) fn append(&mut self, events: Vec<OutboxEvent>) {
        self.events.extend(events);
    }

    /// Moves the trusted time towards `now` by at most `step`, and returns it.
    pub(crate) fn advance_trusted(&mut self, now: DateTime<Utc>, step: TimeDelta) -> DateTime<Utc> {
        let newest = self.events.back().map(|event| event.recorded.occurred_at);
        let from = self.trusted.or(newest).unwrap_or(now);
        let trusted = from.checked_add_signed(step).map_or(now, |at| at.min(now));
        self.trusted = Some(trusted);
        trusted
    }

    /// Prunes the oldest events up to the last one due, at most `limit`, and returns their number.
    pub(crate) fn prune(&mut self, before: DateTime<Utc>, limit: usize, now: DateTime<Utc>) -> u64 {
        let due = self.due(before, limit, now);
        self.events.drain(..due);
        self.oldest += count(due);
        count(due)
    }

    /// Returns how many of the oldest events to prune.
    fn due(&self, before: DateTime<Utc>, limit: usize, now: DateTime<Utc>) -> usize {
        let times = self.events.iter().map(|event| event.recorded.occurred_at);
        let scanned: Vec<_> = times.take(limit.saturating_mul(LOOK_AHEAD)).collect();
        let young = scanned.iter().position(|at| (before..=now).contains(at)).unwrap_or(scanned.len());
        // Events from the future in front of an old one go with it.
        let last_old = scanned[..young].iter().rposition(|at| *at < before);
        last_old.map_or(0, |last| last + 1).min(limit)
    }
}

//! The event log and its maintenance.

use crate::database::{Database, OutboxEvent, count};
use crate::store::MemoryStore;
use allocation_domain::Event;
use allocation_ports::{
    CausationId, CommandEffects, EventFilter, EventLog, EventPage, Lease, LogBounds, LogSequencer, PageSize,
    ReadLogError, RetentionTime, SequenceError, Sequenced, StoreError,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

impl Database {
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

    fn sequence(&self, lease: &Lease, time: Duration, limit: u16) -> Result<Sequenced, SequenceError> {
        let mut database = self.database();
        database.renew(lease, time)?;
        // Commits append their events, so the events of each product are in order.
        let next = database.rows.outbox.len().min(usize::from(limit));
        let next: Vec<_> = database.rows.outbox.drain(..next).collect();
        let events = count(next.len());
        database.log.append(next);
        Ok(Sequenced { events, last: database.log.bounds().last })
    }

    fn retention_time(&self, lease: &Lease, time: Duration, passed: Duration) -> Result<RetentionTime, SequenceError> {
        let (mut database, now) = (self.database(), self.now());
        database.renew(lease, time)?;
        let step = TimeDelta::from_std(passed.saturating_mul(2)).unwrap_or(TimeDelta::MAX);
        Ok(RetentionTime { trusted: database.log.advance_trusted(now, step), now })
    }

    fn prune(&self, lease: &Lease, time: Duration, before: DateTime<Utc>, limit: u16) -> Result<u64, SequenceError> {
        let (mut database, now) = (self.database(), self.now());
        database.renew(lease, time)?;
        Ok(database.log.prune(before, usize::from(limit), now))
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
            let requested = commands.iter().any(|(id, name)| id == cause && *name == recorded.event.name());
            requested.then(|| (cause.clone(), recorded.event.clone()))
        };
        Ok(database.all_events().filter_map(caused).collect())
    }
}

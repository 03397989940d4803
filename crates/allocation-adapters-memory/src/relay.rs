//! The relay's checkpoint, its parked events, and the backlog.

use crate::database::count;
use crate::store::MemoryStore;
use allocation_ports::{
    BrokenInvariant, ConnectionUsage, EventBacklog, InvariantCheck, Lease, LoggedEvent, PageSize, ParkedEvent,
    RecordError, RelayProgress, RelayStore, StoreError, StoreMonitor,
};
use std::time::Duration;

/// Marks parked events for a retry, and returns their number.
fn retry<'a>(parked: impl Iterator<Item = &'a mut ParkedEvent>) -> u64 {
    count(parked.map(|event| event.retry = true).count())
}

impl RelayStore for MemoryStore {
    fn checkpoint(&self) -> Result<u64, StoreError> {
        Ok(self.database().relay.checkpoint)
    }

    fn record(&self, lease: &Lease, time: Duration, progress: &RelayProgress) -> Result<u64, RecordError> {
        let mut database = self.database();
        if !database.leases.renew(lease, time) {
            return Err(RecordError::LeaseLost);
        }
        let oldest = database.log.bounds().oldest;
        let relay = &mut database.relay;
        relay.checkpoint = relay.checkpoint.max(progress.checkpoint);
        relay.parked.extend(progress.parked.iter().map(|event| (event.position, event.clone())));
        relay.parked.retain(|position, _| !progress.delivered.contains(position));
        let before = relay.parked.len();
        relay.parked.retain(|position, _| *position >= oldest);
        Ok(count(before - relay.parked.len()))
    }

    fn parked(&self, after: u64, page: PageSize) -> Result<Vec<ParkedEvent>, StoreError> {
        let database = self.database();
        let parked = database.relay.parked.values().filter(|event| event.position > after);
        Ok(parked.take(usize::from(page.get())).cloned().collect())
    }

    fn parked_count(&self) -> Result<u64, StoreError> {
        Ok(count(self.database().relay.parked.len()))
    }

    fn unsequenced_count(&self) -> Result<u64, StoreError> {
        Ok(count(self.database().rows.outbox.len()))
    }

    fn to_retry(&self, page: PageSize) -> Result<Vec<LoggedEvent>, StoreError> {
        let database = self.database();
        let positions = database.relay.parked.values().filter(|event| event.retry).map(|event| event.position);
        Ok(positions.filter_map(|position| database.log.event(position)).take(usize::from(page.get())).collect())
    }

    fn retry(&self, positions: &[u64]) -> Result<u64, StoreError> {
        let mut database = self.database();
        let parked = database.relay.parked.values_mut().filter(|event| positions.contains(&event.position));
        Ok(retry(parked))
    }

    fn retry_all(&self) -> Result<u64, StoreError> {
        Ok(retry(self.database().relay.parked.values_mut()))
    }
}

impl StoreMonitor for MemoryStore {
    fn connections(&self) -> Option<ConnectionUsage> {
        None
    }

    fn backlog(&self) -> Result<EventBacklog, StoreError> {
        let database = self.database();
        let checkpoint = database.relay.checkpoint;
        Ok(EventBacklog {
            last: database.log.bounds().last,
            unsequenced: count(database.rows.outbox.len()),
            oldest_unsequenced: database.rows.outbox.first().map(|event| event.recorded.occurred_at),
            checkpoint,
            oldest_unrelayed: database.log.event(checkpoint + 1).map(|event| event.occurred_at),
            parked: count(database.relay.parked.len()).min(EventBacklog::MAX_PARKED.into()),
        })
    }
}

impl InvariantCheck for MemoryStore {
    /// Nothing is counted here: every number is computed from the rows themselves.
    fn broken_invariants(&self, _: &mut dyn FnMut() -> bool) -> Result<Option<Vec<BrokenInvariant>>, StoreError> {
        Ok(Some(Vec::new()))
    }
}

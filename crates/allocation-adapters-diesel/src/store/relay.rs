//! The ports of the relay and of command effects, implemented by the store.

use super::Store;
use crate::{reads, relaying};
use allocation_domain::Event;
use allocation_ports::{
    CausationId, CommandEffects, Lease, LoggedEvent, PageSize, ParkedEvent, RecordError, RelayProgress, RelayStore,
    StoreError,
};
use std::time::Duration;

impl RelayStore for Store {
    fn checkpoint(&self) -> Result<u64, StoreError> {
        self.read(relaying::checkpoint)
    }

    fn record(&self, lease: &Lease, time: Duration, progress: &RelayProgress) -> Result<u64, RecordError> {
        self.write(|connection| relaying::record(connection, lease, time, progress))
    }

    fn parked(&self, after: u64, page: PageSize) -> Result<Vec<ParkedEvent>, StoreError> {
        self.read(|connection| relaying::parked(connection, after, page))
    }

    fn parked_count(&self) -> Result<u64, StoreError> {
        self.read(relaying::parked_count)
    }

    fn unsequenced_count(&self) -> Result<u64, StoreError> {
        self.read(relaying::unsequenced_count)
    }

    fn to_retry(&self, page: PageSize) -> Result<Vec<LoggedEvent>, StoreError> {
        self.read(|connection| reads::to_retry(connection, page))
    }

    fn retry(&self, positions: &[u64]) -> Result<u64, StoreError> {
        self.write(|connection| relaying::retry(connection, Some(positions)))
    }

    fn retry_all(&self) -> Result<u64, StoreError> {
        self.write(|connection| relaying::retry(connection, None))
    }
}

impl CommandEffects for Store {
    fn caused_by(&self, commands: &[(CausationId, &'static str)]) -> Result<Vec<(CausationId, Event)>, StoreError> {
        self.read(|connection| reads::caused_by(connection, commands))
    }
}

//! The ports of the event log, implemented by the store.

use super::Store;
use crate::any_connection::AnyConnection;
use crate::error::commit_error;
use crate::{reads, sequencing, transaction};
use allocation_ports::{
    Clock, EventFilter, EventLog, EventPage, Lease, Leases, LockWait, LogBounds, LogSequencer, PageSize, ReadLogError,
    RetentionTime, SequenceError, Sequenced, StoreError,
};
use chrono::{DateTime, Utc};
use diesel::r2d2::R2D2Connection;
use std::time::Duration;

impl Store {
    /// Runs a write outside units of work, which succeeds or fails as a whole. On PostgreSQL, `work` must
    /// be a single statement.
    pub(super) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(writer) = &self.0.writer else {
            return work(&mut *self.checked_out(LockWait::Usual, AnyConnection::ping)?);
        };
        let mut connection = self.locked_writer(writer, LockWait::Usual)?;
        let written = work(&mut connection);
        transaction::end(&mut *connection, written, |error| commit_error(error).into())
    }
}

impl EventLog for Store {
    fn read(&self, after: u64, filter: &EventFilter, page: PageSize) -> Result<EventPage, ReadLogError> {
        self.read_snapshot(|connection| reads::events(connection, after, filter, page))
    }

    fn bounds(&self) -> Result<LogBounds, StoreError> {
        self.read(reads::log_bounds)
    }
}

impl Leases for Store {
    fn take(&self, lease: &Lease, time: Duration) -> Result<bool, StoreError> {
        if !self.read(|connection| sequencing::may_take(connection, lease, time))? {
            return Ok(false);
        }
        self.write(|connection| sequencing::take(connection, lease, time))
    }

    fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.write(|connection| sequencing::release(connection, lease))
    }
}

impl LogSequencer for Store {
    fn has_unsequenced(&self) -> Result<bool, StoreError> {
        self.read(sequencing::has_unsequenced)
    }

    fn sequence(&self, lease: &Lease, time: Duration, most: u16) -> Result<Sequenced, SequenceError> {
        self.write(|connection| sequencing::sequence(connection, lease, time, most))
    }

    fn retention_time(&self, lease: &Lease, time: Duration, passed: Duration) -> Result<RetentionTime, SequenceError> {
        let now = self.0.clock.now();
        self.write(|connection| sequencing::retention_time(connection, lease, time, passed, now))
    }

    fn prune(&self, lease: &Lease, time: Duration, before: DateTime<Utc>, most: u16) -> Result<u64, SequenceError> {
        let now = self.0.clock.now();
        self.write(|connection| sequencing::prune(connection, lease, time, before, most, now))
    }

    fn vacuum(&self) -> Result<(), StoreError> {
        match self.0.writer {
            Some(_) => Ok(()),
            None => self.read(sequencing::vacuum),
        }
    }
}

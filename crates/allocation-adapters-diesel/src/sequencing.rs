//! The lease, sequencing and retention of the event log, for both databases.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::statement::statement;
use crate::{postgres, row, sqlite};
use allocation_ports::{Lease, RetentionTime, SequenceError, Sequenced, StoreError};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::time::Duration;

statement! {
    Release<'a>(name: Text => str, holder: Text => str) on MultiBackend,
    "DELETE FROM leases WHERE name = ? AND holder = ?"
}

/// Returns whether an attempt to take a lease can succeed, without taking a lock.
pub(crate) fn may_take(connection: &mut AnyConnection, lease: &Lease, time: Duration) -> Result<bool, StoreError> {
    let (name, holder, micros) = of(lease, time);
    match connection {
        AnyConnection::Sqlite(connection) => {
            sqlite::is_taken(connection, name, holder, micros).map(|taken| !taken).map_err(store_error)
        }
        AnyConnection::Postgres(_) => Ok(true),
    }
}

pub(crate) fn take(connection: &mut AnyConnection, lease: &Lease, time: Duration) -> Result<bool, StoreError> {
    let (name, holder, micros) = of(lease, time);
    match connection {
        AnyConnection::Sqlite(connection) => sqlite::take(connection, name, holder, micros),
        AnyConnection::Postgres(connection) => postgres::take(connection, name, holder, micros),
    }
    .map_err(store_error)
}

pub(crate) fn release(connection: &mut AnyConnection, lease: &Lease) -> Result<(), StoreError> {
    Release { name: lease.name, holder: &lease.holder }.execute(connection).map_err(store_error)?;
    Ok(())
}

pub(crate) fn has_unsequenced(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let first = sql::<BigInt>("SELECT count(*) FROM (SELECT 1 FROM outbox_blocks LIMIT 1) AS first");
    Ok(first.get_result::<i64>(connection).map_err(store_error)? > 0)
}

pub(crate) fn sequence(
    connection: &mut AnyConnection,
    lease: &Lease,
    time: Duration,
    most: u16,
) -> Result<Sequenced, SequenceError> {
    let (events, last) = match connection {
        AnyConnection::Sqlite(connection) => sqlite::sequence(connection, of(lease, time), i64::from(most)),
        AnyConnection::Postgres(connection) => postgres::sequence(connection, of(lease, time), i64::from(most)),
    }?;
    Ok(Sequenced { events: u64::try_from(events).map_err(corrupt)?, last: u64::try_from(last).map_err(corrupt)? })
}

/// Advances the retention time. `now` is the time on SQLite; PostgreSQL uses its own clock.
pub(crate) fn retention_time(
    connection: &mut AnyConnection,
    lease: &Lease,
    time: Duration,
    passed: Duration,
    now: DateTime<Utc>,
) -> Result<RetentionTime, SequenceError> {
    let step = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4) * 2;
    let (trusted, now) = match connection {
        AnyConnection::Sqlite(connection) => {
            let now = now.timestamp_micros();
            (sqlite::retention_time(connection, of(lease, time), step, now)?, now)
        }
        AnyConnection::Postgres(connection) => postgres::retention_time(connection, of(lease, time), step)?,
    };
    Ok(RetentionTime { trusted: row::instant(trusted)?, now: row::instant(now)? })
}

pub(crate) fn prune(
    connection: &mut AnyConnection,
    lease: &Lease,
    time: Duration,
    before: DateTime<Utc>,
    most: u16,
    now: DateTime<Utc>,
) -> Result<u64, SequenceError> {
    let (before, most) = (before.timestamp_micros(), i64::from(most));
    let gone = match connection {
        AnyConnection::Sqlite(connection) => {
            sqlite::prune(connection, of(lease, time), before, most, now.timestamp_micros())
        }
        AnyConnection::Postgres(connection) => postgres::prune(connection, of(lease, time), before, most),
    };
    Ok(u64::try_from(gone?).map_err(corrupt)?)
}

pub(crate) fn vacuum(connection: &mut AnyConnection) -> Result<(), StoreError> {
    match connection {
        // SQLite reuses the free pages without a vacuum.
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(connection) => postgres::vacuum(connection),
    }
}

/// Returns a lease's name, holder and duration in microseconds, as statements need them.
#[expect(clippy::expect_used, reason = "leases last for seconds")]
pub(crate) fn of(lease: &Lease, time: Duration) -> (&str, &str, i64) {
    (lease.name, &lease.holder, i64::try_from(time.as_micros()).expect("leases last for seconds"))
}

//! The lease, sequencing and retention of the event log, for both databases.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::statement::statement;
use crate::{postgres, row, sqlite};
use allocation_ports::{Lease, OutboxKey, RetentionTime, SequenceError, Sequenced, StoreError};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::time::Duration;

/// The key of an event in `outbox`, as it is stored.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) sku: String,
    pub(crate) version: i64,
    pub(crate) ordinal: i32,
}

impl From<OutboxKey> for Place {
    fn from(place: OutboxKey) -> Self {
        Self {
            sku: place.sku.to_string(),
            // No row has numbers beyond the column types, so the largest number stands for them.
            version: i64::try_from(place.version).unwrap_or(i64::MAX),
            ordinal: i32::try_from(place.ordinal).unwrap_or(i32::MAX),
        }
    }
}

/// The result of sequencing events, as the database returns it.
#[derive(Debug)]
pub(crate) struct NumberedRow {
    pub(crate) events: i64,
    pub(crate) last: i64,
    pub(crate) place: Option<Place>,
}

impl NumberedRow {
    fn numbered(self) -> Result<Sequenced, StoreError> {
        let place = self.place.map(|place| {
            Ok::<_, StoreError>(OutboxKey {
                sku: row::sku(place.sku)?,
                version: u64::try_from(place.version).map_err(corrupt)?,
                ordinal: u32::try_from(place.ordinal).map_err(corrupt)?,
            })
        });
        Ok(Sequenced {
            events: u64::try_from(self.events).map_err(corrupt)?,
            last: u64::try_from(self.last).map_err(corrupt)?,
            last_key: place.transpose()?,
        })
    }
}

/// The multiple of the prune limit that is scanned, to find an old event behind a run of events from the
/// future.
pub(crate) const LOOK_AHEAD: i64 = 5;

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

pub(crate) fn has_unnumbered(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let first = sql::<BigInt>("SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 1) AS first");
    Ok(first.get_result::<i64>(connection).map_err(store_error)? > 0)
}

pub(crate) fn number(
    connection: &mut AnyConnection,
    lease: &Lease,
    time: Duration,
    after: Option<OutboxKey>,
    most: u16,
) -> Result<Sequenced, SequenceError> {
    let after = after.map(Place::from).unwrap_or_default();
    let numbered = match connection {
        AnyConnection::Sqlite(connection) => sqlite::number(connection, of(lease, time), i64::from(most)),
        AnyConnection::Postgres(connection) => postgres::number(connection, of(lease, time), &after, i64::from(most)),
    };
    Ok(numbered?.numbered()?)
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
            (sqlite::keep_time(connection, of(lease, time), step, now)?, now)
        }
        AnyConnection::Postgres(connection) => postgres::keep_time(connection, of(lease, time), step)?,
    };
    Ok(RetentionTime { trusted: row::instant(trusted)?, now: row::instant(now)? })
}

pub(crate) fn forget(
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
            sqlite::forget(connection, of(lease, time), before, most, now.timestamp_micros())
        }
        AnyConnection::Postgres(connection) => postgres::forget(connection, of(lease, time), before, most),
    };
    Ok(u64::try_from(gone?).map_err(corrupt)?)
}

pub(crate) fn tidy(connection: &mut AnyConnection) -> Result<(), StoreError> {
    match connection {
        // SQLite reuses the free pages without a vacuum.
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(connection) => postgres::tidy(connection),
    }
}

/// Returns a lease's name, holder and duration in microseconds, as statements need them.
#[expect(clippy::expect_used, reason = "leases last for seconds")]
pub(crate) fn of(lease: &Lease, time: Duration) -> (&str, &str, i64) {
    (lease.name, &lease.holder, i64::try_from(time.as_micros()).expect("leases last for seconds"))
}

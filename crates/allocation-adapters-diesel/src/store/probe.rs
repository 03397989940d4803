//! The probe, which checks whether a write would succeed, or a read on a read-only database.

use super::Store;
use crate::any_connection::{AnyConnection, Connector, Session};
use crate::error::{commit_error, store_error};
use crate::migrations::schema_state;
use crate::postgres::{Silence, Use};
use crate::transaction;
use allocation_ports::{Access, DatabaseProbe, LockWait, Probed, ReplicationLag, SchemaState, StoreError};
use chrono::TimeDelta;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};
use std::sync::atomic::Ordering;

/// The probe of a PostgreSQL server or a read-only database. It has its own connection, so no request can delay it.
pub(super) struct Prober {
    connector: Connector,
    silence: Silence,
    session: Option<Session>,
}

#[derive(Debug, thiserror::Error)]
#[error("the row of the heartbeat is missing")]
struct NoHeartbeat;

impl Prober {
    pub(super) const fn new(connector: Connector, silence: Silence) -> Self {
        Self { connector, silence, session: None }
    }

    fn probe(&mut self, run: fn(&mut AnyConnection) -> Result<Probed, StoreError>) -> Result<Probed, StoreError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.connector.open(Use::Probe).map_err(|error| StoreError::Unavailable(error.into()))?,
        };
        let probed = run(&mut session.connection);
        session.flags.answered();
        match &probed {
            Err(error) if !matches!(error, StoreError::Busy(_)) => {
                // Earlier connections may lead to a silent server or to a standby.
                if session.flags.is_silent() || session.flags.is_read_only() {
                    self.connector.generation.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ => {
                self.silence.end();
                self.session = Some(session);
            }
        }
        probed
    }
}

impl DatabaseProbe for Store {
    fn schema(&self) -> Result<SchemaState, StoreError> {
        self.read(schema_state)
    }

    fn clock_ahead(&self) -> TimeDelta {
        self.0.clock.ahead()
    }

    fn probe(&self) -> Result<Probed, StoreError> {
        let probed = match (&self.0.writer, self.0.access) {
            (_, Access::ReadOnly) => self.check_file().and_then(|()| self.0.prober.lock().probe(compare_and_read)),
            (None, Access::ReadWrite) => self.0.prober.lock().probe(compare_and_write),
            (Some(writer), Access::ReadWrite) => {
                self.locked_writer(writer, LockWait::Usual).and_then(|mut connection| {
                    let probed = compare_and_write(&mut connection);
                    transaction::end(&mut *connection, probed, commit_error)
                })
            }
        };
        match probed {
            Err(StoreError::Busy(cause)) => {
                tracing::debug!(%cause, "the probe gives way to other writers");
                Ok(Probed::Busy)
            }
            probed => probed,
        }
    }
}

/// Compares the schema and writes. On PostgreSQL, each statement is a separate transaction.
fn compare_and_write(connection: &mut AnyConnection) -> Result<Probed, StoreError> {
    match schema_state(connection)? {
        SchemaState::Current => {}
        state => return Ok(Probed::Schema(state)),
    }
    let beats = diesel::sql_query("UPDATE heartbeat SET beats = beats + 1").execute(connection).map_err(store_error)?;
    if beats == 0 {
        return Err(StoreError::Failed(NoHeartbeat.into()));
    }
    // The lease is compared with the database's clock, by which it was taken.
    let live = sql::<BigInt>(match connection {
        AnyConnection::Sqlite(_) => {
            "SELECT count(*) FROM leases WHERE name = 'events' AND expires_at > unixepoch('subsec') * 1000000"
        }
        AnyConnection::Postgres(_) => {
            "SELECT count(*) FROM leases WHERE name = 'events' \
             AND expires_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        }
    });
    let sequenced = live.get_result::<i64>(connection).map_err(store_error)? > 0;
    Ok(Probed::Written { sequenced })
}

/// Compares the schema, and measures how far a standby lags behind.
fn compare_and_read(connection: &mut AnyConnection) -> Result<Probed, StoreError> {
    match schema_state(connection)? {
        SchemaState::Current => {}
        state => return Ok(Probed::Schema(state)),
    }
    let lag = match connection {
        AnyConnection::Sqlite(_) => None,
        AnyConnection::Postgres(_) => {
            let age = sql::<(Bool, Nullable<BigInt>)>(
                "SELECT pg_is_in_recovery(), \
                 (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000000)::bigint",
            );
            let (is_standby, age) = age.get_result::<(bool, Option<i64>)>(connection).map_err(store_error)?;
            is_standby.then(|| age.map_or(ReplicationLag::Unknown, lag_of))
        }
    };
    Ok(Probed::Read { lag })
}

/// Returns the lag of a standby. Its clock may be behind that of its primary.
fn lag_of(micros: i64) -> ReplicationLag {
    ReplicationLag::Age(TimeDelta::microseconds(micros.max(0)))
}

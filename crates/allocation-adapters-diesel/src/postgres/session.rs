//! Connections to a server.

use super::deadline::{self, Silence, Use};
use crate::PostgresUrl;
use crate::flags::Flags;
use crate::migrating::{MigrateError, in_transaction};
use allocation_ports::Access;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::error::Error;
use std::sync::Arc;

type Opened = Result<PgConnection, Box<dyn Error + Send + Sync>>;

/// The settings of a session of the store.
///
/// The timeouts keep a stalled replica from holding a product forever.
///
/// The planner has little choice, because its plans are kept and must stay right while tables grow from empty. It
/// always uses an index and never scans a table. The lock of products depends on that: only the index on the SKU
/// returns them in the order of their SKUs. Only `plan_cache_mode` can be set in the options of the URL.
///
/// Disabled plan types and rows count as expensive. PostgreSQL would therefore compile every statement
/// (`jit`). It would also start workers for one page of a large table, which take ten times as long as the
/// page.
const SESSION: &str = "
    SET application_name = 'allocation';
    SET lock_timeout = '2s';
    SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '10s';
    SET synchronous_commit = on;
    SET jit = off;
    SET max_parallel_workers_per_gather = 0;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET enable_sort = off;
    SET cpu_tuple_cost = 1;
    SELECT set_config(name, 'force_generic_plan', false) FROM pg_settings
    WHERE name = 'plan_cache_mode' AND source <> 'client';
";

/// The settings of a probe's session, so that the probe waits no longer than its deadline.
const PROBE: &str = "SET lock_timeout = '1s'; SET statement_timeout = '2500ms'";

/// Requests messages in English, because some errors are recognized only by their message.
///
/// A role without the right to do so gets the server's language. A deadlock reported in another language is
/// treated as a failure.
const ENGLISH: &str = "
    SELECT set_config('lc_messages', 'C', false) WHERE current_setting('lc_messages') !~ '^(C|POSIX|en)'
";

/// Makes the transactions of a session read-only.
const READ_ONLY: &str = "SET default_transaction_read_only = on";

/// The statements that begin a migration. The key of the lock is chosen at random; each schema of a database has a
/// lock of its own.
const BEGIN_MIGRATIONS: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 5216694956302))
";

#[derive(Debug, thiserror::Error)]
#[error("the encoding of the database is {0}, it must be UTF8")]
struct NotUtf8(String);

/// An error of libpq while connecting, without the secrets of the URL.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotConnected(String);

impl NotConnected {
    fn new(url: &PostgresUrl, error: &ConnectionError) -> Self {
        Self(url.without_secrets(&error.to_string()))
    }
}

/// Opens a connection for units of work and queries, or for the probe, with a deadline for each statement.
pub(crate) fn open(
    url: &PostgresUrl,
    access: Access,
    silence: &Silence,
    used: Use,
) -> Result<(PgConnection, Arc<Flags>), Box<dyn Error + Send + Sync>> {
    let (mut connection, flags) = deadline::watched(|| establish(url), &url.ports(), silence, used)?;
    connection.set_instrumentation(flags.instrumentation());
    check_encoding(&mut connection)?;
    connection.batch_execute(SESSION)?;
    if access == Access::ReadOnly {
        connection.batch_execute(READ_ONLY)?;
    }
    if used == Use::Probe {
        connection.batch_execute(PROBE)?;
    }
    if let Err(error) = connection.batch_execute(ENGLISH) {
        tracing::debug!(%error, "the server's messages stay in its language");
    }
    Ok((connection, flags))
}

/// Opens a connection for migrations, without a statement timeout and with a long lock timeout.
pub(crate) fn open_for_migrations(url: &PostgresUrl, access: Access) -> Opened {
    let mut connection = connect(url)?;
    connection.batch_execute("SET application_name = 'allocation migrations'; SET lock_timeout = '60s'")?;
    if access == Access::ReadOnly {
        connection.batch_execute(READ_ONLY)?;
    }
    Ok(connection)
}

/// Runs `work` while no other process runs migrations.
pub(crate) fn migrate<T>(
    connection: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    in_transaction(connection, BEGIN_MIGRATIONS, work)
}

fn connect(url: &PostgresUrl) -> Opened {
    let mut connection = establish(url)?;
    check_encoding(&mut connection)?;
    Ok(connection)
}

fn establish(url: &PostgresUrl) -> Result<PgConnection, NotConnected> {
    PgConnection::establish(&url.with_timeouts()).map_err(|error| NotConnected::new(url, &error))
}

fn check_encoding(connection: &mut PgConnection) -> Result<(), Box<dyn Error + Send + Sync>> {
    let encoding: String =
        diesel::dsl::sql::<Text>("SELECT current_setting('server_encoding')").get_result(connection)?;
    if encoding == "UTF8" { Ok(()) } else { Err(NotUtf8(encoding).into()) }
}

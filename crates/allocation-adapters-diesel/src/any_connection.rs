//! Connections to either database.

use crate::{ConnectError, DatabaseUrl, postgres, sqlite};
use allocation_ports::LockWait;
use diesel::connection::AnsiTransactionManager;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;

/// A connection that is ready for use: its session is set up.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl AnyConnection {
    /// Begins a transaction that will write.
    pub(crate) fn begin(&mut self, wait: LockWait) -> QueryResult<()> {
        match self {
            // Without IMMEDIATE, a reader that turns into a writer can fail half-way.
            Self::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE"),
            // The server's default may be another level.
            Self::Postgres(connection) => {
                let begin = match wait {
                    LockWait::Usual => "BEGIN ISOLATION LEVEL READ COMMITTED",
                    LockWait::Short => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '100ms'",
                    LockWait::Brief => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '50ms'",
                };
                AnsiTransactionManager::begin_transaction_sql(connection, begin)
            }
        }
    }

    /// Begins a transaction that only reads, and sees one state of the database throughout.
    pub(crate) fn begin_snapshot(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN"),
            Self::Postgres(connection) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                AnsiTransactionManager::begin_transaction_sql(connection, begin)
            }
        }
    }
}

/// Makes the connections of a pool.
#[derive(Debug)]
pub(crate) struct Connector(pub(crate) DatabaseUrl);

impl r2d2::ManageConnection for Connector {
    type Connection = AnyConnection;
    type Error = ConnectError;

    fn connect(&self) -> Result<AnyConnection, ConnectError> {
        match &self.0 {
            DatabaseUrl::Sqlite(path) => sqlite::open_reader(path).map(AnyConnection::Sqlite),
            DatabaseUrl::Postgres(url) => postgres::open(url).map(AnyConnection::Postgres),
        }
        .map_err(|cause| ConnectError::new(&self.0, cause))
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), ConnectError> {
        connection.ping().map_err(|error| ConnectError::new(&self.0, error))
    }

    /// A connection whose transaction is still open, or could not be ended, is not used again.
    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}

/// Writes what goes wrong in the background to the log.
#[derive(Debug)]
pub(crate) struct LogErrors;

impl r2d2::HandleError<ConnectError> for LogErrors {
    fn handle_error(&self, error: ConnectError) {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "a database connection failed");
    }
}

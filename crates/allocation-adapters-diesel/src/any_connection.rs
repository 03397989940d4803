//! Connections to either database.

use crate::flags::Flags;
use crate::postgres::{Silence, Use};
use crate::{ConnectError, DatabaseUrl, postgres, sqlite};
use allocation_ports::{Access, LockWait};
use diesel::connection::AnsiTransactionManager;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;
use parking_lot::Mutex;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A connection whose session is set up.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl AnyConnection {
    /// Checks that no pooler assigns the sessions of a PostgreSQL server per transaction.
    pub(crate) fn check_pooling(&mut self, other: &mut Self) -> Result<(), Box<dyn Error + Send + Sync>> {
        match (self, other) {
            (Self::Postgres(one), Self::Postgres(other)) => postgres::check_pooling(one, other),
            _ => Ok(()),
        }
    }

    /// Begins a transaction that writes.
    pub(crate) fn begin(&mut self, wait: LockWait) -> QueryResult<()> {
        match self {
            // Without IMMEDIATE, a transaction that begins with a read can fail at its first write.
            Self::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE"),
            // The server's default isolation level may differ.
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

    /// Begins a read-only transaction that sees one state of the database throughout.
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

/// A pooled connection and its state.
pub(crate) struct Session {
    pub(crate) connection: AnyConnection,
    pub(crate) flags: Arc<Flags>,
    /// The connector's generation when the connection was opened.
    pub(crate) generation: u64,
}

/// The factory for the connections of a pool.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) url: DatabaseUrl,
    pub(crate) access: Access,
    pub(crate) silence: Silence,
    /// The generation of connections. It is incremented when the existing ones lead to the wrong server, or
    /// to none.
    pub(crate) generation: Arc<AtomicU64>,
}

impl Connector {
    #[cfg(test)]
    pub(crate) fn new(url: DatabaseUrl) -> Self {
        Self { url, access: Access::ReadWrite, silence: Silence::default(), generation: Arc::default() }
    }

    pub(crate) fn open(&self, used: Use) -> Result<Session, ConnectError> {
        // Read before the connection is opened, so that one opened during a change of servers is not
        // trusted.
        let generation = self.generation.load(Ordering::Relaxed);
        let opened = match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let opened = match self.access {
                    Access::ReadWrite => sqlite::open_reader(path),
                    Access::ReadOnly => sqlite::open_read_only(path),
                };
                opened.map(|connection| (AnyConnection::Sqlite(connection), Arc::default()))
            }
            DatabaseUrl::Postgres(url) => postgres::open(url, self.access, &self.silence, used)
                .map(|(connection, flags)| (AnyConnection::Postgres(connection), flags)),
        };
        let (connection, flags) = opened.map_err(|cause| ConnectError::new(&self.url, cause))?;
        Ok(Session { connection, flags, generation })
    }

    /// Returns whether a connection leads to a server that accepts writes, as far as the flags show.
    pub(crate) fn trusts(&self, session: &Session) -> bool {
        let Session { flags, generation, .. } = session;
        *generation == self.generation.load(Ordering::Relaxed) && !flags.is_read_only() && !flags.is_silent()
    }
}

impl r2d2::ManageConnection for Connector {
    type Connection = Session;
    type Error = ConnectError;

    fn connect(&self) -> Result<Session, ConnectError> {
        self.open(Use::Requests)
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), ConnectError> {
        session.connection.ping().map_err(|error| ConnectError::new(&self.url, error))
    }

    /// Returns whether the pool has to close a connection.
    ///
    /// It closes a connection with an open or broken transaction, and one that is no longer trusted. If the
    /// server no longer accepts writes, it trusts none of the earlier connections.
    fn has_broken(&self, session: &mut Session) -> bool {
        session.flags.answered();
        if session.flags.is_read_only() {
            let _raised = self.generation.compare_exchange(
                session.generation,
                session.generation + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        std::thread::panicking() || session.connection.is_broken() || !self.trusts(session)
    }
}

/// The reason why no connection was opened. The pool drops the causes, and reports its error to only one
/// waiter.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastError(Arc<Mutex<Option<Arc<ConnectError>>>>);

impl LastError {
    pub(crate) fn get(&self) -> Option<Arc<ConnectError>> {
        self.0.lock().clone()
    }
}

impl r2d2::HandleError<ConnectError> for LastError {
    fn handle_error(&self, error: ConnectError) {
        *self.0.lock() = Some(Arc::new(error));
    }
}

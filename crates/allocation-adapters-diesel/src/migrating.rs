//! The transactions of migrations, and their errors.

use crate::{ConnectError, transaction};
use allocation_ports::ProgramTooOld;
use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use std::error::Error;

/// The reason why migrations were not run or reverted. The schema is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Migrations of a newer program are applied to the database.
    #[error("the schema of the database is newer than this program, it has {}; use the newer program", .0.join(", "))]
    SchemaNewer(Vec<String>),
    /// A migration of a newer program has shut this one out.
    #[error("the schema of the database is newer than this program: {0}")]
    ShutOut(ProgramTooOld),
    /// A build from before the first release has created the tables.
    #[error(
        "the database was created by a build from before the first release and cannot be migrated; use an empty one"
    )]
    BeforeBaseline,
    /// The database file does not exist.
    #[error("there is no database {0}")]
    NoFile(String),
    /// A running server holds a lease.
    #[error("a server that uses the database is running, it holds the lease {}; stop all servers first", .0.join(", "))]
    InUse(Vec<String>),
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database failed.
    #[error("the schema was not changed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl From<diesel::result::Error> for MigrateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs `work` in a transaction that holds a lock from its first statement on.
pub(crate) fn in_transaction<C, T>(
    connection: &mut C,
    begin_with_lock: &str,
    work: impl FnOnce(&mut C) -> Result<T, MigrateError>,
) -> Result<T, MigrateError>
where
    C: Connection<TransactionManager = AnsiTransactionManager> + SimpleConnection,
{
    AnsiTransactionManager::begin_transaction_sql(connection, begin_with_lock)?;
    let done = work(connection);
    transaction::end(connection, done, MigrateError::from)
}

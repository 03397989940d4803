use crate::{ConnectError, MigrateError};
use allocation_ports::StoreError;
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// The reason why a backup was not written or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is not a SQLite file.
    #[error("only SQLite files are copied by this program; use pg_dump for PostgreSQL")]
    NotSqlite,
    /// The file to write exists.
    #[error("the file {0} exists")]
    Exists(PathBuf),
    /// The file is no backup of this service.
    #[error("{0} is no intact database of this service: {1}")]
    NoBackup(PathBuf, String),
    /// A running server holds a lease.
    #[error("a server that uses the database is running, it holds the lease {}; stop all servers first", .0.join(", "))]
    InUse(Vec<String>),
    /// Another process writes the file.
    #[error("another process is writing {0}")]
    Claimed(PathBuf),
    /// Another program has a connection to the database.
    #[error("another program has {0} open; close it first")]
    Open(PathBuf),
    /// A file cannot be read or written.
    #[error("the file cannot be copied")]
    File(#[from] io::Error),
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database failed.
    #[error("the database failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl From<diesel::result::Error> for BackupError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<MigrateError> for BackupError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Connect(error) => Self::Connect(error),
            other => Self::Failed(other.into()),
        }
    }
}

use crate::StoreError;
use chrono::TimeDelta;

/// By how much the clock of a process may differ from that of the database before the process is not ready.
pub const MOST_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(2);

/// How the schema of a database compares to what this program was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// They are the same.
    Current,
    /// Migrations have still to be run.
    Older,
    /// The database has seen migrations of a newer program.
    Newer,
}

/// Tells whether requests can be served.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Readiness: Send + Sync {
    /// Asks the database for the state of its schema.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database does not answer.
    fn schema(&self) -> Result<SchemaState, StoreError>;

    /// By how much the clock of the process is ahead of that of the database, as it was measured last; zero
    /// when it was not, and where the clock of the process is that of the database. It does not block.
    fn clock_ahead(&self) -> TimeDelta;
}

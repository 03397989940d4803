use crate::StoreError;

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
}

use crate::StoreError;
use chrono::TimeDelta;
use std::borrow::Cow;

/// By how much the clock of a process may differ from that of the database before the process is not ready.
pub const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(2);

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

/// A check that failed: requests cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCheck {
    /// Which check, one of the constants of this type.
    pub name: &'static str,
    /// What is wrong, for a client to see: no cause of the database is part of it.
    pub detail: Cow<'static, str>,
}

impl FailedCheck {
    /// The schema is the one this program was built for.
    pub const SCHEMA: &str = "schema";
    /// The database answers in time, and a write is committed.
    pub const DATABASE: &str = "database";
    /// A replica numbers events.
    pub const SEQUENCER: &str = "sequencer";
    /// Every background thread lives.
    pub const THREADS: &str = "threads";
    /// The clock of the process is that of the database.
    pub const CLOCK: &str = "clock";
    /// The service has started.
    pub const STARTING: &str = "starting";

    /// A check that failed.
    #[must_use]
    pub fn new(name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { name, detail: detail.into() }
    }
}

/// Returns whether requests can be served.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Readiness: Send + Sync {
    /// Returns the checks that fail; requests can be served when there are none. It MUST NOT block.
    fn failed_checks(&self) -> Vec<FailedCheck>;
}

/// What a probe has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// The schema is another one, so nothing was written.
    Schema(SchemaState),
    /// A write was committed.
    Written {
        /// Whether a process holds the lease to number events.
        sequenced: bool,
    },
    /// Others hold the locks that a write needs.
    Busy,
}

/// Finds out whether a write would succeed.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait DatabaseProbe: Send + Sync {
    /// Compares the schema of the database with this program.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database does not answer.
    fn schema(&self) -> Result<SchemaState, StoreError>;

    /// Compares the schema, and commits a write of its own. It MUST NOT wait for a connection that requests
    /// use, and MUST answer within some seconds when the database is silent.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when a write does not succeed.
    fn probe(&self) -> Result<Probed, StoreError>;

    /// By how much the clock of the process is ahead of that of the database, as it was measured last; zero
    /// when it was not, and where the clock of the process is that of the database. It does not block.
    fn clock_ahead(&self) -> TimeDelta;
}

use crate::StoreError;
use chrono::TimeDelta;
use std::borrow::Cow;

/// The difference between the clocks of a process and the database beyond which the process is not ready.
pub const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(2);

/// Whether this program can use the schema of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// It is the schema that this program was built for, or that of a later program and still works for this one.
    Current,
    /// Migrations are pending.
    Older,
    /// A later program has migrated the database and shut this one out, or did so without migrations that this one
    /// needs.
    Newer,
}

/// What a process may do with its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads and writes.
    ReadWrite,
    /// It only reads: the database is a standby, or must not be changed.
    ReadOnly,
}

/// A check that failed, so that requests cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCheck {
    /// The name of the check: one of the constants of this type.
    pub name: &'static str,
    /// The error, for a client to see: it contains no internal cause.
    pub detail: Cow<'static, str>,
}

impl FailedCheck {
    /// The program can use the schema.
    pub const SCHEMA: &str = "schema";
    /// The database responds in time and commits a write.
    pub const DATABASE: &str = "database";
    /// A replica sequences events.
    pub const SEQUENCER: &str = "sequencer";
    /// Every background thread is alive.
    pub const THREADS: &str = "threads";
    /// The clock of the process agrees with the database's.
    pub const CLOCK: &str = "clock";
    /// The keys of callers are loaded.
    pub const KEYS: &str = "keys";
    /// The service has started.
    pub const STARTING: &str = "starting";

    /// Creates a failed check.
    #[must_use]
    pub fn new(name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { name, detail: detail.into() }
    }
}

/// How far a standby lags behind its primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicationLag {
    /// The age of the newest transaction that the standby has replayed.
    Age(TimeDelta),
    /// The standby has replayed no transaction since it started, so its data may be of any age.
    Unknown,
}

/// Reports whether requests can be served.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Readiness: Send + Sync {
    /// Returns the failed checks; requests can be served when there are none. MUST NOT block.
    fn failed_checks(&self) -> Vec<FailedCheck>;

    /// Returns how far a standby lagged behind its primary at the last probe; `None` if the database is no standby.
    /// MUST NOT block.
    fn replication_lag(&self) -> Option<ReplicationLag>;
}

/// The result of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// The program cannot use the schema, so nothing was written.
    Schema(SchemaState),
    /// A write was committed.
    Written {
        /// Whether a process holds the sequencer's lease.
        sequenced: bool,
    },
    /// A read succeeded; access is read-only.
    Read {
        /// How far a standby lags behind its primary; `None` if the database is no standby.
        lag: Option<ReplicationLag>,
    },
    /// Other transactions hold the locks that a write needs.
    Busy,
}

/// Probes whether the database accepts writes, or serves reads if access is read-only.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait DatabaseProbe: Send + Sync {
    /// Returns whether this program can use the schema of the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database does not respond.
    fn schema(&self) -> Result<SchemaState, StoreError>;

    /// Compares the schema, and commits a write of its own unless access is read-only. MUST NOT wait for a connection
    /// that requests use, and MUST return within a few seconds when the database does not respond.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the write or the read fails.
    fn probe(&self) -> Result<Probed, StoreError>;

    /// Returns how far the clock of the process was ahead of the database's when last measured. Returns
    /// zero before the first measurement, and where both are the same clock. Does not block.
    fn clock_ahead(&self) -> TimeDelta;
}

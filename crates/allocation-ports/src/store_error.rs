use std::borrow::Cow;
use std::error::Error;

/// The cause of a [`StoreError`], for the log.
type Cause = Box<dyn Error + Send + Sync>;

/// A schema to which this program must not write, because a migration has shut out programs of its generation.
/// The cause of [`StoreError::Unavailable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the schema of the database needs a program of generation {oldest}, and this one has generation {own}")]
pub struct ProgramTooOld {
    /// The oldest generation of programs that may write.
    pub oldest: i64,
    /// The generation of this program.
    pub own: i64,
}

/// Why a store failed. Nothing of the unit of work is stored, except possibly after
/// [`StoreError::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another unit of work interfered, by a deadlock or a unique key. Retrying the whole unit can succeed.
    #[error("another unit of work came in between")]
    Conflict(#[source] Cause),
    /// The database, or every connection to it, was busy for too long. Retrying the unit later can succeed.
    #[error("the database is busy")]
    Busy(#[source] Cause),
    /// The connection was lost before the commit was sent, so nothing is stored. Retrying the unit on
    /// another connection can succeed.
    #[error("the connection to the database was lost")]
    ConnectionLost(#[source] Cause),
    /// The database does not respond, or rejects writes (a full disk, a standby).
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// The connection was lost during the commit, which may or may not have happened.
    #[error("the outcome of the commit is not known")]
    OutcomeUnknown(#[source] Cause),
    /// An invariant is broken. A row that the unit has locked is missing, a counter differs from the rows
    /// that it counts, or a constraint rejects a change that the domain decided. Retrying does not help.
    #[error("the invariant {name} is broken")]
    Invariant {
        /// The invariant, for example the name of the constraint.
        name: Cow<'static, str>,
        /// The evidence.
        #[source]
        cause: Cause,
    },
    /// The database holds a value that no domain type can hold, or failed in another way that retrying does
    /// not help.
    #[error("the database failed")]
    Failed(#[source] Cause),
}

impl StoreError {
    /// Returns the error of a broken invariant.
    pub fn invariant(name: impl Into<Cow<'static, str>>, cause: impl Into<Cause>) -> Self {
        Self::Invariant { name: name.into(), cause: cause.into() }
    }

    /// Returns a short name of the kind of error.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::Busy(_) => "busy",
            Self::ConnectionLost(_) => "connection-lost",
            Self::Unavailable(_) => "unavailable",
            Self::OutcomeUnknown(_) => "outcome-unknown",
            Self::Invariant { .. } => "invariant",
            Self::Failed(_) => "failed",
        }
    }
}

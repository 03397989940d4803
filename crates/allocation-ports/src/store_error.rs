use std::borrow::Cow;
use std::error::Error;

/// The cause of a [`StoreError`], for the log.
type Cause = Box<dyn Error + Send + Sync>;

/// The schema of the database is one on which this program must not write: a newer one has migrated it, or
/// it was taken back. The cause of [`StoreError::Unavailable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the schema of the database has generation {found}, this program writes generation {expected}")]
pub struct OtherGeneration {
    /// The generation that the database has.
    pub found: i64,
    /// The generation that the program writes.
    pub expected: i64,
}

/// Why a store did not do what was asked. Nothing of the unit of work is stored then, but for
/// [`StoreError::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another unit of work came in between (a deadlock, a unique key taken meanwhile). Running the
    /// whole unit again can succeed.
    #[error("another unit of work came in between")]
    Conflict(#[source] Cause),
    /// The database or all connections to it are in use for too long. Running the unit again later
    /// can succeed.
    #[error("the database is busy")]
    Busy(#[source] Cause),
    /// The database does not answer, or refuses to write (a full disk, a standby).
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// The connection was lost while the commit was under way: it may have happened or not.
    #[error("the outcome of the commit is not known")]
    OutcomeUnknown(#[source] Cause),
    /// An invariant is broken: a row that the unit has locked is missing, a counter differs from the rows
    /// that it counts, or a constraint rejects what the domain decided. Running again does not mend it.
    #[error("the invariant {name} is broken")]
    Invariant {
        /// The invariant, such as the name of the constraint.
        name: Cow<'static, str>,
        /// What was found.
        #[source]
        cause: Cause,
    },
    /// The database holds what no domain type can hold, or failed in another way that running again does
    /// not mend.
    #[error("the database failed")]
    Failed(#[source] Cause),
}

impl StoreError {
    /// The error of an invariant that is broken.
    pub fn invariant(name: impl Into<Cow<'static, str>>, cause: impl Into<Cause>) -> Self {
        Self::Invariant { name: name.into(), cause: cause.into() }
    }
}

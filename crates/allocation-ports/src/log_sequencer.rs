use crate::{Lease, StoreError};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// The result of one sequencing step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sequenced {
    /// The number of events that received a position.
    pub events: u64,
    /// The position of the newest event of the log.
    pub last: u64,
}

/// The time against which retention is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionTime {
    /// The trusted time. It follows the clock, but at most twice as fast as time passes.
    pub trusted: DateTime<Utc>,
    /// The clock of the store.
    pub now: DateTime<Utc>,
}

/// Why a step of maintaining the log failed.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// Another process holds the lease. Nothing was written.
    #[error("another process sequences events")]
    LeaseLost,
    /// The store failed.
    #[error("events were not sequenced")]
    Store(#[from] StoreError),
}

/// Maintains the log: assigns positions to committed events, and prunes old ones.
///
/// Writers commit out of order. A position taken before the commit could show a later event before an
/// earlier one. So one process at a time assigns positions after the commit, and no allocation waits.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait LogSequencer: Send + Sync {
    /// Returns whether events without a position exist. MUST be cheap and write nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn has_unsequenced(&self) -> Result<bool, StoreError>;

    /// Assigns positions to the oldest events without one, and renews the lease for `time`.
    ///
    /// Events of a product MUST keep their order, and no product may delay older events of others. A block of
    /// events is not divided, so up to 255 events more than `limit` may get positions. If fewer than `limit` do,
    /// every event present at the start MUST have one.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when another process holds the lease.
    fn sequence(&self, lease: &Lease, time: Duration, limit: u16) -> Result<Sequenced, SequenceError>;

    /// Advances the time against which retention is measured, and renews the lease for `time`.
    ///
    /// A clock may jump, so the store keeps a trusted time. `passed` is the monotonic time since the
    /// previous call. The trusted time MUST advance towards the clock by at most twice `passed`; it goes
    /// back with the clock. It begins at the newest event of the log, or now when there is none.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when another process holds the lease.
    fn retention_time(&self, lease: &Lease, time: Duration, passed: Duration) -> Result<RetentionTime, SequenceError>;

    /// Removes the oldest events that occurred before an instant and returns their number. Renews the lease for
    /// `time`.
    ///
    /// A block of events is removed as a whole, once its latest unit of work is old enough, so up to 255 events
    /// more than `limit` may be removed.
    ///
    /// An event stamped by a clock that was ahead MUST NOT retain older events behind it forever. It is
    /// removed with the first event behind it that is due, and stays when there is none.
    ///
    /// MUST NOT block readers or allocations.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when another process holds the lease.
    fn prune(&self, lease: &Lease, time: Duration, before: DateTime<Utc>, limit: u16) -> Result<u64, SequenceError>;

    /// Reclaims the space of sequenced events, in a store that does not do so by itself. Called periodically
    /// while events are sequenced.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn vacuum(&self) -> Result<(), StoreError>;
}

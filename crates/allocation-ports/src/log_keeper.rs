use crate::{Lease, StoreError};
use allocation_domain::Sku;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// The place of an event that has no position yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKey {
    /// The product that it is about.
    pub sku: Sku,
    /// Which unit of work of the product recorded it.
    pub version: u64,
    /// Its place among the events of that unit.
    pub ordinal: u32,
}

impl OutboxKey {
    /// After all events of a product.
    #[must_use]
    pub const fn past(sku: Sku) -> Self {
        Self { sku, version: u64::MAX, ordinal: u32::MAX }
    }
}

/// What was numbered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequenced {
    /// How many events.
    pub events: u64,
    /// The position of the newest event of the log.
    pub last: u64,
    /// The place that the last of them had, from which to go on; `None` when a store goes by another
    /// order, or nothing was numbered.
    pub place: Option<OutboxKey>,
}

/// The time by which events are retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionTime {
    /// The time that can be relied on. It follows the clock, but no faster than time really passes.
    pub trusted: DateTime<Utc>,
    /// The clock of the store.
    pub now: DateTime<Utc>,
}

/// Why the log is not kept.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// Another holds the lease. Nothing was written.
    #[error("another process keeps the log")]
    LeaseLost,
    /// The store failed.
    #[error("the log was not kept")]
    Store(#[from] StoreError),
}

/// Keeps the log: gives committed events their positions, and forgets old ones.
///
/// Writers commit out of order, and one who would take a number before the commit could show a later
/// event before an earlier one. So events are numbered after their commit, by one process at a time,
/// and nobody who allocates waits for that.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait LogSequencer: Send + Sync {
    /// Whether there are events without a position. It MUST be cheap, and write nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn has_unnumbered(&self) -> Result<bool, StoreError>;

    /// Gives the next events after a place their positions, at most so many, and renews the lease for
    /// `time`.
    ///
    /// Of each product it MUST begin with the oldest event that has none. From the start (`None`) on,
    /// following the places that are answered, until nothing is numbered, every event that was there
    /// at the start MUST have got its position.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when the lease is another's.
    fn number(
        &self,
        lease: &Lease,
        time: Duration,
        after: Option<OutboxKey>,
        most: u16,
    ) -> Result<Sequenced, SequenceError>;

    /// Moves the time by which events are retained on, and renews the lease for `time`.
    ///
    /// A clock may jump. So the trusted time is kept in the store, and MUST follow the clock by twice at most
    /// what has `passed` by the monotonic clock since it was asked before; it goes back with the clock. It
    /// begins at the newest event of the log, or now when there is none.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when the lease is another's.
    fn retention_time(&self, lease: &Lease, time: Duration, passed: Duration) -> Result<RetentionTime, SequenceError>;

    /// Removes the oldest events, as long as they happened before an instant, at most so many, and
    /// answers how many these were. It renews the lease for `time`.
    ///
    /// An event from the future, stamped by a clock that was ahead, MUST NOT keep older ones behind it for
    /// ever: it goes with the first behind it that is to go, and stays when there is none.
    ///
    /// It MUST NOT keep anybody waiting who reads or allocates.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when the lease is another's.
    fn forget(&self, lease: &Lease, time: Duration, before: DateTime<Utc>, most: u16) -> Result<u64, SequenceError>;

    /// Makes room that numbered events have left, for a store that does not do so by itself. It is to
    /// be called every now and then while events are numbered.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn tidy(&self) -> Result<(), StoreError>;
}

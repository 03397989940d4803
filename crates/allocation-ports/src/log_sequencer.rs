use crate::{Lease, StoreError};
use allocation_domain::Sku;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// The key of an event that has no position yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKey {
    /// The product that the event is about.
    pub sku: Sku,
    /// The version of the product in the unit of work.
    pub version: u64,
    /// The ordinal of the event within that unit.
    pub ordinal: u32,
}

impl OutboxKey {
    /// Returns a key behind all events of a product.
    #[must_use]
    pub const fn past(sku: Sku) -> Self {
        Self { sku, version: u64::MAX, ordinal: u32::MAX }
    }
}

/// The result of one sequencing step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequenced {
    /// The number of events that received a position.
    pub events: u64,
    /// The position of the newest event of the log.
    pub last: u64,
    /// The key of the last event that received a position, after which the next step begins. `None` when the
    /// store uses another order, or when no event received a position.
    pub last_key: Option<OutboxKey>,
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

    /// Assigns positions to at most `most` events after a key, and renews the lease for `time`.
    ///
    /// Of each product it MUST begin with the oldest event that has no position. A caller starts with
    /// `None` and passes each returned key to the next call, until no event gets a position. Every event
    /// present at the start MUST then have a position.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when another process holds the lease.
    fn sequence(
        &self,
        lease: &Lease,
        time: Duration,
        after: Option<OutboxKey>,
        most: u16,
    ) -> Result<Sequenced, SequenceError>;

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

    /// Removes the oldest events that occurred before an instant, at most `most`, and returns their number.
    /// Renews the lease for `time`.
    ///
    /// An event stamped by a clock that was ahead MUST NOT retain older events behind it forever. It is
    /// removed with the first event behind it that is due, and stays when there is none.
    ///
    /// MUST NOT block readers or allocations.
    ///
    /// # Errors
    ///
    /// MUST be [`SequenceError::LeaseLost`], with nothing written, when another process holds the lease.
    fn prune(&self, lease: &Lease, time: Duration, before: DateTime<Utc>, most: u16) -> Result<u64, SequenceError>;

    /// Reclaims the space of sequenced events, in a store that does not do so by itself. Called periodically
    /// while events are sequenced.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn vacuum(&self) -> Result<(), StoreError>;
}

use crate::{Lease, LoggedEvent, PageSize, StoreError};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// An event that the relay has set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Its position in the log.
    pub position: u64,
    /// Why it was not delivered.
    pub reason: String,
    /// When it was last parked.
    pub parked_at: DateTime<Utc>,
    /// Whether the relay is to send it again.
    pub retry: bool,
}

/// The relay's progress since it was last recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayProgress {
    /// The position up to which all events are delivered or parked; 0 leaves the stored one unchanged.
    pub checkpoint: u64,
    /// Events to park. An event that is already parked gets the new reason.
    pub parked: Vec<ParkedEvent>,
    /// Parked events that have since been delivered.
    pub delivered: Vec<u64>,
}

/// Why the relay's progress is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Another process holds the lease. Nothing was written.
    #[error("another process relays")]
    LeaseLost,
    /// The store failed.
    #[error("the relay's progress was not recorded")]
    Store(#[from] StoreError),
}

/// Records the relay's checkpoint and its parked events.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RelayStore: Send + Sync {
    /// Returns the position up to which all events are delivered or parked, 0 before the first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn checkpoint(&self) -> Result<u64, StoreError>;

    /// Writes the progress completely or not at all, and renews the lease for `time`. Returns the number of
    /// parked events removed because the log no longer retains them. The checkpoint MUST NOT move
    /// backwards.
    ///
    /// # Errors
    ///
    /// MUST be [`RecordError::LeaseLost`], with nothing written, when another process holds the lease.
    fn record(&self, lease: &Lease, time: Duration, progress: &RelayProgress) -> Result<u64, RecordError>;

    /// Returns the parked events after a position, by position.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn parked(&self, after: u64, page: PageSize) -> Result<Vec<ParkedEvent>, StoreError>;

    /// Returns the number of parked events.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn parked_count(&self) -> Result<u64, StoreError>;

    /// Returns the number of committed events without a position in the log.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn unsequenced_count(&self) -> Result<u64, StoreError>;

    /// Returns the first parked events that are to be sent again, as far as the log retains them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn to_retry(&self, page: PageSize) -> Result<Vec<LoggedEvent>, StoreError>;

    /// Marks the given events to be sent again by the relay, and returns the number marked. Events that are
    /// not parked are ignored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn retry(&self, positions: &[u64]) -> Result<u64, StoreError>;

    /// Marks all parked events to be sent again by the relay, and returns their number.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn retry_all(&self) -> Result<u64, StoreError>;
}

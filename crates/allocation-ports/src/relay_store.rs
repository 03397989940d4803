use crate::{Lease, LoggedEvent, PageSize, ReadLogError, StoreError};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// An event that the relay has put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Its place in the log.
    pub position: u64,
    /// Why it was not delivered.
    pub reason: String,
    /// When it was put aside, the last time.
    pub parked_at: DateTime<Utc>,
    /// Whether it is to be sent again.
    pub retry: bool,
}

/// What the relay has done since it last told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayProgress {
    /// Up to which position all events are delivered or parked; 0 to leave it where it is.
    pub bookmark: u64,
    /// Events to park. One that is parked already gets the new reason.
    pub parked: Vec<ParkedEvent>,
    /// Events that were parked and are delivered now.
    pub delivered: Vec<u64>,
}

/// Why the relay's progress is not written down.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Another holds the lease. Nothing was written.
    #[error("another process relays")]
    LeaseLost,
    /// The store failed.
    #[error("the relay's progress was not written down")]
    Store(#[from] StoreError),
}

/// Remembers how far the relay has come, and what it has put aside.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RelayStore: Send + Sync {
    /// Up to which position all events were delivered or parked, 0 before the first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn bookmark(&self) -> Result<u64, StoreError>;

    /// Writes all of the progress or nothing, and renews the lease for `time`. The bookmark MUST NOT
    /// go back. Parked events that the log does not retain any more are forgotten; it answers how many
    /// these were.
    ///
    /// # Errors
    ///
    /// MUST be [`RecordError::LeaseLost`], with nothing written, when the lease is another's.
    fn record(&self, lease: &Lease, time: Duration, progress: &RelayProgress) -> Result<u64, RecordError>;

    /// Parked events after a position, by their positions.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn parked(&self, after: u64, page: PageSize) -> Result<Vec<ParkedEvent>, StoreError>;

    /// How many events are parked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn parked_count(&self) -> Result<u64, StoreError>;

    /// How many events wait to get their places in the log.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn unnumbered_count(&self) -> Result<u64, StoreError>;

    /// Parked events that are to be sent again, the first ones, as far as they are retained.
    ///
    /// # Errors
    ///
    /// [`ReadLogError::Store`] when the database fails. MUST be [`ReadLogError::Unreadable`] when the first
    /// cannot be read; one behind it ends the page before it.
    fn to_retry(&self, page: PageSize) -> Result<Vec<LoggedEvent>, ReadLogError>;

    /// Has those of the events that are parked sent again by whoever relays, and answers how many
    /// these are.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn retry(&self, positions: &[u64]) -> Result<u64, StoreError>;

    /// Has all parked events sent again by whoever relays, and answers how many these are.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn retry_all(&self) -> Result<u64, StoreError>;
}

use chrono::{DateTime, Utc};

/// The clock.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Returns the current time in whole microseconds, the precision of every database.
    fn now(&self) -> DateTime<Utc>;
}

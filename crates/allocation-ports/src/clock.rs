use chrono::{DateTime, Utc};

/// Tells the time.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now, in whole microseconds: what every database keeps.
    fn now(&self) -> DateTime<Utc>;
}

use chrono::{DateTime, Utc};

/// The two instants of a locked product, in microseconds.
///
/// A clock may be ahead for a while and be set back. If decisions followed it back, lines would lose
/// their order of arrival; if all time followed the latest instant ever seen, holds would last until
/// the clock catches up. So the two are kept apart:
///
/// * A hold is measured by `now`: it begins with it, and has expired once `now` reaches its end.
/// * What is recorded carries `decided_at`: events, `placed_at` of lines and `added_at` of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTime {
    /// The time by the clock of the store when the unit of work held all its locks. All products of a
    /// unit have the same.
    pub now: DateTime<Utc>,
    /// The time by the same clock when this product was locked, but at least a microsecond later than
    /// the `decided_at` of the unit of work that locked it before. Each product has its own.
    pub decided_at: DateTime<Utc>,
}

use chrono::{DateTime, Utc};

/// The two instants of a product's lock, in microseconds.
///
/// A clock may run ahead and be set back. If recorded instants followed it back, lines would lose
/// their order of arrival. If holds followed the latest instant ever seen, they would last until
/// the clock catches up. So there are two instants:
///
/// * `now` measures holds: a hold begins at `now`, and has expired once `now` reaches its expiry.
/// * `decided_at` is recorded: in events, in `placed_at` of lines and in `added_at` of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LockTime {
    /// The store's clock when the unit of work held all its locks. All products of a unit of work
    /// share it.
    pub now: DateTime<Utc>,
    /// The same clock when this product was locked, or a microsecond after the previous
    /// `decided_at` if that is later. Each product has its own.
    pub decided_at: DateTime<Utc>,
}

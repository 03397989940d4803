//! Holds: units reserved for an order until it is confirmed or the hold expires.

use crate::OrderId;
use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};

/// An error for a number that is not a [`HoldDuration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from {min} to {max}", min = HoldDuration::MIN, max = HoldDuration::MAX)]
pub struct HoldDurationError;

/// The duration of a hold in seconds, from 10 to 2,592,000: 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "u32"))]
pub struct HoldDuration(u32);

impl HoldDuration {
    /// The shortest hold, in seconds.
    pub const MIN: u32 = 10;
    /// The longest hold, in seconds: 30 days.
    pub const MAX: u32 = 30 * 86_400;
    /// A hold of a day.
    pub const DAY: Self = Self(86_400);
    /// The longest hold.
    pub const LONGEST: Self = Self(Self::MAX);

    /// Creates a duration from a number of seconds.
    ///
    /// # Errors
    ///
    /// [`HoldDurationError`] for a number that is not from [`Self::MIN`] to [`Self::MAX`].
    pub fn from_seconds(seconds: impl TryInto<u32>) -> Result<Self, HoldDurationError> {
        match seconds.try_into() {
            Ok(seconds) if (Self::MIN..=Self::MAX).contains(&seconds) => Ok(Self(seconds)),
            _ => Err(HoldDurationError),
        }
    }

    /// Returns the number of seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// Returns the expiry of a hold that begins at `now`, in microseconds.
    ///
    /// Saturates at the latest instant that chrono represents.
    #[must_use]
    pub fn after(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let hold = TimeDelta::seconds(i64::from(self.0));
        now.trunc_subsecs(6).checked_add_signed(hold).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl TryFrom<i64> for HoldDuration {
    type Error = HoldDurationError;

    fn try_from(seconds: i64) -> Result<Self, HoldDurationError> {
        Self::from_seconds(seconds)
    }
}

impl From<HoldDuration> for u32 {
    fn from(duration: HoldDuration) -> Self {
        duration.seconds()
    }
}

/// An error for an extension that is too long: however often a hold is extended, it ends [`HoldDuration::MAX`] after
/// the first line of its order was placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Order {order_id} cannot be held beyond {}", .latest.to_rfc3339_opts(SecondsFormat::Micros, true))]
pub struct HoldTooLong {
    /// The order.
    pub order_id: OrderId,
    /// The latest instant at which the hold can expire.
    pub latest: DateTime<Utc>,
}

/// The way in which an order ended, according to its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OrderEnd {
    /// The hold of a line has expired.
    Expired,
    /// Lines were cancelled, and no hold has expired.
    Cancelled,
    /// The order was closed.
    Closed,
}

/// The state of a line's reservation.
///
/// An expired, cancelled or closed line has ended: it holds nothing and waits for nothing. It never changes again,
/// except that picked units of a closed line are shipped, and that an expired line is reinstated on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ReservationState {
    /// The line keeps its units until it releases them.
    Firm,
    /// The line keeps its units until `expires_at`. From then on they are free for any decision,
    /// and the line no longer waits.
    Held {
        /// The first instant at which the line no longer holds the units.
        expires_at: DateTime<Utc>,
    },
    /// The hold expired before it was confirmed.
    Expired,
    /// The order was cancelled.
    Cancelled,
    /// The order was closed: only the units that were picked before belong to the line.
    Closed,
}

impl ReservationState {
    /// Returns the expiry of the hold, or `None` without a hold.
    #[must_use]
    pub const fn expires_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Held { expires_at } => Some(expires_at),
            Self::Firm | Self::Expired | Self::Cancelled | Self::Closed => None,
        }
    }

    /// Returns whether the hold has expired by `now`, released or not.
    #[must_use]
    pub fn has_expired(self, now: DateTime<Utc>) -> bool {
        match self {
            Self::Held { expires_at } => expires_at <= now,
            Self::Expired => true,
            Self::Firm | Self::Cancelled | Self::Closed => false,
        }
    }
}

/// An error for an order whose hold has expired. Its units are free or already reallocated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The hold of order {order_id} has expired")]
pub struct HoldExpired {
    /// The order.
    pub order_id: OrderId,
}

/// An error for an order that was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Order {order_id} was cancelled")]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
}

/// An error for an order that was closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Order {order_id} was closed")]
pub struct OrderClosed {
    /// The order.
    pub order_id: OrderId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_lasts_from_ten_seconds_to_thirty_days() {
        assert_eq!(HoldDuration::from_seconds(9), Err(HoldDurationError));
        assert_eq!(HoldDuration::from_seconds(2_592_001), Err(HoldDurationError));
        assert_eq!(HoldDuration::from_seconds(10).unwrap().seconds(), 10);
        assert_eq!(HoldDuration::from_seconds(2_592_000).unwrap().seconds(), 2_592_000);
    }

    #[test]
    fn a_hold_has_expired_at_the_instant_of_its_expiry() {
        let now = DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap();
        let hold = ReservationState::Held { expires_at: HoldDuration::from_seconds(10).unwrap().after(now) };
        let end = DateTime::from_timestamp_micros(1_800_000_010_000_001).unwrap();
        assert_eq!(hold.expires_at(), Some(end));
        assert!(!hold.has_expired(end - TimeDelta::microseconds(1)));
        assert!(hold.has_expired(end));
    }

    #[test]
    fn a_hold_ends_at_the_latest_representable_instant() {
        let day = HoldDuration::from_seconds(86_400).unwrap();
        assert_eq!(day.after(DateTime::<Utc>::MAX_UTC), DateTime::<Utc>::MAX_UTC);
    }
}

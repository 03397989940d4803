//! Holds: units that are kept for an order until it is confirmed or its time is up.

use crate::OrderId;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Why a number is not a [`HoldDuration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from {min} to {max}", min = HoldDuration::MIN, max = HoldDuration::MAX)]
pub struct HoldDurationError;

/// For how many seconds units are held, from 10 to 86,400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "u32"))]
pub struct HoldDuration(u32);

impl HoldDuration {
    /// The shortest hold, in seconds.
    pub const MIN: u32 = 10;
    /// The longest hold, in seconds.
    pub const MAX: u32 = 86_400;

    /// Makes a duration of a number of seconds.
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

    /// The number of seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// When a hold that begins now expires, in microseconds; the end of time for one that would
    /// last longer.
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

/// How an order has ended, by how its lines have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEnd {
    /// The hold of a line has expired.
    Expired,
    /// Lines were cancelled, and of none the hold had expired.
    Cancelled,
}

/// How firmly a line keeps its units.
///
/// A line that has expired or was cancelled has ended: it holds nothing, waits for nothing, and
/// stays what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationState {
    /// Until it gives them back.
    Firm,
    /// Until an instant: from then on the units are free for any decision, and the line waits for
    /// no more.
    Held {
        /// The first instant at which the line does not hold them any more.
        expires_at: DateTime<Utc>,
    },
    /// The hold expired before it was confirmed.
    Expired,
    /// The order was cancelled.
    Cancelled,
}

impl ReservationState {
    /// When the hold expires, `None` when there is none.
    #[must_use]
    pub const fn expires_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Held { expires_at } => Some(expires_at),
            Self::Firm | Self::Expired | Self::Cancelled => None,
        }
    }

    /// Whether the line has expired by now, noticed or not.
    #[must_use]
    pub fn has_expired(self, now: DateTime<Utc>) -> bool {
        match self {
            Self::Held { expires_at } => expires_at <= now,
            Self::Expired => true,
            Self::Firm | Self::Cancelled => false,
        }
    }
}

/// An order whose hold has expired: its units are free for others, or theirs already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The hold of order {order_id} has expired")]
pub struct HoldExpired {
    /// The order.
    pub order_id: OrderId,
}

/// An order that was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Order {order_id} was cancelled")]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_lasts_from_ten_seconds_to_a_day() {
        assert_eq!(HoldDuration::from_seconds(9), Err(HoldDurationError));
        assert_eq!(HoldDuration::from_seconds(86_401), Err(HoldDurationError));
        assert_eq!(HoldDuration::from_seconds(10).unwrap().seconds(), 10);
        assert_eq!(HoldDuration::from_seconds(86_400).unwrap().seconds(), 86_400);
    }

    #[test]
    fn a_hold_has_expired_at_the_very_instant_it_expires() {
        let now = DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap();
        let hold = ReservationState::Held { expires_at: HoldDuration::from_seconds(10).unwrap().after(now) };
        let end = DateTime::from_timestamp_micros(1_800_000_010_000_001).unwrap();
        assert_eq!(hold.expires_at(), Some(end));
        assert!(!hold.has_expired(end - TimeDelta::microseconds(1)));
        assert!(hold.has_expired(end));
    }

    #[test]
    fn a_hold_never_outlasts_time_itself() {
        let day = HoldDuration::from_seconds(86_400).unwrap();
        assert_eq!(day.after(DateTime::<Utc>::MAX_UTC), DateTime::<Utc>::MAX_UTC);
    }
}

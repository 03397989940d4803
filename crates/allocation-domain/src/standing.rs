//! Whether an order lives, or how it has ended.

use crate::{LineState, OrderEnd, ReservationState};
use chrono::{DateTime, Utc};

/// The state of an order: the greatest state of its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It has no lines.
    Unknown,
    Cancelled,
    Closed,
    Firm,
    Held,
    Expired,
}

impl Standing {
    /// Returns the state of an order with these lines at an instant.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a LineState>, now: DateTime<Utc>) -> Self {
        let of = |commitment: ReservationState| match commitment {
            ReservationState::Held { expires_at } if expires_at <= now => Self::Expired,
            ReservationState::Expired => Self::Expired,
            ReservationState::Held { .. } => Self::Held,
            ReservationState::Firm => Self::Firm,
            ReservationState::Cancelled => Self::Cancelled,
            ReservationState::Closed => Self::Closed,
        };
        lines.into_iter().map(|line| of(line.commitment)).max().unwrap_or(Self::Unknown)
    }

    /// Returns how the order has ended, or `None` if it has not.
    pub(crate) const fn end(self) -> Option<OrderEnd> {
        match self {
            Self::Expired => Some(OrderEnd::Expired),
            Self::Cancelled => Some(OrderEnd::Cancelled),
            Self::Closed => Some(OrderEnd::Closed),
            Self::Unknown | Self::Firm | Self::Held => None,
        }
    }
}

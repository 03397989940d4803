//! The queue of lines that wait for units.

use crate::OrderId;
use chrono::{DateTime, SubsecRound, Utc};
use std::cmp::Reverse;

/// The sort key of the lines of a SKU, the order of service: the smaller key is first.
///
/// The higher priority is first, then the earlier placed line, then the smaller order id.
/// Waiting lines are served in this order; lines leave a lowered batch in the reverse order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct QueuePosition {
    priority: Reverse<i32>,
    placed_at: DateTime<Utc>,
    order_id: OrderId,
}

impl QueuePosition {
    /// Creates a position from its parts. `placed_at` is truncated to microseconds.
    #[must_use]
    pub fn new(order_id: OrderId, priority: i32, placed_at: DateTime<Utc>) -> Self {
        Self { priority: Reverse(priority), placed_at: placed_at.trunc_subsecs(6), order_id }
    }

    /// Returns the priority of the line.
    #[must_use]
    pub const fn priority(&self) -> i32 {
        self.priority.0
    }

    /// Returns the instant at which the line was placed.
    #[must_use]
    pub const fn placed_at(&self) -> DateTime<Utc> {
        self.placed_at
    }

    /// Returns the order that the line belongs to.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }
}

//! The queue of lines that wait for units.

use crate::{LineState, OrderId};
use chrono::{DateTime, SubsecRound, Utc};
use std::cmp::Reverse;

/// What orders the lines of a SKU: smaller comes first.
///
/// The higher priority first, then the line that was placed first, then the smaller order. In this
/// order waiting lines are served; in the opposite order lines leave a batch that was lowered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct QueuePosition {
    priority: Reverse<i32>,
    placed_at: DateTime<Utc>,
    order_id: OrderId,
}

impl QueuePosition {
    /// The position of a line.
    #[must_use]
    pub fn of(order_id: &OrderId, line: &LineState) -> Self {
        Self::new(order_id.clone(), line.terms.priority, line.terms.placed_at)
    }

    /// The position of a line of which only this is known.
    #[must_use]
    pub fn new(order_id: OrderId, priority: i32, placed_at: DateTime<Utc>) -> Self {
        Self { priority: Reverse(priority), placed_at: placed_at.trunc_subsecs(6), order_id }
    }

    /// The priority of the line.
    #[must_use]
    pub const fn priority(&self) -> i32 {
        self.priority.0
    }

    /// When the line was placed.
    #[must_use]
    pub const fn placed_at(&self) -> DateTime<Utc> {
        self.placed_at
    }

    /// The order that the line belongs to.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }
}

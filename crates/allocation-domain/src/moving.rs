//! Batches whose lines are moved in steps.

use crate::{Eta, Quantity, QueuePosition, Units};
use chrono::{DateTime, Utc};

/// How many lines of a batch one decision reviews at most, and how many leave it at most: what exceeds
/// it is left for steps to come, each a decision of its own.
pub const MAX_MOVED_LINES: usize = 1_000;

/// What is still to be done with the lines of a batch after a correction.
///
/// First the lines are reviewed, then they leave. Either goes through them in the order in which lines
/// are served, some at a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moving {
    /// Lines that have not learnt yet that the batch comes later, or have not been offered a better one.
    pub review: Option<Review>,
    /// To how many units the batch is lowered while lines leave it. It has no free units until then.
    pub lower_to: Option<Units>,
    /// The last line that is done. `None` at the start of a review, and when it is not known yet which
    /// lines are to leave.
    pub after: Option<QueuePosition>,
}

impl Moving {
    /// Whether nothing is left to be done.
    pub(crate) const fn is_done(&self) -> bool {
        self.review.is_none() && self.lower_to.is_none()
    }

    /// Whether a line is still to be dealt with, if it holds units of the batch.
    pub(crate) fn is_ahead(&self, position: &QueuePosition) -> bool {
        self.review.is_some() || self.after.as_ref().is_none_or(|after| position > after)
    }
}

/// What the lines of a batch are reviewed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Review {
    /// What the lines were promised before. They learn of it when the batch comes later than that.
    pub old_eta: Eta,
    /// Whether they move to a batch that comes earlier, where there is one.
    pub reallocate: bool,
    /// Whether they leave their pick lists: the batch is not in stock any more.
    pub withdraw: bool,
    /// Lines that were placed later knew of the change.
    pub placed_by: DateTime<Utc>,
    /// How many units these lines hold, as far as that was known when the review began.
    pub units: u32,
}

/// The first line that leaves a batch which is lowered: what a store finds by adding up the lines of the
/// batch from the last one on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstToLeave {
    /// The line. All lines after it lose all their units of the batch.
    pub position: QueuePosition,
    /// How many units it loses.
    pub part: Quantity,
    /// How many units all of them lose together.
    pub units: u32,
}

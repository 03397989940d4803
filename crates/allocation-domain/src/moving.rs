//! Batches whose lines are moved in steps.

use crate::{Eta, Quantity, QueuePosition, Units};
use chrono::{DateTime, Utc};

/// The maximum number of lines of a batch that one decision reviews, and the maximum that leave it.
///
/// Further decisions do the rest.
pub const MAX_MOVED_LINES: usize = 1_000;

/// The remaining work on the lines of a batch after a correction.
///
/// Lines are first reviewed, then they leave. Both steps process them in the order in which lines
/// are served, some at a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moving {
    /// The review in progress: for lines whose later ETA is not recorded yet, or that could still
    /// move to an earlier batch.
    pub review: Option<Review>,
    /// The units to which the batch is lowered while lines leave it. It has no free units until
    /// then.
    pub lower_to: Option<Units>,
    /// The last line that is done. `None` at the start of a review, and while the lines that must
    /// leave are not known.
    pub after: Option<QueuePosition>,
}

impl Moving {
    /// Returns whether no work is left.
    pub(crate) const fn is_done(&self) -> bool {
        self.review.is_none() && self.lower_to.is_none()
    }

    /// Returns whether a line is still to be processed if it holds units of the batch.
    pub(crate) fn is_ahead(&self, position: &QueuePosition) -> bool {
        self.review.is_some() || self.after.as_ref().is_none_or(|after| position > after)
    }
}

/// The purpose of a review of a batch's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Review {
    /// The ETA promised before. If the batch comes later than that, the worse promise is recorded.
    pub old_eta: Eta,
    /// Whether they move to an earlier batch where there is one.
    pub reallocate: bool,
    /// Whether they leave their pick lists because the batch is no longer in stock.
    pub withdraw: bool,
    /// The instant of the change. Lines placed later have the new promise already.
    pub placed_by: DateTime<Utc>,
    /// The units that these lines held when the review began.
    pub units: u32,
}

/// The first line that leaves a lowered batch.
///
/// A store finds it by adding up the lines of the batch from the last one backwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstToLeave {
    /// The position of the line. All lines after it lose all their units of the batch.
    pub position: QueuePosition,
    /// The units that it loses.
    pub part: Quantity,
    /// The units that it and the lines after it lose together.
    pub units: u32,
}

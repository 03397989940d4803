//! Batches whose lines are moved in steps.

use crate::{BatchReference, Eta, Quantity, QueuePosition, Units};
use chrono::{DateTime, Utc};

/// The maximum number of lines of a batch that one decision reviews, and the maximum that leave it.
///
/// Further decisions do the rest.
pub const MAX_MOVED_LINES: usize = 1_000;

/// The maximum number of unfinished earlier reviews that a batch records.
const MAX_UNREVIEWED: usize = 8;

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
    /// The lines that earlier reviews had not reached when this one began, oldest review first.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub unreviewed: Vec<Unreviewed>,
    /// The units that the batch has once all lines that must leave have left. Until then it has no free
    /// units.
    pub lower_to: Option<Units>,
    /// How many of the units that have yet to leave are removed by adjustments. The others were not purchased.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub adjusting: u32,
    /// The units that the batch gets once all lines have left another batch, of which it is the rest.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub awaits: Option<Awaited>,
    /// The last line that was processed. `None` at the start of a review, and while the lines that
    /// must leave are not known.
    pub after: Option<QueuePosition>,
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(units: &u32) -> bool {
    *units == 0
}

impl Moving {
    /// Returns whether no work is left.
    pub(crate) const fn is_done(&self) -> bool {
        self.review.is_none() && self.lower_to.is_none() && self.awaits.is_none()
    }

    /// Returns the ETA that a line was last promised before the review in progress.
    pub(crate) fn old_eta(&self, review: &Review, position: &QueuePosition) -> Eta {
        let unreviewed = self.unreviewed.iter().filter(|unreviewed| unreviewed.contains(position));
        unreviewed.map(|unreviewed| unreviewed.old_eta).fold(review.old_eta, Eta::min)
    }

    /// Returns the ETA that a line was last promised, or `None` if that is the current ETA of the batch.
    pub(crate) fn unreviewed_eta(&self, position: &QueuePosition) -> Option<Eta> {
        let review = self.review?;
        let is_ahead =
            self.after.as_ref().is_none_or(|after| position > after) && position.placed_at() <= review.placed_by;
        is_ahead.then(|| self.old_eta(&review, position))
    }

    /// Returns the lines that have an older promise if a new review begins now.
    ///
    /// Beyond [`MAX_UNREVIEWED`] reviews, the two oldest count as one with the older promise.
    pub(crate) fn unreviewed_from_now(self) -> Vec<Unreviewed> {
        let (Some(review), after) = (self.review, self.after) else { return Vec::new() };
        let mut unreviewed = self.unreviewed;
        for earlier in &mut unreviewed {
            earlier.after = earlier.after.take().max(after.clone());
        }
        unreviewed.push(Unreviewed { after, old_eta: review.old_eta, placed_by: review.placed_by });
        if unreviewed.len() > MAX_UNREVIEWED {
            let oldest = unreviewed.remove(0);
            let next = &mut unreviewed[0];
            next.after = next.after.take().min(oldest.after);
            next.old_eta = next.old_eta.min(oldest.old_eta);
        }
        unreviewed
    }

    /// Returns the remaining work once the batch arrives on `eta`, not later than before. A review without
    /// an effect ends.
    pub(crate) fn with_eta(mut self, eta: Eta) -> Self {
        // A better promise needs no record.
        let promised = self.unreviewed.iter_mut().map(|unreviewed| &mut unreviewed.old_eta);
        for old_eta in promised.chain(self.review.as_mut().map(|review| &mut review.old_eta)) {
            *old_eta = eta.min(*old_eta);
        }
        if let Some(review) = &mut self.review {
            review.withdraw &= eta != Eta::InStock;
            let old_eta = self.unreviewed.iter().map(|unreviewed| unreviewed.old_eta).fold(review.old_eta, Eta::min);
            if eta == old_eta && !review.reallocate && !review.withdraw {
                self.review = None;
                self.unreviewed.clear();
            }
        }
        self
    }

    /// Returns whether a line is still to be processed if it holds units of the batch.
    pub(crate) fn is_ahead(&self, position: &QueuePosition) -> bool {
        self.review.is_some() || self.after.as_ref().is_none_or(|after| position > after)
    }
}

/// Units that are still expected of a received batch, while its lines leave it in steps.
///
/// Lines that leave wait, and the units then serve them in the order of service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Awaited {
    /// The received batch.
    pub behind: BatchReference,
    /// The units.
    pub units: Quantity,
}

/// The purpose of a review of a batch's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Review {
    /// The ETA promised before, except to [`Moving::unreviewed`] lines. If the batch arrives later than that,
    /// the worse promise is recorded.
    pub old_eta: Eta,
    /// Whether the lines move to an earlier batch where there is one.
    pub reallocate: bool,
    /// Whether the lines leave their pick lists because the batch is no longer in stock.
    pub withdraw: bool,
    /// The instant of the change. Lines placed later already have the new promise.
    pub placed_by: DateTime<Utc>,
    /// The units that the lines held when the review began.
    pub units: u32,
}

/// The lines that a review had not reached when another one began. They have an older promise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Unreviewed {
    /// The last line that was reviewed.
    pub after: Option<QueuePosition>,
    /// The ETA that the lines after it were promised.
    pub old_eta: Eta,
    /// The instant of that change. Lines placed later have its promise.
    pub placed_by: DateTime<Utc>,
}

impl Unreviewed {
    fn contains(&self, position: &QueuePosition) -> bool {
        self.after.as_ref().is_none_or(|after| position > after) && position.placed_at() <= self.placed_by
    }
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

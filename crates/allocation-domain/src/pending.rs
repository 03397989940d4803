//! Decisions that are not reached yet: rows are missing, or the product is behind.

use crate::{BatchReference, OrderId, QueuePosition, Sku};
use std::convert::Infallible;

/// The error of a decision: a refusal, or a decision that is not reached yet.
///
/// Only a decision on a partially loaded product lacks rows. [`Stock`](crate::Stock) has all rows, and its
/// methods return only the refusal. In every case, the decision itself has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Pending<R> {
    /// The loaded rows are not enough. The caller loads the requested ones and decides again.
    #[error(transparent)]
    Load(#[from] LoadRequest),
    /// The product [is behind](crate::Product::is_behind).
    ///
    /// The caller saves the changes made so far and locks the product again: every unit of work catches up
    /// by as much as it may.
    #[error("SKU {0} has more expired holds and waiting lines than one unit of work handles")]
    CatchUp(Sku),
    /// The decision: a rule refuses the request.
    #[error(transparent)]
    Refused(R),
}

impl<R> Pending<R> {
    /// Returns a refusal, converted to the error of the decision.
    pub(crate) fn refused(refusal: impl Into<R>) -> Self {
        Self::Refused(refusal.into())
    }
}

impl Pending<Infallible> {
    /// Converts the error of a step that refuses nothing to the error of a decision.
    #[must_use]
    pub fn widen<R>(self) -> Pending<R> {
        match self {
            Self::Load(request) => Pending::Load(request),
            Self::CatchUp(sku) => Pending::CatchUp(sku),
            Self::Refused(never) => match never {},
        }
    }
}

/// A request for rows that a decision lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SKU {sku} is loaded only in part: {what}")]
pub struct LoadRequest {
    /// The SKU of the product.
    pub sku: Sku,
    /// The rows to load into the product.
    pub what: DataRequest,
}

/// The maximum number of lines of each batch that [`DataRequest::FittingOn`] looks at.
pub const MAX_PASSED_OVER: usize = 10_000;

/// The rows to load into a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum DataRequest {
    /// All batches with free units, loaded by [`Product::complete`](crate::Product::complete).
    #[error("all batches with free units are needed")]
    Batches,
    /// A batch in which a line holds units, loaded by
    /// [`Product::load_batches`](crate::Product::load_batches).
    #[error("batch {0} is needed")]
    Batch(BatchReference),
    /// The next lines that hold units of a batch, in the order in which lines are served.
    ///
    /// At most [`MAX_MOVED_LINES`](crate::MAX_MOVED_LINES), loaded by
    /// [`Product::load_next_on`](crate::Product::load_next_on).
    #[error("the next lines on batch {reference} are needed")]
    NextOn {
        /// The batch.
        reference: BatchReference,
        /// The position after which they follow, `None` for the first lines.
        after: Option<QueuePosition>,
    },
    /// The last lines that hold units of a batch, in the order in which lines are served.
    ///
    /// As many as hold `units` units together, loaded by
    /// [`Product::load_last_on`](crate::Product::load_last_on).
    #[error("the last lines on batch {reference} are needed")]
    LastOn {
        /// The batch.
        reference: BatchReference,
        /// The units that the lines hold together, if the batch has as many.
        units: u32,
    },
    /// The next waiting lines that could take some of the free units, in the order in which lines
    /// are served.
    ///
    /// A line that takes only its whole rest is included if the rest is at most `free`.
    /// [`Product::load_waiting`](crate::Product::load_waiting) loads the lines.
    #[error("waiting lines that could take some of {free} units are needed")]
    WaitingLines {
        /// The position after which they follow, `None` for the beginning of the queue.
        after: Option<QueuePosition>,
        /// The number of free units.
        free: u64,
        /// The maximum number of lines, at least 1.
        limit: usize,
    },
    /// All batches in transit that lines have units of, loaded by
    /// [`Product::load_in_transit`](crate::Product::load_in_transit).
    #[error("all batches in transit that lines have units of are needed")]
    InTransit,
    /// The next lines that hold at most `units` units of one of these batches, in the order in which lines are served.
    ///
    /// Lines that keep their promises are left out, and so are those after the first [`MAX_PASSED_OVER`] lines of a
    /// batch that follow `after`. [`Product::load_fitting_on`](crate::Product::load_fitting_on) loads the lines.
    #[error("lines with at most {units} units of one of {} batches are needed", .references.len())]
    FittingOn {
        /// The batches.
        references: Vec<BatchReference>,
        /// The position after which they follow, `None` for the first lines.
        after: Option<QueuePosition>,
        /// The number of units.
        units: u32,
        /// The maximum number of lines, at least 1.
        limit: usize,
    },
    /// The order line of a pick line, loaded by
    /// [`Product::load_lines`](crate::Product::load_lines).
    #[error("the line of order {0} is needed")]
    Line(OrderId),
    /// All pick lines of an order line except withdrawn and missing ones, loaded by
    /// [`Product::load_pick_lines`](crate::Product::load_pick_lines).
    #[error("the pick lines of order {0} are needed")]
    PickLinesOf(OrderId),
}

//! Requests for rows that a decision needs.

use crate::{
    AddBatchError, AllocateError, BatchReference, CancelError, ChangeBatchError, DeallocateError, GiveBackError,
    MakePickListError, OrderId, PickError, PlaceError, QueuePosition, RemoveBatchError, ShipError, Sku,
};

/// An error for a partially loaded product whose loaded rows do not decide.
///
/// The decision has changed nothing. The caller loads the requested rows into the product and
/// retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SKU {sku} is loaded only in part: {what}")]
pub struct MoreNeeded {
    /// The SKU of the product.
    pub sku: Sku,
    /// The rows that are needed.
    pub what: DataRequest,
}

/// The rows to load into a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
        most: usize,
    },
    /// More units of work: the product [is behind](crate::Product::is_behind).
    ///
    /// Nothing is to be loaded. The caller stores the changes first and locks the product again.
    #[error("what has expired and who waits is more than one unit of work takes on")]
    CatchUp,
    /// The order line of a pick line, loaded by
    /// [`Product::load_lines`](crate::Product::load_lines).
    #[error("the line of order {0} is needed")]
    Line(OrderId),
    /// All pick lines of an order line except withdrawn and missing ones, loaded by
    /// [`Product::load_pick_lines`](crate::Product::load_pick_lines).
    #[error("the pick lines of order {0} are needed")]
    PickLinesOf(OrderId),
}

/// An error that may be a request for rows.
///
/// A caller can load them and retry in one place, whatever the decision.
pub trait Undecided {
    /// Returns the requested rows, or `None` for an error that is the decision.
    fn more_needed(&self) -> Option<&MoreNeeded>;
}

impl Undecided for MoreNeeded {
    fn more_needed(&self) -> Option<&MoreNeeded> {
        Some(self)
    }
}

macro_rules! undecided {
    ($($error:ident),+) => {
        $(impl Undecided for $error {
            fn more_needed(&self) -> Option<&MoreNeeded> {
                if let Self::MoreNeeded(needed) = self { Some(needed) } else { None }
            }
        })+
    };
}

undecided!(AddBatchError, RemoveBatchError, ChangeBatchError, AllocateError, DeallocateError, PlaceError, CancelError);
undecided!(MakePickListError, PickError, ShipError, GiveBackError);

//! What a product must know to decide.

use crate::{
    AddBatchError, AllocateError, BatchReference, CancelError, ChangeBatchError, DeallocateError, GiveBackError,
    MakePickListError, OrderId, PickError, PlaceError, QueuePosition, RemoveBatchError, ShipError, Sku,
};

/// A product was restored with part of its rows, and those at hand do not decide.
///
/// Nothing has changed. Load what is needed into the product and ask again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is at hand of SKU {sku} does not decide: {what}")]
pub struct MoreNeeded {
    /// The SKU of the product.
    pub sku: Sku,
    /// What is needed.
    pub what: DataRequest,
}

/// What is to be loaded into a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataRequest {
    /// All batches with free units: [`Product::complete`](crate::Product::complete).
    #[error("all batches with free units are needed")]
    Batches,
    /// A batch in which a line holds units: [`Product::load_batches`](crate::Product::load_batches).
    #[error("batch {0} is needed")]
    Batch(BatchReference),
    /// Lines that hold units of a batch, after a place in the order in which lines are served,
    /// [`MAX_MOVED_LINES`](crate::MAX_MOVED_LINES) at most:
    /// [`Product::load_next_on`](crate::Product::load_next_on).
    #[error("the next lines on batch {reference} are needed")]
    NextOn {
        /// The batch.
        reference: BatchReference,
        /// After which line, `None` for the first ones.
        after: Option<QueuePosition>,
    },
    /// The last lines that hold units of a batch in the order in which lines are served, as many as
    /// hold so many units: [`Product::load_last_on`](crate::Product::load_last_on).
    #[error("the last lines on batch {reference} are needed")]
    LastOn {
        /// The batch.
        reference: BatchReference,
        /// How many units the lines hold together, if the batch has so many.
        units: u32,
    },
    /// Waiting lines that could take some of the units that are free, in their order:
    /// [`Product::load_waiting`](crate::Product::load_waiting). A line that takes only its whole rest
    /// could do so when no more than the free units is missing to it.
    #[error("waiting lines that could take some of {free} units are needed")]
    WaitingLines {
        /// The place after which they are needed, `None` for the beginning of the queue.
        after: Option<QueuePosition>,
        /// How many units are free.
        free: u64,
        /// How many lines are needed at most, at least 1.
        most: usize,
    },
    /// More units of work: [`Product::is_behind`](crate::Product::is_behind). Nothing is to be loaded;
    /// what has changed is to be stored first, and the product locked again.
    #[error("what has expired and who waits is more than one unit of work takes on")]
    CatchUp,
    /// The line of an order, of which a pick line is:
    /// [`Product::load_lines`](crate::Product::load_lines).
    #[error("the line of order {0} is needed")]
    Line(OrderId),
    /// All pick lines of the line of an order, but for those that are withdrawn or missing:
    /// [`Product::load_pick_lines`](crate::Product::load_pick_lines).
    #[error("the pick lines of order {0} are needed")]
    PickLinesOf(OrderId),
}

/// An error of a decision that may only be for want of rows: so that a caller loads them and asks
/// again in one place, whatever the decision.
pub trait Undecided {
    /// What is needed to decide, `None` of an error that is the decision.
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

use crate::deciding::decide;
use crate::engine::SubmitError;
use crate::unit_of_work::Attempt;
use allocation_domain::{
    AllocateError, AllocationOutcome, HoldExpired, LineAlreadyAllocated, OrderCancelled, OrderLine, OutOfStock,
    Products,
};
use allocation_ports::{StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Why a line is not allocated. Nothing of it has changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AllocateLineError {
    /// All batches together cannot serve the line.
    #[error(transparent)]
    OutOfStock(#[from] OutOfStock),
    /// The line is allocated with another quantity.
    #[error(transparent)]
    LineAlreadyAllocated(#[from] LineAlreadyAllocated),
    /// The line was held by an order, and its time is up.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order of the line was cancelled.
    #[error(transparent)]
    OrderCancelled(#[from] OrderCancelled),
    /// More commands wait than the engine takes in, or this one has waited for too long.
    #[error("too many lines wait to be allocated")]
    Overloaded,
    /// The engine has been shut down.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// The store failed; the commands of a group share its cause.
    #[error("the line was not allocated")]
    Store(#[from] Arc<StoreError>),
}

impl From<SubmitError> for AllocateLineError {
    fn from(reason: SubmitError) -> Self {
        match reason {
            SubmitError::Overloaded => Self::Overloaded,
            SubmitError::ShuttingDown => Self::ShuttingDown,
        }
    }
}

/// What a line is answered.
pub(crate) type LineAnswer = Result<AllocationOutcome, AllocateLineError>;

/// Decides a line on its locked product.
///
/// # Isolation
///
/// The line itself, with which a repeat is compared, the batches and the queue are read under the lock of
/// the product. Whether the order has ended by lines of other products is read with the order's anchor locked
/// against units that end the order, until this unit ends; when the order has no line yet, this unit adds
/// its anchor, and conflicts with any other that does.
pub(crate) fn allocate(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    products: &mut Products,
    line: &OrderLine,
    now: DateTime<Utc>,
) -> Result<LineAnswer, StoreError> {
    let Some(product) = products.get_mut(line.sku()) else {
        return Ok(Err(unknown_sku(line).into()));
    };
    let decision = decide(unit, product, |product| product.allocate(line.order_id(), line.quantity(), now))?;
    Ok(match decision {
        // What is there after a commit of unknown outcome was allocated by that commit.
        Ok(AllocationOutcome::Unchanged(line)) if attempt.resolving => Ok(AllocationOutcome::Allocated(line)),
        Ok(outcome) => Ok(outcome),
        Err(AllocateError::OutOfStock(refusal)) => Err(refusal.into()),
        Err(AllocateError::LineAlreadyAllocated(refusal)) => Err(refusal.into()),
        Err(AllocateError::HoldExpired(refusal)) => Err(refusal.into()),
        Err(AllocateError::OrderCancelled(refusal)) => Err(refusal.into()),
        Err(AllocateError::MoreNeeded(needed)) => return Err(StoreError::Failed(needed.into())),
    })
}

/// What became of a line whose time is over: what an earlier run has allocated, if its commit may have
/// happened. Nothing is allocated now.
pub(crate) fn resolve_line(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    products: &Products,
    line: &OrderLine,
    now: DateTime<Utc>,
) -> Result<LineAnswer, StoreError> {
    let Some(product) = products.get(line.sku()).filter(|_| attempt.resolving) else {
        return Ok(Err(AllocateLineError::Overloaded));
    };
    let mut product = product.clone();
    let decision = decide(unit, &mut product, |product| product.allocate(line.order_id(), line.quantity(), now))?;
    Ok(match decision {
        Ok(AllocationOutcome::Unchanged(line)) => Ok(AllocationOutcome::Allocated(line)),
        _ => Err(AllocateLineError::Overloaded),
    })
}

fn unknown_sku(line: &OrderLine) -> OutOfStock {
    OutOfStock { sku: line.sku().clone(), requested: line.quantity(), available: 0 }
}

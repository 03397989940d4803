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

/// The reason why a line is not allocated. Nothing of it has changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AllocateLineError {
    /// All batches together cannot serve the line.
    #[error(transparent)]
    OutOfStock(#[from] OutOfStock),
    /// The line is allocated with another quantity.
    #[error(transparent)]
    LineAlreadyAllocated(#[from] LineAlreadyAllocated),
    /// The line was held by an order, and the hold has expired.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order of the line was cancelled.
    #[error(transparent)]
    OrderCancelled(#[from] OrderCancelled),
    /// Too many commands wait, or this one has waited too long.
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

/// The reply to a line.
pub(crate) type LineAnswer = Result<AllocationOutcome, AllocateLineError>;

/// Decides a line on its locked product.
///
/// # Isolation
///
/// The line itself, which identifies a repeat, the batches and the backorders are read under the lock of
/// the product. Lines of other products may have ended the order. This is read with the order's anchor
/// locked against units that end the order, until this unit ends. If the order has no line yet, this unit
/// adds the anchor, and conflicts with any other unit that adds it.
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
        // A line that exists after an unknown commit was allocated by that commit.
        Ok(AllocationOutcome::Unchanged(line)) if attempt.resolving => Ok(AllocationOutcome::Allocated(line)),
        Ok(outcome) => Ok(outcome),
        Err(AllocateError::OutOfStock(refusal)) => Err(refusal.into()),
        Err(AllocateError::LineAlreadyAllocated(refusal)) => Err(refusal.into()),
        Err(AllocateError::HoldExpired(refusal)) => Err(refusal.into()),
        Err(AllocateError::OrderCancelled(refusal)) => Err(refusal.into()),
        Err(AllocateError::MoreNeeded(needed)) => return Err(StoreError::Failed(needed.into())),
    })
}

/// Returns the outcome of a line whose time has run out: an earlier run's allocation, if its commit may
/// have happened.
///
/// Allocates nothing itself.
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

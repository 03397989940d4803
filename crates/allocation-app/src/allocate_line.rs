use crate::deciding::decide;
use crate::engine::NotTaken;
use crate::unit_of_work::Attempt;
use allocation_domain::{
    AllocateError, AllocationOutcome, HoldExpired, LineAlreadyAllocated, OrderCancelled, OrderId, OrderLine,
    OutOfStock, Products,
};
use allocation_ports::{OrderEnd, StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
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
    /// More commands wait than the engine takes in.
    #[error("too many lines wait to be allocated")]
    Overloaded,
    /// The engine has been shut down.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// The store failed; the commands of a group share its cause.
    #[error("the line was not allocated")]
    Store(#[from] Arc<StoreError>),
}

impl From<NotTaken> for AllocateLineError {
    fn from(reason: NotTaken) -> Self {
        match reason {
            NotTaken::Overloaded => Self::Overloaded,
            NotTaken::ShuttingDown => Self::ShuttingDown,
        }
    }
}

/// What a line is answered.
pub(crate) type LineAnswer = Result<AllocationOutcome, AllocateLineError>;

/// The orders that had ended before a group was decided: none of them gets a new line.
#[derive(Debug, Default)]
pub(crate) struct EndedOrders(HashMap<OrderId, OrderEnd>);

impl EndedOrders {
    /// Looks up which of the orders have ended. The locks must have been taken.
    pub(crate) fn find(
        unit: &mut dyn UnitOfWork,
        order_ids: &[OrderId],
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        if order_ids.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(unit.orders().ended(order_ids, now)?.into_iter().collect()))
    }

    fn refusal(&self, order_id: &OrderId) -> Option<AllocateLineError> {
        let order_id = order_id.clone();
        self.0.get(&order_id).map(|end| match end {
            OrderEnd::Expired => HoldExpired { order_id }.into(),
            OrderEnd::Cancelled => OrderCancelled { order_id }.into(),
        })
    }
}

/// Decides a line on its locked product.
pub(crate) fn allocate(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    products: &mut Products,
    ended: &EndedOrders,
    line: &OrderLine,
    now: DateTime<Utc>,
) -> Result<LineAnswer, StoreError> {
    let Some(product) = products.get_mut(line.sku()) else {
        return Ok(Err(unknown_sku(line).into()));
    };
    // Of a line that there is, the product knows how it stands.
    if let Some(refusal) = ended.refusal(line.order_id()).filter(|_| product.line(line.order_id()).is_none()) {
        return Ok(Err(refusal));
    }
    let decision = decide(unit, product, |product| product.allocate(line.order_id(), line.quantity(), now))?;
    Ok(match decision {
        // What is there after a commit of unknown outcome was allocated by that commit.
        Ok(AllocationOutcome::Unchanged(line)) if attempt.settling => Ok(AllocationOutcome::Allocated(line)),
        Ok(outcome) => Ok(outcome),
        Err(AllocateError::OutOfStock(refusal)) => Err(refusal.into()),
        Err(AllocateError::LineAlreadyAllocated(refusal)) => Err(refusal.into()),
        Err(AllocateError::HoldExpired(refusal)) => Err(refusal.into()),
        Err(AllocateError::OrderCancelled(refusal)) => Err(refusal.into()),
        Err(AllocateError::MoreNeeded(needed)) => return Err(StoreError::Failed(needed.into())),
    })
}

fn unknown_sku(line: &OrderLine) -> OutOfStock {
    OutOfStock { sku: line.sku().clone(), requested: line.quantity(), available: 0 }
}

use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock_order, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{CancelError, Cancellation, OrderId};
use allocation_ports::{EventContext, StoreError, UnitOfWork};

/// The reason why an order is not cancelled. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum CancelOrderError {
    /// No order has this id.
    #[error("There is no order {0}")]
    NotFound(OrderId),
    /// Units of the order were picked, which cannot be undone.
    #[error("Units of order {0} were picked")]
    Picked(OrderId),
    /// The store failed.
    #[error("the order was not cancelled")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Cancels an order: its units are released and allocated to backorders.
    ///
    /// A cancelled or expired order stays unchanged. An order with picked units is not cancelled.
    ///
    /// # Isolation
    ///
    /// All lines of the order, their allocations, their pick lines and the backorders are read under the
    /// locks of their products. The SKUs of the order are read before the locks. They are read once more
    /// with the order's lines locked against new ones. A line that is added concurrently is cancelled as
    /// well, or rejected.
    ///
    /// # Errors
    ///
    /// [`CancelOrderError`], and nothing has changed.
    pub fn cancel_order(&self, order_id: &OrderId) -> Result<(), CancelOrderError> {
        self.units.run("cancel_order", |unit, _| cancel(unit, order_id, &self.context))?
    }
}

fn cancel(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    context: &EventContext,
) -> Result<UnitOutcome<Result<(), CancelOrderError>>, StoreError> {
    let locked = lock_order(unit, order_id)?;
    let Some(Locked { mut products, now }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    let cancelled = Cancellation::of(order_id, &products);
    let cancelled = match cancelled {
        Ok(mut cancellation) => {
            decide(unit, &mut products, |products| cancellation.go_on(products, now))?.map_err(CancelError::from)
        }
        Err(refusal) => Err(refusal),
    };
    match cancelled {
        Ok(()) => {
            let changed = save_changed(unit, products, context)?;
            Ok(if changed { UnitOutcome::Commit(Ok(())) } else { UnitOutcome::Rollback(Ok(())) })
        }
        Err(CancelError::NotFound(order_id)) => Ok(UnitOutcome::Rollback(Err(CancelOrderError::NotFound(order_id)))),
        Err(CancelError::Picked(order_id)) => Ok(UnitOutcome::Rollback(Err(CancelOrderError::Picked(order_id)))),
        Err(CancelError::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
    }
}

#[cfg(test)]
mod tests;

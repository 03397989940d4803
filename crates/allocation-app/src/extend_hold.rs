use crate::UseCases;
use crate::locking::{Locked, lock_order};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{ExtendError as Refusal, HoldDuration, Order, OrderId};
use allocation_ports::{EventContext, StoreError, UnitOfWork};

/// The reason why a hold is not extended. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ExtendHoldError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the hold was not extended")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Holds an order for `hold` from now; never shortens its hold.
    ///
    /// # Isolation
    ///
    /// All lines of the order are read under the locks of their products. The SKUs of the order are read
    /// before the locks, and once more with the order's lines locked against new ones. The returned order
    /// is therefore complete.
    ///
    /// # Errors
    ///
    /// [`ExtendHoldError`], and nothing has changed.
    pub fn extend_hold(&self, order_id: &OrderId, hold: HoldDuration) -> Result<Order, ExtendHoldError> {
        self.units.run("extend_hold", |unit, _| extend(unit, order_id, hold, &self.context))?
    }
}

fn extend(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    hold: HoldDuration,
    context: &EventContext,
) -> Result<UnitOutcome<Result<Order, ExtendHoldError>>, StoreError> {
    let Locked { mut products, now } = lock_order(unit, order_id)?;
    match products.extend(order_id, hold, now) {
        Ok(order) => {
            let changed = save_changed(unit, products, context)?;
            Ok(if changed { UnitOutcome::Commit(Ok(order)) } else { UnitOutcome::Rollback(Ok(order)) })
        }
        Err(refusal) => Ok(UnitOutcome::Rollback(Err(refusal.into()))),
    }
}

#[cfg(test)]
mod tests;

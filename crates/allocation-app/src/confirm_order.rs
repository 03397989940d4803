use crate::UseCases;
use crate::locking::{Locked, lock_order};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{ConfirmError as Refusal, Order, OrderId};
use allocation_ports::{EventContext, StoreError, UnitOfWork};

/// The reason why an order is not confirmed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmOrderError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the order was not confirmed")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Confirms a held order; a firm order stays unchanged.
    ///
    /// # Isolation
    ///
    /// All lines of the order are read under the locks of their products. The SKUs of the order are read
    /// before the locks, and once more with the order's lines locked against new ones. The returned order
    /// is therefore complete.
    ///
    /// # Errors
    ///
    /// [`ConfirmOrderError`], and nothing has changed.
    pub fn confirm_order(&self, order_id: &OrderId) -> Result<Order, ConfirmOrderError> {
        self.units.run("confirm_order", |unit, _| confirm(unit, order_id, &self.context))?
    }
}

fn confirm(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    context: &EventContext,
) -> Result<UnitOutcome<Result<Order, ConfirmOrderError>>, StoreError> {
    let Locked { mut products, now } = lock_order(unit, order_id)?;
    match products.confirm(order_id, now) {
        Ok(order) => {
            let changed = save_changed(unit, products, context)?;
            Ok(if changed { UnitOutcome::Commit(Ok(order)) } else { UnitOutcome::Rollback(Ok(order)) })
        }
        Err(refusal) => Ok(UnitOutcome::Rollback(Err(refusal.into()))),
    }
}

#[cfg(test)]
mod tests;

use crate::locking::{Locked, lock_order};
use crate::saving::conclude;
use crate::unit_of_work::UnitResult;
use crate::{UseCaseError, UseCases};
use allocation_domain::{ConfirmError, Order, OrderId};
use allocation_ports::{EventContext, UnitOfWork};

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
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn confirm_order(&self, order_id: &OrderId) -> Result<Order, UseCaseError<ConfirmError>> {
        let decided = self.units.run("confirm_order", |unit, _| confirm(unit, order_id, &self.context))?;
        decided.map_err(UseCaseError::Refused)
    }
}

fn confirm(unit: &mut dyn UnitOfWork, order_id: &OrderId, context: &EventContext) -> UnitResult<Order, ConfirmError> {
    let Locked { mut products, now } = lock_order(unit, order_id)?;
    let decided = products.confirm(order_id, now);
    conclude(unit, products, context, decided)
}

#[cfg(test)]
mod tests;

use crate::locking::{Locked, lock_order};
use crate::saving::conclude;
use crate::unit_of_work::UnitResult;
use crate::{UseCaseError, UseCases};
use allocation_domain::{ExtendError, HoldDuration, Order, OrderId};
use allocation_ports::{EventContext, UnitOfWork};

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
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn extend_hold(&self, order_id: &OrderId, hold: HoldDuration) -> Result<Order, UseCaseError<ExtendError>> {
        let decided = self.units.run("extend_hold", |unit, _| extend(unit, order_id, hold, &self.context))?;
        decided.map_err(UseCaseError::Refused)
    }
}

fn extend(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    hold: HoldDuration,
    context: &EventContext,
) -> UnitResult<Order, ExtendError> {
    let Locked { mut products, now } = lock_order(unit, order_id)?;
    let decided = products.extend(order_id, hold, now);
    conclude(unit, products, context, decided)
}

#[cfg(test)]
mod tests;

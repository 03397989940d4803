use crate::locking::{Locked, lock_order, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{CloseError, Closing, Order, OrderId, OrderVersion};
use std::collections::BTreeSet;

impl UseCases {
    /// Closes an order: nothing more is to come. Its units that are not picked are released and allocated to
    /// backorders, it waits for nothing, and its picked units are still shipped. A closed order stays unchanged.
    ///
    /// The order must have one of the expected versions, unless `expected` is `None` or the order is closed
    /// already.
    ///
    /// # Isolation
    ///
    /// All lines of the order, their allocations, their pick lines and the backorders are read under the locks
    /// of their products. The SKUs of the order are read before the locks, and once more with the order's
    /// lines locked against new ones. A line that is added concurrently is closed as well, or rejected.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn close_order(
        &self,
        order_id: &OrderId,
        expected: Option<&BTreeSet<OrderVersion>>,
    ) -> Result<Order, UseCaseError<CloseError>> {
        self.decide("close_order", |unit, _| {
            let locked = lock_order(unit, order_id)?;
            let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            let mut closing = match Closing::of(order_id, expected, &products, now) {
                Ok(closing) => closing,
                Err(refusal) => return Ok(UnitOutcome::Rollback(Err(refusal))),
            };
            let Ok(()) = unit.decide(&mut products, |products| closing.resume(products, now))?;
            let closed = products.order(order_id).ok_or_else(|| CloseError::NotFound(order_id.clone()));
            conclude(unit, products, contexts, &self.context, closed)
        })
    }
}

#[cfg(test)]
mod tests;

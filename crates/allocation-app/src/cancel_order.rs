use crate::locking::{Locked, lock_order, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{CancelError, Cancellation, OrderId, OrderVersion};
use std::collections::BTreeSet;

impl UseCases {
    /// Cancels an order: its units are released and allocated to backorders.
    ///
    /// A cancelled, closed or expired order stays unchanged, unless units of it were picked: that is an error.
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
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn cancel_order(&self, order_id: &OrderId) -> Result<(), UseCaseError<CancelError>> {
        self.cancel_order_if(order_id, None)
    }

    /// Cancels an order like [`UseCases::cancel_order`], if it has one of the expected versions or `expected` is
    /// `None`. An order that has ended stays unchanged, whatever its version.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn cancel_order_if(
        &self,
        order_id: &OrderId,
        expected: Option<&BTreeSet<OrderVersion>>,
    ) -> Result<(), UseCaseError<CancelError>> {
        self.decide("cancel_order", |unit, _| {
            let locked = lock_order(unit, order_id)?;
            let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            let cancellation = Cancellation::of(order_id, &products);
            let cancellation = cancellation.and_then(|cancellation| cancellation.if_version(expected, &products));
            let mut cancellation = match cancellation {
                Ok(cancellation) => cancellation,
                Err(refusal) => return Ok(UnitOutcome::Rollback(Err(refusal))),
            };
            let Ok(()) = unit.decide(&mut products, |products| cancellation.resume(products, now))?;
            conclude(unit, products, contexts, &self.context, Ok(()))
        })
    }
}

#[cfg(test)]
mod tests;

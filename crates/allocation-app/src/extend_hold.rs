use crate::locking::{Locked, lock_order};
use crate::saving::conclude;
use crate::{UseCaseError, UseCases};
use allocation_domain::{ExtendError, HoldDuration, Order, OrderId};

impl UseCases {
    /// Holds an order for `hold` from now; never shortens its hold.
    ///
    /// # Isolation
    ///
    /// As for [`UseCases::confirm_order`].
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn extend_hold(&self, order_id: &OrderId, hold: HoldDuration) -> Result<Order, UseCaseError<ExtendError>> {
        self.decide("extend_hold", |unit, _| {
            let Locked { mut products, now, contexts } = lock_order(unit, order_id)?;
            let decided = products.extend(order_id, hold, now);
            conclude(unit, products, contexts, &self.context, decided)
        })
    }
}

#[cfg(test)]
mod tests;

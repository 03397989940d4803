use crate::locking::{Locked, lock_order};
use crate::saving::conclude;
use crate::{UseCaseError, UseCases};
use allocation_domain::{ConfirmError, Order, OrderId};

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
        self.decide("confirm_order", |unit, _| {
            let Locked { mut products, now, contexts } = lock_order(unit, order_id)?;
            let decided = products.confirm(order_id, now);
            conclude(unit, products, contexts, &self.context, decided)
        })
    }
}

#[cfg(test)]
mod tests;

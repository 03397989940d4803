use crate::locking::{Locked, lock_order};
use crate::saving::conclude;
use crate::{UseCaseError, UseCases};
use allocation_domain::{ExtendError, HoldDuration, Order, OrderId, OrderVersion};
use allocation_ports::StoreError;
use std::collections::BTreeSet;

#[derive(Debug, thiserror::Error)]
#[error("whether the hold of order {0} was extended is not known")]
struct HoldIsUnknown(OrderId);

impl UseCases {
    /// Holds an order for `hold` from now; never shortens its hold. The order must have one of the expected versions,
    /// unless `expected` is `None`.
    ///
    /// # Isolation
    ///
    /// As for [`UseCases::confirm_order`].
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn extend_hold(
        &self,
        order_id: &OrderId,
        expected: Option<&BTreeSet<OrderVersion>>,
        hold: HoldDuration,
    ) -> Result<Order, UseCaseError<ExtendError>> {
        self.decide("extend_hold", |unit, attempt| {
            let Locked { mut products, now, contexts } = lock_order(unit, order_id)?;
            let decided = products.extend_if(order_id, expected, hold, now);
            // An extension makes a new version. If an unknown commit may have made it, no refusal claims that it did not.
            if attempt.resolving && matches!(decided, Err(ExtendError::Stale { .. })) {
                return Err(StoreError::Conflict(HoldIsUnknown(order_id.clone()).into()));
            }
            conclude(unit, products, contexts, &self.context, decided)
        })
    }
}

#[cfg(test)]
mod tests;

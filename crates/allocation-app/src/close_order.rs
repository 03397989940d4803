use crate::locking::{Locked, lock_order, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{CloseError, Closing, Order, OrderId, OrderVersion};
use allocation_ports::{StoreError, UnitOfWork};
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
            let (Locked { products, contexts, .. }, decided) = match closed(unit, order_id, expected)? {
                Some(closed) => closed,
                None => return Ok(UnitOutcome::Step),
            };
            match decided {
                Ok(order) => conclude(unit, products, contexts, &self.context, Ok(order)),
                Err(refusal) => Ok(UnitOutcome::Rollback(Err(refusal))),
            }
        })
    }
}

/// The locked products of an order, and the decision to close it.
type Closed = (Locked, Result<Order, CloseError>);

/// Closes an order on its locked products; `None` if that takes more units of work.
fn closed(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    expected: Option<&BTreeSet<OrderVersion>>,
) -> Result<Option<Closed>, StoreError> {
    let locked = lock_order(unit, order_id)?;
    let Some(mut locked) = up_to_date(unit, locked)? else { return Ok(None) };
    let now = locked.now;
    let mut closing = match Closing::of(order_id, expected, &locked.products, now) {
        Ok(closing) => closing,
        Err(refusal) => return Ok(Some((locked, Err(refusal)))),
    };
    let Ok(()) = unit.decide(&mut locked.products, |products| closing.resume(products, now))?;
    let order = locked.products.order(order_id).ok_or_else(|| CloseError::NotFound(order_id.clone()));
    Ok(Some((locked, order)))
}

#[cfg(test)]
mod tests;

use crate::locking::{Locked, lock_order, lock_order_with, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::{UnitOutcome, UnitResult};
use crate::{UseCaseError, UseCases};
use allocation_domain::{ConfirmError, Order, OrderConfirmation, Reinstatement};
use allocation_ports::{EventContext, UnitOfWork};

impl UseCases {
    /// Confirms a held order; a firm order stays unchanged.
    ///
    /// An order whose hold has expired gets all its units again if the request reallocates and they are still to be had
    /// by its terms. Units of other lines that have expired are allocated to backorders first.
    ///
    /// # Isolation
    ///
    /// All lines of the order are read under the locks of their products, and so are the batches and backorders that a
    /// reallocation needs. The SKUs of the order are read before the locks, and once more with the order's lines locked
    /// against new ones. The returned order is therefore complete.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn confirm_order(&self, request: &OrderConfirmation) -> Result<Order, UseCaseError<ConfirmError>> {
        // Recording the expiry makes a new version, which no request has asked for.
        let mut was_expected = false;
        self.decide("confirm_order", |unit, _| {
            if request.reallocates() {
                return reinstate(unit, request, &mut was_expected, &self.context);
            }
            let Locked { mut products, now, contexts } = lock_order(unit, request.order_id())?;
            let decided = products.confirm_if(request, now);
            conclude(unit, products, contexts, &self.context, decided)
        })
    }
}

fn reinstate(
    unit: &mut dyn UnitOfWork,
    request: &OrderConfirmation,
    was_expected: &mut bool,
    context: &EventContext,
) -> UnitResult<Order, ConfirmError> {
    let order_id = request.order_id();
    let locked = lock_order_with(unit, order_id, [])?;
    *was_expected |= locked.products.order(order_id).is_some_and(|order| request.expects(order.version()));
    let request = if *was_expected { &request.clone().if_version(None) } else { request };
    let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    let mut reinstatement = match unit.decide(&mut products, |products| Reinstatement::of(request, products, now))? {
        Ok(reinstatement) => reinstatement,
        Err(refusal) => return Ok(UnitOutcome::Rollback(Err(refusal))),
    };
    let Ok(()) = unit.decide(&mut products, |products| reinstatement.resume(products, now))?;
    let decided = products.order(order_id).ok_or_else(|| ConfirmError::NotFound(order_id.clone()));
    conclude(unit, products, contexts, context, decided)
}

#[cfg(test)]
mod tests;

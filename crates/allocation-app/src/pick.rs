use crate::locking::{Locked, up_to_date};
use crate::pick_list_products::lock_line;
use crate::saving::conclude;
use crate::unit_of_work::{UnitOutcome, UnitResult};
use crate::{UseCaseError, UseCases};
use allocation_domain::{Outcome, PickError, PickLine, PickLineId, Picked, Units};
use allocation_ports::{EventContext, UnitOfWork};

impl UseCases {
    /// Records that `found` units of a pick line were found and picked, or corrects an earlier report to that number.
    ///
    /// The order line gets other units for the missing ones, or waits for them. Picking the same number
    /// again changes nothing, also after a commit whose reply was lost. The replacement units are then in
    /// the history of the order.
    ///
    /// # Isolation
    ///
    /// The pick line is read before the lock only for its SKU, order and batch, which never change. It is
    /// read again under the lock of the product, with the order line, its batches and the backorders.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn pick(&self, id: &PickLineId, found: Units) -> Result<Outcome<Picked, PickLine>, UseCaseError<PickError>> {
        self.decide("pick", |unit, _| pick(unit, id, found, &self.context))
    }
}

fn pick(
    unit: &mut dyn UnitOfWork,
    id: &PickLineId,
    found: Units,
    context: &EventContext,
) -> UnitResult<Outcome<Picked, PickLine>, PickError> {
    let Some(locked) = lock_line(unit, id)? else {
        return Ok(UnitOutcome::Rollback(Err(PickError::NotFound(id.clone()))));
    };
    let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    let decided = unit.decide(&mut products, |products| products.pick(id, found, now))?;
    conclude(unit, products, contexts, context, decided)
}

#[cfg(test)]
mod tests;

use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{PickError as Refusal, PickLineId, PickOutcome, Units};
use allocation_ports::{EventContext, LockRequest, StoreError, UnitOfWork};

/// The reason why a line is not picked. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum PickError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the line was not picked")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Records that `found` units of a pick line were found and picked.
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
    /// [`PickError`], and nothing has changed.
    pub fn pick(&self, id: &PickLineId, found: Units) -> Result<PickOutcome, PickError> {
        self.units.run("pick", |unit, _| pick(unit, id, found, &self.context))?
    }
}

fn pick(
    unit: &mut dyn UnitOfWork,
    id: &PickLineId,
    found: Units,
    context: &EventContext,
) -> Result<UnitOutcome<Result<PickOutcome, PickError>>, StoreError> {
    let not_found = || Ok(UnitOutcome::Rollback(Err(Refusal::NotFound(id.clone()).into())));
    let Some(before) = unit.pick_lists().find_line(id)? else { return not_found() };
    let wanted = LockRequest {
        batches: vec![before.reference],
        order_ids: vec![before.order_id],
        ..LockRequest::product(before.sku.clone())
    };
    let locked = lock(unit, &[wanted])?;
    let Some(Locked { mut products, now }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    // The state of the line is certain only under the lock.
    let (Some(product), Some(line)) = (products.get_mut(&before.sku), unit.pick_lists().find_line(id)?) else {
        return not_found();
    };
    product.load_pick_lines([(id.clone(), line)]);
    match decide(unit, &mut products, |products| products.pick(id, found, now))? {
        Ok(outcome @ PickOutcome::Picked(_)) => {
            save_changed(unit, products, context)?;
            Ok(UnitOutcome::Commit(Ok(outcome)))
        }
        Ok(outcome @ PickOutcome::Unchanged(_)) => Ok(UnitOutcome::Rollback(Ok(outcome))),
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(
            refusal @ (Refusal::NotFound(_)
            | Refusal::Withdrawn(_)
            | Refusal::TooMany { .. }
            | Refusal::AlreadyPicked { .. }),
        ) => Ok(UnitOutcome::Rollback(Err(refusal.into()))),
    }
}

#[cfg(test)]
mod tests;

use crate::engine::allocate;
use crate::locking::{Locked, lock, up_to_date};
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{AllocateError, LineAllocation, OrderLine, Outcome};
use allocation_ports::LockRequest;

impl UseCases {
    /// Returns what allocating a line would return now, and allocates nothing.
    ///
    /// # Isolation
    ///
    /// As for a line that is allocated. The result is out of date as soon as the locks are released.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed.
    pub fn preview_line(&self, line: &OrderLine) -> Result<Outcome<LineAllocation>, UseCaseError<AllocateError>> {
        let wanted = [LockRequest {
            standalone: vec![line.order_id().clone()],
            open_batches: true,
            ..LockRequest::product(line.sku().clone())
        }];
        self.decide("preview_line", |unit, attempt| {
            let locked = lock(unit, &wanted)?;
            let Some(Locked { mut products, now, .. }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            Ok(UnitOutcome::Rollback(allocate(unit, attempt, &mut products, line, now)?))
        })
    }
}

#[cfg(test)]
mod tests;

use crate::engine::{OrderPreview, preview_order};
use crate::locking::{Locked, lock, up_to_date};
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{NewOrder, PlaceError};
use allocation_ports::LockRequest;

impl UseCases {
    /// Returns what placing an order would return now, and places nothing.
    ///
    /// # Isolation
    ///
    /// As for an order that is placed. The result is out of date as soon as the locks are released.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed.
    pub fn preview_order(&self, order: &NewOrder) -> Result<OrderPreview, UseCaseError<PlaceError>> {
        let line = |sku: &_| LockRequest {
            order_ids: vec![order.order_id().clone()],
            open_batches: true,
            ..LockRequest::product(Clone::clone(sku))
        };
        let wanted: Vec<_> = order.lines().iter().map(|(sku, _)| line(sku)).collect();
        self.decide("preview_order", |unit, _| {
            let locked = lock(unit, &wanted)?;
            let Some(Locked { mut products, now, .. }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            Ok(UnitOutcome::Rollback(preview_order(unit, &mut products, order, now)?))
        })
    }
}

#[cfg(test)]
mod tests;

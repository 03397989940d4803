use crate::locking::{Locked, lock_order_with, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::{Attempt, UnitOutcome};
use crate::{UseCaseError, UseCases};
use allocation_domain::{Amendment, BatchReference, ChangeOrderError, Order, OrderChange, OrderId, Products, Sku};
use allocation_ports::{StoreError, UnitOfWork};

#[derive(Debug, thiserror::Error)]
#[error("the lines of batch {0} are being moved in the order of service, which the change would alter")]
struct BatchIsMoving(BatchReference);

#[derive(Debug, thiserror::Error)]
#[error("whether the hold of order {0} was extended is not known")]
struct HoldIsUnknown(OrderId);

impl UseCases {
    /// Changes the lines and terms of an order, all of the change or nothing. Units that the order gives up are
    /// allocated to backorders.
    ///
    /// A change that alters the order of service waits until large corrections of its batches are complete. It is
    /// busy if that takes longer than the retries.
    ///
    /// # Isolation
    ///
    /// All lines of the order, the batches, the pick lines and the backorders are read under the locks of the
    /// products of its lines and of the named SKUs. The SKUs of the order are read before the locks, and once
    /// more with the order's lines locked against new ones. The order cannot end while they are locked.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn change_order(&self, change: &OrderChange) -> Result<Order, UseCaseError<ChangeOrderError>> {
        self.decide("change_order", |unit, attempt| {
            let (amendment, Locked { products, contexts, .. }) = match amended(unit, attempt, change)? {
                Amended::Step => return Ok(UnitOutcome::Step),
                Amended::Decided(decided) => return Ok(UnitOutcome::Rollback(*decided)),
                Amended::Made(amendment, locked) => (amendment, *locked),
            };
            let order = products.order(change.order_id()).ok_or_else(|| not_found(change));
            let left: Vec<Sku> = order.iter().flat_map(|order| &order.lines).map(|(sku, _)| sku.clone()).collect();
            let outcome = conclude(unit, products, contexts, &self.context, order)?;
            if amendment.removes_lines() {
                unit.orders().lock_lines(change.order_id(), &left)?;
            }
            Ok(outcome)
        })
    }
}

/// What a unit of work has made of a change.
enum Amended {
    /// A step towards a decision.
    Step,
    /// A decision that changes nothing.
    Decided(Box<Result<Order, ChangeOrderError>>),
    /// The products with the change.
    Made(Amendment, Box<Locked>),
}

fn amended(unit: &mut dyn UnitOfWork, attempt: Attempt, change: &OrderChange) -> Result<Amended, StoreError> {
    let locked = lock_order_with(unit, change.order_id(), change.lines().iter().map(|(sku, _)| sku.clone()))?;
    let Some(mut locked) = up_to_date(unit, locked)? else { return Ok(Amended::Step) };
    let now = locked.now;
    let products = &mut locked.products;
    let mut amendment = match unit.decide(products, |products| Amendment::of(change, products, now))? {
        Ok(amendment) => amendment,
        Err(refusal) => return Ok(Amended::Decided(Box::new(resolved(refusal, attempt, change, products)?))),
    };
    if amendment.repositions()
        && let Some(batch) = products.moving_batch_of(change.order_id())
    {
        return Err(StoreError::Conflict(BatchIsMoving(batch.clone()).into()));
    }
    let Ok(()) = unit.decide(products, |products| amendment.resume(products, now))?;
    Ok(Amended::Made(amendment, Box::new(locked)))
}

/// Returns the decision on a rejected change.
///
/// A change with a hold never counts as made. If an unknown commit may have made it, no refusal claims that it did not:
/// the outcome stays unknown.
fn resolved(
    refusal: ChangeOrderError,
    attempt: Attempt,
    change: &OrderChange,
    products: &Products,
) -> Result<Result<Order, ChangeOrderError>, StoreError> {
    let order_id = change.order_id();
    let may_follow = matches!(refusal, ChangeOrderError::Stale { .. } | ChangeOrderError::Cancelled(_));
    let may_be_made = || products.order(order_id).is_some_and(|order| change.is_made_but_for_hold(&order));
    if attempt.resolving && may_follow && may_be_made() {
        return Err(StoreError::Conflict(HoldIsUnknown(order_id.clone()).into()));
    }
    Ok(Err(refusal))
}

fn not_found(change: &OrderChange) -> ChangeOrderError {
    ChangeOrderError::NotFound(change.order_id().clone())
}

#[cfg(test)]
mod tests;

use crate::deciding::decide;
use crate::unit_of_work::{Attempt, Ending};
use allocation_domain::{
    AllocateError, AllocationOutcome, HoldExpired, LineAlreadyAllocated, OrderCancelled, OrderLine, OutOfStock,
    Product, Sku,
};
use allocation_ports::{StoreError, UnitOfWork, Wanted};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a line is not allocated. Nothing of it has changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AllocateLineError {
    /// All batches together cannot serve the line.
    #[error(transparent)]
    OutOfStock(#[from] OutOfStock),
    /// The line is allocated with another quantity.
    #[error(transparent)]
    LineAlreadyAllocated(#[from] LineAlreadyAllocated),
    /// The line was held by an order, and its time is up.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order of the line was cancelled.
    #[error(transparent)]
    OrderCancelled(#[from] OrderCancelled),
    /// More lines wait than the engine takes in.
    #[error("too many lines wait to be allocated")]
    Overloaded,
    /// The engine has been shut down.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// The store failed; the lines of a group share its cause.
    #[error("the line was not allocated")]
    Store(#[from] Arc<StoreError>),
}

/// What a line of a group is answered.
pub(crate) type Answer = Result<AllocationOutcome, AllocateLineError>;

/// Decides lines in their order, and saves what changed: one answer for each line.
///
/// The refusal of one line changes nothing for another.
pub(crate) fn allocate_lines<'a>(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    lines: impl Iterator<Item = &'a OrderLine> + Clone,
    now: DateTime<Utc>,
) -> Result<Ending<Vec<Answer>>, StoreError> {
    let locked = unit.products().lock(&wanted(lines.clone()), now)?;
    let mut products: BTreeMap<Sku, Product> =
        locked.into_iter().map(|product| (product.sku().clone(), product)).collect();
    let mut answers = Vec::with_capacity(lines.size_hint().0);
    for line in lines {
        answers.push(match products.get_mut(line.sku()) {
            Some(product) => allocate(unit, attempt, product, line, now)?,
            None => Err(unknown_sku(line).into()),
        });
    }
    let changed: Vec<Product> = products.into_values().filter(|product| !product.events().is_empty()).collect();
    if changed.is_empty() {
        return Ok(Ending::Rollback(answers));
    }
    unit.products().save(&changed, now)?;
    Ok(Ending::Commit(answers))
}

/// What the decisions need: each SKU once, with its lines.
fn wanted<'a>(lines: impl Iterator<Item = &'a OrderLine>) -> Vec<Wanted> {
    let mut by_sku: BTreeMap<&Sku, Wanted> = BTreeMap::new();
    for line in lines {
        by_sku
            .entry(line.sku())
            .or_insert_with(|| Wanted { open_batches: true, ..Wanted::product(line.sku().clone()) })
            .order_ids
            .push(line.order_id().clone());
    }
    by_sku.into_values().collect()
}

fn allocate(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    product: &mut Product,
    line: &OrderLine,
    now: DateTime<Utc>,
) -> Result<Answer, StoreError> {
    let decision = decide(unit, product, |product| product.allocate(line.order_id(), line.quantity(), now))?;
    Ok(match decision {
        // What is there after a commit of unknown outcome was allocated by that commit.
        Ok(AllocationOutcome::Unchanged(line)) if attempt.settling => Ok(AllocationOutcome::Allocated(line)),
        Ok(outcome) => Ok(outcome),
        Err(AllocateError::OutOfStock(refusal)) => Err(refusal.into()),
        Err(AllocateError::LineAlreadyAllocated(refusal)) => Err(refusal.into()),
        Err(AllocateError::HoldExpired(refusal)) => Err(refusal.into()),
        Err(AllocateError::OrderCancelled(refusal)) => Err(refusal.into()),
        Err(AllocateError::MoreNeeded(needed)) => return Err(StoreError::Failed(needed.into())),
    })
}

fn unknown_sku(line: &OrderLine) -> OutOfStock {
    OutOfStock { sku: line.sku().clone(), requested: line.quantity(), available: 0 }
}

#[cfg(test)]
mod tests;

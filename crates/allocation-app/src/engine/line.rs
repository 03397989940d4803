//! Allocating standalone lines.

use super::error::EngineError;
use crate::unit_of_work::Attempt;
use allocation_domain::{AllocateError, LineAllocation, OrderLine, OutOfStock, Outcome, Products};
use allocation_ports::{StoreError, UnitOfWork};
use chrono::{DateTime, Utc};

/// The reply to a line.
pub(super) type LineReply = Result<Outcome<LineAllocation>, EngineError<AllocateError>>;

/// The decision on a line.
type LineDecision = Result<Outcome<LineAllocation>, AllocateError>;

/// Decides a line on its locked product.
///
/// # Isolation
///
/// The line itself, which identifies a repeat, the batches and the backorders are read under the lock of
/// the product. Lines of other products may have ended the order. This is read with the order's anchor
/// locked against units that end the order, until this unit ends. If the order has no line yet, this unit
/// adds the anchor, and conflicts with any other unit that adds it.
pub(crate) fn allocate(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    products: &mut Products,
    line: &OrderLine,
    now: DateTime<Utc>,
) -> Result<LineDecision, StoreError> {
    let Some(product) = products.get_mut(line.sku()) else {
        return Ok(Err(unknown_sku(line).into()));
    };
    let decided = unit.decide(product, |product| product.allocate(line.order_id(), line.quantity(), now))?;
    Ok(match decided {
        // A line that exists after an unknown commit was allocated by that commit.
        Ok(Outcome::Unchanged(line)) if attempt.resolving => Ok(Outcome::Changed(line)),
        decided => decided,
    })
}

/// Returns the outcome of a line whose time has run out: an earlier run's allocation, if its commit may
/// have happened.
///
/// Allocates nothing itself.
pub(super) fn resolve_line(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    products: &Products,
    line: &OrderLine,
    now: DateTime<Utc>,
) -> Result<LineReply, StoreError> {
    let Some(product) = products.get(line.sku()).filter(|_| attempt.resolving) else {
        return Ok(Err(EngineError::Overloaded));
    };
    let mut product = product.clone();
    let decided = unit.decide(&mut product, |product| product.allocate(line.order_id(), line.quantity(), now))?;
    Ok(match decided {
        Ok(Outcome::Unchanged(line)) => Ok(Outcome::Changed(line)),
        _ => Err(EngineError::Overloaded),
    })
}

fn unknown_sku(line: &OrderLine) -> OutOfStock {
    OutOfStock { sku: line.sku().clone(), requested: line.quantity(), available: 0 }
}

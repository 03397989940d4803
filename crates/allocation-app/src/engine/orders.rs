//! Placing orders.

use super::error::EngineError;
use crate::unit_of_work::Attempt;
use allocation_domain::{NewOrder, Order, OrderEnd, OrderId, Outcome, PlaceError, Products};
use allocation_ports::{StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// The reply to an order.
pub(super) type OrderReply = Result<Outcome<Order, ()>, EngineError<PlaceError>>;

/// The orders of a group: the existing ones and the placed ones.
#[derive(Debug, Default)]
pub(super) struct Orders {
    known: HashMap<OrderId, NewOrder>,
    /// Ids that had lines before, so that no order with such an id can be placed.
    with_lines: HashSet<OrderId>,
    placed: Vec<NewOrder>,
}

impl Orders {
    /// Looks up which of the orders exist.
    ///
    /// The locks on their products must be held already: only then can no other unit be placing the same
    /// order.
    ///
    /// # Isolation
    ///
    /// Lines and batches of the orders' products are read under their locks. An order as it was
    /// sent never changes, so one comparison identifies a repeat. A new id is claimed by a unique key when the order
    /// is added. Standalone lines of other products are looked up here without a lock. A later one
    /// conflicts with the anchor that the order adds with its lines, or is found when the order itself is
    /// added after them.
    pub(super) fn find(unit: &mut dyn UnitOfWork, order_ids: &[OrderId]) -> Result<Self, StoreError> {
        if order_ids.is_empty() {
            return Ok(Self::default());
        }
        let known = unit.orders().find(order_ids)?;
        let known = known.into_iter().map(|order| (order.order_id().clone(), order)).collect();
        let with_lines = unit.orders().with_lines(order_ids)?.into_iter().collect();
        Ok(Self { known, with_lines, placed: Vec::new() })
    }

    /// Decides an order on its locked products.
    pub(super) fn place(
        &mut self,
        unit: &mut dyn UnitOfWork,
        attempt: Attempt,
        products: &mut Products,
        order: &NewOrder,
        now: DateTime<Utc>,
    ) -> Result<OrderReply, StoreError> {
        if let Some(known) = self.known.get(order.order_id()) {
            return repeated(unit, known, attempt, products, order, now);
        }
        if self.with_lines.contains(order.order_id()) {
            return Ok(Err(already_exists(order)));
        }
        let decided = unit.decide(products, |products| products.place(order, now))?;
        if decided.is_ok() {
            self.known.insert(order.order_id().clone(), order.clone());
            self.placed.push(order.clone());
        }
        Ok(decided.map(Outcome::Changed).map_err(EngineError::Refused))
    }

    /// Returns the outcome of an order whose time has run out: an earlier run's order, if its commit may
    /// have happened.
    ///
    /// Places nothing itself.
    pub(super) fn resolve(&self, attempt: Attempt, products: &Products, order: &NewOrder) -> OrderReply {
        match self.known.get(order.order_id()).filter(|_| attempt.resolving) {
            Some(known) if known != order => Err(already_exists(order)),
            Some(_) => Ok(resolved(products, order)),
            None => Err(EngineError::Overloaded),
        }
    }

    /// Stores the orders that were placed.
    pub(super) fn add(&self, unit: &mut dyn UnitOfWork, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.placed.is_empty() { Ok(()) } else { unit.orders().add(&self.placed, now) }
    }
}

/// What placing an order would return: the order, or nothing if it already exists.
pub type OrderPreview = Outcome<Order, ()>;

/// Decides an order on its locked products as if it were placed. The caller saves nothing.
pub(crate) fn preview_order(
    unit: &mut dyn UnitOfWork,
    products: &mut Products,
    order: &NewOrder,
    now: DateTime<Utc>,
) -> Result<Result<OrderPreview, PlaceError>, StoreError> {
    let orders = Orders::find(unit, std::slice::from_ref(order.order_id()))?;
    match orders.known.get(order.order_id()) {
        Some(known) if known == order => {
            let end = end_of(unit, products, order.order_id(), now)?;
            return Ok(match end {
                Some(end) => Err(PlaceError::ended(order.order_id().clone(), end)),
                None => Ok(Outcome::Unchanged(())),
            });
        }
        None if !orders.with_lines.contains(order.order_id()) => {}
        _ => return Ok(Err(PlaceError::AlreadyExists(order.order_id().clone()))),
    }
    Ok(unit.decide(products, |products| products.place(order, now))?.map(Outcome::Changed))
}

/// Returns the outcome of a repeated order, or rejects another order with the same id. A repeat of an order that
/// has ended says how, since it does not place the order again.
fn repeated(
    unit: &mut dyn UnitOfWork,
    known: &NewOrder,
    attempt: Attempt,
    products: &Products,
    order: &NewOrder,
    now: DateTime<Utc>,
) -> Result<OrderReply, StoreError> {
    if known != order {
        return Ok(Err(already_exists(order)));
    }
    if attempt.resolving {
        return Ok(Ok(resolved(products, order)));
    }
    Ok(match end_of(unit, products, order.order_id(), now)? {
        Some(end) => Err(EngineError::Refused(PlaceError::ended(order.order_id().clone(), end))),
        None => Ok(Outcome::Unchanged(())),
    })
}

/// Returns the outcome of an order that exists after an unknown commit: it was placed by that commit.
fn resolved(products: &Products, order: &NewOrder) -> Outcome<Order, ()> {
    products.order(order.order_id()).map_or(Outcome::Unchanged(()), Outcome::Changed)
}

/// Returns how an order that was placed as a whole has ended, or `None` if it has not.
///
/// The lines of the locked products may show it. If they do not, because changes have replaced some of them, the stored
/// order does. That read needs no lock: a concurrent end comes before this decision or after it.
fn end_of(
    unit: &mut dyn UnitOfWork,
    products: &Products,
    order_id: &OrderId,
    now: DateTime<Utc>,
) -> Result<Option<OrderEnd>, StoreError> {
    if let Some(end) = products.end_of(order_id, now) {
        return Ok(Some(end));
    }
    Ok(unit.orders().load(order_id)?.and_then(|order| order.end(now)))
}

fn already_exists(order: &NewOrder) -> EngineError<PlaceError> {
    EngineError::Refused(PlaceError::AlreadyExists(order.order_id().clone()))
}

use crate::deciding::decide;
use crate::engine::SubmitError;
use crate::unit_of_work::Attempt;
use allocation_domain::{NewOrder, Order, OrderId, PlaceError, Products, Shortages, UnknownSkus};
use allocation_ports::{StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The outcome of placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceOrderOutcome {
    /// The order is new.
    Placed(Order),
    /// The same order was placed before; nothing changed.
    Unchanged,
}

/// The reason why an order is not placed. Nothing of it is stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlaceOrderError {
    /// The order rejects shortages, and these of its lines cannot be served.
    #[error(transparent)]
    OutOfStock(#[from] Shortages),
    /// Another order has this id, or one of its lines was sent standalone before.
    #[error("Order {0} exists already with other content")]
    AlreadyExists(OrderId),
    /// The order would wait for unregistered products.
    #[error(transparent)]
    UnknownSkus(#[from] UnknownSkus),
    /// Too many commands wait, or this one has waited too long.
    #[error("too many orders wait to be placed")]
    Overloaded,
    /// The engine has been shut down.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// The store failed; the commands of a group share its cause.
    #[error("the order was not placed")]
    Store(#[from] Arc<StoreError>),
}

impl From<SubmitError> for PlaceOrderError {
    fn from(reason: SubmitError) -> Self {
        match reason {
            SubmitError::Overloaded => Self::Overloaded,
            SubmitError::ShuttingDown => Self::ShuttingDown,
        }
    }
}

/// The reply to an order.
pub(crate) type OrderAnswer = Result<PlaceOrderOutcome, PlaceOrderError>;

/// The orders of a group: the existing ones and the placed ones.
#[derive(Debug, Default)]
pub(crate) struct Orders {
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
    /// Lines and batches of the orders' products are read under their locks. An existing order never
    /// changes, so one comparison identifies a repeat. A new id is claimed by a unique key when the order
    /// is added. Standalone lines of other products are looked up here without a lock. A later one
    /// conflicts with the anchor that the order adds with its lines, or is found when the order itself is
    /// added after them.
    pub(crate) fn find(unit: &mut dyn UnitOfWork, order_ids: &[OrderId]) -> Result<Self, StoreError> {
        if order_ids.is_empty() {
            return Ok(Self::default());
        }
        let known = unit.orders().find(order_ids)?;
        let known = known.into_iter().map(|order| (order.order_id().clone(), order)).collect();
        let with_lines = unit.orders().with_lines(order_ids)?.into_iter().collect();
        Ok(Self { known, with_lines, placed: Vec::new() })
    }

    /// Decides an order on its locked products.
    pub(crate) fn place(
        &mut self,
        unit: &mut dyn UnitOfWork,
        attempt: Attempt,
        products: &mut Products,
        order: &NewOrder,
        now: DateTime<Utc>,
    ) -> Result<OrderAnswer, StoreError> {
        if let Some(known) = self.known.get(order.order_id()) {
            return Ok(repeated(known, attempt, products, order));
        }
        if self.with_lines.contains(order.order_id()) {
            return Ok(Err(PlaceOrderError::AlreadyExists(order.order_id().clone())));
        }
        Ok(match decide(unit, products, |products| products.place(order, now))? {
            Ok(placed) => {
                self.known.insert(order.order_id().clone(), order.clone());
                self.placed.push(order.clone());
                Ok(PlaceOrderOutcome::Placed(placed))
            }
            Err(PlaceError::OutOfStock(shortages)) => Err(shortages.into()),
            Err(PlaceError::UnknownSkus(unknown)) => Err(unknown.into()),
            Err(PlaceError::AlreadyExists(order_id)) => Err(PlaceOrderError::AlreadyExists(order_id)),
            Err(PlaceError::MoreNeeded(needed)) => return Err(StoreError::Failed(needed.into())),
        })
    }

    /// Returns the outcome of an order whose time has run out: an earlier run's order, if its commit may
    /// have happened.
    ///
    /// Places nothing itself.
    pub(crate) fn resolve(&self, attempt: Attempt, products: &Products, order: &NewOrder) -> OrderAnswer {
        match self.known.get(order.order_id()).filter(|_| attempt.resolving) {
            Some(known) => repeated(known, attempt, products, order),
            None => Err(PlaceOrderError::Overloaded),
        }
    }

    /// Stores the orders that were placed.
    pub(crate) fn add(&self, unit: &mut dyn UnitOfWork, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.placed.is_empty() { Ok(()) } else { unit.orders().add(&self.placed, now) }
    }
}

/// Returns the outcome of a repeated order, or rejects another order with the same id.
fn repeated(known: &NewOrder, attempt: Attempt, products: &Products, order: &NewOrder) -> OrderAnswer {
    if known != order {
        return Err(PlaceOrderError::AlreadyExists(order.order_id().clone()));
    }
    // An order that exists after an unknown commit was placed by that commit.
    let placed = products.order(order.order_id()).filter(|_| attempt.resolving);
    Ok(placed.map_or(PlaceOrderOutcome::Unchanged, PlaceOrderOutcome::Placed))
}

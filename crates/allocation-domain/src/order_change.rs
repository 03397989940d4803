//! Changes of orders: lines that are added, raised, lowered or removed, and other terms.

use crate::{
    HoldDuration, HoldExpired, HoldTooLong, LineState, NewOrder, NewOrderError, OnShortage, Order, OrderCancelled,
    OrderClosed, OrderId, OrderLine, OrderVersion, Promises, Quantity, ReservationState, Shortages, Sku, Units,
    UnknownSkus,
};
use std::collections::BTreeSet;

/// New terms of an order; a term that is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TermsChange {
    /// The priority; a higher number is served first.
    pub priority: Option<i32>,
    /// The policy when stock is short.
    pub on_shortage: Option<OnShortage>,
    /// Whether the lines accept a part of their backordered units, or only all of them.
    pub allow_split: Option<bool>,
    /// Whether the lines move to earlier batches when units of them come free.
    pub promises: Option<Promises>,
    /// Whether pick lists leave the order out until all of it is in stock.
    pub ship_complete: Option<bool>,
    /// The time from now until which the order is held. It never shortens a hold.
    pub hold: Option<HoldDuration>,
}

/// A change of an order: the quantities of some lines, and new terms for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderChange {
    order_id: OrderId,
    lines: Vec<(Sku, Units)>,
    terms: TermsChange,
    expected: Option<BTreeSet<OrderVersion>>,
}

impl OrderChange {
    /// Creates a change. Each line gets its quantity, and a line of zero units is removed; lines that are not
    /// named stay.
    ///
    /// # Errors
    ///
    /// [`NewOrderError`] for more than [`NewOrder::MAX_LINES`] lines, for two lines of one SKU, and for a line
    /// whose key is too long to be stored.
    pub fn new(
        order_id: OrderId,
        lines: impl IntoIterator<Item = (Sku, Units)>,
        terms: TermsChange,
    ) -> Result<Self, NewOrderError> {
        let mut lines: Vec<_> = lines.into_iter().collect();
        if lines.len() > NewOrder::MAX_LINES {
            return Err(NewOrderError::LineCount(lines.len()));
        }
        lines.sort_by(|one, other| one.0.cmp(&other.0));
        if let Some(pair) = lines.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(NewOrderError::RepeatedSku(pair[0].0.clone()));
        }
        for (sku, units) in &lines {
            if let Ok(quantity) = Quantity::new(units.get()) {
                OrderLine::new(order_id.clone(), sku.clone(), quantity)?;
            }
        }
        Ok(Self { order_id, lines, terms, expected: None })
    }

    /// Returns the same change for an order that has one of these versions, or any if they are `None`.
    #[must_use]
    pub fn if_version(self, expected: Option<BTreeSet<OrderVersion>>) -> Self {
        Self { expected, ..self }
    }

    /// Returns the order id.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// Returns the quantities of the named lines, sorted by SKU.
    #[must_use]
    pub fn lines(&self) -> &[(Sku, Units)] {
        &self.lines
    }

    /// Returns the new terms.
    #[must_use]
    pub const fn terms(&self) -> &TermsChange {
        &self.terms
    }

    /// Returns whether the change accepts a version.
    #[must_use]
    pub fn expects(&self, version: OrderVersion) -> bool {
        self.expected.as_ref().is_none_or(|expected| expected.contains(&version))
    }

    /// Returns whether an order already is as requested. A change with a hold always counts as new.
    #[must_use]
    pub fn is_made(&self, order: &Order) -> bool {
        self.terms.hold.is_none() && self.is_made_but_for_hold(order)
    }

    /// Returns whether an order already is as requested, whatever its hold.
    #[must_use]
    pub fn is_made_but_for_hold(&self, order: &Order) -> bool {
        let living = || order.lines.iter().filter(|(_, line)| line.lives());
        let has_quantity = |(sku, units): &(Sku, Units)| {
            let found = living().find(|(other, _)| other == sku);
            found.map_or(0, |(_, line)| line.quantity.get()) == units.get()
        };
        let TermsChange { priority, on_shortage, allow_split, promises, ship_complete, .. } = self.terms;
        let has_terms = |line: &LineState| {
            priority.is_none_or(|priority| priority == line.terms.priority)
                && on_shortage.is_none_or(|on_shortage| on_shortage == line.terms.on_shortage)
                && allow_split.is_none_or(|allow_split| allow_split == line.terms.allow_split)
                && promises.is_none_or(|promises| promises == line.terms.promises)
                && ship_complete.is_none_or(|ship_complete| ship_complete == line.terms.ship_complete)
        };
        // Without its last line, an order is cancelled. One that has only expired is not as requested.
        let is_emptied = || {
            let was_cancelled = |(_, line): &(Sku, LineState)| line.commitment == ReservationState::Cancelled;
            !self.lines.is_empty() && order.lines.iter().any(was_cancelled)
        };
        (living().next().is_some() || is_emptied())
            && self.lines.iter().all(has_quantity)
            && living().all(|(_, line)| has_terms(line))
    }
}

/// An error returned when changing an order. The order is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ChangeOrderError {
    /// The order does not exist.
    #[error("There is no order {0}")]
    NotFound(OrderId),
    /// The order has another version than expected.
    #[error("Order {order_id} has changed")]
    Stale {
        /// The order.
        order_id: OrderId,
        /// The version of the order.
        actual: OrderVersion,
    },
    /// The hold has expired.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order was cancelled.
    #[error(transparent)]
    Cancelled(#[from] OrderCancelled),
    /// The order was closed.
    #[error(transparent)]
    Closed(#[from] OrderClosed),
    /// The order is firm, so it has no hold to extend.
    #[error("Order {0} is not on hold")]
    NotHeld(OrderId),
    /// The hold would last too long.
    #[error(transparent)]
    TooLong(#[from] HoldTooLong),
    /// More units of a line were picked than it would have.
    #[error("{picked} units of SKU {sku} were picked for order {order_id}, so its line cannot have {requested}")]
    Picked {
        /// The order.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The units that were picked, shipped or not.
        picked: u32,
        /// The requested quantity.
        requested: Units,
    },
    /// The order rejects shortages, and some lines cannot be served.
    #[error(transparent)]
    OutOfStock(#[from] Shortages),
    /// The order would wait for unknown products.
    #[error(transparent)]
    UnknownSkus(#[from] UnknownSkus),
    /// The order would have more lines than any order may have.
    #[error("Order {0} would have more than {max} lines", max = NewOrder::MAX_LINES)]
    TooManyLines(OrderId),
}

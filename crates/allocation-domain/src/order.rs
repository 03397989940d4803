//! Orders: lines that are placed, held, confirmed and cancelled together.

use crate::named::named;
use crate::{
    HoldDuration, HoldExpired, HoldTooLong, LineState, LineTerms, LineTooLong, OnShortage, OrderCancelled, OrderClosed,
    OrderEnd, OrderId, OrderLine, OrderVersion, OutOfStock, Promises, Quantity, ReservationState, Sku, Standing,
};
use chrono::{DateTime, SubsecRound, Utc};

/// The terms of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTerms {
    /// The policy when stock is short.
    pub on_shortage: OnShortage,
    /// The duration of the hold, `None` for a firm order.
    pub hold: Option<HoldDuration>,
    /// The priority; a higher number is served first.
    pub priority: i32,
    /// Whether its lines accept a part of their backordered units, or only all of them.
    pub allow_split: bool,
    /// Whether its lines move to earlier batches when units of them come free.
    pub promises: Promises,
    /// Whether pick lists leave the order out until all of it is in stock.
    pub ship_complete: bool,
}

impl Default for OrderTerms {
    fn default() -> Self {
        let (on_shortage, promises) = (OnShortage::Reject, Promises::Fair);
        Self { on_shortage, hold: None, priority: 0, allow_split: true, promises, ship_complete: false }
    }
}

impl OrderTerms {
    /// Returns the terms of a line of this order.
    #[must_use]
    pub fn of_line(&self, placed_at: DateTime<Utc>) -> LineTerms {
        let Self { on_shortage, priority, allow_split, promises, ship_complete, .. } = *self;
        let placed_at = placed_at.trunc_subsecs(6);
        LineTerms { of_order: true, priority, placed_at, on_shortage, allow_split, promises, ship_complete }
    }

    /// Returns the initial reservation state of a line of this order.
    #[must_use]
    pub fn commitment(&self, placed_at: DateTime<Utc>) -> ReservationState {
        self.hold.map_or(ReservationState::Firm, |hold| ReservationState::Held { expires_at: hold.after(placed_at) })
    }
}

/// An error for lines that are not a valid order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum NewOrderError {
    /// There are no lines, or too many.
    #[error("an order has from 1 to {max} lines, not {0}", max = NewOrder::MAX_LINES)]
    LineCount(usize),
    /// Two lines have the same SKU.
    #[error("SKU {0} has more than one line")]
    RepeatedSku(Sku),
    /// The key of a line is too long to be stored.
    #[error(transparent)]
    LineTooLong(#[from] LineTooLong),
}

/// An order as it was sent: one line for each SKU, sorted by SKU.
///
/// Two orders with the same content are equal, whatever the sequence of their lines. A store compares
/// them with `==` so that a retry can be distinguished from another order with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    order_id: OrderId,
    lines: Vec<(Sku, Quantity)>,
    terms: OrderTerms,
}

impl NewOrder {
    /// The maximum number of lines of an order.
    pub const MAX_LINES: usize = 500;

    /// Creates an order from its lines.
    ///
    /// # Errors
    ///
    /// [`NewOrderError`] for no line, for more than [`Self::MAX_LINES`], for two lines of one SKU,
    /// and for a line whose key is too long to be stored.
    pub fn new(
        order_id: OrderId,
        lines: impl IntoIterator<Item = (Sku, Quantity)>,
        terms: OrderTerms,
    ) -> Result<Self, NewOrderError> {
        let mut lines: Vec<_> = lines.into_iter().collect();
        if lines.is_empty() || lines.len() > Self::MAX_LINES {
            return Err(NewOrderError::LineCount(lines.len()));
        }
        lines.sort_by(|one, other| one.0.cmp(&other.0));
        if let Some(pair) = lines.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(NewOrderError::RepeatedSku(pair[0].0.clone()));
        }
        for (sku, quantity) in &lines {
            OrderLine::new(order_id.clone(), sku.clone(), *quantity)?;
        }
        Ok(Self { order_id, lines, terms })
    }

    /// Returns the order id.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// Returns the lines, sorted by SKU.
    #[must_use]
    pub fn lines(&self) -> &[(Sku, Quantity)] {
        &self.lines
    }

    /// Returns the terms.
    #[must_use]
    pub const fn terms(&self) -> &OrderTerms {
        &self.terms
    }
}

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// It holds all its units, some of them on hold.
    Held,
    /// It holds all its units firmly.
    Allocated,
    /// It holds or has picked some of its units. It waits for the others or has released them.
    PartiallyAllocated,
    /// It holds nothing and waits.
    Backordered,
    /// All its units are picked, and none is shipped.
    Picked,
    /// Some of its units are shipped, and more are to come: allocated, backordered or picked ones.
    PartiallyShipped,
    /// All its units are shipped.
    Shipped,
    /// It lost units although it does not accept backorders, and they are not replaced yet.
    Short,
    /// Its hold has expired.
    Expired,
    /// It was cancelled, or has released all its units.
    Cancelled,
    /// It was closed and its picked units are shipped, or it has released all units that are not shipped.
    Closed,
}

named!(
    OrderStatus:
    Held = "held",
    Allocated = "allocated",
    PartiallyAllocated = "partially_allocated",
    Backordered = "backordered",
    Picked = "picked",
    PartiallyShipped = "partially_shipped",
    Shipped = "shipped",
    Short = "short",
    Expired = "expired",
    Cancelled = "cancelled",
    Closed = "closed",
);

impl OrderStatus {
    /// Returns the status of an order at an instant, given its lines.
    ///
    /// A line stands while it is firm or closed, or held in an order without an expired line. A standing line
    /// is live unless it is idle ([`LineState::is_idle`]). Without a live line the order is expired
    /// if one of its lines has expired, closed if one was closed, else cancelled. Otherwise the first rule that
    /// holds decides:
    ///
    /// * short if a live line is short;
    /// * shipped or closed if no live line has allocated, backordered or picked units: shipped if all units of
    ///   the standing lines are shipped and no line has expired;
    /// * partially shipped if units of a live line are shipped;
    /// * backordered if no live line has allocated or picked units;
    /// * partially allocated if a line has expired, or a standing line that is not closed has fewer units than
    ///   ordered; picked units count;
    /// * held if a live line is held;
    /// * picked if no live line has allocated units;
    /// * allocated.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a LineState>, now: DateTime<Utc>) -> Self {
        let lines: Vec<_> = lines.into_iter().collect();
        let expired = lines.iter().any(|line| line.commitment.has_expired(now));
        let stands = |line: &&&LineState| match line.commitment {
            ReservationState::Firm | ReservationState::Closed => true,
            ReservationState::Held { .. } => !expired,
            ReservationState::Expired | ReservationState::Cancelled => false,
        };
        let standing: Vec<_> = lines.iter().copied().filter(|line| stands(&line)).collect();
        let living: Vec<_> = standing.iter().copied().filter(|line| !line.is_idle()).collect();
        if !living.is_empty() {
            return Self::of_living(&living, &standing, expired);
        }
        let is_closed = |line: &&LineState| line.commitment == ReservationState::Closed;
        match expired {
            true => Self::Expired,
            false if lines.iter().any(is_closed) => Self::Closed,
            false => Self::Cancelled,
        }
    }

    /// Returns the status of an order with live lines.
    fn of_living(living: &[&LineState], standing: &[&LineState], expired: bool) -> Self {
        let is_to_come = |line: &&LineState| line.fulfilment.shipped < line.served() + line.waiting;
        let is_shipped = |line: &&LineState| line.fulfilment.shipped == line.quantity.get();
        let lacks_units =
            |line: &&LineState| line.commitment != ReservationState::Closed && line.served() < line.quantity.get();
        if living.iter().any(|line| line.is_short()) {
            Self::Short
        } else if !living.iter().any(is_to_come) {
            if !expired && standing.iter().all(is_shipped) { Self::Shipped } else { Self::Closed }
        } else if living.iter().any(|line| line.fulfilment.shipped > 0) {
            Self::PartiallyShipped
        } else if living.iter().all(|line| line.served() == 0) {
            Self::Backordered
        } else if expired || standing.iter().any(lacks_units) {
            Self::PartiallyAllocated
        } else if living.iter().any(|line| line.commitment.expires_at().is_some()) {
            Self::Held
        } else if living.iter().all(|line| line.allocations.is_empty()) {
            Self::Picked
        } else {
            Self::Allocated
        }
    }
}

/// An order with its lines and their allocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order id.
    pub order_id: OrderId,
    /// The lines, sorted by SKU.
    pub lines: Vec<(Sku, LineState)>,
}

impl Order {
    /// Returns the status of the order.
    #[must_use]
    pub fn status(&self, now: DateTime<Utc>) -> OrderStatus {
        OrderStatus::of(self.lines.iter().map(|(_, line)| line), now)
    }

    /// Returns how the order has ended at an instant, or `None` if it has not.
    #[must_use]
    pub fn end(&self, now: DateTime<Utc>) -> Option<OrderEnd> {
        Standing::of(self.lines.iter().map(|(_, line)| line), now).end()
    }

    /// Returns whether all lines of the order are complete ([`LineState::is_complete`]).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.lines.iter().all(|(_, line)| line.is_complete())
    }

    /// Returns whether the order ships complete: pick lists leave it out until all of it is in stock.
    #[must_use]
    pub fn ships_complete(&self) -> bool {
        self.lines.iter().any(|(_, line)| line.terms.ship_complete)
    }

    /// Returns whether all units of the order are firmly allocated in stock, picked or shipped. Lines that have ended
    /// do not count.
    #[must_use]
    pub fn is_in_stock(&self) -> bool {
        self.lines.iter().all(|(_, line)| line.is_in_stock() || !line.lives())
    }

    /// Returns the version of the order, which must have all its lines.
    #[must_use]
    pub fn version(&self) -> OrderVersion {
        OrderVersion::of_lines(&self.lines)
    }

    /// Returns the earliest expiry of its held lines, past or future, or `None` if no line is held.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.lines.iter().filter_map(|(_, line)| line.commitment.expires_at()).min()
    }
}

/// An error for an order with lines that need more units than are free.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Stock is short of {} lines of the order", .0.len())]
pub struct Shortages(
    /// The requested and free units of each such line, sorted by SKU.
    pub Vec<OutOfStock>,
);

/// An error for an order that accepts backorders for SKUs without a product.
///
/// Such a SKU was never registered and never had a batch, so it may never arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} SKUs of the order belong to no product", .0.len())]
pub struct UnknownSkus(
    /// The SKUs, sorted.
    pub Vec<Sku>,
);

/// An error returned when placing an order. Nothing of the order is placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum PlaceError {
    /// The order rejects shortages, and some lines cannot be served.
    #[error(transparent)]
    OutOfStock(#[from] Shortages),
    /// A line of an order with this id already exists.
    #[error("Order {0} exists already with other content")]
    AlreadyExists(OrderId),
    /// The order would wait for unknown products.
    #[error(transparent)]
    UnknownSkus(#[from] UnknownSkus),
    /// The order was placed before, and its hold has expired.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order was placed before, and was cancelled.
    #[error(transparent)]
    Cancelled(#[from] OrderCancelled),
    /// The order was placed before, and was closed.
    #[error(transparent)]
    Closed(#[from] OrderClosed),
}

impl PlaceError {
    /// Returns the error for an order that was placed before and has ended.
    #[must_use]
    pub fn ended(order_id: OrderId, end: OrderEnd) -> Self {
        match end {
            OrderEnd::Expired => HoldExpired { order_id }.into(),
            OrderEnd::Cancelled => OrderCancelled { order_id }.into(),
            OrderEnd::Closed => OrderClosed { order_id }.into(),
        }
    }
}

/// An error returned when confirming an order. The order is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ConfirmError {
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
    /// The hold has expired, the order rejects shortages, and some lines cannot be served again.
    #[error(transparent)]
    OutOfStock(#[from] Shortages),
    /// The hold has expired.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order was cancelled.
    #[error(transparent)]
    Cancelled(#[from] OrderCancelled),
    /// The order was closed.
    #[error(transparent)]
    Closed(#[from] OrderClosed),
}

/// An error returned when extending a hold. The order is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ExtendError {
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
    /// The order is firm.
    #[error("Order {0} is not on hold")]
    NotHeld(OrderId),
    /// The hold would last too long.
    #[error(transparent)]
    TooLong(#[from] HoldTooLong),
}

/// An error returned when cancelling an order.
///
/// The order is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum CancelError {
    /// The order does not exist.
    #[error("There is no order {0}")]
    NotFound(OrderId),
    /// Units of the order are picked or shipped.
    #[error("Units of order {0} were picked")]
    Picked(OrderId),
    /// The order has another version than expected.
    #[error("Order {order_id} has changed")]
    Stale {
        /// The order.
        order_id: OrderId,
        /// The version of the order.
        actual: OrderVersion,
    },
}

/// An error returned when closing an order. The order is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum CloseError {
    /// The order does not exist.
    #[error("There is no order {0}")]
    NotFound(OrderId),
    /// The hold has expired.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order was cancelled.
    #[error(transparent)]
    Cancelled(#[from] OrderCancelled),
    /// The order has another version than expected.
    #[error("Order {order_id} has changed")]
    Stale {
        /// The order.
        order_id: OrderId,
        /// The version of the order.
        actual: OrderVersion,
    },
}

#[cfg(test)]
mod tests;

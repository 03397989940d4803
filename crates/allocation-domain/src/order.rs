//! Orders: lines that are placed, held, confirmed and cancelled as one.

use crate::{
    HoldDuration, HoldExpired, LineState, LineTerms, LineTooLong, MoreNeeded, OrderCancelled, OrderId, OrderLine,
    OutOfStock, Quantity, ReservationState, Sku,
};
use chrono::{DateTime, SubsecRound, Utc};

/// What becomes of an order that cannot be allocated whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OnShortage {
    /// It is refused as a whole.
    #[default]
    Reject,
    /// What can be allocated is, the rest waits.
    Backorder,
}

/// What is agreed of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTerms {
    /// What becomes of it when stock is short.
    pub on_shortage: OnShortage,
    /// For how long its units are held until it is confirmed, `None` for an order that is firm.
    pub hold: Option<HoldDuration>,
    /// Who is served first: the higher number.
    pub priority: i32,
    /// Whether its lines take parts of what they wait for, or only their whole rest.
    pub allow_split: bool,
}

impl Default for OrderTerms {
    fn default() -> Self {
        Self { on_shortage: OnShortage::Reject, hold: None, priority: 0, allow_split: true }
    }
}

impl OrderTerms {
    /// The terms of a line of this order.
    #[must_use]
    pub fn of_line(&self, placed_at: DateTime<Utc>) -> LineTerms {
        let Self { on_shortage, priority, allow_split, .. } = *self;
        LineTerms { of_order: true, priority, placed_at: placed_at.trunc_subsecs(6), on_shortage, allow_split }
    }

    /// How firmly a line of this order keeps its units at first.
    #[must_use]
    pub fn commitment(&self, placed_at: DateTime<Utc>) -> ReservationState {
        self.hold.map_or(ReservationState::Firm, |hold| ReservationState::Held { expires_at: hold.after(placed_at) })
    }
}

/// Why lines are no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewOrderError {
    /// There are no lines, or too many.
    #[error("an order has from 1 to {max} lines, not {0}", max = NewOrder::MAX_LINES)]
    LineCount(usize),
    /// Two lines have the same SKU.
    #[error("SKU {0} has more than one line")]
    RepeatedSku(Sku),
    /// A line is too long to be kept.
    #[error(transparent)]
    LineTooLong(#[from] LineTooLong),
}

/// An order as it is sent: one line for each SKU, sorted by it.
///
/// Two of them are equal when they say the same, in whatever order their lines came: a store that
/// keeps what was sent tells a repeat from another order by `==`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    order_id: OrderId,
    lines: Vec<(Sku, Quantity)>,
    terms: OrderTerms,
}

impl NewOrder {
    /// How many lines an order may have.
    pub const MAX_LINES: usize = 500;

    /// Makes an order of its lines.
    ///
    /// # Errors
    ///
    /// [`NewOrderError`] for no line or more than [`Self::MAX_LINES`], for a SKU with two lines,
    /// and for a line that is too long to be kept.
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

    /// The name of the order.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// What is ordered, sorted by SKU.
    #[must_use]
    pub fn lines(&self) -> &[(Sku, Quantity)] {
        &self.lines
    }

    /// What is agreed.
    #[must_use]
    pub const fn terms(&self) -> &OrderTerms {
        &self.terms
    }
}

/// What an order has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum OrderStatus {
    /// It holds all its units, and some of them only until its hold expires.
    Held,
    /// It holds all its units firmly.
    Allocated,
    /// It holds some of its units; for the others it waits, or it has given them back.
    PartiallyAllocated,
    /// It holds nothing and waits.
    Backordered,
    /// All its units are picked, and not all of them shipped.
    Picked,
    /// All its units are shipped.
    Shipped,
    /// It has lost units without having asked to wait, and does not have them back yet.
    Short,
    /// Its hold has expired.
    Expired,
    /// It was cancelled, or has given back all it had.
    Cancelled,
}

impl OrderStatus {
    /// The status as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Allocated => "allocated",
            Self::PartiallyAllocated => "partially_allocated",
            Self::Backordered => "backordered",
            Self::Picked => "picked",
            Self::Shipped => "shipped",
            Self::Short => "short",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// What lines have come to as one order, at an instant.
    ///
    /// A line lives while it is firm, or held by an order of which no line has expired, and has
    /// anything left. Without a living line the order has expired if one of its lines has, else it
    /// is cancelled. Otherwise its living lines decide: short if one of them is; backordered if
    /// they have had nothing; partially allocated if they lack anything, what was picked and
    /// shipped is had, or another line has given back all it had or has expired; held if one of them is held;
    /// shipped if all their units are; picked if all are picked or shipped; allocated.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a LineState>, now: DateTime<Utc>) -> Self {
        let lines: Vec<_> = lines.into_iter().collect();
        let expired = lines.iter().any(|line| line.commitment.has_expired(now));
        let stands = |line: &&&LineState| match line.commitment {
            ReservationState::Firm => true,
            ReservationState::Held { .. } => !expired,
            ReservationState::Expired | ReservationState::Cancelled => false,
        };
        let standing: Vec<_> = lines.iter().filter(stands).collect();
        let living: Vec<_> = standing.iter().filter(|line| !line.is_idle()).collect();
        if living.is_empty() {
            return if expired { Self::Expired } else { Self::Cancelled };
        }
        if living.iter().any(|line| line.is_short()) {
            Self::Short
        } else if living.iter().all(|line| line.served() == 0) {
            Self::Backordered
        } else if expired || standing.iter().any(|line| line.served() < line.quantity.get()) {
            Self::PartiallyAllocated
        } else if living.iter().any(|line| line.commitment.expires_at().is_some()) {
            Self::Held
        } else if living.iter().all(|line| line.fulfilment.shipped == line.quantity.get()) {
            Self::Shipped
        } else if living.iter().all(|line| line.allocations.is_empty()) {
            Self::Picked
        } else {
            Self::Allocated
        }
    }
}

/// An order with what its lines hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The name of the order.
    pub order_id: OrderId,
    /// Its lines, sorted by SKU.
    pub lines: Vec<(Sku, LineState)>,
}

impl Order {
    /// What the order has come to.
    #[must_use]
    pub fn status(&self, now: DateTime<Utc>) -> OrderStatus {
        OrderStatus::of(self.lines.iter().map(|(_, line)| line), now)
    }

    /// When its hold expires or has expired unnoticed, `None` when nothing is held.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.lines.iter().filter_map(|(_, line)| line.commitment.expires_at()).min()
    }
}

/// All lines of an order that stock is short of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Stock is short of {} lines of the order", .0.len())]
pub struct Shortages(
    /// What each of them needs and what is there, sorted by SKU.
    pub Vec<OutOfStock>,
);

/// SKUs of an order that asks to wait, which are those of no product: what nobody has registered, and
/// nobody has ever added a batch of, may never come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} of the SKUs of the order are those of no product", .0.len())]
pub struct UnknownSkus(
    /// The SKUs, sorted.
    pub Vec<Sku>,
);

/// Why an order is not placed. Nothing of it is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The order asks for all or nothing, and some lines cannot be served.
    #[error(transparent)]
    OutOfStock(#[from] Shortages),
    /// There is a line of an order of that name already.
    #[error("Order {0} exists already")]
    AlreadyExists(OrderId),
    /// The order would wait for products that are not known.
    #[error(transparent)]
    UnknownSkus(#[from] UnknownSkus),
    /// What is at hand does not decide.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

/// Why an order is not confirmed. Nothing of it is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// There is no such order.
    #[error("There is no order {0}")]
    NotFound(OrderId),
    /// Its time is up.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// It was cancelled.
    #[error(transparent)]
    Cancelled(#[from] OrderCancelled),
}

/// Why a hold is not prolonged. None of the order is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// There is no such order.
    #[error("There is no order {0}")]
    NotFound(OrderId),
    /// Its time is up.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// It was cancelled.
    #[error(transparent)]
    Cancelled(#[from] OrderCancelled),
    /// The order is firm.
    #[error("Order {0} is not on hold")]
    NotHeld(OrderId),
}

/// Why an order is not cancelled. Nothing of it is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// There is no such order.
    #[error("There is no order {0}")]
    NotFound(OrderId),
    /// Units of it were picked: that is not undone.
    #[error("Units of order {0} were picked")]
    Picked(OrderId),
    /// What is at hand does not decide who gets the units.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

#[cfg(test)]
mod tests;

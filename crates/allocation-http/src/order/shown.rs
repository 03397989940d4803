use crate::allocation::Part;
use crate::identifier::Identifier;
use crate::instant::Instant;
use crate::quantity::is_none;
use allocation_domain::{Fulfilment, LineState, OrderStatus, Sku};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// An order with what its lines hold.
#[derive(Serialize, ToSchema)]
pub(crate) struct Order<'a> {
    /// The name of the order.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// What the order has come to.
    #[schema(value_type = StatusSchema)]
    status: &'static str,
    /// Its lines, by SKU.
    lines: Vec<Line<'a>>,
    /// Until when the order is held. Absent when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime, example = "2027-01-15T08:10:00Z")]
    expires_at: Option<Instant>,
}

/// A line of an order with what it holds.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(crate) struct Line<'a> {
    /// What is ordered.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// How many units are ordered.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// How many units the line holds that were not picked yet.
    #[schema(value_type = i32, minimum = 0, example = 10)]
    allocated: u32,
    /// How many units the line waits for.
    #[schema(value_type = i32, minimum = 0, example = 0)]
    backordered: u32,
    /// How many units were picked and not shipped yet. Absent when none.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    picked: u32,
    /// How many units were shipped. Absent when none.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    shipped: u32,
    /// The batches that serve the line, the most preferred first: what was picked has left them.
    allocations: Vec<Part<'a>>,
}

/// What an order has come to.
#[derive(ToSchema)]
#[schema(as = OrderStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum StatusSchema {
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

/// All that an order can have come to.
pub(super) const STATUSES: [OrderStatus; 9] = [
    OrderStatus::Held,
    OrderStatus::Allocated,
    OrderStatus::PartiallyAllocated,
    OrderStatus::Backordered,
    OrderStatus::Picked,
    OrderStatus::Shipped,
    OrderStatus::Short,
    OrderStatus::Expired,
    OrderStatus::Cancelled,
];

impl<'a> Order<'a> {
    /// An order at an instant.
    pub(super) fn at(order: &'a allocation_domain::Order, now: DateTime<Utc>) -> Self {
        let expired = order.lines.iter().any(|(_, line)| line.commitment.has_expired(now));
        Self {
            order_id: order.order_id.as_str(),
            status: order.status(now).name(),
            lines: order.lines.iter().map(|(sku, line)| Line::at(sku, line, now)).collect(),
            expires_at: order.expires_at().filter(|_| !expired).map(Instant),
        }
    }
}

impl<'a> Line<'a> {
    /// A line at an instant. From the instant at which its hold expires its units are free for
    /// others, and it waits no more, though nobody may have written that down yet.
    fn at(sku: &'a Sku, line: &'a LineState, now: DateTime<Utc>) -> Self {
        let (sku, qty) = (sku.as_str(), line.quantity.get());
        if line.commitment.has_expired(now) {
            let allocations = Vec::new();
            return Self { sku, qty, allocated: 0, backordered: 0, picked: 0, shipped: 0, allocations };
        }
        let allocations = line.allocations.iter().map(Part::from).collect();
        let Fulfilment { picked, shipped, .. } = line.fulfilment;
        Self { sku, qty, allocated: line.allocated(), backordered: line.waiting, picked, shipped, allocations }
    }
}

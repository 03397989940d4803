use crate::allocation::Part;
use crate::identifier::Identifier;
use crate::instant::Instant;
use crate::quantity::is_none;
use allocation_domain::{Fulfilment, LineState, OrderStatus, Sku};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// An order with the allocations of its lines.
#[derive(Serialize, ToSchema)]
pub(crate) struct Order<'a> {
    /// The id of the order.
    #[schema(value_type = Identifier)]
    order_id: &'a str,
    /// The status of the order.
    #[schema(value_type = StatusSchema)]
    status: &'static str,
    /// The lines, sorted by SKU.
    lines: Vec<Line<'a>>,
    /// The time at which the hold expires. Absent if the order is not held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime, example = "2027-01-15T08:10:00Z")]
    expires_at: Option<Instant>,
}

/// An order line with its allocations.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(crate) struct Line<'a> {
    /// The ordered SKU.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    qty: u32,
    /// Units allocated and not picked yet.
    #[schema(value_type = i32, minimum = 0, example = 10)]
    allocated: u32,
    /// Units that the line waits for.
    #[schema(value_type = i32, minimum = 0, example = 0)]
    backordered: u32,
    /// Units picked but not shipped yet. Absent if zero.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    picked: u32,
    /// Units shipped. Absent if zero.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    shipped: u32,
    /// The batches that serve the line, in order of preference, without picked units.
    allocations: Vec<Part<'a>>,
}

/// The status of an order.
#[derive(ToSchema)]
#[schema(as = OrderStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum StatusSchema {
    /// All units are allocated, some of them only until the hold expires.
    Held,
    /// All units are allocated firmly.
    Allocated,
    /// Some units are allocated; the others are backordered or were deallocated.
    PartiallyAllocated,
    /// No units are allocated, and the order waits.
    Backordered,
    /// All units are picked, and not all of them are shipped.
    Picked,
    /// All units are shipped.
    Shipped,
    /// The order lost units, does not accept backorders, and has no replacement yet.
    Short,
    /// The hold has expired.
    Expired,
    /// The order was cancelled, or all its units were deallocated.
    Cancelled,
}

/// All statuses of orders.
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
    /// Returns an order as of an instant.
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
    /// Returns a line as of an instant. Once its hold has expired, it has no units and waits for none, even if
    /// the expiry is not recorded yet.
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

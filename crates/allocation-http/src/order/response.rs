use crate::allocation::Part;
use crate::choice::choice_schema;
use crate::identifier::Id;
use crate::instant::Instant;
use crate::quantity::is_zero;
use allocation_domain::{Fulfilment, LineState, OrderStatus, Sku};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// An order with the allocations of its lines.
#[derive(Serialize, ToSchema)]
pub(crate) struct Order<'a> {
    /// The id of the order.
    order_id: Id<'a>,
    /// The status of the order.
    #[schema(value_type = StatusSchema)]
    status: &'static str,
    /// The lines, sorted by SKU.
    lines: Vec<Line<'a>>,
    /// The time at which the hold expires. Absent if the order is not held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime, example = "2027-01-15T08:10:00Z")]
    expires_at: Option<Instant>,
    /// Whether pick lists leave the order out until all of it is in stock. Absent if not.
    #[serde(skip_serializing_if = "is_false")]
    #[schema(value_type = bool, required = false, example = true)]
    ship_complete: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// An order line with its allocations.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(crate) struct Line<'a> {
    /// The ordered SKU.
    sku: Id<'a>,
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
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    picked: u32,
    /// Units shipped. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    shipped: u32,
    /// Shipped units that came back. Absent if zero.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 2)]
    returned: u32,
    /// The batches that serve the line, in order of preference, without picked units.
    allocations: Vec<Part<'a>>,
}

choice_schema! {
    /// The status of an order. `held`: all units are allocated, some of them only until the hold expires.
    /// `allocated`: all units are allocated firmly. `partially_allocated`: some units are allocated; the others
    /// are backordered or were deallocated. `backordered`: no units are allocated, and the order waits.
    /// `picked`: all units that are to come are picked, and none is shipped. `partially_shipped`: some units are
    /// shipped, and more are to come. `shipped`: all units are shipped. `short`: the order lost units, does not
    /// accept backorders, and has no replacement yet. `expired`: the hold has expired. `cancelled`: the order was
    /// cancelled, or all its units were deallocated. `closed`: the order was closed, or its units that are not
    /// shipped were deallocated.
    StatusSchema as "OrderStatus": OrderStatus::NAMES
}

impl<'a> Order<'a> {
    /// Returns an order as of an instant.
    pub(crate) fn at(order: &'a allocation_domain::Order, now: DateTime<Utc>) -> Self {
        let expired = order.lines.iter().any(|(_, line)| line.commitment.has_expired(now));
        Self {
            order_id: (&order.order_id).into(),
            status: order.status(now).as_str(),
            lines: order.lines.iter().map(|(sku, line)| Line::at(sku, line, now)).collect(),
            expires_at: order.expires_at().filter(|_| !expired).map(Instant),
            ship_complete: order.ships_complete(),
        }
    }
}

impl<'a> Line<'a> {
    /// Returns a line as of an instant. Once its hold has expired, it has no units and waits for none, even if
    /// the expiry is not recorded yet.
    fn at(sku: &'a Sku, line: &'a LineState, now: DateTime<Utc>) -> Self {
        let (sku, qty) = (Id::from(sku), line.quantity.get());
        if line.commitment.has_expired(now) {
            let allocations = Vec::new();
            return Self { sku, qty, allocated: 0, backordered: 0, picked: 0, shipped: 0, returned: 0, allocations };
        }
        let allocations = line.allocations.iter().map(Part::from).collect();
        let Fulfilment { picked, shipped, returned, .. } = line.fulfilment;
        Self {
            sku,
            qty,
            allocated: line.allocated(),
            backordered: line.waiting,
            picked,
            shipped,
            returned,
            allocations,
        }
    }
}

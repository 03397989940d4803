use crate::identifier::Id;
use crate::instant::Instant;
use allocation_domain::{Carrier, ListedUnits, Tracking};
use allocation_ports::ShipmentRecord;
use serde::Serialize;
use utoipa::ToSchema;

/// Units that were shipped together. In the list of an order, its lines are those of the order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Shipment<'a> {
    /// The id of the shipment.
    shipment_id: Id<'a>,
    /// The carrier. Absent if it was not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "ACME")]
    carrier: Option<&'a str>,
    /// The carrier's number for the shipment. Absent if it was not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "1Z 999")]
    tracking: Option<&'a str>,
    /// The instant at which the units were shipped.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    shipped_at: Instant,
    /// The units, sorted by pick list and line.
    lines: Vec<ShippedLine<'a>>,
}

/// Shipped units of a pick line.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShippedLine<'a> {
    /// The pick list.
    pick_list_id: Id<'a>,
    /// The number of the pick line.
    #[schema(value_type = i32, minimum = 1, example = 1)]
    line: u32,
    /// The order that the units are for.
    order_id: Id<'a>,
    /// The SKU.
    sku: Id<'a>,
    /// The batch.
    reference: Id<'a>,
    /// The units that left with this shipment.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    qty: u32,
}

impl<'a> From<&'a ShipmentRecord> for Shipment<'a> {
    fn from(shipment: &'a ShipmentRecord) -> Self {
        Self {
            shipment_id: (&shipment.shipment_id).into(),
            carrier: shipment.carrier.as_ref().map(Carrier::as_str),
            tracking: shipment.tracking.as_ref().map(Tracking::as_str),
            shipped_at: Instant(shipment.shipped_at),
            lines: shipment.lines.iter().map(ShippedLine::from).collect(),
        }
    }
}

impl<'a> From<&'a ListedUnits> for ShippedLine<'a> {
    fn from(units: &'a ListedUnits) -> Self {
        Self {
            pick_list_id: (&units.list).into(),
            line: units.line,
            order_id: (&units.order_id).into(),
            sku: (&units.sku).into(),
            reference: (&units.reference).into(),
            qty: units.quantity.get(),
        }
    }
}

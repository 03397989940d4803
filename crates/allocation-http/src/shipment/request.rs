use crate::identifier::{Id, Identifier};
use utoipa::ToSchema;

/// Picked units that leave together.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShipment)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewShipmentSchema {
    /// The id of the shipment. Repeating the request changes nothing.
    #[schema(value_type = Identifier)]
    shipment_id: String,
    /// The units to ship, each pick line at most once.
    #[schema(min_items = 1, max_items = 1000)]
    lines: Vec<ShipmentLineSchema>,
    /// The carrier, in your words: 1 to 255 characters by the rules of identifiers.
    #[schema(required = false, value_type = String, min_length = 1, max_length = 255, example = "ACME")]
    carrier: String,
    /// The carrier's number for the shipment: 1 to 255 characters by the rules of identifiers.
    #[schema(required = false, value_type = String, min_length = 1, max_length = 255, example = "1Z 999")]
    tracking: String,
}

/// Picked units of a pick line.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShipmentLine)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ShipmentLineSchema {
    /// The pick list.
    pick_list_id: Id<'static>,
    /// The number of the pick line.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 1)]
    line: u32,
    /// The units to ship. All units of the line that are picked and not shipped if absent.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 2_147_483_647, example = 2)]
    qty: u32,
}

use crate::choice::choice_schema;
use crate::identifier::Identifier;
use allocation_domain::OpenLines;
use utoipa::ToSchema;

/// A new pick list, with the units that match all given criteria.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPickList)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewPickListSchema {
    /// The id of the list. With an id, repeating the request changes nothing. Without one, the service
    /// generates an id, and every request creates a list.
    #[schema(value_type = Identifier, required = false)]
    pick_list_id: String,
    /// Only units of these batches.
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 1000)]
    references: Vec<String>,
    /// Only units of these SKUs.
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 1000)]
    skus: Vec<String>,
    /// Only units for these orders.
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 1000)]
    order_ids: Vec<String>,
    /// The maximum number of lines.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 1000, default = 1000)]
    max_lines: u32,
}

/// How a pick list is shipped.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PickListShipment)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ListShipmentSchema {
    /// What happens to open lines: `refuse`, the default, rejects the request if there are any; `release` withdraws
    /// them, so that another list can take their units.
    #[schema(value_type = OpenLinesSchema, required = false)]
    open: &'static str,
}

choice_schema! {
    /// What happens to the open lines of a list that is shipped.
    OpenLinesSchema as "OpenLines": OpenLines::NAMES
}

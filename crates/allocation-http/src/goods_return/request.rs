use crate::choice::choice_schema;
use crate::identifier::{Id, Identifier};
use allocation_domain::Disposition;
use utoipa::ToSchema;

/// Units of an order that come back.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Return)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ReturnSchema {
    /// The id of the return. Repeating the request changes nothing.
    #[schema(value_type = Identifier)]
    return_id: String,
    /// The order that the units were shipped for.
    order_id: Id<'static>,
    /// The units. Lines of one SKU have different dispositions.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<ReturnLineSchema>,
}

/// Units of one SKU that come back.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnLine)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ReturnLineSchema {
    /// The SKU.
    sku: Id<'static>,
    /// The number of units.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 1)]
    qty: u32,
    /// What becomes of them.
    #[schema(value_type = DispositionSchema)]
    disposition: String,
}

choice_schema! {
    /// What becomes of returned units. `restock`: they are a new batch in stock. `quarantine`: they are set aside, and
    /// are not available. `scrap`: they are thrown away.
    DispositionSchema as "Disposition": Disposition::NAMES
}

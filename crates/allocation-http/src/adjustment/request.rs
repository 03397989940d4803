use crate::identifier::{Id, Identifier};
use utoipa::ToSchema;

/// Batches to adjust.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Adjustment)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct AdjustmentSchema {
    /// The id of the adjustment. Repeating the request changes nothing.
    #[schema(value_type = Identifier)]
    adjustment_id: String,
    /// Why the units are adjusted: `damaged`, `lost`, `found`, `correction`, or a text of your own.
    #[schema(value_type = Identifier, example = "damaged")]
    reason: String,
    /// The batches, each at most once.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<AdjustmentLineSchema>,
}

/// A batch to adjust.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdjustmentLine)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct AdjustmentLineSchema {
    /// The batch.
    reference: Id<'static>,
    /// The units to add, negative to remove them; not 0.
    #[schema(value_type = i32, minimum = -2_147_483_647, maximum = 2_147_483_647, example = -1)]
    change: i32,
    /// The units that the batch has on hand before: available, allocated or picked. Any number if absent.
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 2_147_483_647, example = 5)]
    from: u32,
}

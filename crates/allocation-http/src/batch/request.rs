use crate::identifier::Id;
use utoipa::ToSchema;

/// A batch to add.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBatch)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewBatchSchema {
    /// The reference of the batch, unique across all SKUs.
    reference: Id<'static>,
    /// The SKU of the batch.
    sku: Id<'static>,
    /// The purchased quantity.
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 20)]
    purchased_quantity: u32,
    /// The date from which the batch can be picked, from 2000-01-01 to 2999-12-31. Null or absent if it is in stock.
    #[schema(required = false, format = Date, example = "2027-01-15")]
    eta: Option<String>,
}

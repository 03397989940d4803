use utoipa::ToSchema;

/// A correction of a batch, with at least one member.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchCorrection, min_properties = 1)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct CorrectionSchema {
    /// The purchased quantity, possibly zero.
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 2_147_483_647, example = 18)]
    purchased_quantity: u32,
    /// The date from which the batch can be picked, from 2000-01-01 to 2999-12-31. Null if it has arrived.
    #[schema(required = false, format = Date, example = "2027-02-01")]
    eta: Option<String>,
    /// Whether lines that keep their promises, and parts of lines, also move to batches that arrive earlier.
    #[schema(required = false, default = false)]
    reallocate: bool,
}

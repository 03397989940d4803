use crate::promises::PromisesSchema;
use utoipa::ToSchema;

/// The settings of a product. Those that are absent stay as they are.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductSettings)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ProductSettingsSchema {
    /// Whether lines move to an earlier batch when units of it come free, or keep the date that they were promised.
    #[schema(value_type = PromisesSchema, required = false)]
    promises: Option<PromisesSchema>,
}

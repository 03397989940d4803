use super::ScopeSchema;
use utoipa::ToSchema;

/// A new key.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct NewKeySchema {
    /// What the key is for. Names need not be unique.
    #[schema(min_length = 1, max_length = 100, example = "web shop")]
    name: String,
    /// What its holder may do.
    #[schema(value_type = Vec<ScopeSchema>, min_items = 1, max_items = 6)]
    scopes: Vec<String>,
    /// The number of requests that each replica accepts within a second, a minute or an hour. Null or absent: any
    /// number.
    #[schema(required = false, pattern = "^[1-9][0-9]{0,6}/[smh]$", example = "100/s")]
    rate: Option<String>,
    /// When the key expires. Null or absent: never.
    #[schema(required = false, format = DateTime, example = "2028-01-15T08:00:00Z")]
    expires_at: Option<String>,
}

use crate::choice::choice_schema;
use crate::instant::Instant;
use allocation_access::{KeyRecord, Scope};
use allocation_app::IssuedKey;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

choice_schema!(
    /// What the holder of a key may do: `read` all but events and keys, `events:read`, `orders:write` for allocations
    /// and orders, `batches:write` for batches, adjustments, counts and products, `picking:write` for pick lists,
    /// shipments and returns, or everything (`admin`).
    ScopeSchema as "Scope": Scope::ALL.map(Scope::as_str)
);

/// A key without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct Key<'a> {
    /// The id of the key, the part of it that is no secret.
    #[schema(example = "3kVdR0sUwQa")]
    id: &'a str,
    /// What the key is for.
    #[schema(example = "web shop")]
    name: &'a str,
    /// What its holder may do.
    #[schema(value_type = Vec<ScopeSchema>)]
    scopes: Vec<&'static str>,
    /// The number of requests that each replica accepts within a second, a minute or an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "100/s")]
    rate: Option<String>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    created_at: Instant,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime, example = "2028-01-15T08:00:00Z")]
    expires_at: Option<Instant>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime, example = "2027-06-01T12:00:00Z")]
    revoked_at: Option<Instant>,
    /// When the secret before the last rotation ceases to be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime, example = "2027-02-01T12:00:00Z")]
    previous_until: Option<Instant>,
    /// The day in UTC on which it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = Date, example = "2027-01-16")]
    last_used_on: Option<NaiveDate>,
}

impl<'a> From<&'a KeyRecord> for Key<'a> {
    fn from(key: &'a KeyRecord) -> Self {
        Self {
            id: key.id.as_str(),
            name: key.name.as_str(),
            scopes: key.scopes.iter().map(Scope::as_str).collect(),
            rate: key.rate.map(|rate| rate.to_string()),
            created_at: Instant(key.created_at),
            expires_at: key.expires_at.map(Instant),
            revoked_at: key.revoked_at.map(Instant),
            previous_until: key.previous.map(|previous| Instant(previous.valid_until)),
            last_used_on: key.last_used_on,
        }
    }
}

/// A key with its secret, which is shown only once.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedKey)]
pub(crate) struct NewKeyResponse {
    /// The id of the key, the part of it that is no secret.
    #[schema(example = "3kVdR0sUwQa")]
    id: String,
    /// The key, for the header `Authorization: Bearer`.
    #[schema(example = "alloc_<id>_<secret>_<checksum>")]
    key: String,
    /// When it was created.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    created_at: Instant,
}

impl From<&IssuedKey> for NewKeyResponse {
    fn from(issued: &IssuedKey) -> Self {
        Self { id: issued.id.to_string(), key: issued.key.expose().to_owned(), created_at: Instant(issued.issued_at) }
    }
}

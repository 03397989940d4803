use crate::{KeyDigest, KeyId, KeyName, Rate, Scopes};
use chrono::{DateTime, NaiveDate, Utc};

/// A key as it is stored: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id.
    pub id: KeyId,
    /// What it is for.
    pub name: KeyName,
    /// What its holder may do.
    pub scopes: Scopes,
    /// The digest of the key.
    pub digest: KeyDigest,
    /// The digest of the key before its last rotation.
    pub previous: Option<PreviousDigest>,
    /// The limit on requests to each replica, if there is one.
    pub rate: Option<Rate>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires, if ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The day in UTC on which it was last used.
    pub last_used_on: Option<NaiveDate>,
}

/// The digest that a rotation has replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousDigest {
    /// The digest.
    pub digest: KeyDigest,
    /// When it ceases to be accepted.
    pub valid_until: DateTime<Utc>,
}

impl KeyRecord {
    /// Returns whether the key is accepted at a time.
    #[must_use]
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

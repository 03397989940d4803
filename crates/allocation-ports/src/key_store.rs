use crate::StoreError;
use allocation_access::{KeyDigest, KeyId, KeyRecord};
use chrono::{DateTime, NaiveDate, Utc};

/// The maximum number of stored keys, revoked ones included: every replica holds all of them in memory.
pub const MAX_KEYS: u16 = 10_000;

/// All keys at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKeys {
    /// The number of changes so far: 0 if there has never been a key.
    pub version: u64,
    /// The keys in the order of their creation, then of their ids.
    pub keys: Vec<KeyRecord>,
}

/// Stores the keys of callers: their digests, never their secrets.
///
/// Every change of a key MUST raise the version, except the last day of use. Keys are never deleted: a revoked key
/// stays, so that its past actions keep their name.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait KeyStore: Send + Sync {
    /// Returns all keys, or `None` if their version is `known`.
    ///
    /// The keys MUST be at least as new as the returned version.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn keys(&self, known: Option<u64>) -> Result<Option<StoredKeys>, StoreError>;

    /// Adds a key. Returns `false` and adds nothing if [`MAX_KEYS`] are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or if the id is taken.
    fn add_key(&self, key: &KeyRecord) -> Result<bool, StoreError>;

    /// Replaces the digest `from` of a key that is not revoked. It becomes the previous one, valid until `until`. Returns
    /// `false` if there is no such key, or if it has another digest by now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn rotate_key(&self, id: &KeyId, from: KeyDigest, to: KeyDigest, until: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Revokes a key. Returns `false` if there is no such key that is not revoked yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn revoke_key(&self, id: &KeyId, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Records days on which keys were used. A day MUST NOT replace a later one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; some of the days may be recorded.
    fn record_key_uses(&self, uses: &[(KeyId, NaiveDate)]) -> Result<(), StoreError>;
}

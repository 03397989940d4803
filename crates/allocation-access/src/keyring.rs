use crate::api_key::id_in;
use crate::last_use::LastUse;
use crate::{Actor, ApiKey, Bucket, KeyDigest, KeyId, KeyRecord};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// All keys at a version of the store: an immutable snapshot that any number of threads check keys with.
///
/// The next snapshot takes over the rate buckets and the uses of keys that are not stored yet.
#[derive(Debug, Default)]
pub struct Keyring {
    version: u64,
    entries: HashMap<KeyId, Arc<KeyEntry>>,
}

/// A key of the ring.
#[derive(Debug)]
pub struct KeyEntry {
    record: KeyRecord,
    actor: Actor,
    bucket: Option<Arc<Bucket>>,
    last_use: Arc<LastUse>,
}

/// Why a presented key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// It is cut off, mistyped, or another kind of token.
    #[error("the key is malformed: part of it may be missing")]
    Malformed,
    /// There is no such key, or its secret is another.
    #[error("the key is unknown")]
    Unknown,
    /// It was rotated, and the grace period of the old secret is over.
    #[error("the key was rotated; use the new secret")]
    Rotated,
    /// It has expired.
    #[error("the key has expired")]
    Expired,
    /// It was revoked.
    #[error("the key was revoked")]
    Revoked,
}

impl Keyring {
    /// Returns a ring of all keys at a version; the first version has none.
    #[must_use]
    pub fn new(version: u64, records: impl IntoIterator<Item = KeyRecord>, previous: Option<&Self>) -> Self {
        let entry = |record: KeyRecord| {
            let known = previous.and_then(|ring| ring.entries.get(&record.id)).map(Arc::as_ref);
            (record.id.clone(), Arc::new(KeyEntry::new(record, known)))
        };
        Self { version, entries: records.into_iter().map(entry).collect() }
    }

    /// Returns the version of the store.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns whether a key was ever created. Callers without one are then refused for good.
    #[must_use]
    pub const fn has_had_keys(&self) -> bool {
        self.version > 0
    }

    /// Verifies a presented key at a time, and records its use. Returns the key, and the digest of the secret that was
    /// presented: during a grace period, a key has two.
    ///
    /// # Errors
    ///
    /// The reason for a refusal. Only the holder of a secret learns that its key was rotated, revoked or has expired.
    pub fn authenticate(&self, presented: &str, now: DateTime<Utc>) -> Result<(&Arc<KeyEntry>, KeyDigest), KeyRefusal> {
        let entry = id_in(presented).and_then(|id| self.entries.get(id));
        // The checksum only serves to say what is wrong.
        let unknown = || ApiKey::parse(presented).map_or(KeyRefusal::Malformed, |_| KeyRefusal::Unknown);
        let entry = entry.ok_or_else(unknown)?;
        let digest = KeyDigest::of(presented);
        entry.check(&digest, now).map_err(|refusal| refusal.unwrap_or_else(unknown))?;
        entry.last_use.note(now);
        Ok((entry, digest))
    }

    /// Returns whether a secret that an earlier ring has accepted for a key is still accepted at a time.
    #[must_use]
    pub fn still_accepts(&self, id: &KeyId, digest: &KeyDigest, now: DateTime<Utc>) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.check(digest, now).is_ok())
    }

    /// Returns a key of the ring.
    #[must_use]
    pub fn get(&self, id: &KeyId) -> Option<&Arc<KeyEntry>> {
        self.entries.get(id)
    }

    /// Returns the last days of use that are not stored yet.
    #[must_use]
    pub fn unstored_uses(&self) -> Vec<(KeyId, NaiveDate)> {
        let day = |(id, entry): (&KeyId, &Arc<KeyEntry>)| Some((id.clone(), entry.last_use.unstored()?));
        self.entries.iter().filter_map(day).collect()
    }

    /// Records that last days of use were stored.
    pub fn uses_stored(&self, uses: &[(KeyId, NaiveDate)]) {
        for (id, day) in uses {
            if let Some(entry) = self.entries.get(id) {
                entry.last_use.set_stored(Some(*day));
            }
        }
    }
}

impl KeyEntry {
    fn new(record: KeyRecord, known: Option<&Self>) -> Self {
        let last_use = match known {
            Some(known) => {
                known.last_use.set_stored(record.last_used_on);
                Arc::clone(&known.last_use)
            }
            None => Arc::new(LastUse::new(record.last_used_on)),
        };
        let same = known.and_then(|known| known.bucket.as_ref()).filter(|bucket| Some(bucket.rate()) == record.rate);
        let bucket = same.cloned().or_else(|| record.rate.map(|rate| Arc::new(Bucket::new(rate))));
        let actor = Actor::Key(record.id.clone());
        Self { record, actor, bucket, last_use }
    }

    /// Returns the record of the key.
    #[must_use]
    pub const fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Returns the holder of the key.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns the rate bucket of the key, if its rate is limited.
    #[must_use]
    pub fn bucket(&self) -> Option<&Bucket> {
        self.bucket.as_deref()
    }

    /// Returns the last day of use, stored or not.
    #[must_use]
    pub fn last_used_on(&self) -> Option<NaiveDate> {
        self.last_use.day()
    }

    /// Checks a digest at a time. The error is `None` if the key never had this digest.
    fn check(&self, digest: &KeyDigest, now: DateTime<Utc>) -> Result<(), Option<KeyRefusal>> {
        let record = &self.record;
        let is_current = record.digest == *digest;
        let replaced = record.previous.filter(|previous| previous.digest == *digest);
        if !is_current && replaced.is_none() {
            return Err(None);
        }
        if record.revoked_at.is_some() {
            return Err(Some(KeyRefusal::Revoked));
        }
        if !record.is_active(now) {
            return Err(Some(KeyRefusal::Expired));
        }
        let in_grace = replaced.is_some_and(|previous| now < previous.valid_until);
        if is_current || in_grace { Ok(()) } else { Err(Some(KeyRefusal::Rotated)) }
    }
}

#[cfg(test)]
mod tests;

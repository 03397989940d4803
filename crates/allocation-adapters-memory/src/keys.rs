//! The keys of callers.

use crate::store::MemoryStore;
use allocation_access::{KeyDigest, KeyId, KeyRecord, PreviousDigest};
use allocation_ports::{KeyStore, MAX_KEYS, StoreError, StoredKeys};
use chrono::{DateTime, NaiveDate, Utc};

#[derive(Debug, thiserror::Error)]
#[error("key {0} exists")]
struct KeyExists(KeyId);

impl KeyStore for MemoryStore {
    fn keys(&self, known: Option<u64>) -> Result<Option<StoredKeys>, StoreError> {
        let table = &self.database().keys;
        if known == Some(table.version) {
            return Ok(None);
        }
        let mut keys: Vec<_> = table.keys.values().cloned().collect();
        keys.sort_by_key(|key| key.created_at);
        Ok(Some(StoredKeys { version: table.version, keys }))
    }

    fn add_key(&self, key: &KeyRecord) -> Result<bool, StoreError> {
        let table = &mut self.database().keys;
        if table.keys.contains_key(&key.id) {
            return Err(StoreError::Conflict(KeyExists(key.id.clone()).into()));
        }
        if table.keys.len() >= usize::from(MAX_KEYS) {
            return Ok(false);
        }
        table.keys.insert(key.id.clone(), key.clone());
        table.version += 1;
        Ok(true)
    }

    fn rotate_key(&self, id: &KeyId, from: KeyDigest, to: KeyDigest, until: DateTime<Utc>) -> Result<bool, StoreError> {
        let table = &mut self.database().keys;
        let is_current = table.keys.get(id).is_some_and(|key| key.digest == from);
        Ok(is_current
            && table.change(id, |key| {
                key.previous = Some(PreviousDigest { digest: from, valid_until: until });
                key.digest = to;
            }))
    }

    fn revoke_key(&self, id: &KeyId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(self.database().keys.change(id, |key| key.revoked_at = Some(at)))
    }

    fn record_key_uses(&self, uses: &[(KeyId, NaiveDate)]) -> Result<(), StoreError> {
        let table = &mut self.database().keys;
        for (id, day) in uses {
            if let Some(key) = table.keys.get_mut(id) {
                key.last_used_on = key.last_used_on.max(Some(*day));
            }
        }
        Ok(())
    }
}

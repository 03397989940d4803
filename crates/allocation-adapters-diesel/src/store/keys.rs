//! The port of keys, implemented by the store.

use super::Store;
use crate::keys;
use allocation_access::{KeyDigest, KeyId, KeyRecord};
use allocation_ports::{KeyStore, StoreError, StoredKeys};
use chrono::{DateTime, NaiveDate, Utc};

impl KeyStore for Store {
    fn keys(&self, known: Option<u64>) -> Result<Option<StoredKeys>, StoreError> {
        self.read(|connection| keys::newer_than(connection, known))
    }

    fn add_key(&self, key: &KeyRecord) -> Result<bool, StoreError> {
        self.write(|connection| keys::add(connection, key))
    }

    fn rotate_key(&self, id: &KeyId, from: KeyDigest, to: KeyDigest, until: DateTime<Utc>) -> Result<bool, StoreError> {
        self.write(|connection| keys::rotate(connection, id, (from, to), until))
    }

    fn revoke_key(&self, id: &KeyId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.write(|connection| keys::revoke(connection, id, at))
    }

    fn record_key_uses(&self, uses: &[(KeyId, NaiveDate)]) -> Result<(), StoreError> {
        uses.iter().try_for_each(|(id, day)| self.write(|connection| keys::record_use(connection, id, *day)))
    }
}

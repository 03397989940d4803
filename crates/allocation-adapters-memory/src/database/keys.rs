use allocation_access::{KeyId, KeyRecord};
use std::collections::BTreeMap;

/// The keys by id, and the number of their changes.
#[derive(Debug, Default)]
pub(crate) struct KeyTable {
    pub(crate) version: u64,
    pub(crate) keys: BTreeMap<KeyId, KeyRecord>,
}

impl KeyTable {
    /// Changes a key that is not revoked; returns whether there is one.
    pub(crate) fn change(&mut self, id: &KeyId, change: impl FnOnce(&mut KeyRecord)) -> bool {
        let Some(key) = self.keys.get_mut(id).filter(|key| key.revoked_at.is_none()) else { return false };
        change(key);
        self.version += 1;
        true
    }
}

//! The management of keys.

use allocation_access::{ApiKey, KeyId, KeyName, KeyRecord, Rate, Scopes};
use allocation_ports::{Clock, KeyStore, MAX_KEYS, StoreError};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

/// The longest time for which a rotated key is accepted with its old secret.
const MAX_GRACE: Duration = Duration::from_secs(30 * 86_400);

/// Creates, lists, rotates and revokes the keys of callers.
///
/// Each call blocks until the database responds.
#[derive(Clone)]
pub struct Keys {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
}

/// A key to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What it is for.
    pub name: KeyName,
    /// What its holder may do.
    pub scopes: Scopes,
    /// The limit on requests to each replica, if there is one.
    pub rate: Option<Rate>,
    /// When it expires, if ever.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that was created or rotated, with its secret, which is stored nowhere.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// The id of the key.
    pub id: KeyId,
    /// The key itself.
    pub key: ApiKey,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
}

/// Why a key is not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such key, or it is revoked or expired.
    #[error("there is no key {0}, or it is revoked or has expired")]
    NotFound(KeyId),
    /// As many keys as possible are stored.
    #[error("there are {MAX_KEYS} keys already, the maximum")]
    TooMany,
    /// The key allows nothing.
    #[error("a key needs a scope")]
    NoScope,
    /// The key would have expired before it is used.
    #[error("the expiry of a key must be in the future")]
    Expired,
    /// An earlier secret is still accepted, and a key keeps only one.
    #[error(
        "the key was rotated before, and the old secret is accepted until {}; rotate it again then, or at once with \
         --grace 0s, which ends both old secrets",
        .0.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    InGrace(DateTime<Utc>),
    /// Another rotation or a revocation came between.
    #[error("the key was changed meanwhile; see `allocation keys list` before you rotate it")]
    ChangedMeanwhile,
    /// The old secret would be accepted for too long.
    #[error("the grace period is at most 30 days")]
    GraceTooLong,
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    NoRandomBytes(#[from] getrandom::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keys {
    /// Returns the keys of a store, whose expiry a clock decides.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Creates a key.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key would be useless, if there are too many, or if the store fails. If the outcome of the
    /// commit is unknown, the key may exist, but its secret is lost.
    pub fn create(&self, new: NewKey) -> Result<IssuedKey, KeyError> {
        let NewKey { name, scopes, rate, expires_at } = new;
        let now = self.clock.now();
        if scopes.is_empty() {
            return Err(KeyError::NoScope);
        }
        if expires_at.is_some_and(|at| at <= now) {
            return Err(KeyError::Expired);
        }
        let id = KeyId::from_random(getrandom::u64()?);
        let key = ApiKey::new(&id, random()?);
        let record = KeyRecord {
            id: id.clone(),
            name,
            scopes,
            digest: key.digest(),
            previous: None,
            rate,
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_on: None,
        };
        if !self.store.add_key(&record)? {
            return Err(KeyError::TooMany);
        }
        Ok(IssuedKey { id, key, issued_at: now })
    }

    /// Returns all keys in the order of their creation, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    pub fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        Ok(self.store.keys(None)?.map(|stored| stored.keys).unwrap_or_default())
    }

    /// Issues a new secret for a key, and accepts the old one for a grace period. Without a grace period, no old secret
    /// is accepted any more.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if there is no such key, if the grace period is too long, if that of an earlier secret has not
    /// ended, if another rotation or a revocation comes between, or if the store fails.
    pub fn rotate(&self, id: &KeyId, grace: Duration) -> Result<IssuedKey, KeyError> {
        let now = self.clock.now();
        let period = TimeDelta::from_std(grace).ok().filter(|_| grace <= MAX_GRACE);
        let until = period.and_then(|period| now.checked_add_signed(period)).ok_or(KeyError::GraceTooLong)?;
        let known = self.list()?.into_iter().find(|key| key.id == *id).filter(|key| key.is_active(now));
        let known = known.ok_or_else(|| KeyError::NotFound(id.clone()))?;
        match known.previous {
            Some(previous) if now < previous.valid_until && !grace.is_zero() => {
                return Err(KeyError::InGrace(previous.valid_until));
            }
            _ => {}
        }
        let key = ApiKey::new(id, random()?);
        // The grace period was read without a lock: only the secret that it belongs to is replaced.
        if !self.store.rotate_key(id, known.digest, key.digest(), until)? {
            return Err(KeyError::ChangedMeanwhile);
        }
        Ok(IssuedKey { id: id.clone(), key, issued_at: now })
    }

    /// Revokes a key. Revoking a revoked key changes nothing.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if there is no such key, or if the store fails.
    pub fn revoke(&self, id: &KeyId) -> Result<(), KeyError> {
        if self.store.revoke_key(id, self.clock.now())? || self.list()?.iter().any(|key| key.id == *id) {
            return Ok(());
        }
        Err(KeyError::NotFound(id.clone()))
    }
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;

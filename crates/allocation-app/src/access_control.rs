//! Which callers are admitted.

use crate::BackgroundTask;
use crate::tokens::{TokenError, Tokens};
use allocation_access::{
    Actor, ApiKey, KeyDigest, KeyEntry, KeyRefusal, Keyring, Quota, RateLimited, Scope, Scopes, Token, TokenRefusal,
};
use allocation_ports::{Access, Clock, KeyStore, StoreError};
use arc_swap::ArcSwapOption;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The interval at which the version of the keys is read. A revocation is known everywhere soon after it.
const RELOAD_PAUSE: Duration = Duration::from_secs(2);

/// The largest number of days of use that are stored between two reloads.
const MAX_USES: usize = 50;

/// Whether callers without a key are admitted. Once a key exists, they never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnonymousAccess {
    /// They may do everything until the first key is created.
    UntilFirstKey,
    /// They may do nothing.
    Never,
}

/// Admits callers by the latest known keyring, which it keeps while the database is unavailable.
///
/// Admission does not access the database. Clones share the keyring.
#[derive(Clone)]
pub struct AccessControl {
    shared: Arc<Shared>,
    tokens: Option<Tokens>,
}

struct Shared {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    access: Access,
    anonymous: AnonymousAccess,
    /// `None` until it is first loaded.
    ring: ArcSwapOption<Keyring>,
    /// Held while a keyring is loaded, so that none replaces a newer one.
    loading: Mutex<()>,
    /// The origin of the times of rate buckets.
    started: Instant,
}

/// The author of a request, and its rights.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A caller without a key, where none is required.
    Anonymous,
    /// The holder of a key, and the digest of the secret that it presented.
    Key(Arc<KeyEntry>, KeyDigest),
    /// The subject of a token.
    Token(Arc<Token>),
}

/// An admitted request.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Its author.
    pub caller: Caller,
    /// What is left in the rate bucket of its key, if the rate is limited.
    pub quota: Option<Quota>,
}

/// Why a request is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The keys were never loaded, or those of the issuer of tokens are too old.
    #[error("the keys are not loaded")]
    NotLoaded,
    /// The request has no key.
    #[error("a key is required")]
    NoKey,
    /// The key is refused.
    #[error(transparent)]
    Refused(#[from] KeyRefusal),
    /// The token is refused.
    #[error(transparent)]
    TokenRefused(#[from] TokenRefusal),
    /// The key has sent too many requests.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The caller lacks a scope.
    #[error("the caller lacks the scope {scope}")]
    MissingScope {
        /// The scope that the request needs.
        scope: Scope,
        /// What is left in the rate bucket of the key, if the rate is limited.
        quota: Option<Quota>,
    },
}

impl From<TokenError> for AccessError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NotLoaded => Self::NotLoaded,
            TokenError::Refused(refusal) => Self::TokenRefused(refusal),
        }
    }
}

impl AccessControl {
    /// Returns the access control over a store, without a keyring. With read-only access, no uses are recorded.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>, access: Access, anonymous: AnonymousAccess) -> Self {
        let (ring, loading, started) = (ArcSwapOption::empty(), Mutex::default(), Instant::now());
        Self { shared: Arc::new(Shared { store, clock, access, anonymous, ring, loading, started }), tokens: None }
    }

    /// Returns the same access control, which also admits callers by tokens of an issuer.
    #[must_use]
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// Loads the keyring if it has changed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails; the keyring then stays as it was.
    pub fn reload(&self) -> Result<(), StoreError> {
        let Shared { store, ring, loading, .. } = &*self.shared;
        let _loading = loading.lock().unwrap_or_else(PoisonError::into_inner);
        let current = ring.load_full();
        if let Some(stored) = store.keys(current.as_deref().map(Keyring::version))? {
            ring.store(Some(Arc::new(Keyring::new(stored.version, stored.keys, current.as_deref()))));
        }
        Ok(())
    }

    /// Starts to reload the keyring every two seconds, and to record the days on which keys are used.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start_reloading(&self) -> io::Result<BackgroundTask> {
        let control = self.clone();
        BackgroundTask::every(RELOAD_PAUSE, "keys", "loading keys", move |_| {
            control.reload()?;
            control.record_uses()
        })
    }

    /// Returns whether a key was ever created; `None` if the keys are not loaded.
    #[must_use]
    pub fn has_had_keys(&self) -> Option<bool> {
        self.shared.ring.load().as_ref().map(|ring| ring.has_had_keys())
    }

    /// Admits a request that needs a scope, or any rights, and counts it against the rate of its key.
    ///
    /// # Errors
    ///
    /// [`AccessError`] if the request is not admitted.
    pub fn admit(&self, presented: Option<&str>, needed: Option<Scope>) -> Result<Admission, AccessError> {
        if let (Some(tokens), Some(token)) = (&self.tokens, presented.filter(|text| !ApiKey::is_like(text))) {
            let caller = Caller::Token(tokens.verify(token)?);
            return permitted(Admission { caller, quota: None }, needed);
        }
        let Shared { clock, anonymous, ring, started, .. } = &*self.shared;
        let ring = ring.load();
        let ring = ring.as_ref().ok_or(AccessError::NotLoaded)?;
        if *anonymous == AnonymousAccess::UntilFirstKey && !ring.has_had_keys() {
            return Ok(Admission { caller: Caller::Anonymous, quota: None });
        }
        let (entry, digest) = ring.authenticate(presented.ok_or(AccessError::NoKey)?, clock.now())?;
        let quota = entry.bucket().map(|bucket| bucket.take(started.elapsed())).transpose()?;
        permitted(Admission { caller: Caller::Key(Arc::clone(entry), digest), quota }, needed)
    }

    /// Returns whether a caller that was admitted still is: a long response ends when its key is revoked, expires or
    /// is rotated and the grace period is over.
    #[must_use]
    pub fn still_admits(&self, caller: &Caller) -> bool {
        match caller {
            Caller::Anonymous => self.has_had_keys() == Some(false),
            Caller::Key(entry, digest) => {
                let Shared { ring, clock, .. } = &*self.shared;
                let still = |ring: &Arc<Keyring>| ring.still_accepts(&entry.record().id, digest, clock.now());
                ring.load().as_ref().is_some_and(still)
            }
            Caller::Token(token) => self.tokens.as_ref().is_some_and(|tokens| tokens.still_accept(token)),
        }
    }

    /// Stores the days of use that are not stored yet, and returns their number.
    fn record_uses(&self) -> Result<usize, StoreError> {
        let Shared { store, access, ring, .. } = &*self.shared;
        let Some(ring) = ring.load_full().filter(|_| *access == Access::ReadWrite) else { return Ok(0) };
        let mut uses = ring.unstored_uses();
        // Each is a write of its own, and the next revocation is noticed only after them.
        uses.truncate(MAX_USES);
        if !uses.is_empty() {
            store.record_key_uses(&uses)?;
            ring.uses_stored(&uses);
        }
        Ok(uses.len())
    }
}

impl Caller {
    /// Returns who the caller is.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        match self {
            Self::Anonymous => &Actor::Anonymous,
            Self::Key(entry, _) => entry.actor(),
            Self::Token(token) => token.actor(),
        }
    }

    /// Returns what the caller may do.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        match self {
            Self::Anonymous => Scopes::all(),
            Self::Key(entry, _) => entry.record().scopes,
            Self::Token(token) => token.scopes(),
        }
    }
}

/// Checks that a caller has the scope that a request needs.
fn permitted(admission: Admission, needed: Option<Scope>) -> Result<Admission, AccessError> {
    match needed {
        Some(scope) if !admission.caller.scopes().allow(scope) => {
            Err(AccessError::MissingScope { scope, quota: admission.quota })
        }
        _ => Ok(admission),
    }
}

#[cfg(test)]
mod tests;

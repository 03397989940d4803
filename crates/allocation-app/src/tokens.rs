//! Tokens of an issuer, verified with the keys that it publishes.

use crate::{BackgroundTask, ErrorChain, FailureLog};
use allocation_access::{KeyDigest, Token, TokenKeys, TokenRefusal, TokenRules};
use allocation_ports::{Clock, TokenKeySource, TokenKeysUnavailable};
use arc_swap::ArcSwapOption;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The interval at which the keys are fetched. A key that the issuer withdraws is refused soon after it.
const REFRESH: Duration = Duration::from_secs(300);

/// The shortest time between two fetches, however many tokens name a key that is not known, and after a failure.
const MIN_PAUSE: Duration = Duration::from_secs(10);

/// The time for which keys serve that could not be fetched again.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The interval at which the task checks whether a fetch is due.
const TICK: Duration = Duration::from_millis(250);

/// The verified tokens that are remembered. Beyond it, all are forgotten and verified again.
const MAX_REMEMBERED: usize = 10_000;

/// A monotonic clock.
type Monotonic = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// There are no keys of the issuer, or none that are less than a day old.
    NotLoaded,
    /// The token is refused.
    Refused(TokenRefusal),
}

impl From<TokenRefusal> for TokenError {
    fn from(refusal: TokenRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Verifies the tokens of an issuer. Clones share the keys.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    source: Arc<dyn TokenKeySource>,
    rules: TokenRules,
    clock: Arc<dyn Clock>,
    monotonic: Monotonic,
    /// `None` until the keys are first fetched.
    fetched: ArcSwapOption<Fetched>,
    /// Whether a token named a key that is not known.
    misses_a_key: AtomicBool,
}

/// The keys of the issuer, and the tokens that they have verified.
struct Fetched {
    keys: TokenKeys,
    at: Instant,
    /// Shared with the fetches before, as long as the keys are the same.
    verified: Arc<RwLock<HashMap<[u8; 32], Arc<Token>>>>,
}

impl Tokens {
    /// Returns the verification of tokens by these rules, without keys.
    #[must_use]
    pub fn new(source: Arc<dyn TokenKeySource>, rules: TokenRules, clock: Arc<dyn Clock>) -> Self {
        Self::by(source, rules, clock, Arc::new(Instant::now))
    }

    fn by(source: Arc<dyn TokenKeySource>, rules: TokenRules, clock: Arc<dyn Clock>, monotonic: Monotonic) -> Self {
        let (fetched, misses_a_key) = (ArcSwapOption::empty(), AtomicBool::new(false));
        Self(Arc::new(Shared { source, rules, clock, monotonic, fetched, misses_a_key }))
    }

    /// Fetches the keys.
    ///
    /// # Errors
    ///
    /// [`TokenKeysUnavailable`]; the known keys then stay in use.
    pub fn fetch(&self) -> Result<(), TokenKeysUnavailable> {
        let Shared { source, monotonic, fetched, misses_a_key, .. } = &*self.0;
        let at = monotonic();
        // A token that arrives during the fetch may need the next one.
        misses_a_key.store(false, Ordering::Relaxed);
        let keys = source.fetch()?;
        let same = fetched.load_full().filter(|known| known.keys == keys);
        let verified = same.map(|known| Arc::clone(&known.verified)).unwrap_or_default();
        fetched.store(Some(Arc::new(Fetched { keys, at, verified })));
        Ok(())
    }

    /// Starts to fetch the keys, at once and then every five minutes; ten seconds after a failure, and after a token
    /// named a key that is not known.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start_fetching(&self) -> io::Result<BackgroundTask> {
        let tokens = self.clone();
        let log = FailureLog::new("fetching the keys of the issuer of tokens", "the previous ones serve for a day");
        let mut last: Option<Attempt> = None;
        BackgroundTask::repeat("token-keys", Duration::ZERO, MIN_PAUSE, move |_| {
            if tokens.is_due(last.as_ref()) {
                let at = (tokens.0.monotonic)();
                let fetched = tokens.fetch();
                match &fetched {
                    Ok(()) => log.succeeded(),
                    Err(error) => log.failed_because(&ErrorChain(error)),
                }
                last = Some(Attempt { at, failed: fetched.is_err() });
            }
            TICK
        })
    }

    fn is_due(&self, last: Option<&Attempt>) -> bool {
        let Some(Attempt { at, failed }) = last else { return true };
        let hurries = *failed || self.0.misses_a_key.load(Ordering::Relaxed);
        (self.0.monotonic)().saturating_duration_since(*at) >= if hurries { MIN_PAUSE } else { REFRESH }
    }

    /// Verifies a presented token, or recognizes one that was verified with the same keys.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if it is not accepted.
    pub(crate) fn verify(&self, presented: &str) -> Result<Arc<Token>, TokenError> {
        let Shared { rules, clock, misses_a_key, .. } = &*self.0;
        let fetched = self.current().ok_or(TokenError::NotLoaded)?;
        let (digest, now) = (*KeyDigest::of(presented).as_bytes(), clock.now());
        let known = fetched.verified.read().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some(token) = known {
            token.check(now)?;
            return Ok(token);
        }
        let verified = Token::verify(presented, &fetched.keys, rules, now);
        let token = Arc::new(verified.inspect_err(|refusal| {
            if *refusal == TokenRefusal::UnknownKey {
                misses_a_key.store(true, Ordering::Relaxed);
            }
        })?);
        let mut verified = fetched.verified.write().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MAX_REMEMBERED {
            verified.clear();
        }
        verified.insert(digest, Arc::clone(&token));
        Ok(token)
    }

    /// Returns whether a verified token is still accepted: it may have expired, or its key may have been withdrawn.
    pub(crate) fn still_accept(&self, token: &Token) -> bool {
        let is_signed = |fetched: Arc<Fetched>| token.is_signed_with_one_of(&fetched.keys);
        token.check(self.0.clock.now()).is_ok() && self.current().is_some_and(is_signed)
    }

    /// Returns the keys, unless they are too old.
    fn current(&self) -> Option<Arc<Fetched>> {
        let Shared { fetched, monotonic, .. } = &*self.0;
        fetched.load_full().filter(|it| monotonic().saturating_duration_since(it.at) < MAX_AGE)
    }
}

/// An attempt to fetch the keys.
struct Attempt {
    at: Instant,
    failed: bool,
}

#[cfg(test)]
mod tests;

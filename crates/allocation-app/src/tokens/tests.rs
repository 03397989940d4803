use super::*;
use crate::{AccessControl, AccessError, AnonymousAccess, Caller};
use allocation_access::Scope;
use allocation_adapters_memory::MemoryStore;
use allocation_ports::Access;
use allocation_ports::mocks::MockClock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize};

/// 2027-01-15T08:00:00Z.
const NOW: i64 = 1_800_000_000;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key pair of an issuer.
struct Signer {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Signer {
    fn new(id: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { id, pair: Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap() }
    }

    fn jwk(&self) -> String {
        let x = encode(self.pair.public_key());
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"{x}"}}]}}"#, self.id)
    }

    fn token(&self, scope: &str, expires_in: i64) -> String {
        let header = encode(format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, self.id));
        let exp = NOW + expires_in;
        let claims = format!(r#"{{"iss":"issuer","sub":"user-7","aud":"stock","exp":{exp},"scope":"{scope}"}}"#);
        let message = format!("{header}.{}", encode(claims));
        let signature = encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// An issuer that can replace its keys and stop responding, and the clocks of the service.
#[derive(Default)]
struct World {
    jwks: Mutex<Option<String>>,
    fetches: AtomicUsize,
    monotonic_seconds: AtomicU64,
    seconds: AtomicI64,
}

impl TokenKeySource for World {
    fn fetch(&self) -> Result<TokenKeys, TokenKeysUnavailable> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let published = self.jwks.lock().unwrap().clone();
        let published = published.ok_or_else(|| TokenKeysUnavailable("connection refused".into()))?;
        TokenKeys::parse(published.as_bytes()).map_err(|error| TokenKeysUnavailable(error.into()))
    }
}

impl World {
    fn publish(&self, signer: Option<&Signer>) {
        *self.jwks.lock().unwrap() = signer.map(Signer::jwk);
    }

    fn pass(&self, seconds: u64) {
        self.monotonic_seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn tokens(self: &Arc<Self>) -> Tokens {
        let rules = TokenRules { issuer: "issuer".to_owned(), audience: "stock".to_owned() };
        let (base, world) = (Instant::now(), Arc::clone(self));
        let monotonic = move || base + Duration::from_secs(world.monotonic_seconds.load(Ordering::SeqCst));
        Tokens::by(self.clone(), rules, self.clock(), Arc::new(monotonic))
    }

    fn clock(self: &Arc<Self>) -> Arc<dyn Clock> {
        let (mut clock, world) = (MockClock::new(), Arc::clone(self));
        let now = move || DateTime::<Utc>::from_timestamp(NOW + world.seconds.load(Ordering::SeqCst), 0).unwrap();
        clock.expect_now().returning(now);
        Arc::new(clock)
    }

    fn control(self: &Arc<Self>, tokens: &Tokens) -> AccessControl {
        let store = Arc::new(MemoryStore::new(self.clock()));
        let control = AccessControl::new(store, self.clock(), Access::ReadWrite, AnonymousAccess::Never);
        control.reload().unwrap();
        control.with_tokens(tokens.clone())
    }
}

/// Returns a world whose service has fetched the key of its signer.
fn world_with_keys() -> (Arc<World>, Signer, Tokens) {
    let (world, signer) = (Arc::new(World::default()), Signer::new("a"));
    world.publish(Some(&signer));
    let tokens = world.tokens();
    tokens.fetch().unwrap();
    (world, signer, tokens)
}

#[test]
fn a_token_is_admitted_with_its_scopes_and_named_as_the_author() {
    let (world, signer, tokens) = world_with_keys();
    let control = world.control(&tokens);
    let token = signer.token("read", 60);
    let admitted = control.admit(Some(&token), Some(Scope::Read)).unwrap();
    assert_eq!(admitted.caller.actor().to_string(), "token:user-7");
    assert!(matches!(&admitted.caller, Caller::Token(_)) && admitted.quota.is_none());
    assert_eq!(
        control.admit(Some(&token), Some(Scope::Admin)).unwrap_err(),
        AccessError::MissingScope { scope: Scope::Admin, quota: None }
    );
    assert_eq!(control.admit(None, None).unwrap_err(), AccessError::NoKey);
    let key = control.admit(Some("alloc_x"), None).unwrap_err();
    assert!(matches!(key, AccessError::Refused(_)), "what begins as a key is one: {key}");
    let other = control.admit(Some("other"), None).unwrap_err();
    assert_eq!(other, AccessError::TokenRefused(TokenRefusal::Malformed));
}

#[test]
fn a_remembered_token_is_refused_once_it_has_expired() {
    let (world, signer, tokens) = world_with_keys();
    let control = world.control(&tokens);
    let token = signer.token("read", 60);
    let first = tokens.verify(&token).unwrap();
    tokens.fetch().unwrap();
    assert!(Arc::ptr_eq(&first, &tokens.verify(&token).unwrap()), "it is verified once, while the keys are the same");
    let caller = control.admit(Some(&token), None).unwrap().caller;
    assert!(control.still_admits(&caller));
    world.seconds.store(71, Ordering::SeqCst);
    assert_eq!(tokens.verify(&token).unwrap_err(), TokenError::Refused(TokenRefusal::Expired));
    assert!(!control.still_admits(&caller));
}

#[test]
fn the_remembered_tokens_are_bounded() {
    let (_, signer, tokens) = world_with_keys();
    let token = signer.token("read", 60);
    {
        let fetched = tokens.0.fetched.load_full().unwrap();
        let verified = tokens.verify(&token).unwrap();
        let mut remembered = fetched.verified.write().unwrap();
        for number in 0..MAX_REMEMBERED {
            remembered.insert(*KeyDigest::of(&number.to_string()).as_bytes(), Arc::clone(&verified));
        }
    }
    tokens.verify(&signer.token("read", 61)).unwrap();
    let fetched = tokens.0.fetched.load_full().unwrap();
    assert_eq!(fetched.verified.read().unwrap().len(), 1);
}

#[test]
fn a_key_that_the_issuer_withdraws_is_refused_after_the_next_fetch() {
    let (world, old, new) = (Arc::new(World::default()), Signer::new("old"), Signer::new("new"));
    world.publish(Some(&old));
    let tokens = world.tokens();
    tokens.fetch().unwrap();
    let control = world.control(&tokens);
    let token = old.token("read", 60);
    let caller = control.admit(Some(&token), None).unwrap().caller;
    world.publish(Some(&new));
    tokens.fetch().unwrap();
    assert_eq!(tokens.verify(&token).unwrap_err(), TokenError::Refused(TokenRefusal::UnknownKey));
    assert!(!control.still_admits(&caller));
    assert!(tokens.verify(&new.token("read", 60)).is_ok());
}

#[test]
fn a_key_that_the_issuer_replaces_under_its_name_is_withdrawn() {
    let (world, old, new) = (Arc::new(World::default()), Signer::new("a"), Signer::new("a"));
    world.publish(Some(&old));
    let tokens = world.tokens();
    tokens.fetch().unwrap();
    let verified = tokens.verify(&old.token("read", 60)).unwrap();
    tokens.fetch().unwrap();
    assert!(tokens.still_accept(&verified), "the same key was fetched again");
    world.publish(Some(&new));
    tokens.fetch().unwrap();
    assert!(!tokens.still_accept(&verified));
    let refused = tokens.verify(&old.token("read", 60)).unwrap_err();
    assert_eq!(refused, TokenError::Refused(TokenRefusal::Signature));
}

#[test]
fn keys_serve_for_a_day_while_the_issuer_is_away_and_without_keys_nobody_is_admitted() {
    let (world, signer) = (Arc::new(World::default()), Signer::new("a"));
    let tokens = world.tokens();
    let token = signer.token("read", 60);
    assert!(tokens.fetch().is_err());
    assert_eq!(tokens.verify(&token).unwrap_err(), TokenError::NotLoaded);
    world.publish(Some(&signer));
    tokens.fetch().unwrap();
    world.publish(None);
    assert!(tokens.fetch().is_err());
    world.pass(24 * 60 * 60 - 1);
    let verified = tokens.verify(&token).unwrap();
    assert!(tokens.still_accept(&verified));
    world.pass(1);
    assert_eq!(tokens.verify(&token).unwrap_err(), TokenError::NotLoaded);
    assert!(!tokens.still_accept(&verified));
}

#[test]
fn unknown_keys_and_failures_cause_one_fetch_in_ten_seconds() {
    let (world, _, tokens) = world_with_keys();
    let attempt = |failed| Attempt { at: (tokens.0.monotonic)(), failed };
    let (succeeded, failed) = (attempt(false), attempt(true));
    for number in 0..1_000 {
        let refused = tokens.verify(&Signer::new("b").token("read", number)).unwrap_err();
        assert_eq!(refused, TokenError::Refused(TokenRefusal::UnknownKey));
    }
    assert_eq!(world.fetches.load(Ordering::SeqCst), 1, "no request fetches keys itself");
    world.pass(9);
    assert!(!tokens.is_due(Some(&succeeded)) && !tokens.is_due(Some(&failed)) && tokens.is_due(None));
    world.pass(1);
    assert!(tokens.is_due(Some(&succeeded)) && tokens.is_due(Some(&failed)));
    tokens.fetch().unwrap();
    world.pass(289);
    assert!(!tokens.is_due(Some(&succeeded)), "the flood is over");
    world.pass(1);
    assert!(tokens.is_due(Some(&succeeded)));
}

#[test]
fn the_task_fetches_the_keys_and_tries_again_after_a_failure() {
    let (world, signer) = (Arc::new(World::default()), Signer::new("a"));
    let tokens = world.tokens();
    let task = tokens.start_fetching().unwrap();
    let fetches = |count| {
        while world.fetches.load(Ordering::SeqCst) < count {
            std::thread::yield_now();
        }
    };
    fetches(1);
    world.publish(Some(&signer));
    while tokens.verify(&signer.token("read", 60)).is_err() {
        world.pass(10);
        std::thread::sleep(Duration::from_millis(5));
    }
    task.stop();
}

use super::*;
use crate::testing::now;
use crate::{IssuedKey, Keys, NewKey};
use allocation_access::KeyName;
use allocation_adapters_memory::MemoryStore;
use allocation_ports::mocks::{MockClock, MockKeyStore};

fn clock() -> Arc<dyn Clock> {
    let mut clock = MockClock::new();
    clock.expect_now().returning(now);
    Arc::new(clock)
}

/// A store with its keys, and a replica that has loaded them.
struct Replica {
    store: Arc<MemoryStore>,
    keys: Keys,
    control: AccessControl,
}

impl Replica {
    fn new(anonymous: AnonymousAccess) -> Self {
        let store = Arc::new(MemoryStore::new(clock()));
        let keys = Keys::new(store.clone(), clock());
        let control = AccessControl::new(store.clone(), clock(), Access::ReadWrite, anonymous);
        control.reload().unwrap();
        Self { store, keys, control }
    }

    fn create(&self, scope: Scope, rate: Option<&str>) -> IssuedKey {
        let rate = rate.map(|rate| rate.parse().unwrap());
        let name = KeyName::parse("shop").unwrap();
        let new = NewKey { name, scopes: Scopes::from_iter([scope]), rate, expires_at: None };
        let issued = self.keys.create(new).unwrap();
        self.control.reload().unwrap();
        issued
    }

    fn admit(&self, issued: &IssuedKey, needed: Option<Scope>) -> Result<Admission, AccessError> {
        self.control.admit(Some(issued.key.expose()), needed)
    }
}

#[test]
fn callers_without_a_key_are_admitted_until_the_first_key_is_created() {
    let replica = Replica::new(AnonymousAccess::UntilFirstKey);
    assert_eq!(replica.control.has_had_keys(), Some(false));
    let admitted = replica.control.admit(None, Some(Scope::Admin)).unwrap();
    assert!(replica.control.still_admits(&admitted.caller));
    assert!(replica.control.admit(Some("Basic"), Some(Scope::Read)).is_ok(), "credentials are ignored");
    let issued = replica.create(Scope::Read, None);
    replica.keys.revoke(&issued.id).unwrap();
    replica.control.reload().unwrap();
    assert_eq!(replica.control.admit(None, None).unwrap_err(), AccessError::NoKey);
    assert_eq!(replica.control.has_had_keys(), Some(true));
    assert!(!replica.control.still_admits(&admitted.caller));
}

#[test]
fn callers_without_a_key_are_never_admitted_where_a_key_is_required() {
    let replica = Replica::new(AnonymousAccess::Never);
    assert_eq!(replica.control.admit(None, None).unwrap_err(), AccessError::NoKey);
    assert_eq!(replica.control.has_had_keys(), Some(false));
}

#[test]
fn a_key_is_admitted_for_its_scopes_alone() {
    let replica = Replica::new(AnonymousAccess::UntilFirstKey);
    let issued = replica.create(Scope::OrdersWrite, None);
    assert!(replica.admit(&issued, Some(Scope::OrdersWrite)).is_ok());
    assert!(replica.admit(&issued, None).is_ok());
    let refused = replica.admit(&issued, Some(Scope::Read)).unwrap_err();
    assert_eq!(refused, AccessError::MissingScope { scope: Scope::Read, quota: None });
}

#[test]
fn a_revocation_counts_once_the_keyring_is_reloaded() {
    let replica = Replica::new(AnonymousAccess::UntilFirstKey);
    let issued = replica.create(Scope::Read, None);
    let admitted = replica.admit(&issued, None).unwrap();
    replica.keys.revoke(&issued.id).unwrap();
    assert!(replica.control.still_admits(&admitted.caller));
    replica.control.reload().unwrap();
    assert_eq!(replica.admit(&issued, None).unwrap_err(), AccessError::Refused(KeyRefusal::Revoked));
    assert!(!replica.control.still_admits(&admitted.caller));
}

#[test]
fn a_caller_with_the_old_secret_of_a_rotated_key_is_admitted_until_its_grace_period_ends() {
    let replica = Replica::new(AnonymousAccess::UntilFirstKey);
    let issued = replica.create(Scope::Read, None);
    replica.keys.rotate(&issued.id, Duration::from_secs(60)).unwrap();
    replica.control.reload().unwrap();
    let admitted = replica.admit(&issued, None).unwrap();
    assert!(replica.control.still_admits(&admitted.caller));
    replica.keys.rotate(&issued.id, Duration::ZERO).unwrap();
    replica.control.reload().unwrap();
    assert!(!replica.control.still_admits(&admitted.caller));
}

#[test]
fn days_of_use_are_stored_in_bounded_steps() {
    let replica = Replica::new(AnonymousAccess::UntilFirstKey);
    let issued: Vec<_> = (0..=MAX_USES).map(|_| replica.create(Scope::Read, None)).collect();
    issued.iter().for_each(|issued| drop(replica.admit(issued, None).unwrap()));
    let steps: Vec<_> = (0..3).map(|_| replica.control.record_uses().unwrap()).collect();
    assert_eq!(steps, [MAX_USES, 1, 0]);
}

#[test]
fn a_request_beyond_the_rate_is_refused_and_refused_scopes_count() {
    let replica = Replica::new(AnonymousAccess::UntilFirstKey);
    let issued = replica.create(Scope::Read, Some("2/h"));
    assert_eq!(replica.admit(&issued, None).unwrap().quota.unwrap().remaining, 1);
    assert!(matches!(replica.admit(&issued, Some(Scope::Admin)), Err(AccessError::MissingScope { .. })));
    assert!(matches!(replica.admit(&issued, None), Err(AccessError::RateLimited(_))));
}

#[test]
fn the_last_keyring_serves_while_the_store_fails_and_nothing_serves_before_the_first() {
    let (stored, mut store) = (Replica::new(AnonymousAccess::UntilFirstKey), MockKeyStore::new());
    let issued = stored.create(Scope::Read, None);
    let keys = stored.store.keys(None).unwrap();
    let fails = || Err(StoreError::Unavailable("away".into()));
    let mut results = [fails(), Ok(keys), fails()].into_iter();
    store.expect_keys().times(3).returning(move |_| results.next().unwrap());
    let control = AccessControl::new(Arc::new(store), clock(), Access::ReadWrite, AnonymousAccess::UntilFirstKey);
    assert!(control.reload().is_err());
    assert_eq!(control.admit(None, None).unwrap_err(), AccessError::NotLoaded);
    assert_eq!(control.has_had_keys(), None);
    control.reload().unwrap();
    assert!(control.reload().is_err());
    assert!(control.admit(Some(issued.key.expose()), Some(Scope::Read)).is_ok());
}

#[test]
fn an_unchanged_keyring_is_not_loaded_again() {
    let mut store = MockKeyStore::new();
    let loaded = allocation_ports::StoredKeys { version: 3, keys: Vec::new() };
    store.expect_keys().withf(|known| known.is_none()).times(1).return_once(move |_| Ok(Some(loaded)));
    store.expect_keys().withf(|known| *known == Some(3)).times(1).return_once(|_| Ok(None));
    let control = AccessControl::new(Arc::new(store), clock(), Access::ReadWrite, AnonymousAccess::Never);
    control.reload().unwrap();
    control.reload().unwrap();
}

#[test]
fn the_day_of_use_is_recorded_once_and_never_with_read_only_access() {
    let replica = Replica::new(AnonymousAccess::UntilFirstKey);
    let issued = replica.create(Scope::Read, None);
    replica.admit(&issued, None).unwrap();
    let reader = AccessControl::new(replica.store.clone(), clock(), Access::ReadOnly, AnonymousAccess::Never);
    reader.reload().unwrap();
    reader.admit(Some(issued.key.expose()), None).unwrap();
    assert_eq!(reader.record_uses().unwrap(), 0);
    assert_eq!(replica.control.record_uses().unwrap(), 1);
    assert_eq!(replica.control.record_uses().unwrap(), 0);
    assert_eq!(replica.keys.list().unwrap()[0].last_used_on, Some(now().date_naive()));
}

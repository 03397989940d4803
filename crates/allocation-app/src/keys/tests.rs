use super::*;
use crate::testing::now;
use allocation_access::{KeyRefusal, Keyring, Scope};
use allocation_adapters_memory::MemoryStore;
use allocation_ports::StoredKeys;
use allocation_ports::mocks::{MockClock, MockKeyStore};

fn clock() -> Arc<dyn Clock> {
    let mut clock = MockClock::new();
    clock.expect_now().returning(now);
    Arc::new(clock)
}

fn keys() -> Keys {
    Keys::new(Arc::new(MemoryStore::new(clock())), clock())
}

fn new_key() -> NewKey {
    let name = KeyName::parse("shop").unwrap();
    NewKey { name, scopes: Scopes::from_iter([Scope::Read]), rate: None, expires_at: None }
}

/// Returns why the stored keys refuse a key after some seconds.
fn refusal(keys: &Keys, key: &ApiKey, seconds: i64) -> Option<KeyRefusal> {
    let ring = Keyring::new(1, keys.list().unwrap(), None);
    ring.authenticate(key.expose(), now() + TimeDelta::seconds(seconds)).err()
}

#[test]
fn every_key_has_its_own_id_and_secret() {
    let keys = keys();
    let (first, second) = (keys.create(new_key()).unwrap(), keys.create(new_key()).unwrap());
    assert!(first.id != second.id && first.key != second.key);
    for issued in [first, second] {
        assert_eq!(refusal(&keys, &issued.key, 0), None);
    }
    assert_eq!(keys.list().unwrap().len(), 2);
}

#[test]
fn a_key_without_a_scope_or_a_future_is_refused() {
    let created = keys().create(NewKey { scopes: Scopes::default(), ..new_key() });
    assert!(matches!(created, Err(KeyError::NoScope)), "{created:?}");
    let created = keys().create(NewKey { expires_at: Some(now()), ..new_key() });
    assert!(matches!(created, Err(KeyError::Expired)), "{created:?}");
}

#[test]
fn a_rotated_key_is_accepted_with_its_old_secret_during_the_grace_period_alone() {
    let keys = keys();
    let old = keys.create(new_key()).unwrap();
    let new = keys.rotate(&old.id, Duration::from_secs(60)).unwrap();
    assert_eq!(refusal(&keys, &old.key, 59), None);
    assert_eq!(refusal(&keys, &old.key, 60), Some(KeyRefusal::Rotated));
    assert_eq!(refusal(&keys, &new.key, 60), None);
    let again = keys.rotate(&old.id, Duration::from_secs(60));
    assert!(matches!(again, Err(KeyError::InGrace(until)) if until == now() + TimeDelta::seconds(60)), "{again:?}");
    assert_eq!(refusal(&keys, &old.key, 59), None, "the promised period stays");
    let at_once = keys.rotate(&old.id, Duration::ZERO).unwrap();
    assert_eq!(refusal(&keys, &new.key, 0), Some(KeyRefusal::Rotated));
    assert_eq!(refusal(&keys, &at_once.key, 0), None);
    keys.rotate(&old.id, Duration::from_secs(60)).unwrap();
    for grace in [MAX_GRACE + Duration::from_secs(1), Duration::MAX] {
        assert!(matches!(keys.rotate(&old.id, grace), Err(KeyError::GraceTooLong)));
    }
}

#[test]
fn of_two_rotations_at_once_one_is_told_that_the_key_changed() {
    let created = keys();
    let issued = created.create(new_key()).unwrap();
    let (before, digest) = (created.list().unwrap(), issued.key.digest());
    let mut store = MockKeyStore::new();
    store.expect_keys().return_once(move |_| Ok(Some(StoredKeys { version: 1, keys: before })));
    // The other one has replaced the secret since it was read.
    store.expect_rotate_key().withf(move |_, from, _, _| *from == digest).return_once(|_, _, _, _| Ok(false));
    let rotated = Keys::new(Arc::new(store), clock()).rotate(&issued.id, Duration::from_secs(60));
    assert!(matches!(rotated, Err(KeyError::ChangedMeanwhile)), "{rotated:?}");
}

#[test]
fn a_revoked_key_is_refused_and_cannot_be_rotated() {
    let keys = keys();
    let issued = keys.create(new_key()).unwrap();
    keys.revoke(&issued.id).unwrap();
    keys.revoke(&issued.id).unwrap();
    assert!(matches!(keys.revoke(&KeyId::from_random(0)), Err(KeyError::NotFound(_))));
    assert_eq!(refusal(&keys, &issued.key, 0), Some(KeyRefusal::Revoked));
    assert!(matches!(keys.rotate(&issued.id, Duration::ZERO), Err(KeyError::NotFound(id)) if id == issued.id));
}

#[test]
fn too_many_keys_are_refused() {
    let mut store = MockKeyStore::new();
    store.expect_add_key().returning(|_| Ok(false));
    let created = Keys::new(Arc::new(store), clock()).create(new_key());
    assert!(matches!(created, Err(KeyError::TooMany)), "{created:?}");
}

#[test]
fn an_expired_key_is_not_rotated() {
    let store = Arc::new(MemoryStore::new(clock()));
    let soon = now() + TimeDelta::seconds(60);
    let issued = Keys::new(store.clone(), clock()).create(NewKey { expires_at: Some(soon), ..new_key() }).unwrap();
    let mut later = MockClock::new();
    later.expect_now().return_const(soon);
    let rotated = Keys::new(store, Arc::new(later)).rotate(&issued.id, Duration::ZERO);
    assert!(matches!(rotated, Err(KeyError::NotFound(_))), "{rotated:?}");
}

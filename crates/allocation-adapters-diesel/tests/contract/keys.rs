//! The keys of callers.

use crate::database::TestDatabase;
use crate::world::{World, instant};
use allocation_access::{ApiKey, KeyDigest, KeyId, KeyName, KeyRecord, PreviousDigest, Scope, Scopes};
use allocation_ports::{KeyStore, MAX_KEYS, StoreError};
use chrono::NaiveDate;

fn id(number: u64) -> KeyId {
    KeyId::from_random(number)
}

fn digest(secret: u8) -> KeyDigest {
    ApiKey::new(&id(0), [secret; 32]).digest()
}

/// A key with every optional value that a new key can have.
fn key(number: u64) -> KeyRecord {
    KeyRecord {
        id: id(number),
        name: KeyName::parse("Ladenkasse ✓ it's").unwrap(),
        scopes: Scopes::from_iter([Scope::Read, Scope::OrdersWrite]),
        digest: digest(1),
        previous: None,
        rate: Some("100/m".parse().unwrap()),
        created_at: instant(7),
        expires_at: Some(instant(9)),
        revoked_at: None,
        last_used_on: None,
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The keys, and their version.
fn stored(world: &World) -> (u64, Vec<KeyRecord>) {
    let stored = world.store.keys(None).unwrap().unwrap();
    (stored.version, stored.keys)
}

fn only(world: &World) -> KeyRecord {
    let (_, mut keys) = stored(world);
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

pub fn a_key_round_trips(database: TestDatabase) {
    let world = World::new(database);
    assert_eq!(stored(&world), (0, Vec::new()));
    let plain = KeyRecord { rate: None, expires_at: None, created_at: instant(6), ..key(2) };
    assert!(world.store.add_key(&key(1)).unwrap() && world.store.add_key(&plain).unwrap());
    assert_eq!(stored(&world), (2, vec![plain, key(1)]), "in the order of their creation");
}

pub fn every_change_of_a_key_raises_the_version_and_a_use_does_not(database: TestDatabase) {
    let world = World::new(database);
    world.store.add_key(&key(1)).unwrap();
    assert_eq!(stored(&world).0, 1);
    assert_eq!(world.store.keys(Some(1)).unwrap(), None);
    assert!(world.store.keys(Some(2)).unwrap().is_some(), "the database was restored");
    world.store.rotate_key(&id(1), digest(1), digest(2), instant(20)).unwrap();
    assert_eq!(stored(&world).0, 2);
    world.store.revoke_key(&id(1), instant(8)).unwrap();
    assert_eq!(stored(&world).0, 3);
    world.store.record_key_uses(&[(id(1), day("2027-01-15"))]).unwrap();
    assert_eq!(stored(&world).0, 3);
}

pub fn a_rotated_key_keeps_its_previous_digest(database: TestDatabase) {
    let world = World::new(database);
    world.store.add_key(&key(1)).unwrap();
    for (new, until) in [(2, 20), (3, 30)] {
        assert!(world.store.rotate_key(&id(1), digest(new - 1), digest(new), instant(until)).unwrap());
        let previous = Some(PreviousDigest { digest: digest(new - 1), valid_until: instant(until) });
        assert_eq!(only(&world), KeyRecord { digest: digest(new), previous, ..key(1) });
    }
    let before = stored(&world);
    assert!(!world.store.rotate_key(&id(1), digest(2), digest(4), instant(40)).unwrap(), "another one was faster");
    assert!(!world.store.rotate_key(&id(2), digest(3), digest(4), instant(40)).unwrap());
    assert_eq!(stored(&world), before);
}

pub fn a_revoked_key_is_neither_revoked_nor_rotated_again(database: TestDatabase) {
    let world = World::new(database);
    world.store.add_key(&key(1)).unwrap();
    assert!(world.store.revoke_key(&id(1), instant(8)).unwrap());
    assert!(!world.store.revoke_key(&id(1), instant(9)).unwrap());
    assert!(!world.store.rotate_key(&id(1), digest(1), digest(2), instant(20)).unwrap());
    assert!(!world.store.revoke_key(&id(2), instant(9)).unwrap());
    assert_eq!(only(&world), KeyRecord { revoked_at: Some(instant(8)), ..key(1) });
}

pub fn a_day_of_use_never_replaces_a_later_one(database: TestDatabase) {
    let world = World::new(database);
    world.store.add_key(&key(1)).unwrap();
    for (used, last) in [("2027-01-15", "2027-01-15"), ("2027-01-14", "2027-01-15"), ("2027-02-01", "2027-02-01")] {
        world.store.record_key_uses(&[(id(2), day("2027-03-01")), (id(1), day(used))]).unwrap();
        assert_eq!(only(&world).last_used_on, Some(day(last)));
    }
}

pub fn a_taken_id_is_refused(database: TestDatabase) {
    let world = World::new(database);
    world.store.add_key(&key(1)).unwrap();
    let again = world.store.add_key(&KeyRecord { digest: digest(2), ..key(1) });
    assert!(matches!(again, Err(StoreError::Conflict(_) | StoreError::Invariant { .. })), "{again:?}");
    assert_eq!(stored(&world), (1, vec![key(1)]));
}

pub fn the_number_of_keys_is_bounded(database: TestDatabase) {
    let world = World::new(database);
    let digest = if world.is_postgres() { "decode(repeat('00', 32), 'hex')" } else { "zeroblob(32)" };
    world.database.execute(&format!(
        "INSERT INTO api_keys (id, name, scopes, digest, created_at)
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MAX_KEYS} - 1)
         SELECT CAST(10000000000 + n AS text), 'shop', 'read', {digest}, n FROM numbers"
    ));
    let last = KeyRecord { id: KeyId::parse("aaaaaaaaaaa").unwrap(), ..key(0) };
    assert!(world.store.add_key(&last).unwrap());
    assert!(!world.store.add_key(&KeyRecord { id: KeyId::parse("bbbbbbbbbbb").unwrap(), ..key(0) }).unwrap());
}

pub fn a_key_that_is_deleted_by_hand_raises_the_version(database: TestDatabase) {
    let world = World::new(database);
    world.store.add_key(&key(1)).unwrap();
    world.database.execute("DELETE FROM api_keys");
    assert_eq!(stored(&world), (2, Vec::new()));
    if world.is_postgres() {
        world.store.add_key(&key(1)).unwrap();
        world.database.execute("TRUNCATE api_keys");
        assert_eq!(stored(&world), (4, Vec::new()));
    }
}

pub fn a_program_that_is_shut_out_changes_no_key(database: TestDatabase) {
    let world = World::new(database);
    world.store.add_key(&key(1)).unwrap();
    world.database.execute("UPDATE schema_generation SET generation = 99");
    for result in [
        world.store.add_key(&key(2)),
        world.store.rotate_key(&id(1), digest(1), digest(2), instant(20)),
        world.store.revoke_key(&id(1), instant(8)),
    ] {
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
    assert_eq!(stored(&world), (1, vec![key(1)]));
}

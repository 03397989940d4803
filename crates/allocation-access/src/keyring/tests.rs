use super::*;
use crate::{KeyName, PreviousDigest, Scope, Scopes};
use chrono::TimeDelta;
use std::time::Duration;

fn now() -> DateTime<Utc> {
    "2027-01-15T08:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn id() -> KeyId {
    KeyId::from_random(7)
}

fn key(secret: u8) -> ApiKey {
    ApiKey::new(&id(), [secret; 32])
}

fn record() -> KeyRecord {
    KeyRecord {
        id: id(),
        name: KeyName::parse("shop").unwrap(),
        scopes: Scopes::from_iter([Scope::Read]),
        digest: key(1).digest(),
        previous: None,
        rate: None,
        created_at: now(),
        expires_at: None,
        revoked_at: None,
        last_used_on: None,
    }
}

/// Returns why a ring of one key refuses a presented key now.
fn refusal(record: KeyRecord, presented: &str) -> Option<KeyRefusal> {
    Keyring::new(1, [record], None).authenticate(presented, now()).err()
}

#[test]
fn a_key_is_accepted_by_its_whole_text_alone() {
    assert_eq!(refusal(record(), key(1).expose()), None);
    assert_eq!(refusal(record(), key(2).expose()), Some(KeyRefusal::Unknown));
    let other = ApiKey::new(&KeyId::from_random(8), [1; 32]);
    assert_eq!(refusal(record(), other.expose()), Some(KeyRefusal::Unknown));
    let key = key(1);
    for end in 0..key.expose().len() {
        assert_eq!(refusal(record(), &key.expose()[..end]), Some(KeyRefusal::Malformed), "{end}");
    }
    assert_eq!(refusal(record(), &format!("{}0", key.expose())), Some(KeyRefusal::Malformed));
}

#[test]
fn a_key_is_refused_from_the_instant_of_its_expiry() {
    let expiring = |at| KeyRecord { expires_at: Some(at), ..record() };
    assert_eq!(refusal(expiring(later(1)), key(1).expose()), None);
    assert_eq!(refusal(expiring(now()), key(1).expose()), Some(KeyRefusal::Expired));
}

#[test]
fn only_the_holder_of_the_secret_learns_that_a_key_was_revoked() {
    let revoked = KeyRecord { revoked_at: Some(now()), ..record() };
    assert_eq!(refusal(revoked.clone(), key(1).expose()), Some(KeyRefusal::Revoked));
    assert_eq!(refusal(revoked, key(2).expose()), Some(KeyRefusal::Unknown));
}

#[test]
fn a_rotated_key_is_accepted_with_both_secrets_until_the_grace_period_ends() {
    let rotated = |valid_until| {
        let previous = Some(PreviousDigest { digest: key(1).digest(), valid_until });
        KeyRecord { digest: key(2).digest(), previous, ..record() }
    };
    assert_eq!(refusal(rotated(later(1)), key(1).expose()), None);
    assert_eq!(refusal(rotated(later(1)), key(2).expose()), None);
    assert_eq!(refusal(rotated(now()), key(1).expose()), Some(KeyRefusal::Rotated));
    assert_eq!(refusal(rotated(now()), key(2).expose()), None);
    assert_eq!(refusal(rotated(later(1)), key(3).expose()), Some(KeyRefusal::Unknown));
}

#[test]
fn an_accepted_key_is_accepted_until_it_is_revoked_or_its_grace_period_ends() {
    let first = Keyring::new(1, [record()], None);
    let (_, secret) = first.authenticate(key(1).expose(), now()).unwrap();
    let previous = Some(PreviousDigest { digest: key(1).digest(), valid_until: later(60) });
    let rotated = KeyRecord { digest: key(2).digest(), previous, ..record() };
    for (next, at, accepted) in [
        (Some(record()), now(), true),
        (Some(KeyRecord { revoked_at: Some(now()), ..record() }), now(), false),
        (Some(KeyRecord { expires_at: Some(later(1)), ..record() }), later(1), false),
        (Some(rotated.clone()), later(59), true),
        (Some(rotated), later(60), false),
        (None, now(), false),
    ] {
        assert_eq!(Keyring::new(2, next, Some(&first)).still_accepts(&id(), &secret, at), accepted);
    }
}

#[test]
fn a_new_snapshot_keeps_the_bucket_of_a_key_unless_its_rate_changes() {
    let limited = |rate: &str| KeyRecord { rate: Some(rate.parse().unwrap()), ..record() };
    let take = |ring: &Keyring| ring.get(&id()).unwrap().bucket().unwrap().take(Duration::ZERO).is_ok();
    let first = Keyring::new(1, [limited("1/h")], None);
    assert!(take(&first) && !take(&first));
    let second = Keyring::new(2, [limited("1/h")], Some(&first));
    assert!(!take(&second));
    let third = Keyring::new(3, [limited("2/h")], Some(&second));
    assert!(take(&third));
    assert!(Keyring::new(4, [record()], Some(&third)).get(&id()).unwrap().bucket().is_none());
}

#[test]
fn the_last_day_of_use_is_stored_once_and_survives_a_new_snapshot() {
    let first = Keyring::new(1, [record()], None);
    assert!(first.unstored_uses().is_empty());
    assert!(first.authenticate(key(2).expose(), now()).is_err());
    assert!(first.unstored_uses().is_empty(), "a refusal is no use");
    first.authenticate(key(1).expose(), now()).unwrap();
    let second = Keyring::new(2, [record()], Some(&first));
    let uses = second.unstored_uses();
    assert_eq!(uses, [(id(), now().date_naive())]);
    second.uses_stored(&uses);
    second.authenticate(key(1).expose(), later(60)).unwrap();
    assert!(second.unstored_uses().is_empty());
    second.authenticate(key(1).expose(), later(86_400)).unwrap();
    assert_eq!(second.unstored_uses(), [(id(), later(86_400).date_naive())]);
    let stored_by_another = KeyRecord { last_used_on: Some(later(86_400).date_naive()), ..record() };
    let third = Keyring::new(3, [stored_by_another], Some(&second));
    assert!(third.unstored_uses().is_empty());
    assert_eq!(third.get(&id()).unwrap().last_used_on(), Some(later(86_400).date_naive()));
}

#[test]
fn a_store_that_ever_had_a_key_requires_one() {
    assert!(!Keyring::default().has_had_keys());
    assert!(Keyring::new(1, [], None).has_had_keys());
}

//! The cost of a key for each request.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use allocation_access::{ApiKey, KeyId, KeyName, KeyRecord, Keyring, Scope, Scopes};
use chrono::DateTime;
use divan::Bencher;
use std::time::Duration;

fn main() {
    divan::main();
}

fn key(number: u64) -> ApiKey {
    ApiKey::new(&KeyId::from_random(number), [7; 32])
}

fn ring(keys: u64) -> Keyring {
    let record = |number| KeyRecord {
        id: KeyId::from_random(number),
        name: KeyName::parse("shop").unwrap(),
        scopes: Scopes::from_iter([Scope::OrdersWrite]),
        digest: key(number).digest(),
        previous: None,
        rate: Some("1000000/s".parse().unwrap()),
        created_at: DateTime::UNIX_EPOCH,
        expires_at: None,
        revoked_at: None,
        last_used_on: None,
    };
    Keyring::new(1, (0..keys).map(record), None)
}

#[divan::bench(args = [1, 1_000])]
fn authenticate(bencher: Bencher<'_, '_>, keys: u64) {
    let (ring, key) = (ring(keys), key(0));
    bencher.bench(|| ring.authenticate(key.expose(), DateTime::UNIX_EPOCH).is_ok());
}

#[divan::bench]
fn take_from_the_bucket(bencher: Bencher<'_, '_>) {
    let ring = ring(1);
    let entry = ring.get(&KeyId::from_random(0)).unwrap();
    bencher.bench(|| entry.bucket().unwrap().take(Duration::from_secs(1)).is_ok());
}

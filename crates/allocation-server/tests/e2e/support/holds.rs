//! Holds that expire sooner than the API allows.

use super::TestDatabase;
use std::thread;
use std::time::{Duration, Instant};

/// The time by the clock of the servers, in microseconds since 1970.
pub(crate) fn now() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// Lets the hold of an order expire at an instant.
pub(crate) fn expire_at(database: &TestDatabase, order_id: &str, at: i64) {
    expire_where(database, &format!("order_id = '{order_id}'"), at);
}

/// Lets the holds of lines expire at an instant.
pub(crate) fn expire_where(database: &TestDatabase, which: &str, at: i64) {
    let expire = format!("UPDATE order_lines SET expires_at = {at} WHERE expires_at IS NOT NULL AND {which}");
    if database.url().starts_with("sqlite") {
        database.execute(&expire);
    } else {
        // As the servers do: the lock on a product covers its lines.
        let lock = format!(
            "SELECT sku FROM products WHERE sku IN (SELECT sku FROM order_lines WHERE {which}) ORDER BY sku FOR UPDATE"
        );
        database.execute(&format!("BEGIN; {lock}; {expire}; COMMIT"));
    }
}

/// Lets the hold of an order expire a moment ago.
pub(crate) fn expire(database: &TestDatabase, order_id: &str) {
    expire_at(database, order_id, now() - 1);
}

/// Waits until the holds of all lines of an order are released.
pub(crate) fn swept(database: &TestDatabase, order_id: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let held = format!("SELECT count(*) FROM order_lines WHERE expires_at IS NOT NULL AND order_id = '{order_id}'");
    while database.count(&held) > 0 {
        assert!(Instant::now() < deadline, "the hold of {order_id} is not swept");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a check of an order that it places and lets expire, with other orders until one is checked
/// before its release by the sweeper.
pub(crate) fn unswept(database: &TestDatabase, check: impl Fn(&str)) {
    for number in 1..=20 {
        let order_id = format!("HELD-{number}");
        check(&order_id);
        let query = format!("SELECT count(*) FROM all_events WHERE type = 'hold_expired' AND order_id = '{order_id}'");
        if database.count(&query) == 0 {
            return;
        }
    }
    panic!("the sweeper was faster each time");
}

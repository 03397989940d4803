//! Holds that expire early, and checks of the invariants at random times.

use super::invariants;
use crate::support::{TestDatabase, expire_where, now};
use std::thread;
use std::time::{Duration, Instant};

/// The suffix of the ids of orders whose hold may expire at any time.
pub(super) const FLEETING: &str = "-x";

/// Lets these holds expire soon, one after the other, and checks the counters meanwhile.
pub(super) fn reign(database: &TestDatabase, end: Instant) {
    let held = format!(
        "SELECT DISTINCT order_id FROM order_lines WHERE expires_at > {{}} AND order_id LIKE '%{FLEETING}' LIMIT 3"
    );
    let mut audited = Instant::now();
    while Instant::now() < end {
        // Holds with a minute or more left have not been shortened yet.
        let minute = now() + 60_000_000;
        for order in database.texts(&held.replace("{}", &minute.to_string())) {
            // Some expire at once, some while a request is under way.
            let soon = [-1_000, 2_000, 10_000, 40_000][order.len() % 4];
            expire_where(database, &format!("order_id = '{order}'"), now() + soon);
        }
        if audited.elapsed() > Duration::from_millis(250) {
            invariants::check_counters(database);
            audited = Instant::now();
        }
        thread::sleep(Duration::from_millis(15));
    }
}

/// Lets all holds expire, and waits until the servers have released them.
pub(super) fn end_all_holds(database: &TestDatabase) {
    expire_where(database, "true", now() - 1);
    let deadline = Instant::now() + Duration::from_secs(60);
    while database.count("SELECT count(*) FROM order_lines WHERE expires_at IS NOT NULL") > 0 {
        assert!(Instant::now() < deadline, "expired holds are not released");
        thread::sleep(Duration::from_millis(50));
    }
}

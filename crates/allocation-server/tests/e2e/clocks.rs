//! Wrong clocks: of a replica, and of the machine under SQLite.

use crate::support::{Server, TestDatabase, binary};
use serde_json::{Value, json};
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

const HOUR: i64 = 3_600;

/// Starts a server whose clock is off by these seconds.
fn wrong(database: &TestDatabase, seconds: i64) -> Server {
    Server::start_with(database, |command| command.args(["--clock-offset-seconds", &seconds.to_string()]))
}

fn run(database: &TestDatabase, arguments: &[&str]) -> Output {
    binary().args(arguments).env("DATABASE_URL", database.url()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The time by the clock of the machine, in microseconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// The remaining time of an order's hold, in seconds of the machine's clock.
fn left(order: &Value) -> i64 {
    let expires_at: chrono::DateTime<chrono::Utc> = order["expires_at"].as_str().unwrap().parse().unwrap();
    (expires_at - chrono::Utc::now()).num_seconds()
}

/// No product has an instant more than some seconds in the future.
fn assert_no_instant_ahead(database: &TestDatabase) {
    for (table, column) in [("products", "last_at"), ("order_lines", "placed_at"), ("all_events", "occurred_at")] {
        let latest = database.count(&format!("SELECT coalesce(max({column}), 0) FROM {table}"));
        assert!(latest < now() + 5_000_000, "{table}.{column} is ahead by {} us", latest - now());
    }
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_replica_an_hour_ahead_expires_no_cart_of_others_and_records_no_future_instant() {
    let database = TestDatabase::postgres();
    let right = Server::start(&database);
    let client = right.client();
    let skus: Vec<String> = (0..8).map(|number| format!("SKU-{number}")).collect();
    for sku in &skus {
        assert_eq!(client.add_batch(&format!("B-{sku}"), sku, 1_000, None).status, 201);
    }
    let cart = client.place("CART", &[("SKU-0", 5)], json!({"hold_seconds": 600}));
    assert_eq!(cart.status, 201);

    let ahead = wrong(&database, HOUR);
    wait_for("the clock is not found to be wrong", || ahead.client().get("/readyz").status == 503);
    let problem = ahead.client().get("/readyz").problem(503, "clock-off");
    assert!(problem["detail"].as_str().unwrap().contains("The clock is off by 3,600 s"), "{problem}");
    assert_eq!(client.get("/readyz").status, 200);
    // It sweeps, decides single commands and groups, and reads.
    let lines: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    assert_eq!(ahead.client().place("WIDE", &lines, json!({})).status, 201);
    for number in 0..30 {
        for sku in &skus {
            assert_eq!(ahead.client().allocate(&format!("O-{number}"), sku, 1).status, 201);
        }
    }
    let held = ahead.client().place("HELD", &[("SKU-1", 1), ("SKU-2", 1)], json!({"hold_seconds": 10}));
    let remaining = left(&held.json());
    assert!((2..=11).contains(&remaining), "{remaining}");
    thread::sleep(Duration::from_secs(2));
    assert_eq!(ahead.client().order("CART")["status"], "held");
    let lines = ahead.log().iter().filter(|line| line.contains("the clock of this machine is off by 3600 s")).count();
    assert_eq!(lines, 1, "{:?}", ahead.log());
    drop(ahead);

    assert_eq!(client.order("CART")["status"], "held");
    assert_no_instant_ahead(&database);
    for sku in &skus {
        let placed = client.place(&format!("AFTER-{sku}"), &[(sku, 1)], json!({"hold_seconds": 10}));
        let remaining = left(&placed.json());
        assert!((2..=11).contains(&remaining), "{sku}: {remaining}");
    }
    assert_eq!(client.confirm("CART").status, 200);
    let expired = || skus.iter().all(|sku| client.order(&format!("AFTER-{sku}"))["status"] == "expired");
    wait_for("holds of ten seconds do not expire", expired);
    let check = run(&database, &["check"]);
    assert!(check.status.success() && text(&check.stdout) == "nothing is wrong\n", "{check:?}");
}

#[test]
fn a_replica_that_is_behind_never_returns_an_expiry_in_the_past() {
    let database = TestDatabase::postgres();
    let (right, behind) = (Server::start(&database), wrong(&database, -HOUR));
    let client = behind.client();
    assert_eq!(client.add_batch("B", "LAMP", 10, None).status, 201);
    for number in 0..3 {
        let name = format!("CART-{number}");
        let placed = client.place(&name, &[("LAMP", 1)], json!({"hold_seconds": 10}));
        assert_eq!(placed.status, 201);
        let remaining = left(&placed.json());
        assert!((2..=11).contains(&remaining), "{remaining}");
        assert_eq!(right.client().order(&name)["status"], "held");
        assert_eq!(right.client().extend(&name, 60).status, 200);
        assert!((50..=61).contains(&left(&client.order(&name))));
    }
    assert_no_instant_ahead(&database);
}

#[test]
fn a_clock_set_back_keeps_the_order_of_arrival_and_is_repaired_under_a_server() {
    let database = TestDatabase::sqlite();
    {
        let ahead = wrong(&database, 10 * 24 * HOUR);
        let client = ahead.client();
        assert_eq!(client.add_batch("B", "LAMP", 1, None).status, 201);
        assert_eq!(client.add_batch("R", "RUG", 5, None).status, 201);
        for name in ["Z", "Y"] {
            assert_eq!(client.place(name, &[("LAMP", 3)], json!({"on_shortage": "backorder"})).status, 201);
        }
        assert_eq!(client.place("LONG", &[("RUG", 1)], json!({"hold_seconds": 60})).status, 201);
    }
    let server = Server::start(&database);
    let client = server.client();
    for name in ["X", "W"] {
        assert_eq!(client.place(name, &[("LAMP", 3)], json!({"on_shortage": "backorder"})).status, 201);
    }
    let names = || client.queue("LAMP").into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(), ["Z", "Y", "X", "W"]);
    let placed = client.place("CART", &[("RUG", 1)], json!({"hold_seconds": 10}));
    let remaining = left(&placed.json());
    assert!((2..=11).contains(&remaining), "{remaining}");
    wait_for("a hold of ten seconds does not expire", || client.order("CART")["status"] == "expired");

    let check = run(&database, &["check"]);
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    for what in ["products.last_at", "order_lines.placed_at", "order_lines.expires_at", "event_blocks.occurred_at"] {
        assert!(text(&check.stdout).contains(what), "{what}: {check:?}");
    }
    let asked = run(&database, &["repair", "clock"]);
    assert!(!asked.status.success() && text(&asked.stderr).contains("--yes"), "{asked:?}");
    let repaired = run(&database, &["repair", "clock", "--yes"]);
    assert!(repaired.status.success() && text(&repaired.stdout).contains("2 products"), "{repaired:?}");
    let check = run(&database, &["check"]);
    assert!(check.status.success() && text(&check.stdout) == "nothing is wrong\n", "{check:?}");
    assert_eq!(names(), ["Z", "Y", "X", "W"]);
    assert!(left(&client.order("LONG")) <= 61);
    assert_eq!(client.place("V", &[("LAMP", 3)], json!({"on_shortage": "backorder"})).status, 201);
    assert_eq!(names(), ["Z", "Y", "X", "W", "V"]);
    assert_no_instant_ahead(&database);
}

#[test]
fn a_clock_ahead_by_a_month_or_ten_years_removes_no_events() {
    let database = TestDatabase::sqlite();
    {
        let server = Server::start(&database);
        assert_eq!(server.client().add_batch("B", "LAMP", 10, None).status, 201);
        wait_for("no event is numbered", || database.count("SELECT count(*) FROM events") > 0);
    }
    for days in [31, 3_650] {
        let server = wrong(&database, days * 24 * HOUR);
        thread::sleep(Duration::from_secs(3));
        assert_eq!(server.client().get("/events?after=0").status, 200);
        drop(server);
    }
    assert_eq!(database.count("SELECT oldest_position FROM event_log"), 1);
    assert!(database.count("SELECT count(*) FROM events") >= 1);
}

//! Random commands of many clients at once, and then the invariants.
//!
//! `ALLOCATION_STRESS_SECONDS` sets how long (default 8).

mod chaos;
pub(crate) mod invariants;
pub(crate) mod ledger;
mod picker;
mod shopper;
mod views;

use crate::support::{Server, TestDatabase, on_every_database};
use picker::Picker;
use shopper::Shopper;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 12;
const PICKERS: usize = 2;
/// The maximum number of rounds until every kind of event has happened.
const ROUNDS: usize = 10;

fn seconds() -> u64 {
    std::env::var("ALLOCATION_STRESS_SECONDS").map_or(8, |text| text.parse().unwrap())
}

/// Lets clients act on the servers for a while.
fn act(database: &TestDatabase, shoppers: &mut [Shopper], pickers: &mut [Picker]) {
    let end = Instant::now() + Duration::from_secs(seconds());
    thread::scope(|scope| {
        for shopper in shoppers {
            scope.spawn(move || {
                while Instant::now() < end {
                    shopper.act();
                }
            });
        }
        for picker in pickers {
            scope.spawn(move || {
                while Instant::now() < end {
                    picker.act();
                }
            });
        }
        scope.spawn(|| chaos::reign(database, end));
    });
}

/// Runs clients against the servers, and then compares their responses with the database.
fn stress(database: &TestDatabase, servers: &[&Server]) {
    let client = |number: usize| servers[number % servers.len()].client();
    // Orders may wait for them before they have a batch.
    for sku in shopper::skus() {
        // Lines of steady products keep their batches, so responses can be compared with earlier ones.
        let body = if shopper::is_steady(&sku) { r#"{"promises": "stable"}"# } else { "{}" };
        let path = format!("/products/{sku}");
        assert_eq!(client(0).send("PUT", &path, Some("application/json"), body.as_bytes()).status, 201, "{sku}");
    }
    let mut shoppers: Vec<_> = (0..CLIENTS).map(|number| Shopper::new(number, client(number))).collect();
    let mut pickers: Vec<_> = (0..PICKERS).map(|number| Picker::new(number, client(number))).collect();
    // On a slow machine every kind of event takes longer to happen.
    for _ in 0..ROUNDS {
        let acted = catch_unwind(AssertUnwindSafe(|| act(database, &mut shoppers, &mut pickers)));
        acted.unwrap_or_else(|panic| {
            println!("{:#?}", faults(servers));
            resume_unwind(panic)
        });
        if missing(database).is_empty() {
            break;
        }
    }
    let commands: usize = shoppers.iter().map(|shopper| shopper.commands).sum();
    let refused: usize = shoppers.iter().map(|shopper| shopper.refused).sum();
    assert!(commands > 100 && refused > 0 && refused < commands, "{commands} commands, {refused} refused");
    let orders: i64 = shoppers.iter().map(|shopper| i64::try_from(shopper.orders.len()).unwrap()).sum();
    println!("{commands} commands, {refused} of them refused, {orders} orders");
    let missing = missing(database);
    assert!(missing.is_empty(), "no such event happened: {missing:?}");
    invariants::check_counters(database);
    chaos::end_all_holds(database);
    invariants::check(database, &shoppers, &pickers);
    for server in servers {
        views::check(database, &server.client());
    }
    assert_eq!(faults(servers), Vec::<String>::new());
}

/// Returns the errors that the servers have logged.
fn faults(servers: &[&Server]) -> Vec<String> {
    servers.iter().flat_map(|server| server.log()).filter(|line| line.contains("\"ERROR\"")).collect()
}

/// The expected kinds of events that have not happened: without them, the invariants prove nothing.
fn missing(database: &TestDatabase) -> Vec<&'static str> {
    let recorded = database.texts("SELECT DISTINCT type FROM all_events");
    let events = [
        "allocated",
        "backordered",
        "batch_adjusted",
        "batch_changed",
        "deallocated",
        "hold_confirmed",
        "hold_expired",
        "line_cancelled",
        "line_changed",
        "line_placed",
        "line_returned",
        "line_short",
        "pick_line_withdrawn",
        "pick_listed",
        "picked",
        "promise_worsened",
        "shipped",
        "units_missing",
    ];
    let mut missing: Vec<_> = events.into_iter().filter(|event| !recorded.iter().any(|other| other == event)).collect();
    if database.count("SELECT count(*) FROM all_events WHERE payload LIKE '%\"reason\":\"move\"%'") == 0 {
        missing.push("move");
    }
    if database.count("SELECT count(*) FROM stock_documents WHERE kind = 'adjustment' AND request LIKE '%\"count\"%'")
        == 0
    {
        missing.push("count");
    }
    missing
}

fn the_invariants_hold_after_random_commands_of_many_clients(database: &TestDatabase) {
    let server = Server::start(database);
    stress(database, &[&server]);
}

on_every_database!(the_invariants_hold_after_random_commands_of_many_clients);

mod postgres_with_two_servers {
    use super::*;

    #[test]
    fn the_invariants_hold_and_nothing_deadlocks() {
        let database = TestDatabase::postgres();
        let (one, other) = (Server::start(&database), Server::start(&database));
        stress(&database, &[&one, &other]);
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(database.count(deadlocks), 0);
    }
}

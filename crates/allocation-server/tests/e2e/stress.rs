//! Random commands of many clients at once, and then the books.
//!
//! `ALLOCATION_STRESS_SECONDS` sets how long (default 8).

mod books;
mod chaos;
mod ledger;
mod picker;
mod shopper;
mod views;

use crate::support::{Server, TestDatabase, on_every_database};
use picker::Picker;
use shopper::Shopper;
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 12;
const PICKERS: usize = 2;
/// How many commands a client sends, however slow the machine is.
const LEAST: usize = 150;

fn seconds() -> u64 {
    std::env::var("ALLOCATION_STRESS_SECONDS").map_or(8, |text| text.parse().unwrap())
}

/// Lets clients loose on the servers, and then checks what they were told against the database.
fn stress(database: &TestDatabase, servers: &[&Server]) {
    let end = Instant::now() + Duration::from_secs(seconds());
    let latest = end + Duration::from_secs(60);
    let (shoppers, pickers): (Vec<Shopper>, Vec<Picker>) = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut shopper = Shopper::new(number, servers[number % servers.len()].client());
                scope.spawn(move || {
                    while Instant::now() < end || shopper.commands < LEAST && Instant::now() < latest {
                        shopper.act();
                    }
                    shopper
                })
            })
            .collect();
        let pickers: Vec<_> = (0..PICKERS)
            .map(|number| {
                let mut picker = Picker::new(number, servers[number % servers.len()].client());
                scope.spawn(move || {
                    while Instant::now() < end {
                        picker.act();
                    }
                    picker
                })
            })
            .collect();
        scope.spawn(|| chaos::reign(database, end));
        let shoppers = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        (shoppers, pickers.into_iter().map(|thread| thread.join().unwrap()).collect())
    });
    let commands: usize = shoppers.iter().map(|shopper| shopper.commands).sum();
    let refused: usize = shoppers.iter().map(|shopper| shopper.refused).sum();
    assert!(commands > 100 && refused > 0 && refused < commands, "{commands} commands, {refused} refused");
    let orders: i64 = shoppers.iter().map(|shopper| i64::try_from(shopper.orders.len()).unwrap()).sum();
    println!("{commands} commands, {refused} of them refused, {orders} orders");
    assert_much_has_happened(database);
    books::check_counters(database);
    chaos::end_all_holds(database);
    books::check(database, &shoppers, &pickers);
    for server in servers {
        views::check(database, &server.client());
        let faults = server.log().into_iter().filter(|line| line.contains("\"ERROR\"")).collect::<Vec<_>>();
        assert!(faults.is_empty(), "{faults:?}");
    }
}

/// Books in which nothing happened are right too, and show nothing.
fn assert_much_has_happened(database: &TestDatabase) {
    let told = database.texts("SELECT DISTINCT type FROM outbox");
    for event in [
        "allocated",
        "backordered",
        "batch_changed",
        "deallocated",
        "hold_confirmed",
        "hold_expired",
        "line_cancelled",
        "line_placed",
        "line_short",
        "pick_line_withdrawn",
        "pick_listed",
        "picked",
        "promise_worsened",
        "shipped",
        "units_missing",
    ] {
        assert!(told.iter().any(|other| other == event), "no {event} among {told:?}");
    }
    assert!(database.count("SELECT count(*) FROM outbox WHERE payload LIKE '%\"reason\":\"move\"%'") > 0);
}

fn the_books_are_right_after_random_commands_of_many_clients(database: &TestDatabase) {
    let server = Server::start(database);
    stress(database, &[&server]);
}

on_every_database!(the_books_are_right_after_random_commands_of_many_clients);

mod postgres_with_two_servers {
    use super::*;

    #[test]
    fn the_books_are_right_and_nothing_deadlocked() {
        let database = TestDatabase::postgres();
        let (one, other) = (Server::start(&database), Server::start(&database));
        stress(&database, &[&one, &other]);
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(database.count(deadlocks), 0);
    }
}

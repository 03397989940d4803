//! The last unit is sold once under concurrent requests.

mod batches;
mod holds;
mod one_product;
mod orders;
mod standalone_lines;

use crate::support::{Client, Server, TestDatabase, on_every_database};
use serde_json::json;
use std::sync::Barrier;
use std::thread;

const CLIENTS: usize = 32;

/// Returns the responses of all clients, which run `ask` concurrently, `times` times each, over the servers.
fn at_once<T: Send>(servers: &[&Server], times: usize, ask: impl Fn(&Client, usize) -> T + Sync) -> Vec<T> {
    at_once_by(CLIENTS, servers, times, ask)
}

/// Like [`at_once`], with this number of clients.
fn at_once_by<T: Send>(
    clients: usize,
    servers: &[&Server],
    times: usize,
    ask: impl Fn(&Client, usize) -> T + Sync,
) -> Vec<T> {
    let start = Barrier::new(clients);
    thread::scope(|scope| {
        let (start, ask) = (&start, &ask);
        let client = |number: usize| servers[number % servers.len()].client();
        let threads: Vec<_> = (0..clients)
            .map(|number| {
                let client = client(number);
                scope.spawn(move || {
                    start.wait();
                    (0..times).map(|time| ask(&client, number * times + time)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|&&other| other == status).count()
}

fn sells_each_unit_once(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-1", "HOT", 100, None);
    let statuses = at_once(servers, 10, |client, number| client.allocate(&format!("O-{number}"), "HOT", 1).status);
    assert_eq!((count(&statuses, 201), count(&statuses, 409), statuses.len()), (100, 220, 320));
    assert_eq!(client.available("B-1"), 0);
    assert_eq!(client.all("/allocations?sku=HOT").len(), 100);
    assert_eq!(database.count("SELECT count(*) FROM all_events WHERE type = 'allocated'"), 100);
}

/// saleor#543, vendure#3508: 40 clients want one of ten units, half of them as standalone lines and half as carts.
fn sells_ten_units_to_forty_clients(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-1", "HOT", 10, None);
    let statuses = at_once_by(40, servers, 1, |client, number| {
        let name = format!("O-{number}");
        // The servers alternate by number: each of them gets both kinds.
        if number / 2 % 2 == 0 {
            client.allocate(&name, "HOT", 1).status
        } else {
            client.place(&name, &[("HOT", 1)], json!({"hold_seconds": 600})).status
        }
    });
    assert_eq!((count(&statuses, 201), count(&statuses, 409)), (10, 30));
    assert_eq!((client.available("B-1"), client.all("/allocations?sku=HOT").len()), (0, 10));
    assert_eq!(database.count("SELECT count(*) FROM order_lines"), 10);
    nothing_failed(servers);
}

fn allocates_one_line_once(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-1", "HOT", 100, None);
    let statuses = at_once(servers, 3, |client, _| client.allocate("O-1", "HOT", 2).status);
    assert_eq!((count(&statuses, 201), count(&statuses, 200), statuses.len()), (1, 95, 96));
    assert_eq!(client.available("B-1"), 98);
    assert_eq!(database.count("SELECT count(*) FROM allocations"), 1);
}

fn adds_one_batch_once(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    // All send one reference; half of them with another SKU.
    let statuses =
        at_once(servers, 1, |client, number| client.add_batch("B-1", ["LAMP", "SOFA"][number % 2], 5, None).status);
    assert_eq!((count(&statuses, 201), count(&statuses, 200), count(&statuses, 409)), (1, 15, 16));
    assert_eq!(client.all("/batch").len(), 1);
    assert_eq!(database.count("SELECT count(*) FROM all_events"), 1);
}

fn frees_units_once(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    client.add_batch("B-1", "HOT", 10, None);
    client.allocate("O-1", "HOT", 10);
    let statuses = at_once(servers, 1, |client, _| client.delete("/allocations/O-1/batch/B-1").status);
    assert_eq!((count(&statuses, 204), count(&statuses, 404)), (1, 31));
    assert_eq!(client.available("B-1"), 10);
    assert_eq!(database.count("SELECT count(*) FROM all_events WHERE type = 'deallocated'"), 1);
}

/// Checks that no two transactions of a PostgreSQL database have waited for each other.
fn nothing_deadlocked(database: &TestDatabase) {
    if database.url().starts_with("postgres") {
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(database.count(deadlocks), 0);
    }
}

fn nothing_failed(servers: &[&Server]) {
    for server in servers {
        let faults = server.log().into_iter().filter(|line| line.contains("\"ERROR\"")).collect::<Vec<_>>();
        assert!(faults.is_empty(), "{faults:?}");
    }
}

type Check = fn(&TestDatabase, &[&Server]);

fn with_one_server(database: &TestDatabase, check: Check) {
    let server = Server::start(database);
    check(database, &[&server]);
}

fn each_unit_is_sold_once(database: &TestDatabase) {
    with_one_server(database, sells_each_unit_once);
}

fn ten_units_serve_ten_of_forty_clients(database: &TestDatabase) {
    with_one_server(database, sells_ten_units_to_forty_clients);
}

fn one_line_is_allocated_once(database: &TestDatabase) {
    with_one_server(database, allocates_one_line_once);
}

fn one_batch_is_added_once(database: &TestDatabase) {
    with_one_server(database, adds_one_batch_once);
}

fn units_are_released_once(database: &TestDatabase) {
    with_one_server(database, frees_units_once);
}

on_every_database!(
    each_unit_is_sold_once,
    ten_units_serve_ten_of_forty_clients,
    one_line_is_allocated_once,
    one_batch_is_added_once,
    units_are_released_once
);

fn with_two_servers(database: &TestDatabase, check: Check) {
    let (one, other) = (Server::start(database), Server::start(database));
    check(database, &[&one, &other]);
}

/// Makes tests of each check: with one server on each database, and with two on each.
macro_rules! with_one_server_and_with_two {
    ($($name:ident: $check:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::super::with_one_server(&crate::support::TestDatabase::sqlite(), super::$check);
            })+
        }

        mod postgres {
            $(#[test]
            fn $name() {
                super::super::with_one_server(&crate::support::TestDatabase::postgres(), super::$check);
            })+
        }

        mod sqlite_with_two_servers {
            $(#[test]
            fn $name() {
                super::super::with_two_servers(&crate::support::TestDatabase::sqlite(), super::$check);
            })+
        }

        mod postgres_with_two_servers {
            $(#[test]
            fn $name() {
                super::super::with_two_servers(&crate::support::TestDatabase::postgres(), super::$check);
            })+
        }
    };
}
use with_one_server_and_with_two;

mod postgres_with_two_servers {
    use super::*;

    fn with_two_servers(check: Check) {
        super::with_two_servers(&TestDatabase::postgres(), check);
    }

    #[test]
    fn each_unit_is_sold_once() {
        with_two_servers(sells_each_unit_once);
    }

    #[test]
    fn one_line_is_allocated_once() {
        with_two_servers(allocates_one_line_once);
    }

    #[test]
    fn one_batch_is_added_once() {
        with_two_servers(adds_one_batch_once);
    }

    #[test]
    fn units_are_released_once() {
        with_two_servers(frees_units_once);
    }
}

mod sqlite_with_two_servers {
    use super::*;

    #[test]
    fn each_unit_is_sold_once() {
        let database = TestDatabase::sqlite();
        let (one, other) = (Server::start(&database), Server::start(&database));
        sells_each_unit_once(&database, &[&one, &other]);
    }
}

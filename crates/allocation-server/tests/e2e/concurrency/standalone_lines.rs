//! A standalone line concurrent with a command on the rest of its order.

use super::{nothing_deadlocked, nothing_failed, with_one_server_and_with_two};
use crate::support::{Client, Server, TestDatabase};
use serde_json::json;
use std::sync::{Barrier, Mutex};
use std::thread;

/// The number of pairs of clients, each on its own orders.
const PAIRS: usize = 8;
/// The number of orders that each pair tries.
const TRIES: usize = 40;

/// Two concurrent requests, with the status of their responses.
type Race = (String, u16, u16);

/// Runs two concurrent requests on one order, on different servers if there are two: several hundred
/// orders, each prepared in advance.
fn race(
    servers: &[&Server],
    prepare: impl Fn(&Client, &str) + Sync,
    one: impl Fn(&Client, &str) -> u16 + Sync,
    other: impl Fn(&Client, &str) -> u16 + Sync,
) -> Vec<Race> {
    let races = Mutex::new(Vec::new());
    let run = |pair: usize| {
        let barrier = Barrier::new(2);
        let first = servers[pair % servers.len()].client();
        let second = servers[(pair + 1) % servers.len()].client();
        thread::scope(|scope| {
            let names = move || (0..TRIES).map(move |time| format!("O-{pair}-{time}"));
            let (barrier, second, other) = (&barrier, &second, &other);
            let others = scope.spawn(move || {
                let answers = names().map(|name| {
                    barrier.wait();
                    let status = other(second, &name);
                    barrier.wait();
                    status
                });
                answers.collect::<Vec<_>>()
            });
            let mut ones = Vec::new();
            for name in names() {
                prepare(&first, &name);
                barrier.wait();
                ones.push(one(&first, &name));
                barrier.wait();
            }
            let others = others.join().unwrap();
            let answers = names().zip(ones).zip(others).map(|((name, one), other)| (name, one, other));
            races.lock().unwrap().extend(answers);
        });
    };
    thread::scope(|scope| {
        let run = &run;
        (0..PAIRS).for_each(|pair| drop(scope.spawn(move || run(pair))));
    });
    races.into_inner().unwrap()
}

/// Adds a batch of each SKU that serves all attempts.
fn plenty(client: &Client, skus: &[&str]) {
    for sku in skus {
        client.add_batch(&format!("B-{sku}"), sku, 10_000, None);
    }
}

fn cancels_an_order_that_gets_a_line(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    plenty(&client, &["LAMP", "SOFA"]);
    let races = race(
        servers,
        |client, name| assert_eq!(client.allocate(name, "LAMP", 1).status, 201),
        |client, name| client.cancel(name).status,
        |client, name| client.allocate(name, "SOFA", 1).status,
    );
    assert_eq!(races.len(), PAIRS * TRIES);
    for (name, cancelled, allocated) in &races {
        assert_eq!(*cancelled, 204, "{name}");
        assert!([201, 409].contains(allocated), "{name}: {allocated}");
        let order = client.order(name);
        assert_eq!(order["status"], "cancelled", "{allocated}: {order}");
        let lines = if *allocated == 201 { 2 } else { 1 };
        assert_eq!(order["lines"].as_array().unwrap().len(), lines, "{order}");
    }
    assert_eq!((client.available("B-LAMP"), client.available("B-SOFA")), (10_000, 10_000));
    nothing_deadlocked(database);
    nothing_failed(servers);
}

/// In either order, each request fails only because the order exists.
fn places_an_order_that_gets_its_first_line(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    plenty(&client, &["LAMP", "SOFA"]);
    let races = race(
        servers,
        |_, _| {},
        |client, name| client.place(name, &[("LAMP", 1)], json!({"hold_seconds": 600})).status,
        |client, name| client.allocate(name, "SOFA", 1).status,
    );
    for (name, placed, allocated) in &races {
        assert_eq!(*allocated, 201, "{name}");
        assert!([201, 409].contains(placed), "{name}: {placed}");
        let lines = if *placed == 201 { 2 } else { 1 };
        assert_eq!(client.order(name)["lines"].as_array().unwrap().len(), lines, "{name}");
    }
    nothing_deadlocked(database);
    nothing_failed(servers);
}

/// Both lines are the first of their order; neither fails, and both belong to it.
fn allocates_two_first_lines(database: &TestDatabase, servers: &[&Server]) {
    let client = servers[0].client();
    plenty(&client, &["LAMP", "SOFA"]);
    let races = race(
        servers,
        |_, _| {},
        |client, name| client.allocate(name, "LAMP", 1).status,
        |client, name| client.allocate(name, "SOFA", 1).status,
    );
    for (name, one, other) in &races {
        assert_eq!((*one, *other), (201, 201), "{name}");
        assert_eq!(client.order(name)["lines"].as_array().unwrap().len(), 2, "{name}");
    }
    nothing_deadlocked(database);
    nothing_failed(servers);
}

with_one_server_and_with_two!(
    a_cancelled_order_keeps_no_line: cancels_an_order_that_gets_a_line,
    an_order_and_a_first_line_of_its_name_share_it_or_exclude_the_order: places_an_order_that_gets_its_first_line,
    two_first_lines_of_an_order_are_allocated: allocates_two_first_lines,
);

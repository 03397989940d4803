//! More waiting lines, and more simultaneous expiries, than one unit of work handles.

use crate::support::{Client, Server, TestDatabase, on_every_database};
use std::thread;
use std::time::Duration;

/// Several times the bound of a unit of work, and an uneven number.
const LINES: u32 = 3_141;

fn literal(database: &TestDatabase, value: bool) -> &'static str {
    match (database.url().starts_with("postgres"), value) {
        (true, true) => "true",
        (true, false) => "false",
        (false, true) => "1",
        (false, false) => "0",
    }
}

/// Numbers from 1, as a table `n` with a column `i`.
fn numbers() -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LINES})")
}

/// Allocates a unit for a newcomer once the product is no longer behind.
fn allocate_in_the_end(client: &Client) {
    for _ in 0..2_000 {
        let answer = client.allocate("NEWCOMER", "LAMP", 1);
        if answer.status == 201 {
            return;
        }
        answer.problem(503, "overloaded");
        assert!(answer.header("retry-after").is_some());
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it is refused for ever");
}

fn an_arrival_serves_a_long_queue_before_a_newcomer(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let yes = literal(database, true);
    database.execute(&format!(
        "INSERT INTO products (sku, version, waiting_lines, backordered) VALUES ('LAMP', 1, {LINES}, {LINES});
         INSERT INTO order_lines (sku, order_id, quantity, of_order, backorders, placed_at, waiting)
         {} SELECT 'LAMP', 'W-' || i, 1, {yes}, {yes}, i, 1 FROM n",
        numbers()
    ));
    assert_eq!(client.add_batch("B-1", "LAMP", LINES + 1, None).status, 201);
    allocate_in_the_end(&client);
    assert_eq!(client.product("LAMP")["backordered"], 0, "no waiting line was overtaken");
    assert_eq!(client.available("B-1"), 0);
}

fn carts_that_expire_together_are_released_before_a_newcomer(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", LINES, None);
    let yes = literal(database, true);
    database.execute(&format!(
        "INSERT INTO order_lines (sku, order_id, quantity, of_order, expires_at, reference, allocated)
         {} SELECT 'LAMP', 'C-' || i, 1, {yes}, i, 'B-1', 1 FROM n;
         UPDATE batches SET allocated_quantity = {LINES} WHERE reference = 'B-1';
         UPDATE products SET held_lines = {LINES}, held = {LINES} WHERE sku = 'LAMP'",
        numbers()
    ));
    assert_eq!(client.product("LAMP")["available"], LINES, "free from the very second, for every reader");
    allocate_in_the_end(&client);
    assert_eq!(client.available("B-1"), u64::from(LINES) - 1);
    assert_eq!(client.product("LAMP")["held"], 0);
    assert_eq!(client.standing("C-1"), "expired LAMP 0");
}

on_every_database!(
    an_arrival_serves_a_long_queue_before_a_newcomer,
    carts_that_expire_together_are_released_before_a_newcomer,
);

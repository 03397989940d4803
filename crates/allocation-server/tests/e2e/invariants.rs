//! Rows that were changed by hand: a broken invariant is reported by name, at once.

use crate::support::{Answer, Server, TestDatabase, on_every_database};
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

/// Waits until this many errors in the log name an invariant; they are written after the responses.
#[track_caller]
fn assert_errors(server: &Server, invariant: &str, expected: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let names = |line: &&String| line.contains("\"ERROR\"") && line.contains(invariant);
    let count = || server.log().iter().filter(names).count();
    while count() < expected && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(count(), expected, "{invariant}: {:?}", server.log());
}

#[track_caller]
fn assert_fault(answer: &Answer) {
    answer.problem(500, "internal-error");
    assert_eq!(answer.header("retry-after"), None, "{answer:?}");
    assert!(!answer.text.contains("batch_covers"), "{answer:?}");
}

fn a_counter_that_differs_from_its_allocations_is_a_500_with_its_name_in_the_log(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.add_batch("B-2", "SOFA", 10, None);
    client.allocate("O-1", "LAMP", 4);
    client.allocate("O-1", "SOFA", 4);
    database.execute("UPDATE batches SET allocated_quantity = 3 WHERE reference = 'B-1'");
    // Through the engine, through a use case, and over several products.
    let broken = [client.allocate("O-1", "LAMP", 4), client.give_back("O-1", "B-1"), client.cancel("O-1")];
    broken.iter().for_each(assert_fault);
    // A lasting failure is logged once.
    assert_errors(&server, "batch_covers_its_allocations", 1);
    // Other requests succeed, on the same product and on others.
    assert_eq!(client.allocate("O-2", "SOFA", 1).status, 201);
    assert_eq!(client.allocate("O-2", "LAMP", 1).status, 201);
    assert_eq!(client.give_back("O-1", "B-2").status, 204);
    database.execute("UPDATE batches SET allocated_quantity = 5 WHERE reference = 'B-1'");
    assert_eq!(client.give_back("O-1", "B-1").status, 204);
    assert_errors(&server, "the invariant", 1);
}

fn a_constraint_violation_is_a_500_with_the_name_of_the_constraint(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    database.execute("UPDATE products SET in_stock = 0");
    let lowered = client.change_batch("B-1", &json!({"purchased_quantity": 5}));
    assert_fault(&lowered);
    assert_errors(&server, "the invariant", 1);
    let constraint = if database.url().starts_with("postgres") { "products_totals" } else { "in_stock >= 0" };
    assert_errors(&server, constraint, 1);
    assert_eq!(client.get("/batch/B-1").json()["purchased_quantity"], 10, "nothing is stored");
}

fn a_broken_product_affects_no_line_of_others(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for sku in ["LAMP", "SOFA", "RUG"] {
        client.add_batch(&format!("B-{sku}"), sku, 1_000, None);
    }
    client.allocate("BROKEN", "LAMP", 4);
    database.execute("UPDATE batches SET allocated_quantity = 3 WHERE sku = 'LAMP'");
    let statuses: Vec<_> = thread::scope(|scope| {
        let client = &client;
        let ask = |number: usize| {
            scope.spawn(move || match number % 3 {
                0 => client.allocate("BROKEN", "LAMP", 4).status,
                1 => client.allocate(&format!("O-{number}"), "SOFA", 1).status,
                _ => client.allocate(&format!("O-{number}"), "RUG", 1).status,
            })
        };
        let threads: Vec<_> = (0..24).map(ask).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (number, status) in statuses.into_iter().enumerate() {
        assert_eq!(status, if number % 3 == 0 { 500 } else { 201 }, "{number}");
    }
}

on_every_database!(
    a_counter_that_differs_from_its_allocations_is_a_500_with_its_name_in_the_log,
    a_constraint_violation_is_a_500_with_the_name_of_the_constraint,
    a_broken_product_affects_no_line_of_others,
);

//! Late duplicates, which a key recognizes.

use crate::support::{Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};

const KEY: (&str, &str) = ("idempotency-key", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"");

fn patch(client: &Client, path: &str, body: &Value, key: &str) -> crate::support::Answer {
    client.send_with("PATCH", path, &[("content-type", "application/json"), ("idempotency-key", key)], body.to_string())
}

/// A late duplicate arrives after its line was deallocated: with its key it changes nothing; without one, it is a new
/// request.
fn a_late_duplicate_with_a_key_does_not_bring_a_line_back(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    let line = json!({"order_id": "O-1", "sku": "LAMP", "qty": 2});
    assert_eq!(client.post_with("/allocations", &line, KEY).status, 201);
    assert_eq!(client.post_with("/allocations", &line, KEY).status, 200, "the line is still there");
    let other = json!({"order_id": "O-1", "sku": "LAMP", "qty": 3});
    client.post_with("/allocations", &other, KEY).problem(422, "idempotency-key-reused");
    client.give_back("O-1", "B-1");
    drop(server);
    let server = Server::start(database);
    let client = server.client();
    client.post_with("/allocations", &line, KEY).problem(409, "already-undone");
    assert_eq!(client.available("B-1"), 5);
    assert_eq!(client.post("/allocations", &line).status, 201, "without a key it is a new request");
    client.give_back("O-1", "B-1");
    assert_eq!(client.post_with("/allocations", &line, ("idempotency-key", "another")).status, 201);
    client.post_with("/allocations", &line, ("idempotency-key", "")).problem(422, "validation");
}

fn a_late_duplicate_of_a_change_returns_the_current_state(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.place("O-1", &[("LAMP", 1)], json!({}));
    let lines = |qty: u32| json!({"lines": [{"sku": "LAMP", "qty": qty}]});
    assert_eq!(patch(&client, "/orders/O-1", &lines(2), "first").status, 200);
    assert_eq!(patch(&client, "/orders/O-1", &lines(3), "second").status, 200);
    let late = patch(&client, "/orders/O-1", &lines(2), "first");
    assert_eq!((late.status, late.json()), (200, client.order("O-1")));
    assert_eq!(client.standing("O-1"), "allocated LAMP 3 (B-1 3)");
    for (path, qty) in [("/orders/O-2", 2), ("/orders/O-1", 4)] {
        patch(&client, path, &lines(qty), "first").problem(422, "idempotency-key-reused");
    }
}

fn a_late_duplicate_does_not_add_a_deleted_batch_again(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 2});
    assert_eq!(client.post_with("/batch", &batch, KEY).status, 201);
    assert_eq!(client.post_with("/batch", &batch, KEY).status, 200);
    let other = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 3});
    client.post_with("/batch", &other, KEY).problem(422, "idempotency-key-reused");
    assert_eq!(client.delete("/batch/B-1").status, 204);
    client.post_with("/batch", &batch, KEY).problem(409, "already-undone");
    client.get("/batch/B-1").problem(404, "batch-not-found");
}

on_every_database!(
    a_late_duplicate_with_a_key_does_not_bring_a_line_back,
    a_late_duplicate_of_a_change_returns_the_current_state,
    a_late_duplicate_does_not_add_a_deleted_batch_again,
);

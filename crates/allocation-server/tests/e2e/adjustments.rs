//! Adjustments: units that were damaged, lost, found or counted.

use crate::pick_lists::events;
use crate::support::{Server, TestDatabase, on_every_database, projection};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

fn backorder() -> Value {
    json!({"on_shortage": "backorder"})
}

/// Purchased, adjusted and available units of a batch.
fn books(batch: &Value) -> [i64; 3] {
    ["purchased", "adjusted", "available"].map(|name| batch[format!("{name}_quantity")].as_i64().unwrap_or(0))
}

/// odoo#45128: five of ten are on hand, and six are reserved.
fn a_count_below_the_reserved_units_displaces_only_what_is_missing(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.place("O-1", &[("LAMP", 6)], backorder());
    let count = json!({
        "adjustment_id": "COUNT-1", "reason": "correction", "lines": [{"reference": "B-1", "from": 10, "change": -5}]
    });
    let preview = client.post("/adjustments?dry_run=true", &count);
    assert_eq!((preview.status, client.available("B-1")), (200, 4));
    let adjusted = client.post("/adjustments", &count);
    assert_eq!(adjusted.status, 201, "{adjusted:?}");
    let body = adjusted.json();
    assert_eq!(body["displaced"], json!([{"order_id": "O-1", "sku": "LAMP", "qty": 1, "status": "backordered"}]));
    assert_eq!(body["lines"], json!([{"reference": "B-1", "sku": "LAMP", "change": -5, "on_hand": 5}]));
    assert_eq!(preview.json()["displaced"], body["displaced"]);
    assert_eq!(client.standing("O-1"), "allocated LAMP 5 (B-1 5) +1".replace("allocated", "partially_allocated"));
    assert_eq!(books(&client.get("/batch/B-1").json()), [10, -5, 0]);
    assert_eq!(client.product("LAMP")["in_stock"], 5);
    let again = client.post("/adjustments", &count);
    assert_eq!((again.status, again.json()), (200, body));
    client.adjust("COUNT-1", "correction", &[("B-1", -4)]).problem(409, "adjustment-already-exists");
    let other = json!({
        "adjustment_id": "COUNT-2", "reason": "correction", "lines": [{"reference": "B-1", "from": 10, "change": -1}]
    });
    let changed = client.post("/adjustments", &other).problem(409, "quantity-changed");
    assert_eq!(changed["detail"], "Batch B-1 has 5 units on hand, not 10");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

/// Found again: units that a picker did not find come back by an adjustment, and serve the line that waits for them.
fn a_short_picked_unit_that_is_found_again_comes_back(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.place("O-1", &[("LAMP", 5)], backorder());
    client.post("/pick-lists", &json!({"pick_list_id": "P"}));
    client.post("/pick-lists/P/lines/1/pick", &json!({"qty": 3}));
    assert_eq!(books(&client.get("/batch/B-1").json()), [5, -2, 0]);
    assert_eq!(client.adjust("FOUND", "found", &[("B-1", 2)]).status, 201);
    let batch = client.get("/batch/B-1").json();
    assert_eq!((books(&batch), &batch["allocated_quantity"]), ([5, 0, 0], &json!(2)));
    client.adjust("LOST", "lost", &[("B-1", -3)]).problem(409, "units-gone");
    assert_eq!(client.adjust("LOST", "lost", &[("B-1", -2)]).status, 201, "its id was free");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

fn all_batches_are_adjusted_or_none(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    client.adjust("A", "damaged", &[("B-1", -1), ("NONE", -1)]).problem(404, "batch-not-found");
    client.adjust("A", "damaged", &[("B-1", -1), ("B-2", -6)]).problem(409, "units-gone");
    assert_eq!((client.available("B-1"), client.available("B-2")), (5, 5));
    assert_eq!(client.adjust("A", "water damage in hall 3", &[("B-2", -2), ("B-1", 1)]).status, 201);
    assert_eq!((client.available("B-1"), client.available("B-2")), (6, 3));
    // The purchase is corrected by itself.
    let corrected = client.change_batch("B-2", &json!({"purchased_quantity": 9}));
    assert_eq!(books(&corrected.json()), [9, -2, 7]);
    let events = events(&client, database);
    let adjusted: Vec<_> = events.iter().filter(|event| event["type"] == "allocation.batch.adjusted.v1").collect();
    assert_eq!(adjusted.len(), 2);
    assert_eq!(adjusted[0]["data"]["reason"], "water damage in hall 3");
    assert_eq!(adjusted[0]["authtype"], "unauthenticated");
    projection::assert_served(&projection::project(&events), &client);
}

/// How a batch came to its units, with reasons and authors; also after it was deleted.
fn the_history_of_a_batch_says_how_it_came_to_its_units(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B 1/ü", "LAMP", 9, Some("2027-01-15"));
    client.add_batch("OTHER", "LAMP", 9, None);
    client.place("O-1", &[("LAMP", 9)], backorder());
    client.change_batch("B 1/ü", &json!({"purchased_quantity": 8, "eta": null}));
    client.adjust("A-1", "damaged", &[("B 1/ü", -3), ("OTHER", 1)]);
    client.cancel("O-1");
    assert_eq!(client.delete("/batch/B%201%2F%C3%BC").status, 204);
    let rows = client.all("/batch/B%201%2F%C3%BC/history?limit=2");
    let one = |row: &Value| {
        format!(
            "{} by {}: {}",
            row["event"].as_str().unwrap(),
            row["by"].as_str().unwrap(),
            row["detail"].as_str().unwrap()
        )
    };
    assert_eq!(
        rows.iter().map(one).collect::<Vec<_>>(),
        [
            "batch_added by anonymous: The batch was added with 9 units, due on 2027-01-15",
            "batch_changed by anonymous: The purchase is 8 units, in stock; before, it was 9 units, due on 2027-01-15",
            "batch_adjusted by anonymous: The batch was adjusted by -3: damaged",
            "batch_removed by anonymous: The batch was deleted",
        ]
    );
    assert_eq!((&rows[2]["adjustment_id"], &rows[2]["adjustments"]), (&json!("A-1"), &json!(-3)));
    client.get("/batch/NONE/history").problem(404, "batch-not-found");
}

/// Half of the requests adjust two products in one order, half in the other; each of them arrives twice.
fn adjustments_at_the_same_time_are_each_made_once(database: &TestDatabase) {
    let (one, other) = (Server::start(database), Server::start(database));
    let client = one.client();
    client.add_batch("B-1", "LAMP", 100, None);
    client.add_batch("B-2", "SOFA", 100, None);
    let start = &Barrier::new(8);
    let statuses: Vec<Vec<u16>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let client = if number < 4 { one.client() } else { other.client() };
                scope.spawn(move || {
                    start.wait();
                    let adjust = |round: u32| {
                        let id = format!("A-{}-{round}", number % 4);
                        let lines = [("B-1", -1), ("B-2", 1)];
                        client
                            .adjust(&id, "correction", &if number % 2 == 0 { lines } else { [lines[1], lines[0]] })
                            .status
                    };
                    (0..5).map(adjust).collect()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (one, other) = statuses.split_at(4);
    for (one, other) in one.iter().flatten().zip(other.iter().flatten()) {
        let mut both = [*one, *other];
        both.sort_unstable();
        assert_eq!(both, [200, 201]);
    }
    assert_eq!((client.available("B-1"), client.available("B-2")), (80, 120));
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

on_every_database!(
    a_count_below_the_reserved_units_displaces_only_what_is_missing,
    a_short_picked_unit_that_is_found_again_comes_back,
    all_batches_are_adjusted_or_none,
    the_history_of_a_batch_says_how_it_came_to_its_units,
    adjustments_at_the_same_time_are_each_made_once,
);

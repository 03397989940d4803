//! Receipts: what arrives of an inbound batch.

use crate::pick_lists::events;
use crate::support::{Client, Server, TestDatabase, on_every_database, projection};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

fn backorder(priority: i32) -> Value {
    json!({"on_shortage": "backorder", "priority": priority})
}

fn receive(client: &Client, receipt_id: &str, reference: &str, qty: u32, more: Value) -> crate::support::Answer {
    let mut body = json!({"receipt_id": receipt_id, "qty": qty});
    let Value::Object(more) = more else { panic!("{more} is no object") };
    body.as_object_mut().unwrap().extend(more);
    client.post(&format!("/batch/{reference}/receipts"), &body)
}

/// erpnext#41455, IRP#732: 40 of 100 arrive, and lines of 60 are on the batch.
fn the_first_of_the_queue_get_what_arrives_in_part(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, Some("2099-01-01"));
    for (name, units, priority) in [("OLD", 30, 0), ("YOUNG", 20, 0), ("URGENT", 10, 5)] {
        client.place(name, &[("LAMP", units)], backorder(priority));
    }
    let later = json!({"rest": {"eta": "2099-03-01"}});
    let preview = client.post("/batch/B-1/receipts?dry_run=true", &json!({"receipt_id": "R", "qty": 40}));
    assert_eq!((preview.status, &client.get("/batch/B-1").json()["eta"]), (200, &json!("2099-01-01")));
    let received = receive(&client, "R", "B-1", 40, later.clone());
    assert_eq!(received.status, 201, "{received:?}");
    let body = received.json();
    assert_eq!(body["rest"], json!({"reference": "B-1/2", "qty": 60, "eta": "2099-03-01"}));
    assert_eq!(
        body["affected"],
        json!([{"order_id": "YOUNG", "sku": "LAMP", "reference": "B-1/2", "qty": 20, "old_eta": "2099-01-01",
            "new_eta": "2099-03-01"}])
    );
    assert_eq!(client.standing("URGENT"), "allocated LAMP 10 (B-1 10)");
    assert_eq!(client.standing("OLD"), "allocated LAMP 30 (B-1 30)");
    assert_eq!(client.standing("YOUNG"), "allocated LAMP 20 (B-1/2 20)");
    assert_eq!(client.get("/batch/B-1").json()["eta"], Value::Null);
    let again = receive(&client, "R", "B-1", 40, later);
    assert_eq!((again.status, again.json()), (200, body));
    receive(&client, "R", "B-1", 41, json!({})).problem(409, "receipt-already-exists");
    receive(&client, "S", "B-1", 1, json!({})).problem(409, "not-in-transit");
    // What has arrived can be picked.
    let list = client.post("/pick-lists", &json!({"pick_list_id": "P"})).json();
    assert_eq!(list["lines"].as_array().unwrap().len(), 2);
    assert_eq!(receive(&client, "S", "B-1%2F2", 60, json!({})).status, 201);
    assert_eq!(client.product("LAMP")["in_stock"], 100);
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

fn rejected_units_and_a_rest_that_is_given_up_displace_the_last_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, Some("2099-01-01"));
    client.place("OLD", &[("LAMP", 6)], backorder(0));
    client.place("YOUNG", &[("LAMP", 4)], json!({}));
    receive(&client, "R", "B-1", 11, json!({})).problem(409, "more-than-expected");
    let received = receive(&client, "R", "B-1", 5, json!({"rejected": 2, "rest": null})).json();
    assert_eq!((&received["rest"], &received["given_up"]), (&Value::Null, &json!(3)));
    assert_eq!(
        received["displaced"],
        json!([
            {"order_id": "OLD", "sku": "LAMP", "qty": 1, "status": "backordered"},
            {"order_id": "YOUNG", "sku": "LAMP", "qty": 4, "status": "short"}
        ])
    );
    let batch = client.get("/batch/B-1").json();
    assert_eq!((&batch["purchased_quantity"], &batch["adjusted_quantity"]), (&json!(7), &json!(-2)));
    let history = client.all("/batch/B-1/history");
    assert_eq!(history.last().unwrap()["detail"], "5 units received into stock, 2 units rejected");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

/// Receipts, cancellations and new lines at the same time have an order.
fn a_receipt_at_the_same_time_as_other_commands_takes_effect_once(database: &TestDatabase) {
    let (one, other) = (Server::start(database), Server::start(database));
    let client = one.client();
    for round in 0..5 {
        let (batch, sku) = (format!("B-{round}"), format!("SKU-{round}"));
        client.add_batch(&batch, &sku, 20, Some("2099-01-01"));
        client.place(&format!("O-{round}"), &[(&sku, 15)], backorder(0));
        let start = &Barrier::new(4);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let receipts = [&one, &other].map(|server| {
                let (client, batch) = (server.client(), &batch);
                scope.spawn(move || {
                    start.wait();
                    receive(&client, &format!("R-{round}"), batch, 8, json!({})).status
                })
            });
            let (first, second) = (one.client(), other.client());
            let (sku, batch) = (&sku, &batch);
            let line = scope.spawn(move || {
                start.wait();
                first.allocate(&format!("P-{round}"), sku, 5).status
            });
            let adjusted = scope.spawn(move || {
                start.wait();
                second.adjust(&format!("A-{round}"), "damaged", &[(batch, -1)]).status
            });
            receipts.into_iter().chain([line, adjusted]).map(|thread| thread.join().unwrap()).collect()
        });
        let mut receipts = [statuses[0], statuses[1]];
        receipts.sort_unstable();
        assert_eq!((receipts, statuses[3]), ([200, 201], 201), "{statuses:?}");
        let product = client.product(&sku);
        assert_eq!(product["in_stock"].as_u64().unwrap() + product["on_its_way"].as_u64().unwrap(), 19, "{product}");
    }
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

on_every_database!(
    the_first_of_the_queue_get_what_arrives_in_part,
    rejected_units_and_a_rest_that_is_given_up_displace_the_last_lines,
    a_receipt_at_the_same_time_as_other_commands_takes_effect_once,
);

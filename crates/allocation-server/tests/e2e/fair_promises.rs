//! Units that come free in a better batch go to lines that were promised a later one.

use crate::pick_lists::events;
use crate::support::{Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};

fn batches_of(client: &Client, order: &str) -> Vec<String> {
    let found = client.get(&format!("/allocations?order_id={order}")).json();
    let batch = |row: &Value| format!("{} {}", row["reference"].as_str().unwrap(), row["qty"]);
    found.as_array().unwrap().iter().map(batch).collect()
}

/// OCA/wms#23, OCA/stock-logistics-warehouse#710: an order has a batch of March, and stock is added.
fn an_older_order_gets_added_stock_before_a_newcomer(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("MARCH", "LAMP", 10, Some("2027-03-01"));
    assert_eq!(client.place("OLD", &[("LAMP", 6)], json!({})).status, 201);
    assert_eq!(client.place("KEPT", &[("LAMP", 4)], json!({"promises": "stable"})).status, 201);
    client.add_batch("STOCK", "LAMP", 10, None);
    assert_eq!(client.place("NEW", &[("LAMP", 4)], json!({})).status, 201);
    assert_eq!(batches_of(&client, "OLD"), ["STOCK 6"]);
    assert_eq!(batches_of(&client, "KEPT"), ["MARCH 4"]);
    assert_eq!(batches_of(&client, "NEW"), ["STOCK 4"]);
    let history = client.get("/orders/OLD/history").json();
    let improved: Vec<_> = history.as_array().unwrap().iter().filter(|it| it["event"] == "promise_improved").collect();
    assert_eq!(improved.len(), 1);
    let facts = ["old_reference", "reference", "old_eta", "new_eta", "qty"].map(|name| improved[0][name].clone());
    assert_eq!(json!(facts), json!(["MARCH", "STOCK", "2027-03-01", null, 6]));

    let changed = client.patch("/orders/KEPT", &json!({"promises": "fair"}));
    assert_eq!(changed.status, 200, "{changed:?}");
    client.cancel("NEW");
    assert_eq!(batches_of(&client, "KEPT"), ["STOCK 4"]);
}

fn a_product_keeps_its_promises_on_request(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let put = |body: &str| client.send("PUT", "/products/LAMP", Some("application/json"), body.as_bytes());
    let created = put(r#"{"promises": "stable"}"#);
    assert_eq!((created.status, &created.json()["promises"]), (201, &"stable".into()), "{created:?}");
    client.add_batch("MARCH", "LAMP", 10, Some("2027-03-01"));
    client.place("OLD", &[("LAMP", 6)], json!({}));
    client.add_batch("STOCK", "LAMP", 10, None);
    assert_eq!(batches_of(&client, "OLD"), ["MARCH 6"]);
    let changed = put(r#"{"promises": "fair"}"#);
    assert_eq!((changed.status, changed.json().get("promises")), (200, None), "{changed:?}");
    assert_eq!(batches_of(&client, "OLD"), ["STOCK 6"]);
    assert_eq!(put(r#"{"promises": "maybe"}"#).status, 422);
}

/// saleor#11637: an event reports that a product that was out of stock has free units again.
fn a_sold_out_product_is_back_once_units_are_left(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("STOCK", "LAMP", 2, None);
    client.place("O-1", &[("LAMP", 2)], json!({}));
    client.place("O-2", &[("LAMP", 3)], json!({"on_shortage": "backorder"}));
    client.add_batch("NEXT", "LAMP", 3, None);
    let signals = || {
        let all = events(&client, database);
        let names = all.iter().map(|event| event["data"]["type"].as_str().unwrap().to_owned());
        names.filter(|name| name.ends_with("_of_stock") || name.ends_with("_in_stock")).collect::<Vec<_>>()
    };
    assert_eq!(signals(), ["out_of_stock"], "the waiting order has taken all of the second batch");
    client.cancel("O-1");
    assert_eq!(signals(), ["out_of_stock", "back_in_stock"]);
}

on_every_database!(
    an_older_order_gets_added_stock_before_a_newcomer,
    a_product_keeps_its_promises_on_request,
    a_sold_out_product_is_back_once_units_are_left
);

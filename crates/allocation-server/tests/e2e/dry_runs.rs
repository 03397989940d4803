//! Dry runs: a write returns what it would, and stores nothing.

use crate::support::{Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};

/// Everything that a client can see, and the number of events that were written.
fn state(client: &Client, database: &TestDatabase) -> (Vec<Value>, i64) {
    let paths =
        ["/batch", "/products", "/orders", "/allocations", "/backorders", "/pick-lists", "/shipments", "/counts"];
    let shown = paths.iter().flat_map(|path| client.all(path)).collect();
    (shown, database.count("SELECT count(*) FROM all_events"))
}

/// Each write on a shop with stock, a late batch, an order that waits and a standalone line.
fn each_write_has_a_dry_run(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "LAMP", 9, Some("2027-01-15"));
    client.add_batch("B-3", "RUG", 1, None);
    client.place("O-1", &[("LAMP", 4), ("RUG", 3)], json!({"on_shortage": "backorder"}));
    client.allocate("O-2", "LAMP", 6);
    let none = Value::Null;
    for (method, path, body, status) in [
        ("POST", "/allocations", json!({"order_id": "O-3", "sku": "LAMP", "qty": 2}), 201),
        ("DELETE", "/allocations/O-2/batch/B-2", none.clone(), 204),
        ("POST", "/batch", json!({"reference": "B-4", "sku": "RUG", "purchased_quantity": 7}), 201),
        ("PATCH", "/batch/B-2", json!({"eta": "2027-03-01"}), 200),
        ("PATCH", "/batch/B-4", json!({"purchased_quantity": 1}), 200),
        ("POST", "/batch", json!({"reference": "B-5", "sku": "SOFA", "purchased_quantity": 7}), 201),
        ("DELETE", "/batch/B-5", none.clone(), 204),
        ("PUT", "/products/TABLE", json!({}), 201),
        ("POST", "/orders", json!({"order_id": "O-4", "lines": [{"sku": "LAMP", "qty": 1}]}), 201),
        ("PATCH", "/orders/O-4", json!({"lines": [{"sku": "LAMP", "qty": 2}]}), 200),
        ("DELETE", "/orders/O-1/lines/RUG", none.clone(), 204),
        ("POST", "/orders/O-1/close", json!({}), 200),
        ("DELETE", "/orders/O-4", none.clone(), 204),
    ] {
        let before = state(&client, database);
        let dry = client.try_send(method, &format!("{path}?dry_run=true"), &body).unwrap();
        assert_eq!(state(&client, database), before, "{method} {path}");
        let wet = client.try_send(method, &format!("{path}?dry_run=false"), &body).unwrap();
        assert_eq!(wet.status, status, "{method} {path} {wet:?}");
        let expected = if status == 201 { 200 } else { status };
        assert_eq!((dry.status, &dry.text), (expected, &wet.text), "{method} {path}");
        assert!(dry.header("location").is_none(), "nothing was made");
        assert_ne!(state(&client, database), before, "{method} {path} does something");
    }
}

/// Each write of the warehouse, on lists of an order.
fn each_write_of_the_warehouse_has_a_dry_run(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 9, None);
    client.add_batch("B-2", "RUG", 3, None);
    client.place("O-1", &[("LAMP", 4), ("RUG", 3)], json!({}));
    client.place("O-2", &[("LAMP", 2)], json!({}));
    let shipment = json!({"shipment_id": "S", "lines": [{"pick_list_id": "P", "line": 1, "qty": 2}]});
    let none = Value::Null;
    for (method, path, body, status) in [
        ("POST", "/pick-lists", json!({"pick_list_id": "Q", "order_ids": ["O-2"]}), 201),
        ("DELETE", "/pick-lists/Q", none.clone(), 204),
        ("POST", "/pick-lists", json!({"pick_list_id": "P"}), 201),
        ("POST", "/pick-lists/P/lines/1/pick", json!({"qty": 4}), 200),
        ("POST", "/pick-lists/P/lines/1/put-back", json!({"qty": 1}), 200),
        ("DELETE", "/pick-lists/P/lines/2", none.clone(), 204),
        ("POST", "/shipments", shipment, 201),
        ("POST", "/pick-lists/P/ship", json!({"open": "release"}), 200),
    ] {
        let state = || (state(&client, database), client.get("/pick-lists/P").text);
        let before = state();
        let dry = client.try_send(method, &format!("{path}?dry_run=true"), &body).unwrap();
        assert_eq!(state(), before, "{method} {path}");
        let wet = client.try_send(method, &format!("{path}?dry_run=false"), &body).unwrap();
        assert_eq!(wet.status, status, "{method} {path} {wet:?}");
        let expected = if status == 201 { 200 } else { status };
        // The instants of two decisions differ.
        let shown = |text: &str| {
            let mut shown: Value = serde_json::from_str(text).unwrap_or(Value::Null);
            for instant in ["created_at", "shipped_at"] {
                shown.get_mut(instant).map(Value::take);
            }
            shown
        };
        assert_eq!((dry.status, shown(&dry.text)), (expected, shown(&wet.text)), "{method} {path}");
        assert!(dry.header("location").is_none(), "nothing was made");
        assert_ne!(state(), before, "{method} {path} does something");
    }
}

/// A buyer sees whom a delay hits before entering it.
fn the_dry_run_of_a_delay_lists_its_lines(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 9, Some("2027-01-15"));
    client.allocate("O-1", "LAMP", 6);
    let late = json!({"eta": "2027-03-01", "reallocate": true});
    let shown = client.patch("/batch/B-1?dry_run=true", &late).json();
    assert_eq!(
        (&shown["affected"][0]["order_id"], &shown["affected"][0]["new_eta"]),
        (&json!("O-1"), &json!("2027-03-01"))
    );
    assert_eq!(client.get("/batch/B-1").json()["eta"], "2027-01-15");
    let tag = client.get("/batch/B-1").header("etag").unwrap().to_owned();
    assert_eq!(client.change_batch_if("B-1", Some(&tag), &late).status, 200, "the dry run has not changed the version");
}

/// A dry run is refused as the write would be.
fn a_dry_run_is_refused_for_the_same_reasons(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 2, None);
    client.allocate("O-1", "LAMP", 2);
    let line = json!({"order_id": "O-2", "sku": "LAMP", "qty": 3});
    client.post("/allocations?dry_run=true", &line).problem(409, "out-of-stock");
    client.delete("/batch/B-1?dry_run=true").problem(409, "batch-has-allocations");
    client.delete("/orders/O-9?dry_run=true").problem(404, "order-not-found");
    client.delete("/allocations/O-1/batch/B-9?dry_run=true").problem(404, "batch-not-found");
    for path in ["/allocations?dry_run=yes", "/allocations?dry_run=true&dry_run=true", "/allocations?dryrun=true"] {
        client.post(path, &line).problem(422, "validation");
    }
    assert_eq!(client.available("B-1"), 0);
}

on_every_database!(
    each_write_has_a_dry_run,
    each_write_of_the_warehouse_has_a_dry_run,
    the_dry_run_of_a_delay_lists_its_lines,
    a_dry_run_is_refused_for_the_same_reasons,
);

use crate::support::{Server, TestDatabase, on_every_database};
use serde_json::json;

fn a_line_is_allocated_once(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "RED-CHAIR", 20, None);
    let first = client.allocate("O-1", "RED-CHAIR", 10);
    let body = json!({
        "order_id": "O-1", "sku": "RED-CHAIR", "qty": 10, "reference": "B-1",
        "allocations": [{"reference": "B-1", "qty": 10, "eta": null}]
    });
    assert_eq!((first.status, first.json()), (201, body.clone()));
    let again = client.allocate("O-1", "RED-CHAIR", 10);
    assert_eq!((again.status, again.json()), (200, body));
    client.allocate("O-1", "RED-CHAIR", 11).problem(409, "line-already-allocated");
    assert_eq!(client.available("B-1"), 10);
}

fn out_of_stock_reports_the_requested_and_the_available_units(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "RED-CHAIR", 3, None);
    client.add_batch("B-2", "RED-CHAIR", 4, Some("2027-01-15"));
    let short = client.allocate("O-1", "RED-CHAIR", 8).problem(409, "out-of-stock");
    assert_eq!(short["detail"], "No batch found for SKU RED-CHAIR");
    assert_eq!((&short["sku"], &short["requested"], &short["available"]), (&json!("RED-CHAIR"), &json!(8), &json!(7)));
    let unknown = client.allocate("O-1", "NO-SUCH", 1).problem(409, "out-of-stock");
    assert_eq!((&unknown["detail"], &unknown["available"]), (&json!("No batch found for SKU NO-SUCH"), &json!(0)));
    assert_eq!(database.count("SELECT count(*) FROM order_lines"), 0);
    assert_eq!(database.count("SELECT count(*) FROM products"), 1);
    assert_eq!(database.count("SELECT count(*) FROM all_events"), 2);
}

fn warehouse_stock_is_preferred_then_the_earliest_eta(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("LATE", "LAMP", 5, Some("2027-03-01"));
    client.add_batch("SOON", "LAMP", 5, Some("2027-01-01"));
    client.add_batch("HERE-1", "LAMP", 5, None);
    client.add_batch("HERE-2", "LAMP", 5, None);
    let chosen: Vec<_> =
        (0..4).map(|n| client.allocate(&format!("O-{n}"), "LAMP", 5).json()["reference"].clone()).collect();
    assert_eq!(chosen, ["HERE-1", "HERE-2", "SOON", "LATE"]);
}

fn a_line_is_split_only_if_no_batch_has_enough(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("SMALL", "LAMP", 3, None);
    client.add_batch("LARGE", "LAMP", 6, Some("2027-01-01"));
    assert_eq!(client.allocate("O-1", "LAMP", 4).json()["reference"], "LARGE");
    let split = client.allocate("O-2", "LAMP", 5);
    let parts =
        json!([{"reference": "SMALL", "qty": 3, "eta": null}, {"reference": "LARGE", "qty": 2, "eta": "2027-01-01"}]);
    assert_eq!(
        (split.status, &split.json()["allocations"], &split.json()["reference"]),
        (201, &parts, &json!("SMALL"))
    );
    assert_eq!(client.allocate("O-2", "LAMP", 5).json(), split.json());
    let rows = client.all("/allocations?order_id=O-2&limit=1");
    assert_eq!(rows.iter().map(|row| row["qty"].as_u64().unwrap()).sum::<u64>(), 5);
}

fn released_units_are_allocated_again_and_a_repeated_line_is_refilled(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 6, None);
    client.add_batch("B-2", "LAMP", 6, Some("2027-01-01"));
    client.allocate("O-1", "LAMP", 10);
    assert_eq!(client.delete("/allocations/O-1/batch/B-1").status, 204);
    assert_eq!(client.available("B-1"), 6);
    client.allocate("O-1", "LAMP", 9).problem(409, "line-already-allocated");
    assert_eq!(client.allocate("O-2", "LAMP", 1).json()["reference"], "B-1");
    let short = client.allocate("O-3", "LAMP", 8).problem(409, "out-of-stock");
    assert_eq!((&short["requested"], &short["available"]), (&json!(8), &json!(7)));
    client.add_batch("B-3", "LAMP", 9, Some("2026-12-24"));
    let refilled = client.allocate("O-1", "LAMP", 10);
    // Once it lacks none, its other units move to those that are in stock.
    let parts =
        json!([{"reference": "B-1", "qty": 4, "eta": null}, {"reference": "B-3", "qty": 6, "eta": "2026-12-24"}]);
    assert_eq!((refilled.status, &refilled.json()["allocations"]), (201, &parts));
    assert_eq!(client.allocate("O-1", "LAMP", 10).status, 200);

    // A standalone line without units is removed, and may return with any quantity.
    for batch in ["B-3", "B-1"] {
        assert_eq!(client.delete(&format!("/allocations/O-1/batch/{batch}")).status, 204);
    }
    assert_eq!(client.allocate("O-1", "LAMP", 3).status, 201);

    client.delete("/allocations/O-9/batch/B-1").problem(404, "allocation-not-found");
    client.delete("/allocations/O-1/batch/NONE").problem(404, "batch-not-found");
}

on_every_database!(
    a_line_is_allocated_once,
    out_of_stock_reports_the_requested_and_the_available_units,
    warehouse_stock_is_preferred_then_the_earliest_eta,
    a_line_is_split_only_if_no_batch_has_enough,
    released_units_are_allocated_again_and_a_repeated_line_is_refilled,
);

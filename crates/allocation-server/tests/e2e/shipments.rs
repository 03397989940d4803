//! Shipments: what is picked leaves in parcels, each unit once.

use crate::pick_lists::events;
use crate::support::projection::{pick_lists, project, served_pick_lists};
use crate::support::{Answer, Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};
use std::thread;

fn ship(client: &Client, id: &str, lines: &[(&str, u64, Option<u64>)]) -> Answer {
    client.post("/shipments", &shipment(id, lines))
}

fn shipment(id: &str, lines: &[(&str, u64, Option<u64>)]) -> Value {
    let line = |(list, line, qty): &(&str, u64, Option<u64>)| match qty {
        None => json!({"pick_list_id": list, "line": line}),
        Some(qty) => json!({"pick_list_id": list, "line": line, "qty": qty}),
    };
    json!({"shipment_id": id, "carrier": "ACME", "lines": lines.iter().map(line).collect::<Vec<_>>()})
}

/// Six picked lamps and two picked rugs of an order, on one list.
fn picked(client: &Client) {
    client.add_batch("L-1", "LAMP", 10, None);
    client.add_batch("R-1", "RUG", 2, None);
    client.place("O-1", &[("LAMP", 6), ("RUG", 2)], json!({}));
    client.post("/pick-lists", &json!({"pick_list_id": "P"}));
    for (line, qty) in [(1, 6), (2, 2)] {
        let answer = client.post(&format!("/pick-lists/P/lines/{line}/pick"), &json!({"qty": qty}));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

fn ids(client: &Client, path: &str) -> Vec<String> {
    client.all(path).iter().map(|shipment| shipment["shipment_id"].as_str().unwrap().to_owned()).collect()
}

/// One order line leaves in two parcels, and the rest with its list.
fn an_order_leaves_in_parcels(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    picked(&client);
    let mut first = shipment("S-1", &[("P", 1, Some(2)), ("P", 2, None)]);
    first["tracking"] = json!("1Z 999");
    let made = client.post("/shipments", &first);
    assert_eq!((made.status, made.header("location")), (201, Some("/shipments/S-1")));
    assert_eq!((&made.json()["tracking"], &made.json()["lines"][1]["qty"]), (&json!("1Z 999"), &json!(2)));
    assert_eq!((client.post("/shipments", &first).status, client.get("/shipments/S-1").json()), (200, made.json()));
    assert_eq!(client.order("O-1")["status"], "partially_shipped");
    client.post("/pick-lists/P/lines/1/put-back", &json!({"qty": 5})).problem(409, "already-shipped");
    client.post("/pick-lists/P/lines/1/pick", &json!({"qty": 1})).problem(409, "already-shipped");
    ship(&client, "S-1", &[("P", 1, Some(1))]).problem(409, "shipment-already-exists");
    ship(&client, "S-2", &[("P", 1, Some(5))]).problem(409, "more-than-picked");
    ship(&client, "S-2", &[("P", 1, Some(1)), ("P", 2, None)]).problem(409, "already-shipped");
    ship(&client, "S-2", &[("P", 3, None)]).problem(404, "pick-line-not-found");
    assert_eq!(ship(&client, "S-2", &[("P", 1, Some(3))]).status, 201);
    let list = client.send("POST", "/pick-lists/P/ship", None, "").json();
    assert_eq!((&list["status"], &list["lines"][0]["shipped"]), (&json!("shipped"), &json!(6)));
    assert_eq!(client.order("O-1")["status"], "shipped");
    assert_eq!(ids(&client, "/shipments?limit=1"), ["S-1", "S-2"]);
    assert_eq!(ids(&client, "/orders/O-1/shipments?limit=1"), ["S-1", "S-2"]);
    client.get("/orders/O-9/shipments").problem(404, "order-not-found");
    client.get("/shipments/S-9").problem(404, "shipment-not-found");
    let history = client.all("/orders/O-1/history");
    let shipped: Vec<_> = history.iter().filter(|row| row["event"] == "shipped").collect();
    let with: Vec<_> = shipped.iter().map(|row| (row["shipment_id"].as_str(), row["qty"].as_u64().unwrap())).collect();
    assert_eq!(with, [(Some("S-1"), 2), (Some("S-1"), 2), (Some("S-2"), 3), (None, 1)]);
    assert_eq!(served_pick_lists(&client), pick_lists(&project(&events(&client, database))));
}

/// Two clerks ship the same line at the same time.
fn concurrent_shipments_ship_a_picked_unit_once(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    picked(&client);
    let shipped: u64 = thread::scope(|scope| {
        let clerks: Vec<_> = (0..8)
            .map(|clerk| {
                let client = server.client();
                scope.spawn(move || {
                    let answer = ship(&client, &format!("S-{clerk}"), &[("P", 1, Some(2))]);
                    if answer.status == 409 {
                        answer.problem(409, "more-than-picked");
                        return 0;
                    }
                    assert_eq!(answer.status, 201, "{answer:?}");
                    1
                })
            })
            .collect();
        clerks.into_iter().map(|clerk| clerk.join().unwrap()).sum()
    });
    assert_eq!((shipped, ids(&client, "/shipments").len()), (3, 3));
    assert_eq!(client.get("/pick-lists/P").json()["lines"][0]["shipped"], 6);
}

/// An order that ships complete is on no list while a part of it is missing, whatever its terms were before.
fn an_order_ships_in_one_go(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("L-1", "LAMP", 10, None);
    client.add_batch("R-1", "RUG", 1, None);
    let terms = json!({"on_shortage": "backorder", "ship_complete": true});
    let placed = client.place("WHOLE", &[("LAMP", 3), ("RUG", 2)], terms.clone());
    assert_eq!((placed.status, &placed.json()["ship_complete"]), (201, &json!(true)));
    assert_eq!(client.place("WHOLE", &[("LAMP", 3), ("RUG", 2)], terms).status, 200, "a repeat");
    let list = |name: &str, criteria: Value| {
        let mut body = criteria;
        body["pick_list_id"] = json!(name);
        client.post("/pick-lists", &body)
    };
    list("P", json!({})).problem(409, "nothing-to-pick");
    client.add_batch("R-2", "RUG", 5, Some("2027-01-15"));
    list("P", json!({"order_ids": ["WHOLE"]})).problem(409, "nothing-to-pick");
    let parts = client.patch("/orders/WHOLE?dry_run=true", &json!({"ship_complete": false})).json();
    assert_eq!((parts.get("ship_complete"), &client.order("WHOLE")["ship_complete"]), (None, &json!(true)));
    client.post("/batch/R-2/receipts", &json!({"receipt_id": "GR-1", "qty": 5}));
    let made = list("P", json!({"skus": ["LAMP"]}));
    assert_eq!((made.status, &made.json()["lines"][0]["order_id"]), (201, &json!("WHOLE")));
    assert_eq!(list("Q", json!({})).json()["lines"].as_array().unwrap().len(), 2, "the rugs of both batches");
    assert_eq!(client.patch("/orders/WHOLE", &json!({"ship_complete": false})).status, 200);
    let history = client.all("/orders/WHOLE/history");
    let of = |event: &str| -> Vec<Option<Value>> {
        let rows = history.iter().filter(|row| row["event"] == event);
        rows.map(|row| row.get("ship_complete").cloned()).collect()
    };
    assert_eq!(of("line_placed"), [Some(json!(true)), Some(json!(true))]);
    assert_eq!(of("line_changed"), [None, None]);
    assert_eq!(served_pick_lists(&client), pick_lists(&project(&events(&client, database))));
}

on_every_database!(an_order_leaves_in_parcels, an_order_ships_in_one_go, concurrent_shipments_ship_a_picked_unit_once);

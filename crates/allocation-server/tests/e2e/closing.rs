//! Orders end in a state that says how: shipped, closed, cancelled or expired.

use crate::pick_lists::events;
use crate::support::{Client, Server, TestDatabase, expire, on_every_database, projection};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

fn backorder() -> Value {
    json!({"on_shortage": "backorder"})
}

/// Picks units of the first lines of a new list, as many as are given for each.
fn pick(client: &Client, list: &str, quantities: &[u32]) {
    assert_eq!(client.post("/pick-lists", &json!({"pick_list_id": list})).status, 201);
    for (line, qty) in (1..).zip(quantities) {
        assert_eq!(client.post(&format!("/pick-lists/{list}/lines/{line}/pick"), &json!({"qty": qty})).status, 200);
    }
}

fn ship(client: &Client, list: &str) {
    assert_eq!(client.post(&format!("/pick-lists/{list}/ship"), &json!({})).status, 200);
}

fn listed(client: &Client, status: &str) -> Vec<Value> {
    client.all(&format!("/orders?status={status}")).iter().map(|order| order["order_id"].clone()).collect()
}

/// OCA/sale-workflow#2357, IRP#771: seven of ten units are shipped and three wait; nothing more is to come.
fn the_wait_for_the_rest_of_a_shipped_order_is_ended(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 7, None);
    let placed = |client: &Client| client.place("O-1", &[("LAMP", 10)], backorder());
    placed(&client);
    pick(&client, "P", &[7]);
    ship(&client, "P");
    assert_eq!(listed(&client, "partially_shipped"), ["O-1"]);
    for _ in 0..2 {
        let closed = client.close("O-1");
        assert_eq!((closed.status, &closed.json()["status"]), (200, &json!("closed")));
        assert_eq!(closed.json()["lines"][0]["backordered"], 0);
    }
    client.add_batch("B-2", "LAMP", 10, None);
    assert_eq!((client.available("B-2"), listed(&client, "closed")), (10, vec![json!("O-1")]));
    assert!(listed(&client, "partially_shipped").is_empty() && listed(&client, "partially_allocated").is_empty());
    placed(&client).problem(409, "order-closed");
    client.confirm("O-1").problem(409, "order-closed");
    client.extend("O-1", 60).problem(409, "order-closed");
    client.allocate("O-1", "LAMP", 10).problem(409, "order-closed");
    client.patch("/orders/O-1", &json!({"priority": 1})).problem(409, "order-closed");
    client.add_batch("S", "SOFA", 1, None);
    client.allocate("O-1", "SOFA", 1).problem(409, "order-closed");
    client.cancel("O-1").problem(409, "already-picked");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

/// erpnext#52851: one of two lines of a list is picked; the other is released, and the picked one is shipped.
fn what_is_picked_ships_and_the_rest_serves_the_queue(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 4, None);
    client.add_batch("B-2", "LAMP", 2, None);
    client.place("O-1", &[("LAMP", 6)], json!({}));
    pick(&client, "P", &[4]);
    client.place("NEXT", &[("LAMP", 2)], backorder());
    let preview = client.post("/orders/O-1/close?dry_run=true", &json!({})).json();
    assert_eq!(
        (&preview["status"], client.order("O-1")["lines"][0]["allocated"].as_u64()),
        (&json!("picked"), Some(2))
    );
    assert_eq!(client.close("O-1").json()["status"], "picked");
    assert_eq!(client.standing("NEXT"), "allocated LAMP 2 (B-2 2)");
    client.post("/pick-lists/P/lines/2/pick", &json!({"qty": 2})).problem(409, "pick-line-withdrawn");
    ship(&client, "P");
    assert_eq!(client.order("O-1")["status"], "closed");
    let history = client.all("/orders/O-1/history");
    let names: Vec<_> = history.iter().map(|row| row["event"].as_str().unwrap()).collect();
    assert!(names.ends_with(&["pick_line_withdrawn", "deallocated", "line_closed", "shipped"]), "{names:?}");
    let closed = history.iter().find(|row| row["event"] == "line_closed").unwrap();
    assert_eq!(closed["detail"], "The order was closed: nothing more is to come");
    assert!(closed["by"].is_object() || closed["by"].is_string(), "{closed}");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

/// Also without a request to close it: an order of which the rest was deallocated is not partly allocated for ever.
fn an_order_whose_rest_is_given_up_is_closed(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 4, None);
    client.add_batch("B-2", "SOFA", 2, Some("2099-01-01"));
    client.place("O-1", &[("LAMP", 4), ("SOFA", 2)], json!({}));
    pick(&client, "P", &[4]);
    ship(&client, "P");
    assert_eq!(client.order("O-1")["status"], "partially_shipped");
    assert_eq!(client.give_back("O-1", "B-2").status, 204);
    assert_eq!(
        (client.order("O-1")["status"].clone(), listed(&client, "closed")),
        (json!("closed"), vec![json!("O-1")])
    );
}

fn an_order_without_picked_units_is_closed_and_one_that_has_ended_is_not(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 9, None);
    for (order_id, terms) in [("FIRM", json!({})), ("HELD", json!({"hold_seconds": 60}))] {
        client.place(order_id, &[("LAMP", 2)], terms);
        let tag = client.get(&format!("/orders/{order_id}")).header("etag").unwrap().to_owned();
        let close =
            |tag: &str| client.send_with("POST", &format!("/orders/{order_id}/close"), &[("if-match", tag)], "");
        close("\"0000000000000000\"").problem(412, "order-changed");
        assert_eq!(close(&tag).json()["status"], "closed");
        assert_eq!(close("\"0000000000000000\"").status, 200, "a repeat");
    }
    assert_eq!(client.available("B-1"), 9);
    client.place("CANCELLED", &[("LAMP", 2)], json!({}));
    client.cancel("CANCELLED");
    client.close("CANCELLED").problem(409, "order-cancelled");
    client.place("EXPIRED", &[("LAMP", 2)], json!({"hold_seconds": 60}));
    expire(database, "EXPIRED");
    client.close("EXPIRED").problem(409, "hold-expired");
    client.close("NONE").problem(404, "order-not-found");
    assert_eq!(client.cancel("FIRM").status, 204);
    assert_eq!(client.order("FIRM")["status"], "closed", "it stays as it ended");
}

/// CoreShop#2529: a repeat never passes off an order that has ended as one that was placed.
fn a_repeat_of_an_order_that_has_ended_says_how_even_if_its_lines_were_replaced(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 9, None);
    client.add_batch("B-2", "SOFA", 9, None);
    let place = |order_id: &str| client.place(order_id, &[("LAMP", 2)], json!({"hold_seconds": 60}));
    for order_id in ["CLOSED", "CANCELLED", "EXPIRED", "LIVES"] {
        place(order_id);
        let other = json!({"lines": [{"sku": "LAMP", "qty": 0}, {"sku": "SOFA", "qty": 1}]});
        assert_eq!(client.patch(&format!("/orders/{order_id}"), &other).status, 200);
        assert_eq!(place(order_id).status, 200, "it lives");
    }
    client.close("CLOSED");
    client.cancel("CANCELLED");
    expire(database, "EXPIRED");
    place("CLOSED").problem(409, "order-closed");
    place("CANCELLED").problem(409, "order-cancelled");
    place("EXPIRED").problem(409, "hold-expired");
    assert_eq!(place("LIVES").json()["status"], "held");
}

/// A standalone line beside held ones outlives the hold, and is ended or changed by itself.
fn the_firm_line_of_an_expired_order_is_changed_and_closed(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 9, None);
    client.add_batch("B-2", "SOFA", 9, None);
    client.place("O-1", &[("LAMP", 2)], json!({"hold_seconds": 60}));
    assert_eq!(client.allocate("O-1", "SOFA", 3).status, 201);
    expire(database, "O-1");
    let set = |sku: &str, qty: u32| client.patch("/orders/O-1", &json!({"lines": [{"sku": sku, "qty": qty}]}));
    assert_eq!((set("SOFA", 4).status, client.available("B-2")), (200, 5));
    set("LAMP", 1).problem(409, "hold-expired");
    for _ in 0..2 {
        assert_eq!((client.close("O-1").status, client.available("B-2")), (200, 9));
    }
    assert_eq!(client.order("O-1")["status"], "expired");
    client.confirm("O-1").problem(409, "hold-expired");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

/// A line that is added, an order that is repeated and a close at the same time have an order.
fn closing_excludes_lines_that_are_added_meanwhile(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    client.add_batch("B-2", "SOFA", 100, None);
    for round in 0..10 {
        let order_id = &format!("O-{round}");
        client.place(order_id, &[("LAMP", 2)], json!({}));
        let start = &Barrier::new(3);
        let at_once = |act: &(dyn Fn(Client) -> u16 + Sync)| {
            let client = server.client();
            start.wait();
            act(client)
        };
        let [closed, added, repeated] = thread::scope(|scope| {
            [
                scope.spawn(|| at_once(&|client| client.close(order_id).status)),
                scope.spawn(|| at_once(&|client| client.allocate(order_id, "SOFA", 1).status)),
                scope.spawn(|| at_once(&|client| client.place(order_id, &[("LAMP", 2)], json!({})).status)),
            ]
            .map(|thread| thread.join().unwrap())
        });
        assert_eq!((closed, [200, 409].contains(&repeated)), (200, true));
        let order = client.order(order_id);
        assert_eq!(
            (&order["status"], order["lines"].as_array().unwrap().len()),
            (&json!("closed"), if added == 201 { 2 } else { 1 })
        );
    }
    assert_eq!((client.available("B-1"), client.available("B-2")), (100, 100));
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

on_every_database!(
    the_wait_for_the_rest_of_a_shipped_order_is_ended,
    what_is_picked_ships_and_the_rest_serves_the_queue,
    an_order_whose_rest_is_given_up_is_closed,
    an_order_without_picked_units_is_closed_and_one_that_has_ended_is_not,
    a_repeat_of_an_order_that_has_ended_says_how_even_if_its_lines_were_replaced,
    the_firm_line_of_an_expired_order_is_changed_and_closed,
    closing_excludes_lines_that_are_added_meanwhile,
);

//! Orders are changed: lines are raised, lowered, added and removed, and terms are set.

use crate::pick_lists::events;
use crate::support::{Client, Server, TestDatabase, expire, on_every_database, projection};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

fn change(client: &Client, order_id: &str, body: &Value) -> Value {
    let answer = client.patch(&format!("/orders/{order_id}"), body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn lines(lines: &[(&str, u32)]) -> Value {
    let lines: Vec<_> = lines.iter().map(|(sku, qty)| json!({"sku": sku, "qty": qty})).collect();
    json!({ "lines": lines })
}

/// OCA/sale-workflow#2357, IRP#771: of ten units, seven are delivered and three wait; the customer wants no more.
fn an_order_that_is_lowered_to_what_it_has_waits_for_nothing_more(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 7, None);
    client.place("O-1", &[("LAMP", 10)], json!({"on_shortage": "backorder"}));
    assert_eq!(client.post("/pick-lists", &json!({"pick_list_id": "P"})).status, 201);
    assert_eq!(client.post("/pick-lists/P/lines/1/pick", &json!({"qty": 7})).status, 200);
    client.patch("/orders/O-1", &lines(&[("LAMP", 6)])).problem(409, "already-picked");
    assert_eq!(client.post("/pick-lists/P/ship", &json!({})).status, 200);
    assert_eq!(client.order("O-1")["status"], "partially_shipped");
    client.patch("/orders/O-1", &lines(&[("LAMP", 6)])).problem(409, "already-picked");
    assert_eq!(change(&client, "O-1", &lines(&[("LAMP", 7)]))["status"], "shipped");
    client.add_batch("B-2", "LAMP", 3, None);
    assert_eq!((client.available("B-2"), &client.order("O-1")["status"]), (3, &json!("shipped")));
}

/// cubecart/v6#4260, vendure#1210, saleor#577: a cart changes from 2 to 1 and from 1 to 3, never without its units.
fn a_cart_is_changed_and_keeps_its_units(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 3, None);
    client.place("CART", &[("LAMP", 2)], json!({"hold_seconds": 600}));
    client.place("NEXT", &[("LAMP", 2)], json!({"on_shortage": "backorder"}));
    change(&client, "CART", &lines(&[("LAMP", 1)]));
    assert_eq!(client.standing("CART"), "held LAMP 1 (B-1 1)");
    assert_eq!(client.standing("NEXT"), "allocated LAMP 2 (B-1 2)");
    client.add_batch("B-2", "LAMP", 2, None);
    for _ in 0..2 {
        change(&client, "CART", &lines(&[("LAMP", 3)]));
        assert_eq!(client.standing("CART"), "held LAMP 3 (B-1 1, B-2 2)");
    }
    let refused = client.patch("/orders/CART", &lines(&[("LAMP", 4), ("SOFA", 1)])).problem(409, "out-of-stock");
    let shortages =
        json!([{"sku": "LAMP", "requested": 1, "available": 0}, {"sku": "SOFA", "requested": 1, "available": 0}]);
    assert_eq!(refused["shortages"], shortages);
    let history = client.all("/orders/CART/history");
    let released: Vec<_> = history.iter().filter(|row| row["event"] == "deallocated").map(|row| &row["qty"]).collect();
    assert_eq!(released, [1], "only the unit that the cart no longer wants");
    expire(database, "CART");
    client.patch("/orders/CART", &lines(&[("LAMP", 1)])).problem(409, "hold-expired");
}

/// woocommerce#67354: a cart that has two of three units wants a third; another order of its id is none.
fn a_cart_is_raised_beside_its_own_hold(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 3, None);
    let place = |units: u32| client.place("CART", &[("LAMP", units)], json!({"hold_seconds": 600}));
    assert_eq!(place(2).status, 201);
    place(3).problem(409, "order-already-exists");
    change(&client, "CART", &lines(&[("LAMP", 3)]));
    assert_eq!(client.standing("CART"), "held LAMP 3 (B-1 3)");
    client.patch("/orders/CART", &lines(&[("LAMP", 4)])).problem(409, "out-of-stock");
    assert_eq!(client.standing("CART"), "held LAMP 3 (B-1 3)");
}

/// erpnext#39030: 16 units are held and 4 wait; giving up the 4 does not lose the 16.
fn a_wait_that_is_given_up_leaves_the_units_that_are_there(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 16, None);
    client.place("O-1", &[("LAMP", 20)], json!({"on_shortage": "backorder", "hold_seconds": 600}));
    assert_eq!(client.queue("LAMP"), [("O-1".to_owned(), 4)]);
    change(&client, "O-1", &lines(&[("LAMP", 16)]));
    assert_eq!(client.standing("O-1"), "held LAMP 16 (B-1 16)");
    client.add_batch("B-2", "LAMP", 4, None);
    assert_eq!((client.available("B-2"), client.queue("LAMP")), (4, vec![]));
    assert_eq!(client.confirm("O-1").json()["status"], "allocated");
}

/// dynamics365smb-docs#570: an important customer is served first afterwards.
fn a_raised_priority_moves_an_order_ahead(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    assert_eq!(client.register("LAMP").status, 201);
    for order_id in ["FIRST", "IMPORTANT"] {
        client.place(order_id, &[("LAMP", 1)], json!({"on_shortage": "backorder"}));
    }
    change(&client, "IMPORTANT", &json!({"priority": 1}));
    let queue: Vec<_> = client.all("/backorders?sku=LAMP").iter().map(|row| row["order_id"].clone()).collect();
    assert_eq!(queue, ["IMPORTANT", "FIRST"]);
    client.add_batch("B-1", "LAMP", 1, None);
    assert_eq!(client.standing("FIRST"), "backordered LAMP 0 +1");
}

fn lines_are_added_and_removed_while_the_order_lives(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for (batch, sku) in [("L", "LAMP"), ("S", "SOFA"), ("R", "RUG")] {
        client.add_batch(batch, sku, 5, None);
    }
    client.place("O-1", &[("LAMP", 1), ("SOFA", 1)], json!({}));
    for _ in 0..2 {
        assert_eq!(client.delete("/orders/O-1/lines/LAMP").status, 204);
        assert_eq!(client.standing("O-1"), "allocated SOFA 1 (S 1)");
    }
    change(&client, "O-1", &lines(&[("SOFA", 0), ("RUG", 2)]));
    assert_eq!(client.standing("O-1"), "allocated RUG 2 (R 2)");
    client.allocate("O-1", "LAMP", 2);
    assert_eq!(client.delete("/orders/O-1/lines/LAMP").status, 204);
    assert_eq!(client.standing("O-1"), "allocated RUG 2 (R 2)");
    for _ in 0..2 {
        assert_eq!(client.delete("/orders/O-1/lines/RUG").status, 204);
        assert_eq!(client.order("O-1")["status"], "cancelled");
    }
    client.patch("/orders/O-1", &lines(&[("LAMP", 1)])).problem(409, "order-cancelled");
    client.delete("/orders/NONE/lines/RUG").problem(404, "order-not-found");
    let names: Vec<_> = client.all("/orders/O-1/history").iter().map(|row| row["event"].clone()).collect();
    assert!(names.contains(&json!("line_removed")) && names.contains(&json!("line_cancelled")), "{names:?}");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

fn a_dry_run_shows_the_change_and_stores_nothing(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    let wanted = json!({"order_id": "O-1", "lines": [{"sku": "LAMP", "qty": 2}]});
    let shown = client.post("/orders?dry_run=true", &wanted);
    assert_eq!((shown.status, &shown.json()["status"]), (200, &json!("allocated")));
    client.get("/orders/O-1").problem(404, "order-not-found");
    assert_eq!(client.available("B-1"), 5);
    assert_eq!(client.post("/orders?dry_run=false", &wanted).status, 201);
    assert_eq!(client.post("/orders?dry_run=true", &wanted).json(), client.order("O-1"));
    let shown = client.patch("/orders/O-1?dry_run=true", &lines(&[("LAMP", 4)]));
    assert_eq!((shown.status, &shown.json()["lines"][0]["allocated"]), (200, &json!(4)));
    assert_eq!((client.standing("O-1").as_str(), client.available("B-1")), ("allocated LAMP 2 (B-1 2)", 3));
    client.patch("/orders/O-1?dry_run=true", &lines(&[("LAMP", 6)])).problem(409, "out-of-stock");
    client.post("/orders?dry_run=yes", &wanted).problem(422, "validation");
}

/// RFC 9110, sections 8.8.1 and 13.1.1: a strong tag changes with the body, and `If-Match` holds for `DELETE`. The
/// version in it changes with requests only.
fn the_tag_of_an_order_changes_with_requests_and_not_with_stock(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    let placed = client.place("O-1", &[("LAMP", 2)], json!({}));
    let seen = placed.header("etag").unwrap().to_owned();
    assert_eq!(client.get("/orders/O-1").header("etag"), Some(&*seen));
    assert_eq!(client.get_with("/orders/O-1", ("if-none-match", &seen)).status, 304);
    client.give_back("O-1", "B-1");
    assert_eq!(client.get_with("/orders/O-1", ("if-none-match", &seen)).status, 200);
    let patch = |tag: &str, quantity: u32| {
        let body = lines(&[("LAMP", quantity)]).to_string();
        client.send_with("PATCH", "/orders/O-1", &[("content-type", "application/json"), ("if-match", tag)], body)
    };
    assert_eq!(patch(&seen, 3).status, 200, "releases do not change the version");
    patch(&seen, 4).problem(412, "order-changed");
    let tagged = [("if-match", &*seen)];
    client.send_with("DELETE", "/orders/O-1", &tagged, "").problem(412, "order-changed");
    client.send_with("DELETE", "/orders/O-1/lines/LAMP", &tagged, "").problem(412, "order-changed");
    assert_eq!(client.send_with("DELETE", "/orders/O-1", &[("if-match", "*")], "").status, 204);
}

/// Changes of one order, and of orders that want the same units, never oversell and lose no line.
fn concurrent_changes_are_decided_one_after_the_other(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.add_batch("B-2", "SOFA", 10, None);
    for order_id in ["O-1", "O-2"] {
        client.place(order_id, &[("LAMP", 1)], json!({}));
    }
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for number in 0..4_u32 {
            let (barrier, client) = (&barrier, server.client());
            scope.spawn(move || {
                barrier.wait();
                for round in 0..10 {
                    let order_id = format!("O-{}", (number + round) % 2 + 1);
                    let sofas = (number * 7 + round) % 3;
                    let body = lines(&[("LAMP", 1 + (number + round) % 7), ("SOFA", sofas)]);
                    let answer = client.patch(&format!("/orders/{order_id}"), &body);
                    assert!([200, 409].contains(&answer.status), "{answer:?}");
                }
            });
        }
    });
    let allocated = |sku: &str| -> u64 {
        let rows = client.all(&format!("/allocations?sku={sku}"));
        rows.iter().map(|row| row["qty"].as_u64().unwrap()).sum()
    };
    assert_eq!((allocated("LAMP"), allocated("SOFA")), (10 - client.available("B-1"), 10 - client.available("B-2")));
    for order_id in ["O-1", "O-2"] {
        for line in client.order(order_id)["lines"].as_array().unwrap() {
            assert_eq!(line["qty"], line["allocated"]);
        }
    }
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

on_every_database!(
    an_order_that_is_lowered_to_what_it_has_waits_for_nothing_more,
    a_cart_is_changed_and_keeps_its_units,
    a_raised_priority_moves_an_order_ahead,
    lines_are_added_and_removed_while_the_order_lives,
    a_dry_run_shows_the_change_and_stores_nothing,
    the_tag_of_an_order_changes_with_requests_and_not_with_stock,
    concurrent_changes_are_decided_one_after_the_other,
    a_cart_is_raised_beside_its_own_hold,
    a_wait_that_is_given_up_leaves_the_units_that_are_there,
);

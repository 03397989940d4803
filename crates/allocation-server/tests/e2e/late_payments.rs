//! Payments that arrive after the hold: the order is confirmed if its units are still to be had.

use crate::pick_lists::events;
use crate::support::{Answer, Client, Server, TestDatabase, expire, on_every_database, projection, summary, swept};
use serde_json::json;
use std::sync::Barrier;
use std::thread;

fn reallocate(client: &Client, order_id: &str) -> Answer {
    client.post(&format!("/orders/{order_id}/confirm"), &json!({"reallocate": true}))
}

/// CoreShop#2529: the payment arrives a second late, and the units are still free.
fn a_late_payment_gets_its_units_again_if_they_are_still_free(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, Some("2099-01-01"));
    let place = |client: &Client| client.place("CART", &[("LAMP", 3), ("SOFA", 2)], json!({"hold_seconds": 60}));
    place(&client);
    expire(database, "CART");
    client.confirm("CART").problem(409, "hold-expired");
    let tried = client.post("/orders/CART/confirm?dry_run=true", &json!({"reallocate": true}));
    assert_eq!((tried.status, &client.order("CART")["status"]), (200, &json!("expired")));
    for _ in 0..2 {
        let confirmed = reallocate(&client, "CART");
        assert_eq!(summary(&confirmed.json()), "allocated LAMP 3 (B-1 3) SOFA 2 (B-2 2)");
        assert_eq!(confirmed.json(), tried.json());
    }
    assert_eq!(client.confirm("CART").status, 200);
    assert_eq!(place(&client).status, 200, "it lives again");
    assert_eq!((client.available("B-1"), client.product("LAMP")["held"].as_u64()), (2, Some(0)));
    let history = client.all("/orders/CART/history");
    let late: Vec<_> = history.iter().filter(|row| row["event"] == "line_reinstated").collect();
    assert_eq!((late.len(), &late[0]["qty"]), (2, &json!(3)));
    assert!(late[0]["by"].is_string(), "{late:?}");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

fn a_late_payment_without_its_units_is_rejected_with_the_shortages(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    let both = [("LAMP", 3), ("SOFA", 2)];
    client.place("REJECTS", &both, json!({"hold_seconds": 60}));
    client.place("WAITS", &[("LAMP", 2), ("SOFA", 3)], json!({"hold_seconds": 60, "on_shortage": "backorder"}));
    expire(database, "REJECTS");
    expire(database, "WAITS");
    client.place("QUICK", &[("LAMP", 4)], json!({}));
    let problem = reallocate(&client, "REJECTS").problem(409, "out-of-stock");
    assert_eq!(problem["shortages"], json!([{"sku": "LAMP", "requested": 3, "available": 1}]));
    assert_eq!(client.order("REJECTS")["status"], "expired");
    let waits = reallocate(&client, "WAITS").json();
    assert_eq!((&waits["status"], &waits["lines"][0]["backordered"]), (&json!("partially_allocated"), &json!(1)));
    client.cancel("QUICK");
    assert_eq!(client.order("WAITS")["status"], "allocated", "what is free serves those who wait");
    assert_eq!(reallocate(&client, "REJECTS").json()["status"], "allocated");
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

fn a_version_is_named_for_a_confirmation_and_an_extension(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    let place = |order_id: &str| client.place(order_id, &[("LAMP", 1)], json!({"hold_seconds": 60}));
    let old = place("CART").header("etag").unwrap().to_owned();
    client.patch("/orders/CART", &json!({"lines": [{"sku": "LAMP", "qty": 2}]}));
    let send = |path: &str, tag: &str, body: &str| {
        let headers = [("if-match", tag), ("content-type", "application/json")];
        client.send_with("POST", &format!("/orders/CART/{path}"), &headers, body)
    };
    send("confirm", &old, "{}").problem(412, "order-changed");
    send("extend", &old, r#"{"hold_seconds": 600}"#).problem(412, "order-changed");
    let new = client.get("/orders/CART").header("etag").unwrap().to_owned();
    let extended = send("extend", &new, r#"{"hold_seconds": 600}"#);
    assert_eq!(extended.status, 200);
    expire(database, "CART");
    swept(database, "CART");
    let late = client.get("/orders/CART").header("etag").unwrap().to_owned();
    send("confirm", &old, r#"{"reallocate": true}"#).problem(412, "order-changed");
    for _ in 0..2 {
        assert_eq!(send("confirm", &late, r#"{"reallocate": true}"#).status, 200, "also a repeat");
    }
}

/// Many late payments and quick customers want the same units; as many are served as there are units for.
fn late_payments_and_new_orders_share_the_stock(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    let carts: Vec<String> = (0..10).map(|number| format!("CART-{number}")).collect();
    for cart in &carts {
        client.place(cart, &[("LAMP", 1)], json!({"hold_seconds": 60}));
        expire(database, cart);
    }
    let start = &Barrier::new(20);
    let served: u32 = thread::scope(|scope| {
        let late = carts.iter().map(|cart| {
            let client = server.client();
            scope.spawn(move || {
                start.wait();
                u32::from(reallocate(&client, cart).status == 200)
            })
        });
        let late: Vec<_> = late.collect();
        let quick = (0..10).map(|number| {
            let client = server.client();
            scope.spawn(move || {
                start.wait();
                u32::from(client.allocate(&format!("QUICK-{number}"), "LAMP", 1).status == 201)
            })
        });
        let quick: Vec<_> = quick.collect();
        late.into_iter().chain(quick).map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((served, client.available("B-1")), (10, 0));
    projection::assert_served(&projection::project(&events(&client, database)), &client);
}

on_every_database!(
    a_late_payment_gets_its_units_again_if_they_are_still_free,
    a_late_payment_without_its_units_is_rejected_with_the_shortages,
    a_version_is_named_for_a_confirmation_and_an_extension,
    late_payments_and_new_orders_share_the_stock,
);

//! Units are held until an instant, and no longer.

use crate::support::{
    Client, Server, TestDatabase, expire, expire_at, expire_where, now, on_every_database, summary, swept, unswept,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

/// The expiry of an order's hold, in microseconds since 1970.
fn expires_at(order: &Value) -> i64 {
    let text = order["expires_at"].as_str().unwrap_or_else(|| panic!("not held: {order}"));
    assert!(text.ends_with('Z'), "{text} is not in UTC");
    text.parse::<DateTime<Utc>>().unwrap().timestamp_micros()
}

fn seconds(number: i64) -> i64 {
    number * 1_000_000
}

fn a_held_order_is_confirmed(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    let before = now();
    let placed = client.place("O-1", &[("LAMP", 3)], json!({"hold_seconds": 600}));
    assert_eq!((placed.status, summary(&placed.json()).as_str()), (201, "held LAMP 3 (B-1 3)"));
    assert!((before + seconds(600)..=now() + seconds(600)).contains(&expires_at(&placed.json())), "{placed:?}");
    assert_eq!(client.order("O-1"), placed.json());
    assert_eq!(
        (client.product("LAMP")["held"].as_u64(), client.product("LAMP")["allocated"].as_u64()),
        (Some(3), Some(3))
    );
    client.allocate("O-2", "LAMP", 3).problem(409, "out-of-stock");

    let confirmed = client.confirm("O-1");
    assert_eq!((confirmed.status, summary(&confirmed.json()).as_str()), (200, "allocated LAMP 3 (B-1 3)"));
    assert!(confirmed.json()["expires_at"].is_null());
    assert_eq!(client.product("LAMP")["held"], 0);
    let again = client.confirm("O-1");
    assert_eq!((again.status, again.json()), (200, confirmed.json()));
    client.extend("O-1", 60).problem(409, "order-not-held");
    client.confirm("NONE").problem(404, "order-not-found");
    client.extend("NONE", 60).problem(404, "order-not-found");
    let confirmations = "SELECT count(*) FROM all_events WHERE type = 'hold_confirmed'";
    assert_eq!(database.count(confirmations), 1);
}

fn a_hold_is_extended_and_never_shortened(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    let placed = client.place("O-1", &[("LAMP", 1), ("SOFA", 1)], json!({"hold_seconds": 60})).json();
    let before = now();
    let extended = client.extend("O-1", 1_200);
    assert_eq!((extended.status, summary(&extended.json())), (200, summary(&placed)));
    let until = expires_at(&extended.json());
    assert!((before + seconds(1_200)..=now() + seconds(1_200)).contains(&until));
    let shorter = client.extend("O-1", 10);
    assert_eq!((shorter.status, expires_at(&shorter.json())), (200, until));
    assert_eq!(client.place("O-1", &[("LAMP", 1), ("SOFA", 1)], json!({"hold_seconds": 60})).status, 200);
    assert_eq!(expires_at(&client.order("O-1")), until);
    assert_eq!(client.extend("O-1", 86_400).status, 200);
}

/// woocommerce#28236, #24491: a hold of three days, which the operator has allowed.
fn a_hold_lasts_for_days_if_the_operator_allows_it(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    let place = |client: &Client| client.place("O-1", &[("LAMP", 1)], json!({"hold_seconds": 259_200}));
    place(&client).problem(422, "validation");
    drop(server);
    let server = Server::start_with(database, |command| command.args(["--max-hold-seconds", "1728000"]));
    let client = server.client();
    let (before, placed) = (now(), place(&client));
    assert_eq!(placed.status, 201);
    assert!((before + seconds(259_200)..=now() + seconds(259_200)).contains(&expires_at(&placed.json())));
    assert_eq!(client.extend("O-1", 1_728_000).status, 200);
    database.execute("UPDATE order_lines SET placed_at = placed_at - 950400000000");
    client.extend("O-1", 1_728_000).problem(409, "hold-too-long");
}

/// Repeats a request that has one result before an instant, and another from then on.
fn changes_at(at: i64, ask: impl Fn() -> bool) {
    assert!(now() < at, "the test is too slow");
    for asked in 0.. {
        let (sent, changed, answered) = (now(), ask(), now());
        assert!(!changed || answered >= at, "{} us before its time", at - answered);
        assert!(changed || sent < at, "{} us after its time", sent - at);
        if sent >= at {
            assert!(asked > 0, "the test is too slow");
            return;
        }
    }
}

fn a_hold_expires_at_the_instant_of_its_expiry(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    let hold = |order: &str| {
        let held = client.place(order, &[("LAMP", 5), ("SOFA", 5)], json!({"hold_seconds": 600}));
        assert_eq!(held.status, 201, "{held:?}");
        let at = now() + 2_000_000;
        expire_at(database, order, at);
        at
    };
    let at = hold("O-1");
    changes_at(at, || client.product("LAMP")["available"] == 5);
    changes_at(hold("O-2"), || client.available("B-2") == 5);
    changes_at(hold("O-3"), || client.standing("O-3") == "expired LAMP 0 SOFA 0");
    changes_at(hold("O-4"), || {
        !client.get("/products/SOFA/availability").json()["series"].as_array().unwrap().is_empty()
    });
    changes_at(hold("O-5"), || client.get("/orders?status=held&sku=LAMP").json() == json!([]));
}

fn held_units_are_reallocated_from_the_instant_of_expiry(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.place("O-1", &[("LAMP", 5)], json!({"hold_seconds": 600}));
    let at = now() + 2_000_000;
    expire_at(database, "O-1", at);
    changes_at(at, || client.allocate("O-2", "LAMP", 3).status < 300);
    client.confirm("O-1").problem(409, "hold-expired");

    client.place("O-3", &[("LAMP", 2)], json!({"hold_seconds": 600}));
    let at = now() + 2_000_000;
    expire_at(database, "O-3", at);
    changes_at(at, || client.place("O-4", &[("LAMP", 2)], json!({})).status < 300);
    assert_eq!(client.standing("O-2"), "allocated LAMP 3 (B-1 3)");
    assert_eq!(client.standing("O-3"), "expired LAMP 0");
    assert_eq!(client.standing("O-4"), "allocated LAMP 2 (B-1 2)");
}

fn an_order_whose_units_were_reallocated_is_never_confirmed(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    let lines = [("LAMP", 4), ("SOFA", 4)];
    let terms = json!({"hold_seconds": 600});
    client.place("O-1", &lines, terms.clone());
    expire(database, "O-1");
    assert_eq!(client.allocate("O-2", "LAMP", 5).status, 201);
    client.confirm("O-1").problem(409, "hold-expired");
    client.extend("O-1", 60).problem(409, "hold-expired");
    client.allocate("O-1", "SOFA", 4).problem(409, "hold-expired");
    client.place("O-1", &lines, terms).problem(409, "hold-expired");
    assert_eq!(client.cancel("O-1").status, 204);
    assert_eq!(client.standing("O-1"), "expired LAMP 0 SOFA 0");
    client.give_back("O-1", "B-1").problem(404, "allocation-not-found");

    // Not even when the units are free again, or the clock is set back.
    client.cancel("O-2");
    swept(database, "O-1");
    client.confirm("O-1").problem(409, "hold-expired");
    assert_eq!((client.available("B-1"), client.available("B-2")), (5, 5));
}

fn one_expired_line_expires_the_order(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    client.place("O-1", &[("LAMP", 4), ("SOFA", 4)], json!({"hold_seconds": 600}));
    let past = now() - 1;
    database.execute(&format!("UPDATE order_lines SET expires_at = {past} WHERE order_id = 'O-1' AND sku = 'LAMP'"));
    client.confirm("O-1").problem(409, "hold-expired");
    assert_eq!(client.allocate("O-2", "LAMP", 5).status, 201);
    client.confirm("O-1").problem(409, "hold-expired");
    client.extend("O-1", 60).problem(409, "hold-expired");
}

/// What all views show of a lamp of which five were purchased in one batch.
fn free_in_every_view(client: &Client) -> Vec<u64> {
    let batches = client.all("/batch?sku=LAMP");
    let product = client.product("LAMP");
    let series = client.get("/products/LAMP/availability").json()["series"].as_array().unwrap().clone();
    vec![
        client.available("B-1"),
        batches[0]["available_quantity"].as_u64().unwrap(),
        5 - batches[0]["allocated_quantity"].as_u64().unwrap(),
        product["available"].as_u64().unwrap(),
        5 - product["allocated"].as_u64().unwrap(),
        5 - product["held"].as_u64().unwrap(),
        client.all("/products").iter().find(|it| it["sku"] == "LAMP").unwrap()["available"].as_u64().unwrap(),
        series.last().map_or(0, |last| last["available"].as_u64().unwrap()),
        5 - client.all("/allocations?sku=LAMP").iter().map(|row| row["qty"].as_u64().unwrap()).sum::<u64>(),
    ]
}

fn expired_units_are_free_in_every_view_at_once(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.register("SOFA");
    unswept(database, |order| {
        client.place(order, &[("LAMP", 3), ("SOFA", 1)], json!({"hold_seconds": 600, "on_shortage": "backorder"}));
        assert_eq!(client.standing(order), "partially_allocated LAMP 3 (B-1 3) SOFA 0 +1");
        assert_eq!(free_in_every_view(&client), [2; 9]);
        assert_eq!(client.product("SOFA")["backordered"], 1);
        expire(database, order);
        assert_eq!(free_in_every_view(&client), [5; 9]);
        assert_eq!(client.standing(order), "expired LAMP 0 SOFA 0");
        let named = |path: &str| client.all(path).iter().any(|it| it["order_id"] == order);
        assert!(named("/orders?status=expired&sku=LAMP") && !named("/orders?status=partially_allocated"));
        assert!(client.queue("SOFA").is_empty(), "a hold covers the backorder too");
        assert_eq!(client.product("SOFA")["backordered"], 0);
        assert_eq!(client.get("/products/LAMP/availability?qty=5").json()["earliest"], json!({"eta": null}));
        client.confirm(order).problem(409, "hold-expired");
    });
}

fn a_batch_whose_holds_have_expired_can_be_removed(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    for order in ["O-1", "O-2", "O-3"] {
        client.add_batch("B-1", "LAMP", 5, None);
        client.place(order, &[("LAMP", 3)], json!({"hold_seconds": 600}));
        client.delete("/batch/B-1").problem(409, "batch-has-allocations");
        expire(database, order);
        assert_eq!(client.delete("/batch/B-1").status, 204);
        assert_eq!(client.standing(order), "expired LAMP 0");
    }
}

/// The events of an order's history, with their reasons.
fn events(client: &Client, order_id: &str) -> Vec<String> {
    let rows = client.all(&format!("/orders/{order_id}/history"));
    let name = |row: &Value| match row["reason"].as_str() {
        Some(reason) => format!("{} {reason}", row["event"].as_str().unwrap()),
        None => row["event"].as_str().unwrap().to_owned(),
    };
    rows.iter().map(name).collect()
}

fn the_sweeper_records_expired_holds(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    client.place("O-1", &[("LAMP", 4), ("SOFA", 4)], json!({"hold_seconds": 600}));
    client.place("O-2", &[("LAMP", 1)], json!({"hold_seconds": 600}));
    client.place("O-3", &[("LAMP", 4)], json!({"on_shortage": "backorder"}));
    expire(database, "O-1");
    swept(database, "O-1");
    assert_eq!(client.standing("O-3"), "allocated LAMP 4 (B-1 4)", "the waiting line gets the units");
    let mut events = events(&client, "O-1");
    events.sort();
    let expired = [
        "allocated new_line",
        "allocated new_line",
        "deallocated expiry",
        "deallocated expiry",
        "hold_expired",
        "hold_expired",
        "line_placed",
        "line_placed",
    ];
    assert_eq!(events, expired);
    assert_eq!(client.standing("O-2"), "held LAMP 1 (B-1 1)");
    assert_eq!(database.count("SELECT held_lines FROM products WHERE sku = 'SOFA'"), 0);
    let errors = server.log().into_iter().filter(|line| line.contains("\"ERROR\"")).collect::<Vec<_>>();
    assert!(errors.is_empty(), "{errors:?}");
}

fn units_that_a_held_order_gets_later_expire_with_its_hold(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.register("LAMP");
    client.register("SOFA");
    let terms = json!({"hold_seconds": 600, "on_shortage": "backorder"});
    let placed = client.place("O-1", &[("LAMP", 3)], terms.clone());
    assert_eq!(summary(&placed.json()), "backordered LAMP 0 +3");
    client.add_batch("B-1", "LAMP", 2, None);
    assert_eq!(client.standing("O-1"), "partially_allocated LAMP 2 (B-1 2) +1");
    assert_eq!(expires_at(&client.order("O-1")), expires_at(&placed.json()));
    assert_eq!(client.product("LAMP")["held"], 2);
    client.place("O-2", &[("SOFA", 3)], terms);
    let confirmed = client.confirm("O-1");
    assert_eq!((confirmed.status, summary(&confirmed.json()).as_str()), (200, "partially_allocated LAMP 2 (B-1 2) +1"));
    assert_eq!((client.product("LAMP")["held"].as_u64(), client.queue("LAMP").len()), (Some(0), 1), "it waits firmly");
    expire(database, "O-2");
    client.add_batch("B-2", "SOFA", 3, None);
    assert_eq!((client.standing("O-2").as_str(), client.available("B-2")), ("expired SOFA 0", 3));
}

fn a_hold_of_ten_seconds_lasts_ten_seconds(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    let hold = json!({"hold_seconds": 10});
    let left = client.place("LEFT", &[("LAMP", 4)], hold.clone()).json();
    client.place("CONFIRMED", &[("LAMP", 3)], hold.clone());
    client.place("EXTENDED", &[("LAMP", 3)], hold);
    client.place("WAITING", &[("LAMP", 2)], json!({"on_shortage": "backorder"}));
    assert_eq!(client.confirm("CONFIRMED").status, 200);
    assert_eq!(client.extend("EXTENDED", 60).status, 200);
    let at = expires_at(&left);
    thread::sleep(Duration::from_micros(u64::try_from(at - now() - 200_000).unwrap()));
    changes_at(at, || client.standing("LEFT") == "expired LAMP 0");
    swept(database, "LEFT");
    assert_eq!(client.standing("CONFIRMED"), "allocated LAMP 3 (B-1 3)");
    assert_eq!(client.standing("EXTENDED"), "held LAMP 3 (B-1 3)");
    assert_eq!(client.standing("WAITING"), "allocated LAMP 2 (B-1 2)");
    assert_eq!(client.available("B-1"), 2);
}

fn the_sweeper_keeps_up_with_many_holds(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 1_000, None);
    let skus: Vec<String> = (0..150).map(|number| format!("SKU-{number:03}")).collect();
    for sku in &skus {
        client.add_batch(sku, sku, 1, None);
    }
    let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    client.place("WIDE", &lines, json!({"hold_seconds": 600}));
    for number in 0..200 {
        client.place(&format!("O-{number}"), &[("LAMP", 5)], json!({"hold_seconds": 600}));
    }
    assert_eq!(client.available("B-1"), 0);
    expire_where(database, "true", now() - 1);
    let begun = Instant::now();
    assert_eq!(client.available("B-1"), 1_000);
    while database.count("SELECT count(*) FROM order_lines WHERE expires_at IS NOT NULL") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the sweeper does not keep up");
        // No client waits for the sweeper meanwhile.
        let asked = Instant::now();
        assert_eq!(client.product("LAMP")["available"], 1_000);
        assert!(asked.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(database.count("SELECT count(*) FROM all_events WHERE type = 'hold_expired'"), 350);
    assert_eq!(database.count("SELECT sum(held) + sum(held_lines) FROM products"), 0);
    let errors = server.log().into_iter().filter(|line| line.contains("\"ERROR\"")).collect::<Vec<_>>();
    assert!(errors.is_empty(), "{errors:?}");
}

fn a_hold_outlives_the_server_and_expires_while_none_runs(database: &TestDatabase) {
    let server = Server::start(database);
    server.client().add_batch("B-1", "LAMP", 5, None);
    for order in ["O-1", "O-2"] {
        server.client().place(order, &[("LAMP", 2)], json!({"hold_seconds": 600}));
    }
    let waits = json!({"on_shortage": "backorder"});
    server.client().place("O-3", &[("LAMP", 2)], waits);
    server.signal("KILL");
    drop(server);
    expire(database, "O-1");
    let server = Server::start(database);
    let client = server.client();
    client.confirm("O-1").problem(409, "hold-expired");
    assert_eq!(client.confirm("O-2").status, 200);
    swept(database, "O-1");
    assert_eq!(client.standing("O-3"), "allocated LAMP 2 (B-1 2)");
}

fn invalid_extensions_are_rejected(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.place("O-1", &[("LAMP", 1)], json!({"hold_seconds": 60}));
    for wrong in [json!(9), json!(86_401), json!(-1), json!(1.5), json!("60"), json!(null), json!(u64::MAX)] {
        assert_eq!(client.post("/orders/O-1/extend", &json!({"hold_seconds": wrong})).faults(), ["/hold_seconds"]);
    }
    assert_eq!(client.post("/orders/O-1/extend", &json!({})).faults(), ["/hold_seconds"]);
    let unknown = json!({"hold_seconds": 60, "seconds": 60});
    assert_eq!(client.post("/orders/O-1/extend", &unknown).faults(), ["/seconds"]);
    assert_eq!(client.post("/orders/%20/extend", &json!({"hold_seconds": 60})).faults(), ["order_id"]);
    assert_eq!(client.send("POST", "/orders/%20/confirm", None, "").faults(), ["order_id"]);
    assert_eq!(client.send("POST", "/orders/O-1/confirm?x=1", None, "").faults(), ["x"]);
    assert_eq!(client.standing("O-1"), "held LAMP 1 (B-1 1)");
}

on_every_database!(
    a_hold_lasts_for_days_if_the_operator_allows_it,
    a_held_order_is_confirmed,
    a_hold_is_extended_and_never_shortened,
    a_hold_expires_at_the_instant_of_its_expiry,
    held_units_are_reallocated_from_the_instant_of_expiry,
    an_order_whose_units_were_reallocated_is_never_confirmed,
    one_expired_line_expires_the_order,
    expired_units_are_free_in_every_view_at_once,
    a_batch_whose_holds_have_expired_can_be_removed,
    the_sweeper_records_expired_holds,
    units_that_a_held_order_gets_later_expire_with_its_hold,
    a_hold_of_ten_seconds_lasts_ten_seconds,
    the_sweeper_keeps_up_with_many_holds,
    a_hold_outlives_the_server_and_expires_while_none_runs,
    invalid_extensions_are_rejected,
);

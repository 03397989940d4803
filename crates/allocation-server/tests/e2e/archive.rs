//! Complete orders move to the archive after a time, and every answer about them stays the same.

use crate::bulk::LINES;
use crate::support::{Client, Server, TestDatabase, binary, expire, now, on_every_database, order, swept};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

const ARCHIVING: [&str; 2] = ["--archive-after-days", "1"];

/// The microseconds of two days.
const TWO_DAYS: i64 = 2 * 86_400 * 1_000_000;

/// Lets all complete lines have been completed two days ago.
fn two_days_pass(database: &TestDatabase) {
    let update = format!("UPDATE order_lines SET completed_at = completed_at - {TWO_DAYS}");
    database.execute(&format!("{update} WHERE completed_at > {}", now() - TWO_DAYS / 2));
}

fn archived(database: &TestDatabase) -> i64 {
    database.count("SELECT count(*) FROM archived_orders")
}

/// Waits until a number of orders is archived.
fn until_archived(database: &TestDatabase, orders: i64) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while archived(database) < orders {
        assert!(Instant::now() < deadline, "{} of {orders} orders are archived", archived(database));
        thread::sleep(Duration::from_millis(20));
    }
}

/// Makes an order of each kind that is complete, and one that is not.
fn orders(database: &TestDatabase, client: &Client) {
    client.add_batch("B-1", "LAMP", 100, None);
    client.add_batch("B-2", "SOFA", 100, None);
    client.place("SHIPPED", &[("LAMP", 2), ("SOFA", 1)], json!({}));
    client.allocate("ALONE", "LAMP", 3);
    client.place("CLOSED", &[("LAMP", 150)], json!({"on_shortage": "backorder"}));
    assert_eq!(client.close("CLOSED").status, 200);
    client.place("CANCELLED", &[("LAMP", 2), ("SOFA", 2)], json!({}));
    assert_eq!(client.cancel("CANCELLED").status, 204);
    client.place("EXPIRED", &[("SOFA", 2)], json!({"hold_seconds": 600}));
    expire(database, "EXPIRED");
    swept(database, "EXPIRED");
    let list = json!({"pick_list_id": "P", "order_ids": ["SHIPPED", "ALONE"]});
    assert_eq!(client.post("/pick-lists", &list).status, 201);
    for line in client.get("/pick-lists/P").json()["lines"].as_array().unwrap() {
        let path = format!("/pick-lists/P/lines/{}/pick", line["line"]);
        assert_eq!(client.post(&path, &json!({"qty": line["qty"]})).status, 200);
    }
    assert_eq!(client.post("/pick-lists/P/ship", &json!({})).status, 200);
    client.allocate("CURRENT", "LAMP", 1);
}

const COMPLETE: [&str; 5] = ["ALONE", "CANCELLED", "CLOSED", "EXPIRED", "SHIPPED"];

/// Returns the responses to requests about complete orders that change nothing.
fn answers(client: &Client) -> Vec<(String, u16, Value)> {
    let mut all = Vec::new();
    let mut add = |request: String, answer: crate::support::Answer| {
        let body = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        all.push((request, answer.status, body));
    };
    for id in COMPLETE {
        for path in [format!("/orders/{id}"), format!("/orders/{id}/history"), format!("/allocations?order_id={id}")] {
            add(format!("GET {path}"), client.get(&path));
        }
        for lines in [&[("LAMP", 2), ("SOFA", 1)][..], &[("LAMP", 2), ("SOFA", 2)], &[("SOFA", 2)], &[("LAMP", 150)]] {
            for more in [json!({}), json!({"hold_seconds": 600}), json!({"on_shortage": "backorder"})] {
                add(format!("POST {id} {lines:?} {more}"), client.place(id, lines, more));
            }
        }
        for qty in [2, 3] {
            add(format!("allocate {qty} to {id}"), client.allocate(id, "LAMP", qty));
            let items = json!({"order_id": id, "sku": "LAMP", "qty": qty}).to_string();
            add(format!("bulk {qty} to {id}"), client.send("POST", "/allocations/bulk", Some(LINES), items));
        }
        add(format!("close {id}"), client.post(&format!("/orders/{id}/close?dry_run=true"), &json!({})));
        add(format!("cancel {id}"), client.cancel(id));
        add(format!("confirm {id}"), client.confirm(id));
        add(format!("extend {id}"), client.extend(id, 60));
        add(format!("give back {id}"), client.give_back(id, "B-1"));
        let lowered = json!({"lines": [{"sku": "LAMP", "qty": 1}]});
        add(format!("change {id}"), client.patch(&format!("/orders/{id}?dry_run=true"), &lowered));
    }
    add("lists".to_owned(), client.get("/pick-lists"));
    add("list".to_owned(), client.get("/pick-lists/P"));
    add(
        "list again".to_owned(),
        client.post("/pick-lists", &json!({"pick_list_id": "P", "order_ids": ["SHIPPED", "ALONE"]})),
    );
    add("pick".to_owned(), client.post("/pick-lists/P/lines/1/pick", &json!({"qty": 1})));
    add("release line".to_owned(), client.send("POST", "/pick-lists/P/lines/1/release", None, ""));
    add("release".to_owned(), client.send("POST", "/pick-lists/P/release", None, ""));
    add("ship".to_owned(), client.post("/pick-lists/P/ship", &json!({})));
    add("product".to_owned(), client.get("/products/LAMP"));
    add("batch".to_owned(), client.get("/batch/B-1"));
    all
}

fn listed(client: &Client) -> Vec<Value> {
    client.all("/orders").iter().map(|order| order["order_id"].clone()).collect()
}

fn every_answer_about_an_archived_order_stays_the_same(database: &TestDatabase) {
    let server = Server::start(database);
    orders(database, &server.client());
    let before = answers(&server.client());
    assert_eq!(listed(&server.client()).len(), 6, "the requests have changed nothing");
    drop(server);
    two_days_pass(database);

    let server = Server::start_with(database, |command| command.args(ARCHIVING));
    let client = server.client();
    until_archived(database, 5);
    assert_eq!(listed(&client), ["CURRENT"]);
    for (before, after) in before.iter().zip(&answers(&client)) {
        assert_eq!(before, after);
    }
    assert_eq!((archived(database), listed(&client)), (5, vec![json!("CURRENT")]), "they have restored nothing");
    let metrics = client.get("/metrics").text;
    for expected in ["allocation_archived_orders_total 5.0", "allocation_archived_lines_total 7.0"] {
        assert!(metrics.contains(expected), "{expected} in {metrics}");
    }
    let check = binary().arg("check").env("DATABASE_URL", database.url()).output().unwrap();
    assert!(check.status.success(), "{check:?}");

    // A line that is added to a shipped order makes it current again.
    assert_eq!(client.allocate("ALONE", "SOFA", 1).status, 201);
    assert_eq!(listed(&client), ["ALONE", "CURRENT"]);
    assert_eq!(client.order("ALONE")["lines"].as_array().unwrap().len(), 2);
    assert_eq!(archived(database), 4);
}

fn nothing_is_archived_unless_it_is_set_or_before_its_time(database: &TestDatabase) {
    let server = Server::start_with(database, |command| command.args(ARCHIVING));
    let client = server.client();
    orders(database, &client);
    // An order is archived that was completed after the others, so they were looked at.
    client.place("OLD", &[("LAMP", 1)], json!({}));
    client.cancel("OLD");
    let old = format!("UPDATE order_lines SET completed_at = completed_at - {TWO_DAYS} WHERE order_id = 'OLD'");
    database.execute(&old);
    until_archived(database, 1);
    assert_eq!(listed(&client).len(), 6);
    drop(server);
    two_days_pass(database);
    let server = Server::start(database);
    assert_eq!(listed(&server.client()).len(), 6);
    assert!(!server.client().get("/readyz").text.contains("archive"), "no task archives");
}

fn kill_9_while_orders_are_archived_loses_and_doubles_none(database: &TestDatabase) {
    const ORDERS: i64 = 300;
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10_000, None);
    client.add_batch("B-2", "SOFA", 10_000, None);
    let placed = |number: i64| order(&format!("O-{number}"), &[("LAMP", 1), ("SOFA", 1)], json!({}));
    let items: Vec<_> = (0..ORDERS).map(|number| placed(number).to_string()).collect();
    assert_eq!(client.send("POST", "/orders/bulk", Some(LINES), items.join("\n")).status, 200);
    for number in 0..ORDERS {
        assert_eq!(client.cancel(&format!("O-{number}")).status, 204);
    }
    drop(server);
    two_days_pass(database);
    let stored = |table: &str| database.count(&format!("SELECT count(DISTINCT order_id) FROM {table}"));
    for target in [1, 100, ORDERS] {
        let server = Server::start_with(database, |command| command.args(ARCHIVING));
        until_archived(database, target);
        server.signal("KILL");
        drop(server);
        assert_eq!(stored("order_lines") + archived(database), ORDERS);
        assert_eq!((stored("orders"), stored("archived_lines")), (stored("order_lines"), archived(database)));
        assert_eq!(database.count("SELECT count(*) FROM archived_lines"), 2 * archived(database));
    }
    let server = Server::start(database);
    for number in [0, 7, ORDERS - 1] {
        server.client().post("/orders", &placed(number)).problem(409, "order-cancelled");
    }
}

fn the_setting_has_bounds(database: &TestDatabase) {
    for days in ["0", "3651", "-1", "soon"] {
        let arguments = [&format!("--archive-after-days={days}"), "doctor"];
        let refused = binary().args(arguments).env("DATABASE_URL", database.url()).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
}

on_every_database!(
    every_answer_about_an_archived_order_stays_the_same,
    nothing_is_archived_unless_it_is_set_or_before_its_time,
    kill_9_while_orders_are_archived_loses_and_doubles_none,
    the_setting_has_bounds,
);

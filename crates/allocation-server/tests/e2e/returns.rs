//! Returns: shipped units that come back.

use crate::outages::eventually;
use crate::pick_lists::events;
use crate::support::{Answer, Client, Server, TestDatabase, binary, now, on_every_database, projection};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

fn line(sku: &str, qty: u32, disposition: &str) -> Value {
    json!({"sku": sku, "qty": qty, "disposition": disposition})
}

fn take_back(client: &Client, return_id: &str, order_id: &str, lines: &[Value]) -> Answer {
    client.post("/returns", &json!({"return_id": return_id, "order_id": order_id, "lines": lines}))
}

/// Places an order, and picks and ships all its units.
fn ship(client: &Client, order_id: &str, lines: &[(&str, u32)]) {
    assert_eq!(client.place(order_id, lines, json!({})).status, 201);
    let list = format!("P-{order_id}");
    assert_eq!(client.post("/pick-lists", &json!({"pick_list_id": list, "order_ids": [order_id]})).status, 201);
    for line in client.get(&format!("/pick-lists/{list}")).json()["lines"].as_array().unwrap() {
        let path = format!("/pick-lists/{list}/lines/{}/pick", line["line"]);
        assert_eq!(client.post(&path, &json!({"qty": line["qty"]})).status, 200);
    }
    assert_eq!(client.post(&format!("/pick-lists/{list}/ship"), &json!({})).status, 200);
}

fn returned(client: &Client, order_id: &str) -> u64 {
    let lines = client.order(order_id)["lines"].clone();
    lines.as_array().unwrap().iter().map(|line| line["returned"].as_u64().unwrap_or(0)).sum()
}

fn assert_consistent(client: &Client, database: &TestDatabase) {
    projection::assert_served(&projection::project(&events(client, database)), client);
    let check = binary().arg("check").env("DATABASE_URL", database.url()).output().unwrap();
    assert!(check.status.success(), "{check:?}");
}

/// openfoodnetwork#1631, magento/inventory#2773: two of five shipped units come back, and an order waits.
fn two_of_five_shipped_units_come_back(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    ship(&client, "O-1", &[("LAMP", 5)]);
    client.place("WAITING", &[("LAMP", 2)], json!({"on_shortage": "backorder"}));
    let body = json!({"return_id": "RMA/1", "order_id": "O-1",
        "lines": [line("LAMP", 1, "restock"), line("LAMP", 1, "scrap")]});
    let preview = client.post("/returns?dry_run=true", &body);
    assert_eq!((preview.status, returned(&client, "O-1")), (200, 0));
    client.get("/batch/RMA%2F1").problem(404, "batch-not-found");
    let booked = client.post("/returns", &body);
    assert_eq!((booked.status, &booked.json()["lines"]), (201, &preview.json()["lines"]), "{booked:?}");
    assert_eq!(booked.json()["lines"][0]["reference"], "RMA/1");
    let again = client.post("/returns", &body);
    assert_eq!((again.status, again.json()), (200, booked.json()));
    take_back(&client, "RMA/1", "O-1", &[line("LAMP", 1, "restock")]).problem(409, "return-already-exists");

    let batch = client.get("/batch/RMA%2F1").json();
    assert_eq!(batch["origin"], json!({"return_id": "RMA/1", "order_id": "O-1"}));
    assert_eq!((&batch["purchased_quantity"], &batch["allocated_quantity"]), (&json!(1), &json!(1)));
    assert_eq!(client.get("/batch/B-1").json()["origin"], Value::Null);
    assert_eq!(client.standing("WAITING"), "partially_allocated LAMP 1 (RMA/1 1) +1");
    let order = client.order("O-1");
    assert_eq!(order["status"], "shipped");
    assert_eq!((&order["lines"][0]["shipped"], &order["lines"][0]["returned"]), (&json!(5), &json!(2)));
    let history = client.all("/orders/O-1/history");
    let details: Vec<_> = history.iter().rev().take(2).map(|row| row["detail"].as_str().unwrap()).collect();
    let scrapped = "1 unit came back, and is scrapped: return RMA/1";
    assert_eq!(details, [scrapped, "1 unit came back, and is in stock again: return RMA/1"]);
    let detail = "1 unit of order O-1 came back: return RMA/1";
    assert_eq!(client.all("/batch/RMA%2F1/history")[0]["detail"], detail);
    let product = client.product("LAMP");
    assert_eq!(product["in_stock"], 1, "{product}");
    assert_consistent(&client, database);
}

fn refusals_change_nothing(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.add_batch("B-2", "SOFA", 5, None);
    ship(&client, "O-1", &[("LAMP", 3), ("SOFA", 2)]);
    let lines = [line("LAMP", 3, "restock"), line("LAMP", 1, "quarantine"), line("SOFA", 2, "scrap")];
    let more = take_back(&client, "R", "O-1", &lines).problem(409, "more-than-shipped");
    assert_eq!(more["excess"], json!([{"sku": "LAMP", "requested": 4, "returnable": 3}]));
    take_back(&client, "R", "NONE", &lines).problem(404, "order-not-found");
    take_back(&client, "B-2", "O-1", &[line("LAMP", 1, "restock")]).problem(409, "batch-already-exists");
    let unknown = take_back(&client, "R", "O-1", &[line("BED", 1, "scrap")]).problem(409, "more-than-shipped");
    assert_eq!(unknown["excess"][0]["returnable"], 0);
    let twice = [line("LAMP", 1, "scrap"), line("LAMP", 2, "scrap")];
    assert_eq!(take_back(&client, "R", "O-1", &twice).faults(), ["/lines/1/disposition"]);
    assert_eq!(returned(&client, "O-1"), 0);
    // Units in quarantine never become available.
    let both = [line("LAMP", 1, "quarantine"), line("LAMP", 2, "restock"), line("SOFA", 1, "restock")];
    assert_eq!(take_back(&client, "R", "O-1", &both).status, 201);
    assert_eq!((client.available("R/LAMP"), client.available("R/SOFA")), (2, 1));
    assert_eq!(client.product("LAMP")["in_stock"], 4);
    // A purchase with the same content is not the batch that came back.
    client.add_batch("R/SOFA", "SOFA", 1, None).problem(409, "batch-already-exists");
    assert_consistent(&client, database);
}

fn an_archived_order_takes_back_its_units(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    ship(&client, "O-1", &[("LAMP", 5)]);
    assert_eq!(take_back(&client, "RMA-1", "O-1", &[line("LAMP", 2, "scrap")]).status, 201);
    drop(server);
    let archived = || database.count("SELECT count(*) FROM archived_orders");
    for round in 0..2 {
        database.execute(&format!("UPDATE order_lines SET completed_at = {}", now() - 2 * 86_400 * 1_000_000));
        let server = Server::start_with(database, |command| command.args(["--archive-after-days", "1"]));
        let client = server.client();
        let deadline = Instant::now() + Duration::from_secs(90);
        while archived() == 0 {
            assert!(Instant::now() < deadline, "the order is not archived");
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(returned(&client, "O-1"), 2 + round);
        take_back(&client, "RMA", "O-1", &[line("LAMP", 4, "scrap")]).problem(409, "more-than-shipped");
        let id = format!("RMA-2-{round}");
        assert_eq!(take_back(&client, &id, "O-1", &[line("LAMP", 1, "restock")]).status, 201);
        assert_eq!((returned(&client, "O-1"), archived()), (3 + round, 0), "it is current again");
        assert_consistent(&client, database);
    }
}

/// Each of the returns takes back two of five units, so two of four are booked. Each arrives twice.
fn returns_at_the_same_time_never_exceed_what_was_shipped(database: &TestDatabase) {
    let (one, other) = (Server::start(database), Server::start(database));
    let client = one.client();
    client.add_batch("B-1", "LAMP", 100, None);
    for round in 0..4 {
        let order_id = format!("O-{round}");
        ship(&client, &order_id, &[("LAMP", 5)]);
        let start = &Barrier::new(8);
        let order_id = &order_id;
        let statuses: Vec<u16> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let client = if number < 4 { one.client() } else { other.client() };
                    scope.spawn(move || {
                        start.wait();
                        let id = format!("RMA-{round}-{}", number % 4);
                        take_back(&client, &id, order_id, &[line("LAMP", 2, "restock")]).status
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let count = |status| statuses.iter().filter(|found| **found == status).count();
        assert_eq!([201, 200, 409].map(count), [2, 2, 4], "{statuses:?}");
        assert_eq!(returned(&client, order_id), 4);
    }
    assert_consistent(&client, database);
}

fn the_warehouse_books_returns_and_a_shop_does_not(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let key = |scope: &str| client.post("/keys", &json!({"name": scope, "scopes": [scope]}));
    let admin = key("admin").json()["key"].as_str().unwrap().to_owned();
    let with_key = |scope: &str| {
        let body = json!({"name": scope, "scopes": [scope]});
        let made = client.post_with("/keys", &body, ("authorization", &format!("Bearer {admin}")));
        format!("Bearer {}", made.json()["key"].as_str().unwrap())
    };
    let body = json!({"return_id": "R", "order_id": "NONE", "lines": [line("LAMP", 1, "scrap")]});
    let answer = |scope: &str| client.post_with("/returns", &body, ("authorization", &with_key(scope)));
    answer("orders:write").problem(403, "missing-scope");
    answer("picking:write").problem(404, "order-not-found");
}

/// In pages of two, and with a movement of each kind but short picks.
fn movements_add_up_to_the_units_of_a_product(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    client.add_batch("B-2", "LAMP", 5, Some("2099-01-15"));
    let lines = json!([{"reference": "B-1", "change": -2}]);
    client.post("/adjustments", &json!({"adjustment_id": "A", "reason": "lost", "lines": lines}));
    client.post("/batch/B-2/receipts", &json!({"receipt_id": "R", "qty": 3, "rejected": 1}));
    ship(&client, "O-1", &[("LAMP", 4)]);
    take_back(&client, "RMA-1", "O-1", &[line("LAMP", 1, "restock"), line("LAMP", 1, "scrap")]);
    let moved = || -> Vec<(String, i64)> {
        let rows = client.all("/products/LAMP/movements?limit=2");
        rows.iter().map(|row| (row["event"].as_str().unwrap().to_owned(), row["change"].as_i64().unwrap())).collect()
    };
    let expected = [
        ("batch_added", 10),
        ("batch_added", 5),
        ("batch_adjusted", -2),
        // The rest is a batch of its own.
        ("batch_added", 1),
        ("batch_received", -2),
        ("shipped", -4),
        ("batch_added", 1),
    ];
    let expected = expected.map(|(event, change)| (event.to_owned(), change));
    let shown = eventually("the movements have no positions", || Some(moved()).filter(|moved| moved.len() == 7));
    assert_eq!(shown, expected);
    let product = client.get("/products/LAMP").json();
    let units = |name: &str| product[name].as_i64().unwrap();
    assert_eq!(shown.iter().map(|(_, change)| change).sum::<i64>(), units("in_stock") + units("on_its_way"));
}

on_every_database!(
    movements_add_up_to_the_units_of_a_product,
    two_of_five_shipped_units_come_back,
    refusals_change_nothing,
    an_archived_order_takes_back_its_units,
    returns_at_the_same_time_never_exceed_what_was_shipped,
    the_warehouse_books_returns_and_a_shop_does_not,
);

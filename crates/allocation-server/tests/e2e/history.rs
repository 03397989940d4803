//! The history of an order, oldest event first.

use crate::outages::eventually;
use crate::support::{Client, Server, TestDatabase, binary, expire, on_every_database, swept};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The history of an order, one event per line.
fn describe(client: &Client, order_id: &str) -> Vec<String> {
    let one = |row: &Value| {
        let mut words = format!("{} {}", row["event"].as_str().unwrap(), row["sku"].as_str().unwrap());
        for member in ["qty", "reference", "reason"] {
            match &row[member] {
                Value::Null => {}
                Value::String(text) => words += &format!(" {text}"),
                other => words += &format!(" {other}"),
            }
        }
        words
    };
    client.all(&format!("/orders/{order_id}/history")).iter().map(one).collect()
}

/// Each change names its author, in the history and in the events: a caller by its key, or the service itself.
fn each_change_names_its_author(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 9, None);
    client.allocate("O-1", "LAMP", 1);
    client.place("O-2", &[("LAMP", 1)], json!({"hold_seconds": 600}));
    let created = binary()
        .args(["keys", "create", "--name", "shop", "--scope", "admin"])
        .env("DATABASE_URL", database.url())
        .output()
        .unwrap();
    let key = String::from_utf8(created.stdout).unwrap().trim_end().to_owned();
    let bearer = format!("Bearer {key}");
    let get = |path: &str| client.get_with(path, ("authorization", &bearer));
    let post = |path: &str, body: &Value| client.post_with(path, body, ("authorization", &bearer));
    let actor = format!("key:{}", key.split('_').nth(1).unwrap());
    eventually("the key is not known", || (get("/whoami").json()["actor"] == actor).then_some(()));
    assert_eq!(post("/allocations", &json!({"order_id": "O-3", "sku": "LAMP", "qty": 1})).status, 201);
    expire(database, "O-2");
    let by = |order_id: &str| {
        let rows = get(&format!("/orders/{order_id}/history")).json();
        let one = |row: &Value| format!("{} by {}", row["event"].as_str().unwrap(), row["by"].as_str().unwrap());
        rows.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    eventually("the hold does not expire", || (by("O-2").len() == 4).then_some(()));
    assert_eq!(by("O-1"), ["allocated by anonymous"]);
    assert_eq!(by("O-3"), [format!("allocated by {actor}")]);
    assert_eq!(
        by("O-2"),
        ["line_placed by anonymous", "allocated by anonymous", "deallocated by system", "hold_expired by system"]
    );
    let authors = |order_id: &str| {
        let events = get(&format!("/events?after=0&subject=orders/{order_id}")).json();
        let one = |event: &Value| (event["authtype"].clone(), event["authid"].clone());
        events.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    eventually("the events have no position", || (authors("O-2").len() == 4).then_some(()));
    assert_eq!(authors("O-3"), [(json!("api_key"), json!(actor))]);
    assert_eq!(authors("O-1"), [(json!("unauthenticated"), Value::Null)]);
    assert_eq!(authors("O-2")[3], (json!("system"), Value::Null));
}

fn the_history_of_an_order_is_its_life_cycle(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 3, Some("2027-01-10"));
    let terms = json!({"on_shortage": "backorder", "hold_seconds": 600, "priority": 4});
    client.place("O-1", &[("LAMP", 5)], terms);
    client.add_batch("B-2", "LAMP", 2, Some("2027-02-10"));
    client.extend("O-1", 1_200);
    client.confirm("O-1");
    client.change_batch("B-1", &json!({"eta": "2027-01-20"}));
    client.change_batch("B-2", &json!({"purchased_quantity": 1}));
    client.add_batch("B-3", "LAMP", 1, None);
    client.give_back("O-1", "B-2");
    client.allocate("O-1", "LAMP", 5);
    client.cancel("O-1");
    let expected = [
        "line_placed LAMP 5",
        "allocated LAMP 3 B-1 new_line",
        "backordered LAMP 2",
        "allocated LAMP 2 B-2 backorder",
        "hold_extended LAMP",
        "hold_confirmed LAMP",
        "promise_worsened LAMP 3 B-1",
        "deallocated LAMP 1 B-2 batch_lowered",
        "backordered LAMP 1",
        "allocated LAMP 1 B-3 backorder",
        "deallocated LAMP 1 B-2 request",
        "allocated LAMP 1 B-2 refill",
        "deallocated LAMP 1 B-3 cancellation",
        "deallocated LAMP 3 B-1 cancellation",
        "deallocated LAMP 1 B-2 cancellation",
        "line_cancelled LAMP",
    ];
    assert_eq!(describe(&client, "O-1"), expected);

    let rows = client.all("/orders/O-1/history");
    let at: Vec<DateTime<Utc>> = rows.iter().map(|row| row["at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(at.is_sorted(), "oldest first: {at:?}");
    for row in &rows {
        assert!(row["detail"].as_str().is_some_and(|text| text.len() > 5), "a person can read it: {row}");
    }
    assert!(rows[0]["expires_at"].is_string() && rows[4]["expires_at"].is_string());
    assert_eq!((&rows[6]["old_eta"], &rows[6]["new_eta"]), (&json!("2027-01-10"), &json!("2027-01-20")));
    for limit in 1..=17 {
        assert_eq!(client.all(&format!("/orders/O-1/history?limit={limit}")), rows, "pages of {limit}");
    }
}

fn orders_over_several_skus_and_standalone_lines_have_histories_too(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 3, None);
    client.add_batch("B-2", "SOFA", 3, None);
    client.place("O-1", &[("SOFA", 2), ("LAMP", 1)], json!({"hold_seconds": 600}));
    client.allocate("O-2", "LAMP", 2);
    client.give_back("O-2", "B-1");
    expire(database, "O-1");
    swept(database, "O-1");
    let rows = client.all("/orders/O-1/history");
    for limit in 1..=9 {
        assert_eq!(client.all(&format!("/orders/O-1/history?limit={limit}")), rows, "pages of {limit}");
    }
    let mut lamp = describe(&client, "O-1");
    let sofa: Vec<String> = lamp.extract_if(.., |event| event.contains("SOFA")).collect();
    assert_eq!(
        lamp,
        ["line_placed LAMP 1", "allocated LAMP 1 B-1 new_line", "deallocated LAMP 1 B-1 expiry", "hold_expired LAMP"]
    );
    assert_eq!(
        sofa,
        ["line_placed SOFA 2", "allocated SOFA 2 B-2 new_line", "deallocated SOFA 2 B-2 expiry", "hold_expired SOFA"]
    );
    let expected = ["allocated LAMP 2 B-1 new_line", "deallocated LAMP 2 B-1 request"];
    assert_eq!(describe(&client, "O-2"), expected, "the history outlives the order");
    client.get("/orders/NONE/history").problem(404, "order-not-found");
}

fn invalid_queries_are_rejected(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 3, None);
    client.allocate("O-1", "LAMP", 2);
    for (query, faults) in [
        ("limit=0", &["limit"][..]),
        ("limit=1001", &["limit"]),
        ("after=nonsense", &["after"]),
        ("after=", &["after"]),
        ("sku=LAMP&limit=x", &["limit", "sku"]),
    ] {
        assert_eq!(client.get(&format!("/orders/O-1/history?{query}")).faults(), faults, "{query}");
    }
    assert_eq!(client.get("/orders/%20/history").faults(), ["order_id"]);
}

on_every_database!(
    each_change_names_its_author,
    the_history_of_an_order_is_its_life_cycle,
    orders_over_several_skus_and_standalone_lines_have_histories_too,
    invalid_queries_are_rejected,
);

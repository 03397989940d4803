//! Batches with more lines than one decision moves, over HTTP, with a server that is killed half way.

use crate::support::{Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

/// The number of lines, of two units each.
const LINES: u32 = 20_000;

/// Lamps in `B-1` for many standalone lines placed one after the other, the last of which have priority.
fn crowd(client: &Client, database: &TestDatabase) {
    client.add_batch("B-1", "LAMP", 2 * LINES, Some("2027-01-15"));
    database.execute(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {LINES})
         INSERT INTO order_lines (sku, order_id, quantity, reference, allocated, placed_at, precedence)
         SELECT 'LAMP', 'O-' || (100000 + n), 2, 'B-1', 2, n, CASE WHEN n > 19990 THEN -8 ELSE -1 END FROM numbers"
    ));
    database.execute(&format!("UPDATE batches SET allocated_quantity = {}", 2 * LINES));
}

fn batch(client: &Client) -> Value {
    client.get("/batch/B-1").json()
}

/// Waits until at most this many units of the batch are left to move.
fn wait_until_left(client: &Client, units: u64) -> Value {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let batch = batch(client);
        let sum =
            ["allocated_quantity", "available_quantity"].map(|it| batch[it].as_u64().unwrap()).iter().sum::<u64>();
        assert_eq!(batch["purchased_quantity"], sum, "it adds up at every moment: {batch}");
        if batch["moving"].as_u64().unwrap_or(0) <= units {
            return batch;
        }
        assert!(Instant::now() < deadline, "{batch}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Kills the server when some steps are done, and has another one finish the rest.
fn finish_after_kill_9(server: Server, database: &TestDatabase, left: u64) -> Server {
    wait_until_left(&server.client(), left);
    server.signal("KILL");
    drop(server);
    let server = Server::start(database);
    wait_until_left(&server.client(), 0);
    server
}

/// Returns the units by batch and the backordered units that the events give; `on_batch` are the units of
/// the lines that were stored without events.
fn replayed(client: &Client, on_batch: i64) -> (HashMap<String, i64>, i64, HashMap<String, i64>) {
    let mut allocated = HashMap::from([("B-1".to_owned(), on_batch)]);
    let (mut waiting, mut purchased) = (0, HashMap::new());
    // Once this last event is sequenced, all earlier ones are.
    client.add_batch("LAST", "LAST", 1, None);
    let (mut path, deadline) = ("/events?after=0&limit=1000".to_owned(), Instant::now() + Duration::from_secs(60));
    loop {
        let (page, next) = client.page(&path);
        for event in &page {
            let data = &event["data"];
            let units = || data["quantity"].as_i64().unwrap();
            let reference = || data["reference"].as_str().unwrap().to_owned();
            match data["type"].as_str().unwrap() {
                "allocated" => *allocated.entry(reference()).or_default() += units(),
                "deallocated" => *allocated.get_mut(&reference()).unwrap() -= units(),
                "backordered" | "line_short" => waiting += units(),
                "batch_added" if data["reference"] == "LAST" => return (allocated, waiting, purchased),
                "batch_added" | "batch_changed" => {
                    let now = data["purchased_quantity"].as_i64().unwrap();
                    let before = purchased.insert(reference(), now);
                    if let Some(before) = before {
                        assert_eq!(data["old_purchased_quantity"], before, "{event}");
                    }
                    assert!(allocated.get(&reference()).copied().unwrap_or(0) <= now, "{event}");
                }
                _ => {}
            }
        }
        assert!(Instant::now() < deadline, "the last event is not in the log");
        path = next.unwrap();
    }
}

fn a_batch_with_many_lines_is_lowered_in_steps_that_survive_kill_9(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    crowd(&client, database);
    client.add_batch("B-2", "LAMP", 3_000, Some("2027-02-01"));
    let answer = client.change_batch("B-1", &json!({"purchased_quantity": 50}));
    assert_eq!(answer.status, 200, "{answer:?}");
    let changed = answer.json();
    assert_eq!((&changed["lowering_to"], &changed["moving"]), (&json!(50), &json!(39_950)));
    assert_eq!((&changed["purchased_quantity"], &changed["available_quantity"]), (&json!(40_000), &json!(0)));
    let again = client.change_batch("B-1", &json!({"purchased_quantity": 50}));
    assert_eq!(again.status, 200, "it is made already: {again:?}");
    let server = finish_after_kill_9(server, database, 36_000);
    let client = server.client();
    let lowered = batch(&client);
    assert_eq!((&lowered["purchased_quantity"], &lowered["allocated_quantity"]), (&json!(50), &json!(50)));
    assert_eq!((&lowered["moving"], &lowered["lowering_to"]), (&Value::Null, &Value::Null));
    // Ten with priority stay, and the fifteen oldest; the next 1,500 are reallocated.
    let reference =
        |number: u32| client.order(&format!("O-{number}"))["lines"][0]["allocations"][0]["reference"].clone();
    assert_eq!([119_991, 120_000, 100_001, 100_015].map(reference), ["B-1"; 4].map(Value::from));
    assert_eq!([100_016, 101_515].map(reference), ["B-2", "B-2"].map(Value::from));
    assert_eq!(reference(101_516), Value::Null);
    assert_eq!(client.product("LAMP")["backordered"], 36_950);
    let (allocated, waiting, purchased) = replayed(&client, i64::from(2 * LINES));
    assert_eq!((allocated["B-1"], allocated["B-2"], waiting), (50, 3_000, 36_950));
    assert_eq!((purchased["B-1"], purchased["B-2"]), (50, 3_000));
    let sums = "SELECT count(*) FROM batches b WHERE allocated_quantity <> (
        SELECT coalesce(sum(a.quantity), 0) FROM allocations a WHERE a.reference = b.reference)";
    assert_eq!(database.count(sums), 0);
}

fn a_batch_with_many_lines_is_postponed_in_steps_that_survive_kill_9(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    crowd(&client, database);
    client.add_batch("B-2", "LAMP", 10_000, Some("2027-02-01"));
    let answer = client.change_batch("B-1", &json!({"eta": "2027-03-15", "reallocate": true}));
    assert_eq!(answer.status, 200, "{answer:?}");
    let changed = answer.json();
    assert_eq!((changed["affected"].as_array().unwrap().len(), &changed["moving"]), (1_000, &json!(38_000)));
    assert_eq!((&changed["affected"][0]["order_id"], &changed["truncated"]), (&json!("O-119991"), &Value::Null));
    let server = finish_after_kill_9(server, database, 34_000);
    let client = server.client();
    assert_eq!((client.available("B-2"), batch(&client)["allocated_quantity"].clone()), (0, json!(30_000)));
    let worsened = "SELECT count(*) FROM all_events WHERE type = 'promise_worsened'";
    assert_eq!(database.count(worsened), i64::from(LINES), "every line has learnt of it once");
    let moved = "SELECT count(*) FROM allocations WHERE reference = 'B-2' AND placed_at > 4990 AND placed_at <= 19990";
    assert_eq!(database.count(moved), 0, "the first ones have moved");
    let (allocated, waiting, _) = replayed(&client, i64::from(2 * LINES));
    assert_eq!((allocated["B-1"], allocated["B-2"], waiting), (30_000, 10_000, 0));
}

on_every_database!(
    a_batch_with_many_lines_is_lowered_in_steps_that_survive_kill_9,
    a_batch_with_many_lines_is_postponed_in_steps_that_survive_kill_9,
);

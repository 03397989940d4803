//! An acknowledged write survives a crash.

use crate::support::{Client, Server, TestDatabase, expire_where, now, on_every_database, order};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 16;

/// Sends orders until the server is gone; returns those with a 201. `body` builds an order from its
/// id and number.
fn send_until_killed(server: Server, path: &str, body: impl Fn(&str, u32) -> Value + Sync) -> Vec<String> {
    until_killed(server, |api, order, number| {
        let answer = api.try_post(path, &body(order, number))?;
        assert_eq!(answer.status, 201, "{answer:?}");
        Some(())
    })
}

/// Acts on orders until the server is gone; returns those for which `act` got its responses.
fn until_killed(server: Server, act: impl Fn(&Client, &str, u32) -> Option<()> + Sync) -> Vec<String> {
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (api, answered, act) = (server.client(), &answered, &act);
                scope.spawn(move || {
                    let mut orders = Vec::new();
                    for number in 0..100_000 {
                        let order = format!("O-{client}-{number}");
                        if act(&api, &order, number).is_none() {
                            break;
                        }
                        orders.push(order);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    orders
                })
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while answered.load(Ordering::Relaxed) < 300 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        server.signal("KILL");
        drop(server);
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn every_acknowledged_allocation_survives_kill_9(database: &TestDatabase) {
    let server = Server::start(database);
    for sku in 0..3 {
        server.client().add_batch(&format!("B-{sku}"), &format!("SKU-{sku}"), 1_000_000, None);
    }
    let answered = send_until_killed(
        server,
        "/allocations",
        |order, number| json!({"order_id": order, "sku": format!("SKU-{}", number % 3), "qty": 3}),
    );
    assert!(answered.len() >= 300);

    let server = Server::start(database);
    let client = server.client();
    let mut stored: HashMap<String, u64> = HashMap::new();
    let mut sums: HashMap<String, u64> = HashMap::new();
    for row in client.all("/allocations?limit=1000") {
        let (order, qty) = (row["order_id"].as_str().unwrap().to_owned(), row["qty"].as_u64().unwrap());
        *stored.entry(order).or_default() += qty;
        *sums.entry(row["reference"].as_str().unwrap().to_owned()).or_default() += qty;
    }
    for order in &answered {
        assert_eq!(stored.get(order), Some(&3), "{order} was answered");
    }
    for batch in client.all("/batch") {
        let reference = batch["reference"].as_str().unwrap();
        assert_eq!(batch["allocated_quantity"].as_u64().unwrap(), sums.get(reference).copied().unwrap_or(0));
    }
    let events = database.count("SELECT count(*) FROM all_events WHERE type = 'allocated'");
    assert_eq!(usize::try_from(events).unwrap(), stored.len());
}

fn every_acknowledged_order_survives_kill_9_whole(database: &TestDatabase) {
    let server = Server::start(database);
    for sku in 0..5 {
        server.client().add_batch(&format!("B-{sku}"), &format!("SKU-{sku}"), 1_000_000, None);
    }
    let skus = |number: u32| [0, 1, 3].map(|step| format!("SKU-{}", (number + step) % 5));
    let answered = send_until_killed(server, "/orders", |name, number| {
        let skus = skus(number);
        let more = if number % 2 == 0 { json!({}) } else { json!({"hold_seconds": 86_400}) };
        order(name, &[(&skus[0], 2), (&skus[1], 2), (&skus[2], 2)], more)
    });
    assert!(answered.len() >= 300);

    let server = Server::start(database);
    let orders = server.client().all("/orders?limit=1000");
    let mut stored: HashMap<&str, &Value> = HashMap::new();
    for order in &orders {
        assert!(["allocated", "held"].contains(&order["status"].as_str().unwrap()), "{order}");
        let lines = order["lines"].as_array().unwrap();
        let whole = lines.len() == 3 && lines.iter().all(|line| line["allocated"] == 2);
        assert!(whole, "all or none, answered or not: {order}");
        stored.insert(order["order_id"].as_str().unwrap(), order);
    }
    for order in &answered {
        assert!(stored.contains_key(order.as_str()), "{order} was answered");
    }
    let rows = i64::try_from(orders.len()).unwrap();
    assert_eq!(database.count("SELECT count(*) FROM orders"), rows);
    assert_eq!(database.count("SELECT sum(allocated_quantity) FROM batches"), rows * 6);
    assert_eq!(database.count("SELECT count(*) FROM all_events WHERE type = 'allocated'"), rows * 3);
}

fn every_acknowledged_confirmation_survives_kill_9(database: &TestDatabase) {
    let server = Server::start(database);
    for sku in 0..2 {
        server.client().add_batch(&format!("B-{sku}"), &format!("SKU-{sku}"), 1_000_000, None);
    }
    let confirmed = until_killed(server, |api, name, _| {
        let sent = order(name, &[("SKU-0", 1), ("SKU-1", 1)], json!({"hold_seconds": 600}));
        assert_eq!(api.try_post("/orders", &sent)?.status, 201);
        let answer = api.try_post(&format!("/orders/{name}/confirm"), &json!({}))?;
        assert_eq!(answer.status, 200, "{answer:?}");
        Some(())
    });
    assert!(confirmed.len() >= 300);
    expire_where(database, "true", now() - 1);
    let server = Server::start(database);
    let client = server.client();
    let firm = client.all("/orders?status=allocated&limit=1000");
    let firm: HashSet<&str> = firm.iter().map(|order| order["order_id"].as_str().unwrap()).collect();
    for order in &confirmed {
        assert!(firm.contains(order.as_str()), "{order} was confirmed");
    }
    let others = client.all("/orders?status=expired&limit=1000").len();
    assert_eq!(client.all("/orders?limit=1000").len(), firm.len() + others, "an order is firm as a whole or not");
}

on_every_database!(
    every_acknowledged_allocation_survives_kill_9,
    every_acknowledged_order_survives_kill_9_whole,
    every_acknowledged_confirmation_survives_kill_9,
);

//! An answered write is there after the plug was pulled.

use crate::support::{Server, TestDatabase, on_every_database};
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 16;

/// Allocates lines of three units until the server is gone; gives the orders that were answered 201.
fn allocate_until_killed(server: Server) -> Vec<String> {
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (api, answered) = (server.client(), &answered);
                scope.spawn(move || {
                    let mut orders = Vec::new();
                    for number in 0..100_000 {
                        let order = format!("O-{client}-{number}");
                        let line = json!({"order_id": order, "sku": format!("SKU-{}", number % 3), "qty": 3});
                        match api.try_post("/allocations", &line) {
                            Some(answer) if answer.status == 201 => orders.push(order),
                            Some(answer) => panic!("{answer:?}"),
                            None => break,
                        }
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

fn every_answered_allocation_is_there_after_kill_9(database: &TestDatabase) {
    let server = Server::start(database);
    for sku in 0..3 {
        server.client().add_batch(&format!("B-{sku}"), &format!("SKU-{sku}"), 1_000_000, None);
    }
    let answered = allocate_until_killed(server);
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
    let told = database.count("SELECT count(*) FROM all_events WHERE type = 'allocated'");
    assert_eq!(usize::try_from(told).unwrap(), stored.len());
}

on_every_database!(every_answered_allocation_is_there_after_kill_9);

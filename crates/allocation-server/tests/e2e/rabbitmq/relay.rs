//! Events to the broker.

use super::{CLOUD_EVENT, SOON, allocate, eventually, serve, take_all, with_broker};
use crate::support::{Server, TestDatabase, binary, on_every_database};
use allocation_test_support::{BrokerClient, TestBroker};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The output of `allocation outbox ...`.
fn outbox(database: &TestDatabase, arguments: &[&str]) -> String {
    let output = binary().arg("outbox").args(arguments).env("DATABASE_URL", database.url()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn status(database: &TestDatabase) -> Value {
    serde_json::from_str(&outbox(database, &["status", "--format", "json"])).unwrap()
}

/// Waits until all events are delivered or parked, and returns their number.
fn all_relayed(database: &TestDatabase) -> u64 {
    let newest = |status: &Value| status["newest"].as_u64().unwrap();
    eventually("all events are relayed", || {
        let status = status(database);
        status["backlog"] == 0 && newest(&status) > 0
    });
    newest(&status(database))
}

/// The ids of the events in a queue, in order of arrival.
fn ids(client: &BrokerClient, queue: &str) -> Vec<u64> {
    take_all(client, queue).iter().map(|message| message.json["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// Checks that all events arrived, each for the first time after those before it: the events of a SKU are
/// thus in the order of the log.
#[track_caller]
fn assert_all_in_order(ids: &[u64], events: u64) {
    let mut seen = HashSet::new();
    let firsts: Vec<u64> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
    assert_eq!(firsts, (1..=events).collect::<Vec<_>>());
}

fn every_event_reaches_the_queue_in_the_order_of_its_sku(database: &TestDatabase) {
    let broker = TestBroker::shared();
    let (client, queue) = (broker.client(), broker.name("all"));
    client.bind(&queue, &broker.name("events"), "allocation.#");
    let server = serve(database, &broker);
    for sku in 0..5 {
        server.client().add_batch(&format!("B-{sku}"), &format!("SKU-{sku}"), 1_000, None);
    }
    thread::scope(|scope| {
        for writer in 0..4 {
            let api = server.client();
            scope.spawn(move || {
                for line in 0..100 {
                    let (order, sku) = (format!("O-{writer}-{line}"), format!("SKU-{}", line % 5));
                    assert_eq!(api.allocate(&order, &sku, 1).status, 201);
                }
            });
        }
    });
    let events = all_relayed(database);
    assert_eq!(events, 405);
    let messages = take_all(&client, &queue);
    let came: Vec<(String, String)> = messages
        .iter()
        .filter(|message| message.key == "allocation.line.allocated.v1")
        .map(|message| (message.json["data"]["sku"].to_string(), message.json["data"]["order_id"].to_string()))
        .collect();
    for sku in 0..5 {
        let name = format!("SKU-{sku}");
        let query = format!(
            "SELECT order_id FROM events WHERE sku = '{name}' AND type = 'allocated' ORDER BY version, ordinal"
        );
        let of_sku =
            came.iter().filter(|(sku, _)| *sku == format!("\"{name}\"")).map(|(_, order)| order.trim_matches('"'));
        assert_eq!(of_sku.collect::<Vec<_>>(), database.texts(&query));
    }
}

fn an_unroutable_event_is_parked_and_republished_on_request(database: &TestDatabase) {
    let broker = TestBroker::shared();
    let (client, queue) = (broker.client(), broker.name("lines"));
    client.bind(&queue, &broker.name("events"), "allocation.line.#");
    let server = serve(database, &broker);
    server.client().add_batch("B-1", "LAMP", 10, None);
    server.client().add_batch("B-2", "LAMP", 10, None);
    server.client().allocate("O-1", "LAMP", 1);
    assert_eq!(all_relayed(database), 3);
    assert_eq!(client.take(&queue, 1, SOON)[0].key, "allocation.line.allocated.v1");
    let parked = status(database);
    assert_eq!((&parked["parked"], &parked["checkpoint"], &parked["unsequenced"]), (&2.into(), &3.into(), &0.into()));
    let first = &parked["parked_events"][0];
    assert!(first["reason"].as_str().unwrap().contains("NO_ROUTE"), "{first}");
    let table = outbox(database, &["status"]);
    assert!(table.contains("parked                     2\n") && table.contains("NO_ROUTE"), "{table}");

    client.bind_declared(&queue, &broker.name("events"), "allocation.batch.#");
    let position = first["position"].to_string();
    assert_eq!(outbox(database, &["retry", "--position", &position]), "to be sent again: 1\n");
    eventually("one is sent again", || status(database)["parked"] == 1);
    assert_eq!(client.take(&queue, 1, SOON)[0].json["id"].as_str(), Some(position.as_str()));
    assert_eq!(outbox(database, &["retry"]), "to be sent again: 1\n");
    eventually("the other is, too", || status(database)["parked"] == 0);
    assert_eq!(client.take(&queue, 1, SOON)[0].key, "allocation.batch.added.v1");
}

fn another_relay_takes_over_from_a_killed_one(database: &TestDatabase) {
    let broker = TestBroker::shared();
    let (client, queue) = (broker.client(), broker.name("all"));
    client.bind(&queue, &broker.name("events"), "allocation.#");
    client.declare(&broker.name("commands"));
    let first = serve(database, &broker);
    first.client().add_batch("B-1", "LAMP", 1_000_000, None);
    eventually("the first one relays", || client.depth(&queue) > 0);
    let second = serve(database, &broker);
    let lines: Vec<String> = (0..6_000).map(|n| allocate(&format!("C-{n}"), &format!("O-{n}"), "LAMP", 1)).collect();
    client.send_all(&broker.name("commands"), CLOUD_EVENT, lines);
    eventually("it is in the midst of them", || client.depth(&queue) > 500);
    first.signal("KILL");
    eventually("all commands are done", || database.count("SELECT count(*) FROM allocations") == 6_000);
    let events = all_relayed(database);
    assert_all_in_order(&ids(&client, &queue), events);
    assert_eq!(second.client().get("/livez").status, 200);
}

/// A stalled process believes that it has the lease until a statement fails.
fn a_stalled_relay_is_replaced_and_does_no_harm(database: &TestDatabase) {
    let broker = TestBroker::shared();
    let (client, queue) = (broker.client(), broker.name("all"));
    client.bind(&queue, &broker.name("events"), "allocation.#");
    let first = serve(database, &broker);
    first.client().add_batch("B-1", "LAMP", 1_000_000, None);
    eventually("the first one relays", || client.depth(&queue) > 0);
    let holder = || database.texts("SELECT holder FROM leases WHERE name = 'relay'");
    let stalled = holder();
    let second = serve(database, &broker);
    let send = |from: u32| {
        let line = |n| allocate(&format!("C-{n}"), &format!("O-{n}"), "LAMP", 1);
        client.send_all(&broker.name("commands"), CLOUD_EVENT, (from..from + 3_000).map(line));
    };
    send(0);
    eventually("it is in the midst of them", || client.depth(&queue) > 500);
    first.signal("STOP");
    // Most of these are the second one's, so it has events to relay.
    send(3_000);
    if database.url().starts_with("postgres") {
        eventually("the second one takes the lease", || holder() != stalled);
        let relayed = status(database)["checkpoint"].as_u64().unwrap();
        eventually("the second one relays", || status(database)["checkpoint"].as_u64().unwrap() > relayed);
    } else {
        // The stalled one may have locked the whole file.
        thread::sleep(Duration::from_secs(6));
    }
    first.signal("CONT");
    eventually("all commands are done", || database.count("SELECT count(*) FROM allocations") == 6_000);
    let events = all_relayed(database);
    assert_all_in_order(&ids(&client, &queue), events);
    assert_eq!(status(database)["parked"], 0);
    drop(second);
}

fn a_full_queue_is_waited_for(database: &TestDatabase) {
    let broker = TestBroker::shared();
    let (client, queue) = (broker.client(), broker.name("full"));
    client.declare_bounded(&queue, 5);
    client.bind_declared(&queue, &broker.name("events"), "allocation.#");
    let server = serve(database, &broker);
    for batch in 1..=40 {
        server.client().add_batch(&format!("B-{batch}"), "LAMP", 10, None);
    }
    eventually("it is logged", || server.log().iter().any(|line| line.contains("refuses the event")));
    let mut came = HashSet::new();
    // The relay may be at its longest pause meanwhile.
    let deadline = Instant::now() + 3 * SOON;
    while came.len() < 40 {
        assert!(Instant::now() < deadline, "{came:?}");
        let messages = client.take(&queue, usize::MAX, Duration::from_millis(200));
        came.extend(messages.iter().map(|message| message.json["id"].to_string()));
    }
    assert_eq!(all_relayed(database), 40);
    assert_eq!(status(database)["parked"], 0, "it was not the events that were at fault");
}

fn each_event_of_many_is_delivered_or_parked(database: &TestDatabase) {
    let broker = TestBroker::shared();
    let (client, queue) = (broker.client(), broker.name("lines"));
    client.bind(&queue, &broker.name("events"), "allocation.line.#");
    let writer = Server::start(database);
    let api = writer.client();
    for number in 0..500 {
        let (batch, sku) = (format!("B-{number}"), format!("SKU-{}", number % 7));
        // No queue is bound for events of batches, and of products that are out of stock or back: all but the first batch
        // of each of the seven products bring it back.
        api.add_batch(&batch, &sku, 2, None);
        api.allocate(&format!("O-{number}"), &sku, 1);
        api.allocate(&format!("P-{number}"), &sku, 1);
    }
    let _server = serve(database, &broker);
    let events = all_relayed(database);
    let delivered: HashSet<u64> = ids(&client, &queue).into_iter().collect();
    let parked = database.count("SELECT count(*) FROM parked_events");
    assert_eq!((events, delivered.len(), parked), (2_493, 1_000, 1_493));
}

on_every_database!(
    a_stalled_relay_is_replaced_and_does_no_harm,
    a_full_queue_is_waited_for,
    each_event_of_many_is_delivered_or_parked,
    every_event_reaches_the_queue_in_the_order_of_its_sku,
    an_unroutable_event_is_parked_and_republished_on_request,
    another_relay_takes_over_from_a_killed_one,
);

/// Allocates continuously, and returns the number of allocated lines.
fn allocate_until(server: &Server, stop: &AtomicBool, done: &AtomicUsize) {
    let api = server.client();
    while !stop.load(Ordering::Relaxed) {
        let number = done.fetch_add(1, Ordering::Relaxed);
        let answer = api.allocate(&format!("O-{number}"), &format!("SKU-{}", number % 3), 1);
        assert_eq!(answer.status, 201, "allocations are unaffected: {answer:?}");
    }
}

#[test]
fn a_restarting_broker_loses_nothing_and_slows_no_client() {
    let (database, broker) = (TestDatabase::sqlite(), TestBroker::own());
    let queue = broker.name("all");
    broker.client().bind(&queue, &broker.name("events"), "allocation.#");
    let server = Server::start_with(&database, |command| with_broker(command, &broker));
    for sku in 0..3 {
        server.client().add_batch(&format!("B-{sku}"), &format!("SKU-{sku}"), 1_000_000, None);
    }
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| allocate_until(&server, &stop, &done));
        }
        let relayed = |least: u64| status(&database)["checkpoint"].as_u64().unwrap() > least;
        eventually("events are relayed", || relayed(100));
        broker.kill();
        let before = done.load(Ordering::Relaxed);
        eventually("lines are allocated without a broker", || done.load(Ordering::Relaxed) > before + 100);
        broker.start();
        let behind = status(&database)["newest"].as_u64().unwrap();
        eventually("events are relayed again", || relayed(behind));
        stop.store(true, Ordering::Relaxed);
    });
    let events = all_relayed(&database);
    assert_all_in_order(&ids(&broker.client(), &queue), events);
    let log = server.log();
    assert!(log.iter().any(|line| line.contains("event relay failed")), "{log:?}");
}

#[test]
fn a_broker_short_of_memory_is_waited_for_and_does_not_block_a_stop() {
    let (database, broker) = (TestDatabase::sqlite(), TestBroker::own());
    let queue = broker.name("all");
    broker.client().bind(&queue, &broker.name("events"), "allocation.#");
    let start = || Server::start_with(&database, |command| with_broker(command, &broker));
    let server = start();
    server.client().add_batch("B-1", "LAMP", 1_000, None);
    eventually("the relay works", || status(&database)["checkpoint"] == 1);
    broker.control("set_vm_memory_high_watermark 0");
    for order in 0..10 {
        assert_eq!(server.client().allocate(&format!("O-{order}"), "LAMP", 1).status, 201);
    }
    eventually("it is logged", || server.log().iter().any(|line| line.contains("short of memory or disk")));
    server.signal("TERM");
    let stopped = thread::spawn(move || server.wait());
    eventually("the server stops", || stopped.is_finished());
    assert!(stopped.join().unwrap().0.success());
    broker.control("set_vm_memory_high_watermark 0.4");
    let _second = start();
    assert_eq!(all_relayed(&database), 11);
    assert_all_in_order(&ids(&broker.client(), &queue), 11);
}

#[test]
fn the_log_says_why_a_broker_is_unavailable() {
    let database = TestDatabase::sqlite();
    let wrong = TestBroker::shared().url().replace("guest:guest", "guest:wrong");
    for (url, reason) in [(wrong.as_str(), "ACCESS_REFUSED"), ("amqp://127.0.0.1:1/%2f", "refused")] {
        let server = Server::start_with(&database, |command| command.env("ALLOCATION_AMQP_URL", url));
        for what in ["event relay failed", "consuming commands failed"] {
            let is_reported = |line: &String| line.contains(what) && line.contains(reason);
            eventually(what, || server.log().iter().any(is_reported));
        }
    }
}

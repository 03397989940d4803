//! Impossible commands, and messages that are too large.

use super::{CLOUD_EVENT, allocate, command, dead_letters, eventually, serve};
use crate::support::TestDatabase;
use allocation_test_support::TestBroker;
use serde_json::json;

/// 64 messages of 4 MiB: eight times the bound in memory, and far below the bound on their number.
#[test]
fn large_messages_are_dead_letters_and_never_fill_the_memory() {
    const MESSAGES: usize = 64;
    const BYTES: usize = 4 << 20;
    let database = TestDatabase::sqlite();
    let broker = TestBroker::own();
    let sender = broker.client();
    let queue = broker.name("commands");
    sender.declare(&queue);
    let large = vec![b' '; BYTES];
    for _ in 0..MESSAGES {
        sender.send_all(&queue, CLOUD_EVENT, [&large]);
    }
    sender.send_all(
        &queue,
        CLOUD_EVENT,
        [command("C-1", "add_batch", &json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 6}))],
    );
    let server = serve(&database, &broker);
    let dead = broker.name("commands.dead");
    eventually("later commands are done", || server.client().get("/batch/B-1").status == 200);
    eventually("all are dead letters", || usize::try_from(sender.depth(&dead)) == Ok(MESSAGES));
    let peak = server.peak_memory_kib();
    assert!(peak < 160 << 10, "{} MiB for {} MiB of messages", peak >> 10, (MESSAGES * BYTES) >> 20);
    server.signal("TERM");
    let (status, log) = server.wait();
    assert!(status.success(), "{log:?}");
    let letters = dead_letters(&sender, &broker);
    assert!(letters.iter().all(|(problem, _)| problem["type"] == "/problems/body-too-large"));
    assert!(letters.iter().all(|(_, letter)| letter.body.len() == BYTES), "whole");
}

#[test]
fn a_command_deferred_while_others_succeed_is_dead_lettered() {
    let database = TestDatabase::postgres();
    let broker = TestBroker::shared();
    let sender = broker.client();
    let queue = broker.name("commands");
    sender.declare(&queue);
    let server = crate::support::Server::start_with(&database, |command| {
        super::with_broker(command, &broker).env("ALLOCATION_MAX_COMMAND_AGE_SECONDS", "1")
    });
    let api = server.client();
    api.add_batch("B-HELD", "HELD", 10, None);
    api.add_batch("B-1", "LAMP", 1_000, None);
    let held = database.hold("SELECT 1 FROM products WHERE sku = 'HELD' FOR NO KEY UPDATE");
    sender.send_all(&queue, CLOUD_EVENT, [allocate("POISON", "O-1", "HELD", 1)]);
    let dead = broker.name("commands.dead");
    sender.declare(&dead);
    let mut others = 0;
    eventually_with("it is given up", || {
        others += 1;
        sender.send_all(&queue, CLOUD_EVENT, [allocate(&format!("C-{others}"), &format!("P-{others}"), "LAMP", 1)]);
        sender.depth(&dead) == 1
    });
    drop(held);
    eventually("the others are done", || api.available("B-1") == 1_000 - others);
    assert_eq!(api.available("B-HELD"), 10);
    let letters = dead_letters(&sender, &broker);
    let (problem, letter) = &letters[0];
    assert_eq!(problem["type"], "/problems/overloaded");
    assert!(problem["detail"].as_str().unwrap().starts_with("Abandoned after 20 attempts"), "{problem}");
    assert_eq!(letter.json["id"], "POISON");
}

/// Waits for a condition, and acts before each check.
#[track_caller]
fn eventually_with(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(180);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

//! Commands from the broker.

use super::{CLOUD_EVENT, SOON, allocate, command, dead_letters, eventually, serve, with_broker};
use crate::support::{Client, Server, TestDatabase, on_every_database};
use crate::traces::Collector;
use allocation_test_support::{BrokerClient, TestBroker};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

/// A server, and a sender of commands to it.
struct World<'a> {
    server: Server,
    api: Client,
    broker: TestBroker,
    sender: BrokerClient,
    queue: String,
    database: &'a TestDatabase,
}

impl<'a> World<'a> {
    fn new(database: &'a TestDatabase) -> Self {
        let broker = TestBroker::shared();
        let sender = broker.client();
        let queue = broker.name("commands");
        // Before the server starts, the queue is declared as the server would.
        sender.declare(&queue);
        let server = serve(database, &broker);
        Self { api: server.client(), server, broker, sender, queue, database }
    }

    fn send(&self, commands: &[String]) {
        self.sender.send_all(&self.queue, CLOUD_EVENT, commands);
    }

    /// Waits until all commands are done or dead, and stops the server.
    fn finish(self) -> (TestBroker, BrokerClient) {
        eventually("the queue is empty", || self.sender.depth(&self.queue) == 0);
        self.server.signal("TERM");
        let (status, log) = self.server.wait();
        assert!(status.success(), "{log:?}");
        assert_eq!(self.sender.depth(&self.queue), 0, "none has come back");
        (self.broker, self.sender)
    }

    fn allocated(&self) -> i64 {
        self.database.count("SELECT coalesce(CAST(sum(allocated_quantity) AS bigint), 0) FROM batches")
    }
}

/// The ids of commands that have caused events of a type.
fn causes(database: &TestDatabase, kind: &str) -> Vec<String> {
    let of = |table| format!("SELECT causation_id FROM {table} WHERE type = '{kind}' AND causation_id IS NOT NULL");
    database.texts(&format!("{} UNION ALL {} ORDER BY 1", of("events"), of("outbox")))
}

fn commands_have_the_effect_of_requests(database: &TestDatabase) {
    let world = World::new(database);
    let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 20, "eta": "2027-01-15"});
    world.send(&[command("C-1", "add_batch", &batch)]);
    eventually("the batch is there", || world.api.get("/batch/B-1").status == 200);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut traced: Value = serde_json::from_str(&allocate("C-2", "O-1", "LAMP", 3)).unwrap();
    traced["traceparent"] = trace.into();
    world.send(&[traced.to_string(), allocate("C-3", "O-2", "LAMP", 4)]);
    eventually("both lines are allocated", || world.api.available("B-1") == 13);
    world.send(&[command("C-4", "deallocate", &json!({"order_id": "O-1", "reference": "B-1"}))]);
    eventually("the line is freed", || world.api.available("B-1") == 16);
    world.send(&[command("C-5", "change_batch_quantity", &json!({"reference": "B-1", "qty": 10}))]);
    eventually("the batch is corrected", || world.api.available("B-1") == 6);
    assert_eq!(causes(database, "batch_added"), ["C-1"]);
    assert_eq!(causes(database, "allocated"), ["C-2", "C-3"]);
    assert_eq!(causes(database, "deallocated"), ["C-4"]);
    assert_eq!(causes(database, "batch_changed"), ["C-5"]);
    let (broker, sender) = world.finish();
    assert!(dead_letters(&sender, &broker).is_empty());
    let query = |table| format!("SELECT order_id FROM {table} WHERE traceparent = '{trace}'");
    assert_eq!(database.texts(&format!("{} UNION ALL {}", query("events"), query("outbox"))), ["O-1"]);
}

fn a_command_has_a_span_between_that_of_its_sender_and_those_of_its_effects(database: &TestDatabase) {
    let (broker, collector) = (TestBroker::shared(), Collector::start());
    let (sender, queue) = (broker.client(), broker.name("commands"));
    sender.declare(&queue);
    let server = Server::start_with(database, |command| {
        let command = with_broker(command, &broker).env("ALLOCATION_OTLP_ENDPOINT", &collector.url);
        command.env("ALLOCATION_TRACE_RATIO", "0")
    });
    let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 20});
    let mut command: Value = serde_json::from_str(&command("C-1", "add_batch", &batch)).unwrap();
    command["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into();
    sender.send_all(&queue, CLOUD_EVENT, &[command.to_string()]);
    let name = format!("process {queue}");
    eventually("the command has a span", || !collector.named(&name).is_empty());
    let (span, unit) = (collector.one(&name), collector.one("add_batch"));
    assert_eq!((&span["kind"], &span["parentSpanId"]), (&json!(5), &json!("00f067aa0ba902b7")));
    assert_eq!((&unit["traceId"], &unit["parentSpanId"]), (&span["traceId"], &span["spanId"]));
    let read = || server.client().get("/events?after=0").json();
    eventually("the event has a position", || read().as_array().is_some_and(|events| events.len() == 1));
    let caused = format!("00-{}-{}-01", span["traceId"].as_str().unwrap(), span["spanId"].as_str().unwrap());
    assert_eq!(read()[0]["traceparent"], caused);
}

fn the_events_of_a_command_name_the_user_that_the_broker_has_checked(database: &TestDatabase) {
    let world = World::new(database);
    let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 20});
    world.send(&[command("C-1", "add_batch", &batch)]);
    eventually("the batch is there", || world.api.get("/batch/B-1").status == 200);
    let url = world.broker.url().to_owned();
    let user = url.split_once("://").unwrap().1.split([':', '@']).next().unwrap();
    world.sender.send_as(user, &world.queue, CLOUD_EVENT, &allocate("C-2", "O-1", "LAMP", 3));
    eventually("the line is allocated", || world.api.available("B-1") == 17);
    let history = world.api.get("/orders/O-1/history").json();
    assert_eq!(history[0]["by"], format!("broker:{user}"));
    let read = || world.api.get("/events?after=0").json();
    eventually("the events have a position", || read().as_array().is_some_and(|events| events.len() == 2));
    let authors: Vec<_> =
        read().as_array().unwrap().iter().map(|it| (it["authtype"].clone(), it["authid"].clone())).collect();
    assert_eq!(authors, [(json!("unknown"), Value::Null), (json!("user"), json!(format!("broker:{user}")))]);
    world.finish();
}

fn an_impossible_command_is_a_dead_letter_and_delays_nothing(database: &TestDatabase) {
    let world = World::new(database);
    world.api.add_batch("B-1", "LAMP", 5, None);
    world.api.allocate("O-9", "LAMP", 1);
    let refused = [
        ("{", "malformed-json"),
        ("[]", "validation"),
        (&allocate("D-1", "O-1", "LAMP", 0), "validation"),
        (&allocate("D-2", " O-1", "LAMP", 1), "validation"),
        (&command("D-3", "paint", &json!({})), "validation"),
        (&allocate("D-4", "O-1", "SOFA", 1), "out-of-stock"),
        (&allocate("D-5", "O-9", "LAMP", 2), "line-already-allocated"),
        (&command("D-6", "deallocate", &json!({"order_id": "O-1", "reference": "B-1"})), "allocation-not-found"),
        (&command("D-7", "deallocate", &json!({"order_id": "O-1", "reference": "B-7"})), "batch-not-found"),
        (&command("D-8", "change_batch_quantity", &json!({"reference": "B-7", "qty": 1})), "batch-not-found"),
        (
            &command("D-9", "add_batch", &json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 6})),
            "batch-already-exists",
        ),
    ]
    .map(|(body, kind)| (body.to_owned(), format!("/problems/{kind}")));
    let bodies: Vec<String> = refused.iter().map(|(body, _)| body.clone()).collect();
    world.send(&bodies);
    // Of another order than the earlier ones: commands are not ordered.
    world.send(&[allocate("C-1", "O-2", "LAMP", 2)]);
    world.sender.send_all(&world.queue, "text/plain", ["hello"]);
    eventually("later commands are done", || world.api.available("B-1") == 2);
    let known = world.api.get("/problems").json();
    let (broker, sender) = world.finish();
    let letters = dead_letters(&sender, &broker);
    for (body, kind) in &refused {
        let found = letters.iter().find(|(_, letter)| letter.body == body.as_bytes());
        let (problem, _) = found.unwrap_or_else(|| panic!("no dead letter: {body}"));
        assert_eq!(problem["type"], *kind, "{body}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        // As the API names it.
        let same = known.as_array().unwrap().iter().find(|known| known["type"] == *kind).unwrap();
        assert_eq!(problem["title"], same["title"]);
    }
    let plain = letters.iter().find(|(_, letter)| letter.body == b"hello").unwrap();
    assert_eq!(plain.0["type"], "/problems/unsupported-media-type");
    assert_eq!(*plain.1.properties.delivery_mode(), Some(2));
    assert_eq!(letters.len(), refused.len() + 1);
}

fn a_broken_invariant_is_a_dead_letter_at_once(database: &TestDatabase) {
    let world = World::new(database);
    world.api.add_batch("B-1", "LAMP", 5, None);
    world.api.allocate("O-1", "LAMP", 3);
    database.execute("UPDATE batches SET allocated_quantity = 1");
    let broken = command("C-1", "deallocate", &json!({"order_id": "O-1", "reference": "B-1"}));
    world.send(&[broken.clone(), allocate("C-2", "O-2", "LAMP", 1)]);
    eventually("later commands are done", || world.api.available("B-1") == 3);
    eventually("the log names it", || {
        let names = |line: &String| line.contains("\"ERROR\"") && line.contains("batch_covers_its_allocations");
        world.server.log().iter().filter(|line| names(line)).count() == 1
    });
    let (broker, sender) = world.finish();
    let letters = dead_letters(&sender, &broker);
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].0["type"].as_str(), &letters[0].1.body[..]),
        (Some("/problems/internal-error"), broken.as_bytes())
    );
}

fn a_redelivered_old_command_changes_nothing(database: &TestDatabase) {
    let world = World::new(database);
    world.api.add_batch("B-1", "LAMP", 20, None);
    let old = [
        allocate("C-1", "O-1", "LAMP", 3),
        command("C-2", "deallocate", &json!({"order_id": "O-2", "reference": "B-1"})),
        command("C-3", "change_batch_quantity", &json!({"reference": "B-1", "qty": 50})),
        command("C-4", "add_batch", &json!({"reference": "B-2", "sku": "LAMP", "purchased_quantity": 6})),
    ];
    world.api.allocate("O-2", "LAMP", 1);
    world.send(&old);
    eventually("they are done", || world.api.available("B-1") == 47 && world.api.get("/batch/B-2").status == 200);
    // Other commands undo all of it.
    world.api.delete("/allocations/O-1/batch/B-1");
    world.api.allocate("O-2", "LAMP", 1);
    world.api.send("PATCH", "/batch/B-1", Some("application/json"), r#"{"purchased_quantity": 30}"#);
    world.api.delete("/batch/B-2");
    world.send(&old);
    let database = world.database;
    let (broker, sender) = world.finish();
    assert_eq!(database.texts("SELECT order_id FROM allocations"), ["O-2"]);
    assert_eq!(database.count("SELECT purchased_quantity FROM batches"), 30, "and the other batch is removed");
    assert!(dead_letters(&sender, &broker).is_empty());
}

fn a_command_sent_twice_at_once_takes_effect_once(database: &TestDatabase) {
    let world = World::new(database);
    world.api.add_batch("B-1", "LAMP", 1_000, None);
    for order in 0..50 {
        world.api.allocate(&format!("O-{order}"), "LAMP", 2);
    }
    let free = |order| command(&format!("C-{order}"), "deallocate", &json!({"order_id": order, "reference": "B-1"}));
    let twice = (0..50).flat_map(|order| vec![free(format!("O-{order}")); 2]);
    world.send(&twice.collect::<Vec<_>>());
    eventually("all are freed", || world.allocated() == 0);
    let (broker, sender) = world.finish();
    assert!(dead_letters(&sender, &broker).is_empty(), "the second one is no mistake of the sender");
    assert_eq!(causes(database, "deallocated").len(), 50);
}

fn the_dead_letter_queue_is_declared_again_if_deleted(database: &TestDatabase) {
    let world = World::new(database);
    let dead = world.broker.name("commands.dead");
    // The server may not have declared it yet.
    world.sender.declare(&dead);
    world.api.add_batch("B-1", "LAMP", 5, None);
    world.send(&[allocate("D-1", "O-1", "SOFA", 1)]);
    eventually("the first letter is there", || world.sender.depth(&dead) == 1);
    world.sender.delete(&dead);
    world.send(&[allocate("D-2", "O-2", "SOFA", 1), allocate("C-1", "O-3", "LAMP", 1)]);
    eventually("later commands are done", || world.api.available("B-1") == 4);
    let begun = || world.server.log().iter().filter(|line| line.contains("commands are consumed")).count();
    eventually("the queue is declared again", || begun() >= 2);
    eventually("the second letter is there", || world.sender.depth(&dead) == 1);
    let (broker, sender) = world.finish();
    let letters = dead_letters(&sender, &broker);
    assert!(letters.iter().all(|(problem, _)| problem["type"] == "/problems/out-of-stock"), "{letters:?}");
    let ids: HashSet<String> = letters.iter().map(|(_, letter)| letter.json["id"].to_string()).collect();
    assert_eq!(ids, HashSet::from(["\"D-2\"".to_owned()]));
}

fn an_id_used_by_two_senders_hides_no_command(database: &TestDatabase) {
    let world = World::new(database);
    world.api.add_batch("B-1", "LAMP", 20, None);
    world.send(&[allocate("1", "O-1", "LAMP", 3)]);
    eventually("the first is done", || world.allocated() == 3);
    world.send(&[allocate("1", "O-2", "LAMP", 4)]);
    eventually("the second is done", || world.allocated() == 7);
    // Of the same line, but with another effect.
    world.send(&[allocate("1", "O-1", "LAMP", 5)]);
    let (broker, sender) = world.finish();
    let letters = dead_letters(&sender, &broker);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].0["type"], "/problems/line-already-allocated");
}

/// Sends lines until a server is killed among them; a second one does the rest.
fn commands_of_a_killed_server_are_done_once_by_another(database: &TestDatabase) {
    let world = World::new(database);
    world.api.add_batch("B-1", "LAMP", 1_000_000, None);
    let commands: Vec<String> = (0..5_000).map(|n| allocate(&format!("C-{n}"), &format!("O-{n}"), "LAMP", 3)).collect();
    world.send(&commands);
    eventually("some are done", || world.allocated() > 600);
    world.server.signal("KILL");
    let broker = world.broker;
    let second = serve(database, &broker);
    let all = || database.count("SELECT count(*) FROM allocations") == 5_000;
    eventually("all are done", all);
    second.signal("TERM");
    second.wait();
    assert_eq!(database.count("SELECT allocated_quantity FROM batches"), 15_000);
    let causes = causes(database, "allocated");
    assert_eq!((causes.len(), causes.iter().collect::<HashSet<_>>().len()), (5_000, 5_000));
    assert_eq!(world.sender.depth(&world.queue), 0);
    assert!(dead_letters(&world.sender, &broker).is_empty());
}

fn ten_thousand_commands_at_once_sell_no_unit_twice(database: &TestDatabase) {
    let world = World::new(database);
    let second = serve(database, &world.broker);
    for sku in 0..4 {
        for batch in 0..3 {
            world.api.add_batch(&format!("B-{sku}-{batch}"), &format!("SKU-{sku}"), 500, None);
        }
    }
    let line = |n: u32| allocate(&format!("C-{n}"), &format!("O-{n}"), &format!("SKU-{}", n % 4), 1 + n % 3);
    world.send(&(0..10_000).map(line).collect::<Vec<_>>());
    let queue = world.queue.clone();
    eventually("the queue is empty", || world.sender.depth(&queue) == 0);
    second.signal("TERM");
    let (_, log) = second.wait();
    let stopped: Value = serde_json::from_str(log.last().unwrap()).unwrap();
    assert!((1..10_000).contains(&stopped["lines"].as_u64().unwrap()), "both have their share: {stopped}");
    let (broker, sender) = world.finish();
    let letters = dead_letters(&sender, &broker);
    assert!(letters.iter().all(|(problem, _)| problem["type"] == "/problems/out-of-stock"));
    let lines = usize::try_from(database.count("SELECT count(*) FROM order_lines")).unwrap();
    assert_eq!(lines + letters.len(), 10_000, "each is allocated or dead");
    assert_eq!(database.count("SELECT CAST(sum(allocated_quantity) AS bigint) FROM batches"), 6_000, "all is sold");
    assert_eq!(database.count("SELECT CAST(sum(quantity) AS bigint) FROM allocations"), 6_000);
}

fn a_stop_finishes_commands_in_progress(database: &TestDatabase) {
    let world = World::new(database);
    world.api.add_batch("B-1", "LAMP", 1_000_000, None);
    let commands: Vec<String> = (0..4_000).map(|n| allocate(&format!("C-{n}"), &format!("O-{n}"), "LAMP", 1)).collect();
    world.send(&commands);
    eventually("some are done", || world.allocated() > 100);
    world.server.signal("TERM");
    let (status, log) = world.server.wait();
    assert!(status.success() && !log.iter().any(|line| line.contains("\"ERROR\"")), "{log:?}");
    let done = database.count("SELECT count(*) FROM allocations");
    // Acknowledged commands have left the queue, and nothing else has been done.
    assert_eq!(i64::from(world.sender.depth(&world.queue)) + done, 4_000);
}

on_every_database!(
    commands_have_the_effect_of_requests,
    a_command_has_a_span_between_that_of_its_sender_and_those_of_its_effects,
    the_events_of_a_command_name_the_user_that_the_broker_has_checked,
    an_impossible_command_is_a_dead_letter_and_delays_nothing,
    a_broken_invariant_is_a_dead_letter_at_once,
    a_redelivered_old_command_changes_nothing,
    an_id_used_by_two_senders_hides_no_command,
    a_command_sent_twice_at_once_takes_effect_once,
    the_dead_letter_queue_is_declared_again_if_deleted,
    commands_of_a_killed_server_are_done_once_by_another,
    ten_thousand_commands_at_once_sell_no_unit_twice,
    a_stop_finishes_commands_in_progress,
);

#[test]
fn an_outage_of_postgres_loses_no_command() {
    let database = TestDatabase::postgres();
    let world = World::new(&database);
    world.api.add_batch("B-1", "LAMP", 10_000, None);
    database.set_away(true);
    let line = |n| allocate(&format!("C-{n}"), &format!("O-{n}"), "LAMP", 1);
    world.send(&(0..2_000).map(line).collect::<Vec<_>>());
    // A rule will reject it, but it is redelivered before it is decided.
    world.send(&[command("D-1", "deallocate", &json!({"order_id": "NONE", "reference": "B-1"}))]);
    thread::sleep(Duration::from_secs(3));
    assert!(world.sender.depth(&world.queue) >= 2_000 - 512, "no more than that are under way");
    database.set_away(false);
    eventually("all are done", || world.allocated() == 2_000);
    let dead = world.broker.name("commands.dead");
    eventually("one is refused", || world.sender.depth(&dead) == 1);
    let (broker, sender) = world.finish();
    let letters = dead_letters(&sender, &broker);
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0].0["type"], "/problems/allocation-not-found");
}

#[test]
fn a_failing_command_is_a_dead_letter_and_its_cause_is_logged_with_its_id() {
    let database = TestDatabase::sqlite();
    let world = World::new(&database);
    world.api.add_batch("B-1", "LAMP", 10, None);
    database.execute("ALTER TABLE order_lines RENAME TO gone");
    world.send(&[allocate("the-id", "O-1", "LAMP", 1)]);
    let is_cause =
        |line: &String| line.contains("a command failed") && line.contains("order_lines") && line.contains("the-id");
    eventually("the cause is logged", || world.server.log().iter().any(is_cause));
    let (broker, sender) = world.finish();
    assert_eq!(dead_letters(&sender, &broker)[0].0["type"], "/problems/internal-error");
}

#[test]
fn a_password_is_never_logged() {
    let database = TestDatabase::sqlite();
    let broker = TestBroker::shared();
    let url = broker.url().replace("guest:guest", "guest:hush-hush");
    let server =
        Server::start_with(&database, |command| command.env("RUST_LOG", "trace").env("ALLOCATION_AMQP_URL", url));
    let is_told = |text: &str| server.log().iter().any(|line| line.contains(text));
    let deadline = Instant::now() + SOON;
    while !(is_told("event relay failed") && is_told("consuming commands failed")) {
        assert!(Instant::now() < deadline, "{:?}", server.log());
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.client().get("/livez").status, 200, "connected clients are served");
    let log = server.log();
    let lines: Vec<&String> = log.iter().filter(|line| line.contains("hush")).collect();
    assert!(lines.is_empty(), "{lines:?}");
    let _: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
}

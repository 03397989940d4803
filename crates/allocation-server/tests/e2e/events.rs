//! The feed has one order of events for all readers.

mod following;
mod writers;

use crate::support::projection::{assert_served, project};
use crate::support::{Client, Server, TestDatabase, expire_where, now, on_every_database};
pub(crate) use following::Stream;
use following::{await_sequenced, await_swept, follow};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use writers::{WRITERS, write};

/// The duration of the writes.
const WRITING: Duration = Duration::from_secs(4);

fn id(event: &Value) -> u64 {
    event["id"].as_str().unwrap().parse().unwrap()
}

/// Runs writers and readers concurrently, and then checks the invariants.
fn all_see_the_same(database: &TestDatabase, servers: &[&Server]) {
    let client = |number: usize| servers[number % servers.len()].client();
    let done = &AtomicBool::new(false);
    let end = Instant::now() + WRITING;
    let (from_start, from_start_in_small_pages, from_tail) = thread::scope(|scope| {
        let (one, other, late) = (client(0), client(1), client(1));
        let from_start = scope.spawn(move || follow(&one, "/events?limit=1000&wait=1", done));
        let in_small_pages = scope.spawn(move || follow(&other, "/events?limit=7", done));
        let from_tail = scope.spawn(move || {
            thread::sleep(WRITING / 2);
            let last = late.page("/events?limit=1000").1.unwrap();
            follow(&late, &last, done)
        });
        let writers: Vec<_> = (0..WRITERS).map(|number| (number, client(number))).collect();
        let writers: Vec<_> =
            writers.into_iter().map(|(n, client)| scope.spawn(move || write(&client, n, end))).collect();
        thread::sleep(WRITING / 2);
        expire_where(database, "order_id LIKE 'CART-%'", now() - 1);
        let written: usize = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        assert!(written > 100, "{written} commands");
        await_swept(database);
        await_sequenced(database);
        done.store(true, Ordering::SeqCst);
        (from_start.join().unwrap(), in_small_pages.join().unwrap(), from_tail.join().unwrap())
    });
    assert!(from_start.iter().map(id).eq(1..=u64::try_from(from_start.len()).unwrap()), "no gap, none twice");
    assert!(from_start == from_start_in_small_pages, "the same for all");
    assert!(!from_tail.is_empty() && from_start.ends_with(&from_tail), "wherever one begins");
    for kind in ["line.allocated", "hold.expired", "batch.changed", "pick.units_missing", "pick.shipped"] {
        let kind = format!("allocation.{kind}.v1");
        assert!(from_start.iter().any(|event| event["type"] == *kind), "{kind}");
    }
    check_against_tables(database, &from_start);
    assert_served(&project(&from_start), &servers[0].client());
    for server in servers {
        let faults = server.log().into_iter().filter(|line| line.contains("\"ERROR\"")).collect::<Vec<_>>();
        assert!(faults.is_empty(), "{faults:?}");
    }
}

/// Every stored event was read unchanged, and those of a product in their order.
fn check_against_tables(database: &TestDatabase, events: &[Value]) {
    let stored = database.texts("SELECT payload FROM all_events ORDER BY sku, version, ordinal");
    let stored = stored.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
    let mut by_sku: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in events {
        by_sku.entry(event["data"]["sku"].as_str().unwrap()).or_default().push(&event["data"]);
    }
    assert!(by_sku.into_values().flatten().cloned().eq(stored));
}

fn readers_see_one_order_that_rebuilds_the_state(database: &TestDatabase) {
    let server = Server::start(database);
    all_see_the_same(database, &[&server]);
}

fn events_are_filtered(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 3, None);
    client.add_batch("B-2", "RUG", 3, None);
    client.post("/orders", &json!({"order_id": "O-1", "lines": [{"sku": "LAMP", "qty": 3}, {"sku": "RUG", "qty": 1}]}));
    client.allocate("O-2", "RUG", 1);
    await_sequenced(database);
    let types = |query: &str| {
        let (events, next) = client.page(&format!("/events?{query}"));
        assert!(next.is_some());
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(types("").len(), 8);
    assert_eq!(types("subject=orders/O-2"), ["allocation.line.allocated.v1"]);
    assert_eq!(types("subject=batches/B-1"), ["allocation.batch.added.v1"]);
    assert_eq!(types("subject=products/LAMP"), ["allocation.product.out_of_stock.v1"]);
    assert_eq!(types("type=allocation.line.allocated.v1&subject=orders/O-1").len(), 2);
    assert_eq!(types("type=allocation.hold.expired.v1,allocation.batch.removed.v1"), Vec::<String>::new());
}

fn a_long_poll_returns_when_an_event_is_committed(database: &TestDatabase) {
    let server = Server::start(database);
    let (client, poller) = (server.client(), server.client());
    thread::scope(|scope| {
        let begun = Instant::now();
        let polled = scope.spawn(move || poller.page("/events?wait=30").0);
        thread::sleep(Duration::from_millis(300));
        client.add_batch("B-1", "LAMP", 3, None);
        let events = polled.join().unwrap();
        assert_eq!((events.len(), &events[0]["subject"]), (1, &"batches/B-1".into()));
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    });
    // A stop does not wait for waiting readers.
    let waiting = server.client();
    thread::scope(|scope| {
        let polled = scope.spawn(move || waiting.page("/events?after=1&wait=30"));
        thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        server.signal("TERM");
        assert_eq!(polled.join().unwrap(), (Vec::new(), Some("/events?wait=30&limit=100&after=1".to_owned())));
        assert_eq!(server.wait().0.code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    });
}

fn a_stream_resumes_where_it_ended(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let mut stream = Stream::open(&server, "/events/stream", None);
    assert_eq!(stream.next().unwrap()["type"], "allocation.batch.added.v1");
    for number in 0..5 {
        client.allocate(&format!("O-{number}"), "LAMP", 1);
    }
    let read: Vec<_> = (0..2).map(|_| stream.next().unwrap()).collect();
    drop(stream);
    let mut again = Stream::open(&server, "/events/stream", read[1]["id"].as_str());
    let rest: Vec<_> = (0..3).map(|_| again.next().unwrap()).collect();
    let subjects: Vec<_> =
        read.iter().chain(&rest).map(|event| event["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects, (0..5).map(|number| format!("orders/O-{number}")).collect::<Vec<_>>());
    server.signal("TERM");
    assert!(again.next().is_none(), "the stream ends with the server");
    assert_eq!(server.wait().0.code(), Some(0));
}

fn a_quiet_stream_sends_keep_alives_with_its_position(database: &TestDatabase) {
    let server = Server::start(database);
    server.client().add_batch("B-1", "LAMP", 1, None);
    await_sequenced(database);
    let mut stream = Stream::open(&server, "/events/stream?type=allocation.hold.expired.v1", None);
    assert_eq!(stream.sign_of_life(), ["id: 1", ""], "from where a client goes on that connects again");
}

/// Creates more events than the buffers between server and client hold.
fn write_many(database: &TestDatabase) {
    database.execute(
        "INSERT INTO outbox_blocks (event_count, occurred_at, types, keys, events)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         SELECT 1, 1, 'line_cancelled', KEYS, '[[\"LAMP\",' || i || ',0,0,\"line_cancelled\",\"O\",null,null,null,'
                || '{\"type\":\"line_cancelled\",\"order_id\":\"O\",\"sku\":\"LAMP\"}]]'
         FROM n"
            .replace("KEYS", if database.url().starts_with("postgres") { "'{1}'" } else { "'[1]'" })
            .as_str(),
    );
    await_sequenced(database);
}

fn a_reader_that_consumes_nothing_is_cut_off(database: &TestDatabase) {
    // Other systems have no such setting.
    if !cfg!(target_os = "linux") {
        return;
    }
    let server = Server::start_with(database, |command| command.env("ALLOCATION_RETAIN_EVENTS_DAYS", "0"));
    write_many(database);
    let mut stalled = Stream::open(&server, "/events/stream", None);
    let mut slow = Stream::open(&server, "/events/stream", None);
    for _ in 0..30 {
        thread::sleep(Duration::from_secs(1));
        slow.pass_over(500_000);
    }
    let mut rest = stalled.read_rest();
    assert!(!rest.contains("\nid: 100000\n"), "it was sent all of it");
    rest.truncate(100);
    assert!(rest.contains("id: 1\n"), "{rest}");
    assert!(slow.next().is_some());
}

fn a_reader_of_pruned_events_gets_a_410(database: &TestDatabase) {
    let server = Server::start(database);
    // Events to be pruned share no block with the others.
    for numbers in [0..3, 3..5] {
        for number in numbers {
            server.client().add_batch(&format!("B-{number}"), "LAMP", 1, None);
        }
        await_sequenced(database);
    }
    server.signal("TERM");
    server.wait();
    database.execute("UPDATE event_blocks SET occurred_at = occurred_at - 180000000000 WHERE first_position <= 3");
    let server = Server::start_with(database, |command| {
        command.env("ALLOCATION_RETAIN_EVENTS_DAYS", "2").env("ALLOCATION_RETENTION_GRACE_SECONDS", "0")
    });
    let client = server.client();
    let deadline = Instant::now() + Duration::from_secs(60);
    while client.get("/events?after=1").status == 200 {
        assert!(Instant::now() < deadline, "old events are not forgotten");
        thread::sleep(Duration::from_millis(20));
    }
    let gone = client.get("/events?after=1").problem(410, "events-gone");
    assert_eq!(gone["oldest"], "3");
    assert_eq!(client.get("/events/stream?after=1").status, 410);
    client.get("/events?after=6").problem(410, "events-gone");
    assert_eq!(client.page("/events").0.iter().map(id).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(client.page("/events?after=3").0.len(), 2);
}

/// Returns whether a server has logged that it sequences events.
fn keeps_log(server: &Server) -> bool {
    server.log().iter().any(|line| line.contains("this process sequences events"))
}

/// Returns how long a new event takes to be sequenced.
fn time_to_number(client: &Client, reference: &str) -> Duration {
    let begun = Instant::now();
    client.add_batch(reference, "LAMP", 1, None);
    let events = follow(client, "/events", &AtomicBool::new(true));
    let mut next = format!("/events?wait=30&after={}", events.last().map_or(0, id));
    while !events.iter().any(|event| event["subject"] == format!("batches/{reference}")) {
        let (more, link) = client.page(&next);
        if more.iter().any(|event| event["subject"] == format!("batches/{reference}")) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no server sequences events");
        next = link.unwrap();
    }
    begun.elapsed()
}

fn another_server_takes_over_sequencing(database: &TestDatabase) {
    for signal in ["KILL", "TERM"] {
        let first = Server::start(database);
        time_to_number(&first.client(), &format!("{signal}-1"));
        let second = Server::start(database);
        assert!(keeps_log(&first) && !keeps_log(&second));
        first.signal(signal);
        first.wait();
        let took = time_to_number(&second.client(), &format!("{signal}-2"));
        assert!(took < Duration::from_secs(15), "{signal}: {took:?}");
        assert!(keeps_log(&second));
        second.signal("TERM");
        second.wait();
    }
    let server = Server::start(database);
    time_to_number(&server.client(), "LAST");
    let events = follow(&server.client(), "/events", &AtomicBool::new(true));
    assert!(events.iter().map(id).eq(1..=5));
}

fn events_carry_the_trace_of_their_request(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 1_000, None);
    let trace = |number: usize| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{:016x}-01", number + 1);
    thread::scope(|scope| {
        for number in 0..20 {
            let client = server.client();
            scope.spawn(move || {
                let line = json!({"order_id": format!("O-{number}"), "sku": "LAMP", "qty": 1});
                match number % 4 {
                    0 => client.post("/allocations", &line),
                    1 => client.post_with("/allocations", &line, ("traceparent", "00-nonsense-01")),
                    _ => client.post_with("/allocations", &line, ("traceparent", &trace(number))),
                }
            });
        }
    });
    let order = json!({"order_id": "O-20", "lines": [{"sku": "LAMP", "qty": 1}]});
    client.post_with("/orders", &order, ("traceparent", &trace(20)));
    let batch = json!({"reference": "B-2", "sku": "LAMP", "purchased_quantity": 1});
    client.post_with("/batch", &batch, ("traceparent", &trace(21)));
    await_sequenced(database);
    for event in client.page("/events").0 {
        let number = match event["subject"].as_str().unwrap() {
            "batches/B-1" => 0,
            "batches/B-2" => 22,
            order => order.strip_prefix("orders/O-").unwrap().parse::<usize>().unwrap(),
        };
        let expected = match number {
            22 => Some(trace(21)),
            _ if number % 4 > 1 || number == 20 => Some(trace(number)),
            _ => None,
        };
        assert_eq!(event["traceparent"].as_str(), expected.as_deref(), "{event}");
    }
}

on_every_database!(
    readers_see_one_order_that_rebuilds_the_state,
    events_are_filtered,
    a_long_poll_returns_when_an_event_is_committed,
    a_stream_resumes_where_it_ended,
    a_quiet_stream_sends_keep_alives_with_its_position,
    a_reader_that_consumes_nothing_is_cut_off,
    a_reader_of_pruned_events_gets_a_410,
    another_server_takes_over_sequencing,
    events_carry_the_trace_of_their_request,
);

mod postgres_with_two_servers {
    use super::*;

    #[test]
    fn readers_of_both_see_one_order() {
        let database = TestDatabase::postgres();
        let (one, other) = (Server::start(&database), Server::start(&database));
        all_see_the_same(&database, &[&one, &other]);
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(database.count(deadlocks), 0);
    }
}

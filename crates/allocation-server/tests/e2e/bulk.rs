//! Bulk requests: in groups, as far as their client reads, and safe to send again.

use crate::support::{Answer, Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const LINES: &str = "application/x-ndjson";

/// Sends items line by line, and returns the results.
pub(crate) fn send(client: &Client, path: &str, items: &[String]) -> Vec<Value> {
    answers(&client.send("POST", path, Some(LINES), items.join("\n")))
}

fn answers(answer: &Answer) -> Vec<Value> {
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(LINES)), "{answer:?}");
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn line(order_id: &str, sku: &str) -> String {
    json!({"order_id": order_id, "sku": sku, "qty": 1}).to_string()
}

/// Sends a request whose response ends with the connection, and returns the connection.
fn open(server: &Server, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!("POST {path} HTTP/1.0\r\nhost: {}\r\ncontent-type: {LINES}", server.address());
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream
}

/// Returns the objects in a response on its own connection, each as its line.
fn body_lines(stream: TcpStream) -> impl Iterator<Item = String> {
    BufReader::new(stream).lines().map_while(Result::ok).filter(|line| line.starts_with('{'))
}

fn a_bulk_request_sent_again_has_the_effect_of_one(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    let batch =
        |n: usize| json!({"reference": format!("B-{n}"), "sku": format!("SKU-{n}"), "purchased_quantity": 9_999});
    let batches: Vec<String> = (0..10).map(|n| batch(n).to_string()).collect();
    let mut lines: Vec<String> = (0..3_000).map(|n| line(&format!("L-{n}"), &format!("SKU-{}", n % 10))).collect();
    lines[1_234] = "{\"order_id\": \"L-1234\", ".to_owned();
    lines[2_345] = line("L-2345", "UNKNOWN");
    let of_two = |n: usize| [0, 3].map(|step| json!({"sku": format!("SKU-{}", (n + step) % 10), "qty": 2}));
    let orders: Vec<String> =
        (0..200).map(|n| json!({"order_id": format!("O-{n}"), "lines": of_two(n)}).to_string()).collect();
    for (path, items, failed) in [("/batch", &batches, 0), ("/allocations", &lines, 2), ("/orders", &orders, 0)] {
        let first = send(&client, &format!("{path}/bulk"), items);
        let again = send(&client, &format!("{path}/bulk"), items);
        assert_eq!(first.len(), items.len() + 1);
        assert_eq!(first.last(), Some(&json!({"done": items.len() - failed, "failed": failed})));
        assert_eq!(first.last(), again.last());
        for (item, (first, again)) in items.iter().zip(first.iter().zip(&again)) {
            if first["status"] == 201 {
                assert_eq!((&again["status"], &again["body"]), (&json!(200), &first["body"]), "{item}");
                let item: Value = serde_json::from_str(item).unwrap();
                for name in ["order_id", "reference"].iter().filter(|name| item.get(name).is_some()) {
                    assert_eq!(first["body"][name], item[name], "the answers have the order of the items");
                }
            } else {
                assert_eq!(first, again);
            }
        }
        if path == "/allocations" {
            assert_eq!(first[1_234]["problem"]["type"], "/problems/malformed-json");
            assert_eq!(first[2_345]["problem"]["type"], "/problems/out-of-stock");
        }
    }
    let allocated: u64 = (0..10).map(|n| 9_999 - client.available(&format!("B-{n}"))).sum();
    assert_eq!(allocated, 2_998 + 800);
}

fn the_largest_bulk_request_is_carried_out_and_a_larger_one_is_rejected_whole(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 1_000_000, None);
    let mut lines: Vec<String> = (0..10_001).map(|n| line(&format!("L-{n}"), "LAMP")).collect();
    let send_all = |lines: &[String]| client.send("POST", "/allocations/bulk", Some(LINES), lines.join("\n"));
    let problem = send_all(&lines).problem(422, "validation");
    assert_eq!(problem["detail"], "The body must have from 1 to 10000 items, not 10001");
    lines.pop();
    let padded = |bytes: usize| format!("{}{}", lines.join("\n"), " ".repeat(bytes - lines.join("\n").len()));
    client.send("POST", "/allocations/bulk", Some(LINES), padded((8 << 20) + 1)).problem(413, "body-too-large");
    let array = format!("[{}", lines.join(","));
    client.send("POST", "/allocations/bulk", Some("application/json"), array).problem(400, "malformed-json");
    assert_eq!(client.available("B-1"), 1_000_000, "nothing of them is carried out");
    let done = answers(&client.send("POST", "/allocations/bulk", Some(LINES), padded(8 << 20)));
    assert_eq!(done.last(), Some(&json!({"done": 10_000, "failed": 0})));
    assert_eq!(client.available("B-1"), 990_000);
}

fn a_body_that_does_not_arrive_whole_is_not_carried_out(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let head = format!("POST /allocations/bulk HTTP/1.1\r\nhost: {}\r\ncontent-type: {LINES}", server.address());
    let item = format!("{}\n", line("L-1", "LAMP"));
    for (more, rest) in [
        ("transfer-encoding: chunked", format!("{:x}\r\n{item}\r\nzz\r\n", item.len())),
        ("content-length: 1000", item.clone()),
    ] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        write!(stream, "{head}\r\n{more}\r\n\r\n{rest}").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap_or_default();
        assert!(!response.starts_with("HTTP/1.1 200"), "{response}");
    }
    assert_eq!(client.available("B-1"), 100);
}

fn a_client_that_stops_reading_is_not_served_further(database: &TestDatabase) {
    const PAIRS: usize = 300;
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 1_000, None);
    // Each line comes with an invalid item whose list of errors is large, so that buffers are soon full.
    let members: Vec<String> = (0..1_000).map(|n| format!("\"{n:03}\":1")).collect();
    let invalid = format!("{{{}}}", members.join(","));
    let mut body = String::new();
    for n in 0..PAIRS {
        writeln!(body, "{}\n{invalid}", line(&format!("L-{n}"), "LAMP")).unwrap();
    }
    let stream = open(&server, "/allocations/bulk", &body);
    let allocated = || usize::try_from(1_000 - client.available("B-1")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let (mut before, mut now) = (0, 0);
    // It has stopped once nothing more is allocated for a while.
    while (now == 0 || now > before) && Instant::now() < deadline {
        thread::sleep(Duration::from_secs(1));
        (before, now) = (now, allocated());
    }
    assert!((1..PAIRS).contains(&now), "{now} lines were allocated for a client that does not read");
    drop(stream);
    let lines: Vec<String> = body_lines(open(&server, "/allocations/bulk", &body)).collect();
    assert_eq!((lines.len(), allocated()), (2 * PAIRS + 1, PAIRS), "all are carried out for a client that reads");
}

fn every_answered_item_survives_kill_9(database: &TestDatabase) {
    let server = Server::start(database);
    server.client().add_batch("B-1", "LAMP", 1_000_000, None);
    let read = AtomicUsize::new(0);
    let answered: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|client| {
                let items: Vec<String> = (0..10_000).map(|n| line(&format!("L-{client}-{n}"), "LAMP")).collect();
                let (stream, read) = (open(&server, "/allocations/bulk", &items.join("\n")), &read);
                scope.spawn(move || {
                    let answers = body_lines(stream).filter_map(|line| serde_json::from_str::<Value>(&line).ok());
                    let done = answers.filter(|answer| answer["status"] == 201);
                    let counted = done.inspect(|_| _ = read.fetch_add(1, Ordering::Relaxed));
                    counted.map(|answer| answer["body"]["order_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
                })
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while read.load(Ordering::Relaxed) < 2_000 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        server.signal("KILL");
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    drop(server);
    assert!(answered.len() >= 2_000);

    let server = Server::start(database);
    let stored = server.client().all("/allocations?limit=1000");
    let stored: std::collections::HashSet<&str> = stored.iter().map(|row| row["order_id"].as_str().unwrap()).collect();
    for order in &answered {
        assert!(stored.contains(order.as_str()), "{order} was answered");
    }
    assert_eq!(server.client().available("B-1"), 1_000_000 - u64::try_from(stored.len()).unwrap());
}

on_every_database!(
    a_bulk_request_sent_again_has_the_effect_of_one,
    the_largest_bulk_request_is_carried_out_and_a_larger_one_is_rejected_whole,
    a_body_that_does_not_arrive_whole_is_not_carried_out,
    a_client_that_stops_reading_is_not_served_further,
    every_answered_item_survives_kill_9,
);

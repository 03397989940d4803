//! Requests that reach a replica while it is suspended.

use crate::support::{Client, Server, TestDatabase, on_every_database};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// A replica that carries out no command older than a second.
fn replica(database: &TestDatabase) -> Server {
    Server::start_with(database, |command| command.env("ALLOCATION_MAX_COMMAND_AGE_SECONDS", "1"))
}

/// Sends a request without waiting for the response.
fn send(stream: &mut TcpStream, method: &str, path: &str, body: &Value) {
    let body = body.to_string();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json");
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
}

/// Reads a response with its body.
fn read(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (mut answer, mut piece) = (String::new(), [0; 4_096]);
    while !answer.contains('}') {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "no whole answer: {answer}");
        answer.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    answer
}

/// Waits until a replica serves writes again.
fn recovered(client: &Client) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while client.allocate("O-LATER", "LAMP", 1).status == 503 {
        assert!(Instant::now() < deadline, "it never serves again");
        thread::sleep(Duration::from_millis(50));
    }
}

fn commands_that_arrived_during_a_stall_are_rejected_afterwards(database: &TestDatabase) {
    let (stalled, other) = (replica(database), replica(database));
    let client = other.client();
    client.add_batch("B-1", "LAMP", 10, None);
    // One connection exists before the stall, the others are opened during it.
    let mut known = TcpStream::connect(stalled.address()).unwrap();
    send(&mut known, "POST", "/allocations", &json!({"order_id": "O-0", "sku": "LAMP", "qty": 1}));
    assert!(read(&mut known).starts_with("HTTP/1.1 201"));
    // Until its event is sequenced: on SQLite the others would wait for that.
    thread::sleep(Duration::from_millis(300));
    stalled.signal("STOP");
    let line = json!({"order_id": "O-1", "sku": "LAMP", "qty": 4});
    send(&mut known, "POST", "/allocations", &line);
    let mut line_again = TcpStream::connect(stalled.address()).unwrap();
    send(&mut line_again, "POST", "/allocations", &line);
    let mut order = TcpStream::connect(stalled.address()).unwrap();
    let lines = json!([{"sku": "LAMP", "qty": 2}]);
    send(&mut order, "POST", "/orders", &json!({"order_id": "O-2", "lines": lines}));
    let mut batch = TcpStream::connect(stalled.address()).unwrap();
    send(&mut batch, "POST", "/batch", &json!({"reference": "B-2", "sku": "RUG", "purchased_quantity": 3}));
    // The callers time out, try another replica, and change their minds.
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(client.allocate("O-1", "LAMP", 4).status, 201);
    assert_eq!(client.delete("/allocations/O-1/batch/B-1").status, 204);
    stalled.signal("CONT");
    for stream in [&mut known, &mut line_again, &mut order, &mut batch] {
        let answer = read(stream);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("/problems/overloaded") && answer.contains("retry-after: 1"), "{answer}");
    }
    assert_eq!(client.available("B-1"), 9, "nothing of it is back");
    client.get("/orders/O-2").problem(404, "order-not-found");
    client.get("/batch/B-2").problem(404, "batch-not-found");
    assert!(stalled.log().iter().any(|line| line.contains("the process was suspended")), "{:?}", stalled.log());
    recovered(&stalled.client());
    assert_eq!(client.available("B-1"), 8);
}

on_every_database!(commands_that_arrived_during_a_stall_are_rejected_afterwards,);

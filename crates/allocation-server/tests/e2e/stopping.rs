//! Ways to stop.

use crate::support::{Proxy, Server, TestDatabase, on_every_database};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn sighup_stops_gracefully(database: &TestDatabase) {
    let server = Server::start(database);
    assert_eq!(server.client().add_batch("B-1", "LAMP", 1, None).status, 201);
    server.signal("HUP");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert!(log.last().unwrap().contains("\"stopped\""), "{log:?}");
}

on_every_database!(sighup_stops_gracefully);

/// A request whose body never arrives delays a stop.
fn hold_open(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head =
        "POST /batch HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    stream
}

#[test]
fn a_second_signal_exits_at_once() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let held = hold_open(&server);
    server.signal("TERM");
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !server.log().iter().any(|line| line.contains("stopping")) {
        assert!(std::time::Instant::now() < deadline, "{:?}", server.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(1), "{log:?}");
    assert!(log.last().unwrap().contains("second signal"), "{log:?}");
    drop(held);
}

#[test]
fn a_stop_ends_in_time_although_the_database_is_silent() {
    let database = TestDatabase::postgres();
    let (proxy, url) = Proxy::of(database.url());
    let server = Server::start_with(&database, |command| command.env("DATABASE_URL", &url));
    server.client().add_batch("B-1", "LAMP", 10, None);
    proxy.silence_with("O-1");
    let client = server.client();
    let waiting = std::thread::spawn(move || client.allocate("O-1", "LAMP", 1));
    proxy.await_silence();
    proxy.set_silent(true);
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert!(log.last().unwrap().contains("\"stopped\""), "{log:?}");
    waiting.join().unwrap().problem(503, "database-unavailable");
}

#[test]
fn a_stop_that_takes_longer_than_its_limit_is_forced() {
    let database = TestDatabase::postgres();
    let (proxy, url) = Proxy::of(database.url());
    let server = Server::start_with(&database, |command| command.env("DATABASE_URL", &url));
    server.client().add_batch("B-1", "LAMP", 10, None);
    // The probe gets its replies, so that the statement has longer than a stop has.
    proxy.silence_with("STUCK");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let body = r#"{"order_id": "STUCK", "sku": "LAMP", "qty": 1}"#;
    let head = "POST /allocations HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    proxy.await_silence();
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(1), "{log:?}");
    assert!(log.iter().any(|line| line.contains("the stop took longer than 30 s")), "{log:?}");
}

#[test]
fn a_complete_request_that_arrived_during_a_stall_gets_its_response() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The connection is accepted, and its time has begun.
    std::thread::sleep(Duration::from_millis(300));
    server.signal("STOP");
    let body = r#"{"reference": "B-1", "sku": "LAMP", "purchased_quantity": 1}"#;
    let head = "POST /batch HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    std::thread::sleep(Duration::from_secs(7));
    server.signal("CONT");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    // It may be too old to be carried out, which is a 503 of its own.
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201 ") || head.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(body.starts_with('{') && body.ends_with('}'), "{answer}");
}

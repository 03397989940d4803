//! Silent, slow and excess connections, with real sockets.

use crate::support::{Server, TestDatabase};
use serde_json::json;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit of an expected event.
const TIMEOUT: Duration = Duration::from_secs(60);

const PING: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A connection that sends raw bytes.
struct Raw(TcpStream);

impl Raw {
    fn connect(server: &Server) -> Self {
        Self::over(TcpStream::connect(server.address()).unwrap())
    }

    /// Connects from another loopback address.
    fn connect_from(server: &Server, local: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::from(SocketAddr::new(local.parse().unwrap(), 0))).unwrap();
        socket.connect(&SockAddr::from(server.address().parse::<SocketAddr>().unwrap())).unwrap();
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        Self(stream)
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Reads one response with its body.
    fn response(&mut self) -> String {
        let mut response = Vec::new();
        let mut byte = [0];
        while !response.ends_with(b"\r\n\r\n") && self.0.read(&mut byte).unwrap() > 0 {
            response.push(byte[0]);
        }
        let head = String::from_utf8(response).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        head + &String::from_utf8(body).unwrap()
    }

    /// Reads until the server closes.
    fn rest(&mut self) -> String {
        let mut text = Vec::new();
        match self.0.read_to_end(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the server does not close: {error}"),
        }
        String::from_utf8(text).unwrap()
    }
}

/// The head of a request with a JSON body.
fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{more}\r\n\r\n")
}

fn line(order_id: &str) -> String {
    json!({"order_id": order_id, "sku": "LAMP", "qty": 1}).to_string()
}

/// Raises the limit of this process on file descriptors to its maximum.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

#[test]
fn a_thousand_connections_stuck_in_a_head_time_out_and_block_no_client() {
    raise_descriptor_limit();
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    // One after the other, because a silent connection is closed after 5 s.
    let falls_silent = || {
        let mut connection = Raw::connect(&server);
        connection.send(PING);
        assert!(connection.response().starts_with("HTTP/1.1 200 "));
        connection.send("GET /livez HT");
        connection
    };
    let mut silent: Vec<Raw> = (0..1_100).map(|_| falls_silent()).collect();
    assert_eq!(server.client().get("/livez").status, 200);
    for connection in &mut silent {
        assert!(connection.rest().starts_with("HTTP/1.1 408 "));
    }
    assert_eq!(server.client().get("/livez").status, 200);
}

#[test]
fn a_silent_connection_is_closed() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    assert_eq!(Raw::connect(&server).rest(), "");
}

#[test]
fn half_a_head_behind_a_request_times_out_like_any_other() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let body = line("O-1");
    for first in [PING.to_owned(), head("POST", "/allocations", &format!("content-length: {}", body.len())) + &body] {
        let mut connection = Raw::connect(&server);
        connection.send(first + "GET /livez HTTP/1.1\r\nhost:");
        assert!(connection.response().starts_with("HTTP/1.1 "));
        assert!(connection.rest().starts_with("HTTP/1.1 408 "));
    }
}

#[test]
fn a_request_that_arrived_during_a_stall_is_carried_out() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let (mut new, mut used) = (Raw::connect(&server), Raw::connect(&server));
    used.send(PING);
    assert!(used.response().starts_with("HTTP/1.1 200 "));
    server.signal("STOP");
    new.send(PING);
    used.send(PING);
    // Longer than the time limit of a head.
    thread::sleep(Duration::from_secs(6));
    server.signal("CONT");
    for connection in [&mut new, &mut used] {
        assert!(connection.response().ends_with("{\"status\":\"ok\"}"));
    }
}

#[test]
fn requests_may_be_pipelined_and_sequential() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let mut connection = Raw::connect(&server);
    connection.send(PING.repeat(40));
    for _ in 0..40 {
        assert!(connection.response().ends_with("{\"status\":\"ok\"}"));
    }
    for _ in 0..3 {
        // A head in pieces is in time, too.
        for piece in PING.as_bytes().chunks(20) {
            connection.send(piece);
            thread::sleep(Duration::from_millis(50));
        }
        assert!(connection.response().starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn an_unread_body_closes_the_connection_after_its_response() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let half = "2\r\n{}\r\n";
    for (request, status) in [
        (head("DELETE", "/batch/NONE", "transfer-encoding: chunked"), "404"),
        (head("DELETE", "/batch/NONE", "transfer-encoding: chunked") + half, "404"),
        (head("DELETE", "/batch/NONE", "content-length: 10"), "404"),
        (head("GET", "/batch", "transfer-encoding: chunked"), "200"),
        (head("POST", "/nothing", "transfer-encoding: chunked"), "404"),
        (head("POST", "/allocations", "content-length: 9999999"), "413"),
        (head("POST", "/allocations", "content-encoding: gzip\r\ntransfer-encoding: chunked"), "415"),
    ] {
        let mut connection = Raw::connect(&server);
        connection.send(&request);
        let response = connection.response();
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {response}");
        assert!(response.contains("\r\nconnection: close\r\n"), "{request}: {response}");
        assert_eq!(connection.rest(), "", "{request}");
    }
}

#[test]
fn a_body_that_was_read_leaves_the_connection_open() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    server.client().add_batch("B-1", "LAMP", 100, None);
    let mut connection = Raw::connect(&server);
    for number in 0..3 {
        let body = line(&format!("O-{number}"));
        connection.send(head("POST", "/allocations", &format!("content-length: {}", body.len())) + &body);
        assert!(connection.response().starts_with("HTTP/1.1 201 "));
        let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        connection.send(head("POST", "/allocations", "transfer-encoding: chunked") + &chunks);
        assert!(connection.response().starts_with("HTTP/1.1 200 "));
        connection.send(head("POST", "/orders/O-0/confirm", "content-length: 0"));
        assert!(connection.response().starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn a_slow_body_gets_a_408_and_closes_the_connection() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let silent = head("POST", "/allocations", "content-length: 50") + "{";
    let no_chunk = head("POST", "/orders/O-1/confirm", "transfer-encoding: chunked");
    let requests =
        [silent.clone(), no_chunk, head("POST", "/allocations", "transfer-encoding: chunked") + "1\r\n{\r\n"];
    thread::scope(|scope| {
        for request in requests {
            let server = &server;
            scope.spawn(move || {
                let mut connection = Raw::connect(server);
                connection.send(&request);
                let response = connection.response();
                assert!(response.starts_with("HTTP/1.1 408 "), "{request}: {response}");
                assert!(response.contains("/problems/request-timeout"), "{response}");
                assert_eq!(connection.rest(), "");
            });
        }
        let mut dripping = Raw::connect(&server);
        dripping.send(&silent);
        let mut drip = dripping.0.try_clone().unwrap();
        scope.spawn(move || {
            while drip.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(500));
            }
        });
        assert!(dripping.response().starts_with("HTTP/1.1 408 "));
        dripping.rest();
        dripping.0.shutdown(Shutdown::Both).ok();
    });
}

/// RFC 9112, section 9.6: a server must not process requests behind one with `Connection: close`.
#[test]
fn no_request_behind_a_closing_one_is_carried_out() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let post = |order_id: &str, more: &str| {
        let body = line(order_id);
        head("POST", "/allocations", &format!("content-length: {}{more}", body.len())) + &body
    };
    let old = post("OLD", "").replace("HTTP/1.1", "HTTP/1.0");
    for (number, first) in [post("CLOSING", "\r\nconnection: close"), old].into_iter().enumerate() {
        let mut connection = Raw::connect(&server);
        let behind = post(&format!("BEHIND-{number}"), "");
        connection.send(first + &behind.repeat(2));
        let response = connection.response();
        assert!(response.starts_with("HTTP/1.") && response.contains(" 201 "), "{response}");
        assert_eq!(connection.rest(), "");
    }
    // Later requests are not carried out either.
    let mut connection = Raw::connect(&server);
    connection.send(post("CLOSING-2", "\r\nconnection: close"));
    assert!(connection.response().contains(" 201 "));
    drop(connection.0.write_all(post("BEHIND-2", "").as_bytes()));
    assert_eq!(connection.rest(), "");
    let stored: Vec<_> = client.all("/orders").iter().map(|order| order["order_id"].clone()).collect();
    assert_eq!(stored, ["CLOSING", "CLOSING-2", "OLD"]);
}

/// Returns whether a new connection is accepted; it stays open then.
fn finds_place(mut connection: Raw) -> Option<Raw> {
    if connection.0.write_all(PING.as_bytes()).is_err() {
        return None;
    }
    let mut begin = [0; 12];
    match connection.0.read_exact(&mut begin) {
        Ok(()) if &begin == b"HTTP/1.1 200" => Some(connection),
        Ok(()) => {
            assert_eq!(&begin, b"HTTP/1.1 503");
            None
        }
        Err(_) => None,
    }
}

#[test]
fn each_address_has_its_own_connection_limit() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, |command| command.args(["--max-connections-per-address", "3"]));
    let mut kept: Vec<Raw> = (0..3).map(|_| finds_place(Raw::connect(&server)).unwrap()).collect();
    for _ in 0..20 {
        assert!(finds_place(Raw::connect(&server)).is_none());
    }
    let _other = finds_place(Raw::connect_from(&server, "127.0.0.2")).unwrap();
    kept.pop();
    let begun = Instant::now();
    while finds_place(Raw::connect(&server)).is_none() {
        assert!(begun.elapsed() < TIMEOUT, "the place is not free again");
    }
}

#[test]
fn all_addresses_together_have_a_connection_limit() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, |command| command.env("ALLOCATION_MAX_CONNECTIONS", "4"));
    let addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
    let _kept: Vec<Raw> = addresses.map(|address| finds_place(Raw::connect_from(&server, address)).unwrap()).into();
    assert!(finds_place(Raw::connect_from(&server, "127.0.0.5")).is_none());
}

#[test]
fn file_descriptors_are_left_when_all_connections_are_in_use() {
    let database = TestDatabase::sqlite();
    let server = Server::start_limited(&database, 64, 300);
    let log = server.log().join("\n");
    assert!(log.contains("fewer connections are served than configured"), "{log}");
    let kept: Vec<Raw> = (0..300).filter_map(|_| finds_place(Raw::connect(&server))).collect();
    assert!((100..300).contains(&kept.len()), "{}", kept.len());
    let mut one = kept.into_iter().next().unwrap();
    let body = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 1}).to_string();
    let _ = one.0.read(&mut [0; 4096]).unwrap();
    one.send(head("POST", "/batch", &format!("content-length: {}", body.len())) + &body);
    assert!(one.response().starts_with("HTTP/1.1 201 "), "the database has its descriptors");
    assert!(!server.log().join("\n").contains("Too many open files"));
}

#[test]
fn bodies_in_flight_share_a_limit_and_small_requests_continue() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let before = server.own_memory_kib();
    let head = head("POST", "/orders", "content-length: 2000000");
    let piece = vec![b' '; 1_900_000];
    let connections: Vec<Raw> = (0..80)
        .map(|_| {
            let mut connection = Raw::connect(&server);
            connection.send(&head);
            // A rejected connection may be closed while this is sent.
            drop(connection.0.write_all(&piece));
            connection
        })
        .collect();
    assert_eq!(server.client().add_batch("B-1", "LAMP", 5, None).status, 201);
    let grown = server.own_memory_kib().saturating_sub(before);
    assert!(grown < 160 * 1024, "{grown} KiB");
    let is_turned_away = |connection: &Raw| {
        let mut begin = [0; 12];
        connection.0.set_nonblocking(true).unwrap();
        connection.0.peek(&mut begin).is_ok() && begin.ends_with(b"503")
    };
    let begun = Instant::now();
    while connections.iter().filter(|connection| is_turned_away(connection)).count() < 20 {
        assert!(begun.elapsed() < TIMEOUT, "no body is rejected");
    }
    drop(connections);
    let large = json!({"order_id": "O-1", "lines": [{"sku": "LAMP", "qty": 1}]}).to_string() + &" ".repeat(1_000_000);
    while server.client().post_text("/orders", Some("application/json"), large.as_str()).status == 503 {
        assert!(begun.elapsed() < TIMEOUT, "the memory is not free again");
    }
    assert_eq!(server.client().order("O-1")["status"], "allocated");
}

#[test]
fn the_largest_order_is_accepted() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    let sku = |number: usize| format!("{}{number:03}", "🪑".repeat(252));
    let lines: Vec<_> = (0..500).map(|number| json!({"sku": sku(number), "qty": 2_147_483_647})).collect();
    let order = json!({"order_id": "🪑".repeat(150), "lines": lines}).to_string().replace('🪑', "\\ud83e\\ude91");
    assert!(order.len() > 1_500_000);
    let answer = client.post_text("/orders", Some("application/json"), order.clone());
    let problem = answer.problem(409, "out-of-stock");
    assert_eq!(problem["shortages"].as_array().unwrap().len(), 500);
    let padded = order + &" ".repeat(2 * 1024 * 1024);
    client.post_text("/orders", Some("application/json"), padded).problem(413, "body-too-large");
}

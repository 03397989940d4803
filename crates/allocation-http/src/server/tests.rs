use super::serve;
use crate::testing::Ports;
use crate::{Api, ConnectionLimits, Endpoint};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

const LIMITS: ConnectionLimits = ConnectionLimits { total: 100, per_address: 100 };

/// Starts a server on a free port; it runs as long as the test.
fn start(api: Api) -> SocketAddr {
    start_with(api, LIMITS)
}

fn start_with(api: Api, limits: ConnectionLimits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = Endpoint { listener, limits, tls: None };
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(serve(endpoint, api, std::future::pending(), 1)).unwrap()
    });
    address
}

/// Sends bytes, and returns everything received until the server closes.
fn talk(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn head_has_no_body() {
    let address = start(Ports::new().api());
    let ask = |method: &str| {
        talk(address, &format!("{method} /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
    };
    let (get, head) = (ask("GET"), ask("HEAD"));
    assert!(get.ends_with("\r\n\r\n{\"status\":\"ok\"}"), "{get}");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-length: 15\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_chunked_body_is_reassembled() {
    let address = start(Ports::new().api());
    let head = "POST /batch HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let answer =
        talk(address, &format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{\"\r\n6\r\nx\": 1}}\r\n0\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert!(answer.contains(r#""pointer":"/x""#), "{answer}");
    let half = talk(address, &format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{\"\r\nzz\r\n"));
    assert!(half.starts_with("HTTP/1.1 400 "), "{half}");
    assert!(half.contains("/problems/malformed-json"), "{half}");
}

#[test]
fn a_connection_beyond_the_limit_gets_a_503() {
    let address = start_with(Ports::new().api(), ConnectionLimits { total: 1, per_address: 1 });
    let _first = TcpStream::connect(address).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..5 {
        let answer = talk(address, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"), "{answer:?}");
    }
}

#[test]
fn an_upgrade_is_declined_and_the_connection_closes() {
    let address = start(Ports::new().api());
    for offer in ["connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n", "connection: upgrade\r\n"] {
        let answer = talk(address, &format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{offer}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    }
}

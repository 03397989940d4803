//! Calls whose clients have hung up.

use crate::support::{Server, TestDatabase};
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// The number of clients that send a call and hang up.
const CLIENTS: usize = 40;

/// A connection that requests a list over the lines of one order.
fn ask_for_list(server: &Server, order: usize) -> TcpStream {
    let body = json!({"pick_list_id": format!("P-{order}"), "order_ids": [format!("O-{order}")]}).to_string();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!("POST /pick-lists HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json", server.address());
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream
}

#[test]
fn searches_of_departed_clients_never_run_and_delay_no_other_call() {
    let database = TestDatabase::postgres();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 1_000, None);
    for order in 0..=CLIENTS {
        assert_eq!(client.allocate(&format!("O-{order}"), "LAMP", 1).status, 201);
    }
    // From here on searches are blocked, other calls are not.
    let held = database.hold("LOCK TABLE pick_lists IN ACCESS EXCLUSIVE MODE");
    let streams: Vec<TcpStream> = (0..CLIENTS).map(|order| ask_for_list(&server, order)).collect();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while database.count(waits) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(client.get("/batch/B-1").status, 200, "there is a place for it");
    assert!(database.count(waits) > 0, "and it did not wait for the lists");
    drop(streams);
    drop(held);
    let last = json!({"pick_list_id": "LAST", "order_ids": [format!("O-{CLIENTS}")]});
    assert_eq!(client.post("/pick-lists", &last).status, 201);
    // It was the last in the queue, so all before it have run or were dropped. A search in progress runs to its
    // end, and the next one may have started before its client left.
    let made = database.count("SELECT count(*) FROM pick_lists") - 1;
    assert!(made <= 4, "{made} lists were made for clients that had hung up");
}

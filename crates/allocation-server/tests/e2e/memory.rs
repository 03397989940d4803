//! The database in memory, for demos.

use crate::support::{Server, binary};

#[test]
fn a_server_without_a_database_decides_in_memory() {
    let server = Server::start_at("memory:", |command| command);
    let client = server.client();
    assert_eq!(client.add_batch("B-1", "LAMP", 5, None).status, 201);
    assert_eq!(client.allocate("O-1", "LAMP", 3).status, 201);
    assert_eq!(client.available("B-1"), 2);
    assert_eq!(client.get("/readyz").status, 200);
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log:?}");
}

#[test]
fn only_a_server_has_a_database_in_memory() {
    let output = binary().args(["migrate", "status"]).env("DATABASE_URL", "memory:").output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("DATABASE_URL"), "{error}");
}

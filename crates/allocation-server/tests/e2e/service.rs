//! Health, request ids, problems.

use crate::support::{Server, TestDatabase};

#[test]
fn a_running_server_is_live_and_ready() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    assert_eq!(server.client().get("/livez").status, 200);
    assert_eq!(server.client().get("/readyz").status, 200);
}

#[test]
fn head_is_get_without_the_body() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    for path in ["/batch", "/livez", "/docs", "/openapi.json", "/batch/NONE"] {
        let (get, head) = (client.get(path), client.send("HEAD", path, None, ""));
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[test]
fn every_response_carries_a_request_id() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    assert_eq!(client.get_with("/livez", ("x-request-id", "mine-1")).header("x-request-id"), Some("mine-1"));
    let (one, other) = (client.get("/livez"), client.get("/nothing"));
    let (one, other) = (one.header("x-request-id").unwrap(), other.header("x-request-id").unwrap());
    assert!(!one.is_empty() && one != other);
    let long = "x".repeat(500);
    assert_ne!(client.get_with("/livez", ("x-request-id", &long)).header("x-request-id"), Some(long.as_str()));
}

#[test]
fn every_problem_is_listed_and_has_a_page() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    let list = client.get("/problems");
    assert_eq!(list.status, 200);
    let list = list.json();
    let types: Vec<&str> = list.as_array().unwrap().iter().map(|problem| problem["type"].as_str().unwrap()).collect();
    for name in
        ["validation", "malformed-json", "batch-not-found", "out-of-stock", "overloaded", "database-unavailable"]
    {
        assert!(types.contains(&format!("/problems/{name}").as_str()), "{name}: {types:?}");
    }
    for path in types {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
}

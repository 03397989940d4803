//! Pages of other sites, foreign host names, and proxies that change the path.

use crate::support::{Server, TestDatabase, binary};
use serde_json::json;

#[test]
fn a_page_of_another_site_cannot_confirm_a_cart() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    client.place("CART", &[("LAMP", 1)], json!({"hold_seconds": 600}));
    for header in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        client.post_with("/orders/CART/confirm", &json!({}), header).problem(403, "cross-site-request");
    }
    assert_eq!(client.order("CART")["status"], "held");
    let own = format!("http://{}", server.address());
    assert_eq!(client.post_with("/orders/CART/confirm", &json!({}), ("origin", &own)).status, 200);
}

#[test]
fn a_rebound_host_name_is_rejected() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    let refused = client.get_with("/batch", ("host", "evil.example:8000")).problem(421, "host-not-allowed");
    assert!(refused["detail"].as_str().unwrap().contains("--allowed-host evil.example"), "{refused}");
    client.post_with("/orders/O-1/confirm", &json!({}), ("host", "evil.example")).problem(421, "host-not-allowed");
    for host in ["localhost:8080", "127.0.0.1", "192.0.2.7:8000"] {
        assert_eq!(client.get_with("/batch", ("host", host)).status, 200, "{host}");
    }
    assert_eq!(client.get_with("/livez", ("host", "probe.example")).status, 200);
}

#[test]
fn names_and_origins_are_set_by_flags_or_variables() {
    let database = TestDatabase::sqlite();
    let flags = Server::start_with(&database, |command| {
        command.args([
            "--allowed-host",
            "a.example",
            "--allowed-host",
            ".svc.example",
            "--cors-origin",
            "https://a.example",
        ])
    });
    let variables = Server::start_with(&database, |command| {
        command
            .env("ALLOCATION_ALLOWED_HOSTS", "a.example,.svc.example")
            .env("ALLOCATION_CORS_ORIGINS", "https://a.example,https://b.example")
    });
    for server in [flags, variables] {
        let client = server.client();
        for host in ["a.example", "one.svc.example:8000"] {
            assert_eq!(client.get_with("/batch", ("host", host)).status, 200, "{host}");
        }
        client.get_with("/batch", ("host", "b.example")).problem(421, "host-not-allowed");
        let read = client.get_with("/batch", ("origin", "https://a.example"));
        assert_eq!(read.header("access-control-allow-origin"), Some("https://a.example"));
        let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 5});
        assert!(client.post_with("/batch", &batch, ("origin", "https://a.example")).status < 300);
        client.post_with("/batch", &batch, ("origin", "https://c.example")).problem(403, "cross-site-request");
    }
}

#[test]
fn links_work_behind_a_base_path_and_a_forwarded_prefix() {
    let database = TestDatabase::sqlite();
    let base = Server::start_with(&database, |command| command.args(["--base-path", "/shop"]));
    let client = base.client();
    assert_eq!(client.get("/shop/").header("location"), Some("/shop/docs"));
    let batch = json!({"reference": "B-1", "sku": "LAMP", "purchased_quantity": 5});
    let location = client.post("/shop/batch", &batch).header("location").unwrap().to_owned();
    assert_eq!((location.as_str(), client.get(&location).status), ("/shop/batch/B-1", 200));
    client.add_batch("B-2", "LAMP", 5, None);
    assert_eq!(client.all("/shop/batch?limit=1").len(), 2, "the links are followed as they are");
    let problem = client.get("/shop/batch/B-9").json();
    assert_eq!(client.get(problem["type"].as_str().unwrap()).json()["type"], problem["type"]);
    assert_eq!(client.get("/shop/openapi.json").json()["servers"][0]["url"], "/shop");

    let trusting = Server::start_with(&database, |command| command.arg("--trust-forwarded-prefix"));
    let root = trusting.client().get_with("/", ("x-forwarded-prefix", "/a/b"));
    assert_eq!(root.header("location"), Some("/a/b/docs"));
    let distrusting = Server::start(&database).client().get_with("/", ("x-forwarded-prefix", "/a/b"));
    assert_eq!(distrusting.header("location"), Some("/docs"));
}

#[test]
fn implausible_settings_are_rejected() {
    for arguments in [
        ["--allowed-host", "http://a.example"],
        ["--cors-origin", "a.example"],
        ["--base-path", "/batch"],
        ["--base-path", "shop"],
        ["--max-connections", "0"],
        ["--max-connections-per-address", "0"],
    ] {
        let output = binary().args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(arguments[0]), "{arguments:?}: {error}");
    }
}

//! Metrics: formats, names, and the alerts that faults fire.

mod alerts;
mod dashboard;
mod exposition;

use crate::outages::eventually;
use crate::support::{Client, Server, TestDatabase, free_port, on_every_database};
use exposition::Exposition;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

/// Metrics that only some servers have: standbys, and servers with TLS.
const OF_SOME: [&str; 4] = [
    "allocation_replication_lag_seconds",
    "allocation_tls_certificate_expiry_timestamp_seconds",
    "allocation_tls_certificate_outdated",
    "allocation_tls_handshake_failures_total",
];
const GUIDE: &str = include_str!("../../../../docs/how-to/observe.md");

/// Runs promtool, which `scripts/test` installs.
fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("promtool: {error}; run scripts/test"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Starts a server with every metric: with a broker that does not answer, so that it has a relay, and with checks.
fn with_relay(command: &mut Command) -> &mut Command {
    command
        .args(["--check-interval-seconds", "1"])
        .env("ALLOCATION_AMQP_URL", format!("amqp://127.0.0.1:{}/%2f", free_port()))
}

/// Scrapes once the backlog is read and the invariants are checked.
fn complete(client: &Client) -> Exposition {
    let has = |it: &Exposition, name| it.value(name, &[]).is_some();
    eventually("every metric exists", || {
        let scraped = Exposition::of(client);
        let complete =
            has(&scraped, "allocation_events_last_position") && has(&scraped, "allocation_check_broken_rows");
        complete.then_some(scraped)
    })
}

/// Executes commands of several kinds, refusals included.
fn trade(client: &Client) {
    client.add_batch("B-1", "LAMP", 10, None);
    assert_eq!(client.allocate("O-1", "LAMP", 4).status, 201);
    assert_eq!(client.allocate("O-2", "LAMP", 40).status, 409);
    assert_eq!(client.place("O-3", &[("LAMP", 2), ("SOFA", 1)], json!({})).status, 409);
    assert_eq!(client.get("/orders/O-9").status, 404);
    assert_eq!(client.delete("/batch/B-9").status, 404);
}

fn metrics_count_what_happened_in_both_formats(database: &TestDatabase) {
    let server = Server::start_with(database, with_relay);
    let client = server.client();
    trade(&client);
    let scraped = eventually("the backlog is read", || {
        Some(Exposition::of(&client)).filter(|it| it.value("allocation_events_last_position", &[]) == Some(2.0))
    });
    let counted = |name: &str, labels: &[(&str, &str)]| scraped.value(name, labels).unwrap_or_default();
    let requests = |method, route, status| {
        let labels = [("http_request_method", method), ("http_route", route), ("http_response_status_code", status)];
        counted("http_server_request_duration_seconds_count", &labels)
    };
    assert_eq!((requests("POST", "/allocations", "201"), requests("POST", "/allocations", "409")), (1.0, 1.0));
    assert_eq!((requests("GET", "/orders/{order_id}", "404"), requests("POST", "/orders", "409")), (1.0, 1.0));
    assert_eq!(counted("allocation_refusals_total", &[("code", "out-of-stock")]), 2.0);
    assert_eq!(counted("allocation_refusals_total", &[("code", "batch-not-found")]), 1.0);
    assert_eq!(counted("allocation_engine_lines_total", &[]), 4.0);
    assert_eq!(counted("allocation_database_up", &[]), 1.0);
    assert!(counted("allocation_commit_duration_seconds_count", &[]) >= 2.0);
    assert!(counted("allocation_thread_steps_total", &[("thread", "sweep")]) >= 1.0);
    assert_eq!(counted("allocation_events_unsequenced", &[]), 0.0);
    assert_eq!(counted("allocation_relay_backlog_events", &[]), 2.0);
    assert!(!scraped.text.contains("LAMP") && !scraped.text.contains("O-1"), "{}", scraped.text);

    let (valid, errors) = promtool(&["check", "metrics"], &scraped.text);
    assert!(valid, "{errors}\n{}", scraped.text);
    let open = client.get_with("/metrics", ("accept", "application/openmetrics-text"));
    assert!(open.text.ends_with("# EOF\n"), "{open:?}");
}

fn the_guide_names_exactly_the_metrics_that_exist(database: &TestDatabase) {
    let server = Server::start_with(database, with_relay);
    let client = server.client();
    trade(&client);
    let existing = complete(&client);
    let documented: BTreeSet<String> = GUIDE
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.contains('_') && name.chars().all(|it| it.is_ascii_lowercase() || it == '_'))
        .map(str::to_owned)
        .collect();
    let mut expected = existing.families();
    expected.extend(OF_SOME.map(str::to_owned));
    assert_eq!(documented, expected);
}

on_every_database!(metrics_count_what_happened_in_both_formats, the_guide_names_exactly_the_metrics_that_exist);

#[test]
fn metrics_can_have_an_address_of_their_own() {
    let database = TestDatabase::sqlite();
    let address = format!("127.0.0.1:{}", free_port());
    let server = Server::start_with(&database, |command| command.args(["--metrics-address", &address]));
    server.client().get("/metrics").problem(404, "not-found");
    let metrics = Client::new(&address);
    assert_eq!(Exposition::of(&metrics).value("allocation_database_up", &[]), Some(1.0));
    assert_eq!(metrics.get("/batch").status, 404, "nothing else is served there");
    server.signal("TERM");
    let (status, log) = server.wait();
    assert!(status.success(), "{log:?}");
}

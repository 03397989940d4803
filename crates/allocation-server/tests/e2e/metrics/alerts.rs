//! Each alert fires in a fault, and not before it.
//!
//! A test scrapes a real server before and during a fault. promtool evaluates the rules over both: for half an hour the
//! series have the values before the fault, for the next half an hour those during it. Counters keep growing meanwhile
//! by what the fault added.

use super::exposition::Exposition;
use super::{promtool, with_relay};
use crate::outages::{eventually, unready};
use crate::rabbitmq::with_broker;
use crate::support::{Authority, Certified, Client, Server, TestDatabase, TlsFolder, binary};
use allocation_test_support::{Replication, TestBroker, TestCluster};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/prometheus/alerts.yml");

/// The alerts, each with the test that fires it.
const FIRED: [(&str, &str); 18] = [
    ("AllocationDown", "a_dead_server"),
    ("AllocationDatabaseDown", "a_database_that_is_away"),
    ("AllocationErrorRatio", "a_database_that_is_away"),
    ("AllocationNotReady", "a_wrong_clock"),
    ("AllocationInternalErrors", "a_broken_invariant"),
    ("AllocationDrift", "a_counter_that_has_drifted"),
    ("AllocationCheckOverdue", "a_check_that_fails"),
    ("AllocationOverloaded", "a_suspended_process"),
    ("AllocationQueueFull", "a_writer_in_the_way"),
    ("AllocationSlow", "a_writer_in_the_way"),
    ("AllocationConnectionsExhausted", "locks_that_hold_all_connections"),
    ("AllocationEventsStalled", "a_log_that_takes_no_events"),
    ("AllocationRelayBehind", "a_broker_that_is_away"),
    ("AllocationEventsParked", "an_exchange_without_queues"),
    ("AllocationStandbyBehind", "a_standby_that_is_paused"),
    ("AllocationLogLinesDropped", "a_log_that_nobody_reads"),
    ("AllocationCertificateExpires", "a_certificate_that_expires_and_is_replaced_by_a_broken_one"),
    ("AllocationCertificateOutdated", "a_certificate_that_expires_and_is_replaced_by_a_broken_one"),
];

/// Asserts that an alert fires during a fault and not before.
#[track_caller]
fn assert_fires(alert: &str, before: &Exposition, during: &Exposition) {
    let mut series = String::new();
    let names: BTreeSet<&String> = before.series.keys().chain(during.series.keys()).collect();
    for name in names {
        series.push_str(&format!(
            "      - series: '{}'\n        values: '{}'\n",
            labelled(name),
            values(name, before, during)
        ));
    }
    let firing = format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}");
    let test = format!(
        "rule_files: ['{RULES}']\nevaluation_interval: 15s\ntests:\n  - interval: 15s\n    input_series:\n{series}    \
         promql_expr_test:\n      - expr: 'count({firing}) or vector(0)'\n        eval_time: 29m\n        \
         exp_samples: [{{labels: '{{}}', value: 0}}]\n      - expr: 'count({firing}) > bool 0 or vector(0)'\n        \
         eval_time: 59m\n        exp_samples: [{{labels: '{{}}', value: 1}}]\n"
    );
    let file = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    std::fs::write(file.path(), &test).unwrap();
    let (passed, output) = promtool(&["test", "rules", file.path().to_str().unwrap()], "");
    assert!(passed, "{alert}: {output}\nbefore: {}\nduring: {}", before.text, during.text);
}

/// Adds the labels of a scrape.
fn labelled(series: &str) -> String {
    let scraped = "instance=\"allocation:8000\",job=\"allocation\"";
    match series.split_once('{') {
        Some((name, labels)) => format!("{name}{{{scraped},{labels}"),
        None => format!("{series}{{{scraped}}}"),
    }
}

/// Returns the values of a series, one each 15 s, in promtool's notation: `2+3x4` begins at 2 and grows by 3, 4 times.
fn values(series: &str, before: &Exposition, during: &Exposition) -> String {
    let of = |it: &Exposition| it.series.get(series).copied();
    let first = of(before).map_or("_x120".to_owned(), |value| format!("{value}+0x119"));
    let second = match (of(before), of(during)) {
        (old, Some(new)) if during.grows(series) => {
            let growth = new - old.unwrap_or_default();
            format!("{new}+{}x120", growth.max(0.0))
        }
        (_, Some(new)) => format!("{new}+0x120"),
        (_, None) => "stale _x120".to_owned(),
    };
    format!("{first} {second}")
}

/// Scrapes until a condition holds.
fn scrape_until(client: &Client, done: impl Fn(&Exposition) -> bool) -> Exposition {
    eventually("the metrics show the fault", || Some(Exposition::of(client)).filter(|it| done(it)))
}

fn value(it: &Exposition, name: &str) -> f64 {
    it.value(name, &[]).unwrap_or_default()
}

#[test]
fn every_alert_has_a_test() {
    let rules = std::fs::read_to_string(RULES).unwrap();
    let alerts: BTreeSet<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert_eq!(alerts, FIRED.iter().map(|(alert, _)| *alert).collect());
    let tests = include_str!("alerts.rs");
    for (alert, test) in FIRED {
        let body = tests.split(&format!("fn {test}()")).nth(1).unwrap_or_else(|| panic!("there is no test {test}"));
        let body = body.split("\n}\n").next().unwrap();
        assert!(body.contains(&format!("assert_fires(\"{alert}\"")), "{test} does not fire {alert}");
    }
    let (valid, output) = promtool(&["check", "rules", RULES], "");
    assert!(valid, "{output}");
}

#[test]
fn a_dead_server() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let before = Exposition::of(&server.client());
    // Nothing is scraped from a dead server.
    drop(server);
    assert_fires("AllocationDown", &before, &Exposition::default());
}

#[test]
fn a_database_that_is_away() {
    let database = TestDatabase::postgres();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let before = Exposition::of(&client);
    database.set_away(true);
    unready(&client);
    assert_eq!(client.allocate("O-1", "LAMP", 1).status, 503);
    let during = Exposition::of(&client);
    assert_fires("AllocationDatabaseDown", &before, &during);
    assert_fires("AllocationErrorRatio", &before, &during);
    database.set_away(false);
}

#[test]
fn a_wrong_clock() {
    let database = TestDatabase::postgres();
    let (right, wrong) = (Server::start(&database), wrong_clock(&database));
    let during = scrape_until(&wrong.client(), |it| {
        it.value("allocation_readiness_check_failed", &[("check", "clock")]) == Some(1.0)
    });
    assert_fires("AllocationNotReady", &Exposition::of(&right.client()), &during);
}

fn wrong_clock(database: &TestDatabase) -> Server {
    Server::start_with(database, |command| command.args(["--clock-offset-seconds", "3600"]))
}

#[test]
fn a_broken_invariant() {
    let database = TestDatabase::postgres();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    assert_eq!(client.allocate("O-1", "LAMP", 5).status, 201);
    let before = Exposition::of(&client);
    database.execute("UPDATE batches SET allocated_quantity = 1");
    client.delete("/allocations/O-1/batch/B-1").problem(500, "internal-error");
    assert_fires("AllocationInternalErrors", &before, &Exposition::of(&client));
}

#[test]
fn a_counter_that_has_drifted() {
    let database = TestDatabase::postgres();
    let server = Server::start_with(&database, |command| command.args(["--check-interval-seconds", "1"]));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    assert_eq!(client.allocate("O-1", "LAMP", 5).status, 201);
    let before = scrape_until(&client, |it| it.value("allocation_check_broken_rows", &[]) == Some(0.0));
    database.execute("UPDATE batches SET allocated_quantity = 4");
    let during = scrape_until(&client, |it| value(it, "allocation_check_broken_rows") > 0.0);
    assert_fires("AllocationDrift", &before, &during);
}

#[test]
fn a_check_that_fails() {
    let database = TestDatabase::postgres();
    let server = Server::start_with(&database, |command| command.args(["--check-interval-seconds", "1"]));
    let client = server.client();
    // Without products, nothing would be compared.
    client.add_batch("B-1", "LAMP", 100, None);
    let before = scrape_until(&client, |it| it.value("allocation_check_broken_rows", &[]) == Some(0.0));
    database.execute("ALTER TABLE line_parts RENAME TO hidden");
    let during = scrape_until(&client, |it| value(it, "allocation_check_age_seconds") > 4.0);
    assert_fires("AllocationCheckOverdue", &before, &lasting(during, "allocation_check_age_seconds", 1_000.0));
}

#[test]
fn a_suspended_process() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, |command| command.env("ALLOCATION_MAX_COMMAND_AGE_SECONDS", "1"));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let before = Exposition::of(&client);
    server.signal("STOP");
    thread::scope(|scope| {
        let late = scope.spawn(|| server.client().allocate("O-1", "LAMP", 1));
        // Longer than a command may wait.
        thread::sleep(Duration::from_secs(3));
        server.signal("CONT");
        late.join().unwrap().problem(503, "overloaded");
    });
    assert_fires("AllocationOverloaded", &before, &Exposition::of(&client));
}

#[test]
fn a_writer_in_the_way() {
    /// Orders of 500 lines, which fill a queue of 4,096 lines while the first ones wait for the writer.
    const ORDERS: usize = 9;
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let before = Exposition::of(&client);
    let held = database.hold_write_lock();
    let during = thread::scope(|scope| {
        for number in 0..ORDERS {
            let client = server.client();
            scope.spawn(move || {
                let skus: Vec<String> = (0..500).map(|sku| format!("SKU-{sku}")).collect();
                let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
                // Refused sooner or later, as no stock exists.
                client.place(&format!("O-{number}"), &lines, json!({}));
            });
        }
        let full = scrape_until(&client, |it| {
            let queue = [("queue", "several-skus")];
            let of = |name| it.value(name, &queue).unwrap();
            of("allocation_engine_queued_lines") / of("allocation_engine_queue_capacity_lines") > 0.75
        });
        assert_fires("AllocationQueueFull", &before, &full);
        thread::sleep(Duration::from_secs(2));
        drop(held);
        scrape_until(&client, |it| {
            it.value("allocation_engine_queued_lines", &[("queue", "several-skus")]) == Some(0.0)
        })
    });
    assert!(!during.text.is_empty());
    let after = scrape_until(&client, |it| {
        let labels = [("http_request_method", "POST"), ("http_route", "/orders")];
        it.value("http_server_request_duration_seconds_count", &labels).is_some()
    });
    assert_fires("AllocationSlow", &before, &after);
}

#[test]
fn locks_that_hold_all_connections() {
    let database = TestDatabase::postgres();
    let server = Server::start_with(&database, |command| command.args(["--pool-size", "2"]));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let before = Exposition::of(&client);
    let held = database.hold("LOCK TABLE products IN ACCESS EXCLUSIVE MODE");
    let during = thread::scope(|scope| {
        for number in 0..6 {
            let client = server.client();
            scope.spawn(move || client.add_batch(&format!("C-{number}"), "LAMP", 1, None));
        }
        let during = scrape_until(&client, |it| value(it, "allocation_database_connection_timeouts_total") > 0.0);
        drop(held);
        during
    });
    assert_fires("AllocationConnectionsExhausted", &before, &during);
}

#[test]
fn a_log_that_takes_no_events() {
    let database = TestDatabase::postgres();
    let server = Server::start(&database);
    let client = server.client();
    let before = scrape_until(&client, |it| it.value("allocation_events_unsequenced", &[]).is_some());
    database.execute("ALTER TABLE event_blocks ADD CONSTRAINT closed CHECK (false) NOT VALID");
    client.add_batch("B-1", "LAMP", 100, None);
    database.execute("UPDATE outbox_blocks SET occurred_at = occurred_at - 60000000");
    let during = scrape_until(&client, |it| value(it, "allocation_events_oldest_unsequenced_age_seconds") > 30.0);
    assert_fires("AllocationEventsStalled", &before, &during);
}

#[test]
fn a_broker_that_is_away() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, with_relay);
    let client = server.client();
    let before = scrape_until(&client, |it| it.value("allocation_relay_backlog_events", &[]) == Some(0.0));
    client.add_batch("B-1", "LAMP", 100, None);
    scrape_until(&client, |it| value(it, "allocation_relay_backlog_events") == 1.0);
    database.execute("UPDATE event_blocks SET occurred_at = occurred_at - 600000000");
    let during = scrape_until(&client, |it| value(it, "allocation_relay_oldest_age_seconds") > 300.0);
    assert_fires("AllocationRelayBehind", &before, &during);
}

#[test]
fn an_exchange_without_queues() {
    let (database, broker) = (TestDatabase::sqlite(), TestBroker::shared());
    let server = Server::start_with(&database, |command| with_broker(command, &broker));
    let client = server.client();
    let before = scrape_until(&client, |it| it.value("allocation_relay_parked_events", &[]).is_some());
    client.add_batch("B-1", "LAMP", 100, None);
    let during = scrape_until(&client, |it| value(it, "allocation_relay_parked_events") > 0.0);
    assert_fires("AllocationEventsParked", &before, &during);
}

#[test]
fn a_standby_that_is_paused() {
    let cluster = TestCluster::start(Replication::Asynchronous);
    let database = TestDatabase::postgres_on(&cluster.url());
    let primary = Server::start(&database);
    let url = database.url_on(&cluster.standby_url());
    primary.client().add_batch("B-1", "LAMP", 100, None);
    eventually("the standby has the schema", || {
        let answer = Command::new(binary().get_program())
            .args(["migrate", "status", "--read-only"])
            .env("DATABASE_URL", &url)
            .output();
        answer.ok().filter(|output| output.status.success())
    });
    let standby = Server::start_at(&url, |command| command.arg("--read-only"));
    let client = standby.client();
    let before = scrape_until(&client, |it| it.value("allocation_replication_lag_seconds", &[]).is_some());
    cluster.execute_on_standby("SELECT pg_wal_replay_pause()");
    let during = scrape_until(&client, |it| {
        value(it, "allocation_replication_lag_seconds") > value(&before, "allocation_replication_lag_seconds") + 2.0
    });
    assert_fires("AllocationStandbyBehind", &before, &lasting(during, "allocation_replication_lag_seconds", 30.0));
}

/// Returns an exposition as it is after a fault has lasted `times` as long.
fn lasting(mut during: Exposition, gauge: &str, times: f64) -> Exposition {
    *during.series.get_mut(gauge).unwrap() *= times;
    during
}

#[test]
fn a_log_that_nobody_reads() {
    let database = TestDatabase::sqlite();
    let port = crate::support::free_port();
    let mut command = binary();
    command.args(["--address", &format!("127.0.0.1:{port}")]);
    command.env("DATABASE_URL", database.url()).env("RUST_LOG", "trace").stderr(Stdio::piped());
    let mut server = Killed(command.spawn().unwrap());
    let client = Client::new(&format!("127.0.0.1:{port}"));
    // The log is read until the server serves, and not any more from then on.
    let mut log = server.0.stderr.take().unwrap();
    let mut start = [0; 4_096];
    let before = eventually("it serves", || {
        assert!(log.read(&mut start).unwrap() > 0);
        client.try_get("/metrics").filter(|answer| answer.status == 200).map(|_| Exposition::of(&client))
    });
    let during = scrape_until(&client, |it| {
        client.get("/orders");
        value(it, "allocation_log_lines_dropped_total") > 0.0
    });
    assert_fires("AllocationLogLinesDropped", &before, &during);
}

/// A process that is killed when the value is dropped.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_certificate_that_expires_and_is_replaced_by_a_broken_one() {
    let (authority, database) = (Authority::new(), TestDatabase::sqlite());
    let files = TlsFolder::new(&authority.sign(2040));
    let server = Server::start_with(&database, |command| {
        command.arg("--tls-certificate").arg(files.certificate()).arg("--tls-key").arg(files.key())
    });
    let client = Client::over_unverified_tls(server.address());
    let before = Exposition::of(&client);
    let expiry = |it: &Exposition| value(it, "allocation_tls_certificate_expiry_timestamp_seconds");
    // The clock of promtool begins in 1970.
    files.write(&authority.sign(1970));
    scrape_until(&client, |it| expiry(it) < expiry(&before));
    files.write(&Certified { key: String::new(), ..authority.sign(2040) });
    let during = scrape_until(&client, |it| value(it, "allocation_tls_certificate_outdated") == 1.0);
    assert_fires("AllocationCertificateExpires", &before, &during);
    assert_fires("AllocationCertificateOutdated", &before, &during);
}

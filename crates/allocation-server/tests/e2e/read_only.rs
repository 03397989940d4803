//! Servers that only read: from a standby, or beside the servers that write.

use crate::events::Stream;
use crate::outages::{eventually, ready, unready};
use crate::support::{Client, Server, TestDatabase, binary, on_every_database};
use allocation_test_support::{Replication, TestCluster};
use serde_json::json;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Paths of every kind of read, for the data of [`trade`].
const READS: [&str; 20] = [
    "/allocations",
    "/allocations?order_id=O-1",
    "/allocations?reference=B-1",
    "/backorders?sku=LAMP",
    "/batch",
    "/batch?sku=LAMP",
    "/batch?overdue=true",
    "/batch/B-1",
    "/events?after=0",
    "/events?after=0&subject=orders/O-1",
    "/events?after=0&type=allocation.line.allocated.v1",
    "/orders",
    "/orders?status=held",
    "/orders/O-1",
    "/orders/O-1/history",
    "/pick-lists",
    "/pick-lists/MORNING",
    "/products",
    "/products/LAMP",
    "/products/LAMP/availability?qty=3",
];

fn read_only(command: &mut Command) -> &mut Command {
    command.arg("--read-only")
}

/// Executes commands of every kind.
fn trade(client: &Client) {
    for (reference, eta) in [("B-1", None), ("B-2", Some("2027-01-15")), ("B-3", Some("2026-11-01"))] {
        assert_eq!(client.add_batch(reference, "LAMP", 10, eta).status, 201);
    }
    assert_eq!(client.allocate("O-1", "LAMP", 4).status, 201);
    assert_eq!(client.place("O-2", &[("LAMP", 3)], json!({"hold_seconds": 3_600})).status, 201);
    assert_eq!(client.place("O-3", &[("LAMP", 40)], json!({"on_shortage": "backorder"})).status, 201);
    assert_eq!(client.post("/pick-lists", &json!({"pick_list_id": "MORNING", "skus": ["LAMP"]})).status, 201);
}

/// Waits until a reader has the newest event of a writer.
fn await_events(writer: &Client, reader: &Client) {
    eventually("events are missing", || {
        let all = |client: &Client| client.all_events();
        let written = all(writer);
        (written.last().is_some() && written == all(reader)).then_some(())
    });
}

fn assert_same_reads(writer: &Client, reader: &Client) {
    for path in READS {
        let (written, read) = (writer.get(path), reader.get(path));
        assert_eq!((written.status, &written.text), (200, &read.text), "{path}");
        assert_eq!(written.header("link"), read.header("link"), "{path}");
    }
}

fn assert_rejects_writes(reader: &Client) {
    let line = json!({"order_id": "O-9", "sku": "LAMP", "qty": 1});
    reader.post("/allocations", &line).problem(403, "read-only");
    reader.post("/allocations/bulk", &json!([line])).problem(403, "read-only");
    reader.register("SOFA").problem(403, "read-only");
    reader.change_batch("B-1", &json!({"purchased_quantity": 9})).problem(403, "read-only");
    reader.cancel("O-1").problem(403, "read-only");
}

#[test]
fn a_standby_serves_every_read_and_the_feed_of_its_primary() {
    let cluster = TestCluster::start(Replication::Asynchronous);
    let database = TestDatabase::postgres_on(&cluster.url());
    let primary = Server::start(&database);
    let (writer, url) = (primary.client(), database.url_on(&cluster.standby_url()));
    trade(&writer);
    eventually("the standby has no schema", || standby_has_schema(&url));
    let standby = Server::start_at(&url, read_only);
    let reader = standby.client();
    await_events(&writer, &reader);
    assert_same_reads(&writer, &reader);
    assert_rejects_writes(&reader);
    let mut stream = Stream::open(&standby, "/events/stream?after=0&subject=orders/O-4", None);
    assert_eq!(writer.add_batch("B-4", "STOOL", 5, None).status, 201);
    assert_eq!(writer.allocate("O-4", "STOOL", 1).status, 201);
    assert_eq!(stream.next().unwrap()["type"], "allocation.line.allocated.v1");
    let answer = reader.get("/readyz");
    assert!(answer.status == 200 && answer.json()["replication_lag_seconds"].is_f64(), "{answer:?}");
    assert!(!standby.log().iter().any(|line| line.contains("ERROR") || line.contains("WARN")), "{:?}", standby.log());
}

/// Returns whether a standby has the tables of the service.
fn standby_has_schema(url: &str) -> Option<()> {
    let output = binary().args(["migrate", "status"]).env("DATABASE_URL", url).output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("applied").then_some(())
}

#[test]
fn a_standby_that_lags_stays_ready_with_its_lag_and_is_read_after_its_promotion() {
    let mut cluster = TestCluster::start(Replication::Asynchronous);
    let database = TestDatabase::postgres_on(&cluster.url());
    let primary = Server::start(&database);
    let url = database.url_on(&cluster.standby_url());
    eventually("the standby has no schema", || standby_has_schema(&url));
    let standby = Server::start_at(&url, read_only);
    let (writer, reader) = (primary.client(), standby.client());
    let lag = || {
        let answer = reader.get("/readyz");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["replication_lag_seconds"].as_f64()
    };
    eventually("the standby does not follow", || lag().filter(|lag| *lag < 3.0));
    cluster.execute_on_standby("SELECT pg_wal_replay_pause()");
    writer.add_batch("B-1", "LAMP", 5, None);
    eventually("the lag is not reported", || lag().filter(|lag| *lag > 3.0));
    assert_eq!(reader.get("/batch/B-1").status, 404, "the standby is behind");
    cluster.execute_on_standby("SELECT pg_wal_replay_resume()");
    eventually("the batch does not arrive", || (reader.get("/batch/B-1").status == 200).then_some(()));
    cluster.fail_over();
    eventually("the lag stays", || lag().is_none().then_some(()));
    ready(&writer);
    assert_eq!(writer.allocate("O-1", "LAMP", 1).status, 201);
    assert_eq!(reader.standing("O-1"), "allocated LAMP 1 (B-1 1)");
    assert_rejects_writes(&reader);
}

#[test]
fn a_standby_that_is_restarted_without_its_primary_reports_that_its_lag_is_unknown() {
    let cluster = TestCluster::start(Replication::Asynchronous);
    let database = TestDatabase::postgres_on(&cluster.url());
    let primary = Server::start(&database);
    trade(&primary.client());
    let url = database.url_on(&cluster.standby_url());
    eventually("the standby has no schema", || standby_has_schema(&url));
    drop(primary);
    cluster.restart_standby_alone();
    let standby = Server::start_at(&url, read_only);
    let reader = standby.client();
    assert_eq!(reader.get("/readyz").json(), json!({"status": "ok", "replication_lag": "unknown"}));
    assert_eq!(reader.get("/batch/B-1").status, 200);
}

#[test]
fn reads_that_the_recovery_of_a_standby_cancels_are_retried() {
    let cluster = TestCluster::start(Replication::Asynchronous);
    let database = TestDatabase::postgres_on(&cluster.url());
    let primary = Server::start(&database);
    let writer = primary.client();
    for number in 0..300 {
        writer.add_batch(&format!("B-{number}"), &format!("SKU-{number}"), 1_000, None);
    }
    drop(primary);
    // A read takes a third of a second, so that rows that it still sees are removed meanwhile.
    database.execute("ALTER TABLE products RENAME TO stored_products");
    database.execute("CREATE VIEW products AS SELECT * FROM stored_products WHERE pg_sleep(0.001) IS NOT NULL");
    let url = database.url_on(&cluster.standby_url());
    cluster.execute_on_standby("ALTER SYSTEM SET max_standby_streaming_delay = 0");
    cluster.execute_on_standby("SELECT pg_reload_conf()");
    eventually("the standby has no schema", || standby_has_schema(&url));
    let standby = Server::start_at(&url, read_only);
    let (answers, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let reader = standby.client();
            while !stopped.load(Ordering::Relaxed) {
                let answer = reader.get("/products?limit=1000");
                assert_eq!(answer.status, 200, "{answer:?}");
                assert_eq!(answer.json().as_array().map(Vec::len), Some(300), "{answer:?}");
                answers.fetch_add(1, Ordering::Relaxed);
            }
        });
        // Only the reader runs statements in this database of the standby.
        let cancelled = "SELECT confl_snapshot FROM pg_stat_database_conflicts WHERE datname LIKE 'test_%'";
        let _stop = StopOnDrop(&stopped);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !reading.is_finished() && cluster.count_on_standby(cancelled) < 3 {
            assert!(Instant::now() < deadline, "recovery cancelled no read");
            let before = answers.load(Ordering::Relaxed);
            database.execute("UPDATE stored_products SET held = held");
            database.execute("VACUUM stored_products");
            eventually("no read succeeds", || {
                (reading.is_finished() || answers.load(Ordering::Relaxed) > before).then_some(())
            });
        }
    });
}

/// Stops a reader, also when the test panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_database_whose_transactions_are_read_only_is_read() {
    let database = TestDatabase::postgres();
    let writer = Server::start(&database);
    trade(&writer.client());
    let name = database.url().rsplit_once('/').unwrap().1.split('?').next().unwrap().to_owned();
    database.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let reader = Server::start_with(&database, read_only);
    await_events(&writer.client(), &reader.client());
    assert_same_reads(&writer.client(), &reader.client());
    assert_eq!(reader.client().get("/readyz").json(), json!({"status": "ok"}));
}

on_every_database!(
    a_read_only_server_reads_beside_and_after_the_servers_that_write,
    a_read_only_server_runs_no_migrations,
    a_read_only_server_notices_that_it_is_shut_out,
);

fn a_read_only_server_reads_beside_and_after_the_servers_that_write(database: &TestDatabase) {
    let writer = Server::start(database);
    let reader = Server::start_with(database, |command| command.env("ALLOCATION_READ_ONLY", "true"));
    trade(&writer.client());
    await_events(&writer.client(), &reader.client());
    assert_same_reads(&writer.client(), &reader.client());
    let order = writer.client().order("O-1");
    drop(writer);
    assert_rejects_writes(&reader.client());
    let late = Server::start_with(database, read_only);
    for reader in [&reader, &late] {
        assert_eq!(reader.client().order("O-1"), order);
        // No server sequences events, which is not this server's task.
        ready(&reader.client());
    }
    late.signal("TERM");
    assert_eq!(late.wait().0.code(), Some(0));
}

fn a_read_only_server_runs_no_migrations(database: &TestDatabase) {
    database.execute("SELECT 1");
    let mut command = binary();
    command.args(["serve", "--read-only", "--address", "127.0.0.1:0", "--log-format", "json"]);
    let output = command.env("DATABASE_URL", database.url()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("allocation migrate up"), "{error}");
    let status = binary().args(["migrate", "status"]).env("DATABASE_URL", database.url()).output().unwrap();
    assert!(!String::from_utf8_lossy(&status.stdout).contains("applied"), "{status:?}");
}

fn a_read_only_server_notices_that_it_is_shut_out(database: &TestDatabase) {
    drop(Server::start(database));
    let reader = Server::start_with(database, read_only);
    ready(&reader.client());
    database.execute("UPDATE schema_generation SET generation = 99");
    unready(&reader.client()).problem(503, "schema-not-current");
}

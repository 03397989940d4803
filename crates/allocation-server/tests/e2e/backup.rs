//! Backups under load, and restored databases whose events have ids that no reader has seen.

use crate::stress::invariants::check_counters;
use crate::support::{Client, Server, TestDatabase, binary};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The number of clients that write during the backup, and of their lines.
const CLIENTS: u64 = 4;
const LINES: u64 = 150;

/// Runs a command of the program on a database.
fn run(database: &TestDatabase, arguments: &[&str]) -> Output {
    binary().args(arguments).env("DATABASE_URL", database.url()).output().unwrap()
}

#[track_caller]
fn succeed(database: &TestDatabase, arguments: &[&str]) -> String {
    let output = run(database, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fail(database: &TestDatabase, arguments: &[&str]) -> String {
    let output = run(database, arguments);
    assert!(!output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn id(event: &Value) -> u64 {
    event["id"].as_str().unwrap().parse().unwrap()
}

fn stop(server: Server) {
    server.signal("TERM");
    let (status, log) = server.wait();
    assert!(status.success(), "{log:?}");
}

/// Asserts that a reader of the earlier log learns that its position is gone, and that new events have new ids.
#[track_caller]
fn assert_new_ids(client: &Client, last_seen: u64) {
    for seen in [1, last_seen, last_seen + 1] {
        client.get(&format!("/events?after={seen}")).problem(410, "events-gone");
    }
    let oldest = client.get(&format!("/events?after={last_seen}")).json()["oldest"].as_str().unwrap().to_owned();
    assert_eq!(client.allocate("O-NEW", "LAMP", 1).status, 201);
    let followed = client.get(&format!("/events?after={oldest}&limit=1000&wait=20")).json();
    let ids: Vec<u64> = followed.as_array().unwrap().iter().map(id).collect();
    assert!(ids.iter().all(|id| *id > last_seen) && !ids.is_empty(), "{ids:?}");
}

#[test]
fn a_backup_taken_under_load_is_complete_and_its_restore_gives_events_new_ids() {
    let database = TestDatabase::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.db");
    let name = file.to_str().unwrap();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100_000, None);
    let acknowledged = AtomicU64::new(0);
    let certain = thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (client, acknowledged) = (server.client(), &acknowledged);
            scope.spawn(move || {
                for line in 0..LINES {
                    assert_eq!(client.allocate(&format!("O-{number}-{line}"), "LAMP", 1).status, 201);
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        while acknowledged.load(Ordering::SeqCst) < LINES {
            thread::yield_now();
        }
        let certain = acknowledged.load(Ordering::SeqCst);
        succeed(&database, &["backup", name]);
        certain
    });
    let all = client.get("/batch/B-1").json()["allocated_quantity"].as_u64().unwrap();
    assert_eq!(all, CLIENTS * LINES);
    let seen = id(client.all_events().last().unwrap());

    assert!(fail(&database, &["backup", name]).contains("exists"));
    assert!(fail(&database, &["restore", name]).contains("--yes"));
    assert!(fail(&database, &["restore", name, "--yes"]).contains("running"));
    stop(server);
    succeed(&database, &["restore", name, "--yes"]);
    let checked: Value = serde_json::from_str(&succeed(&database, &["check", "--json"])).unwrap();
    assert_eq!((&checked["ok"], &checked["products"], &checked["findings"]), (&json!(true), &json!(1), &json!([])));
    check_counters(&database);

    let server = Server::start(&database);
    let client = server.client();
    let restored = client.get("/batch/B-1").json()["allocated_quantity"].as_u64().unwrap();
    assert!((certain..=all).contains(&restored), "{restored} of {all}, {certain} before the backup");
    let history = client.all("/orders/O-0-0/history");
    assert_eq!(history.len(), 1, "{history:?}");
    assert_new_ids(&client, seen);
}

#[test]
fn a_check_of_a_database_that_has_drifted_fails_and_names_the_drift() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    server.client().add_batch("B-1", "LAMP", 10, None);
    assert_eq!(server.client().allocate("O-1", "LAMP", 4).status, 201);
    database.execute("UPDATE batches SET allocated_quantity = 3");
    let output = run(&database, &["check", "--json"]);
    assert!(!output.status.success(), "{output:?}");
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&checked["ok"], &checked["findings"][0]["rows"]), (&json!(false), &json!(1)), "{checked}");
}

#[test]
fn a_restored_postgres_database_gets_new_ids_while_no_server_runs() {
    let database = TestDatabase::postgres();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    assert_eq!(client.allocate("O-1", "LAMP", 1).status, 201);
    let seen = crate::outages::eventually("the events have positions", || client.all_events().get(1).map(id));
    assert!(fail(&database, &["restore", "--yes"]).contains("running"));
    stop(server);
    assert!(fail(&database, &["backup", "never.db"]).contains("pg_dump"));
    assert!(fail(&database, &["restore", "never.db", "--yes"]).contains("pg_restore"));
    assert!(!Path::new("never.db").exists());
    succeed(&database, &["restore", "--yes"]);
    assert_new_ids(&Server::start(&database).client(), seen);
}

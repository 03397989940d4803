//! Programs of another generation of the schema.

use crate::outages::{ready, unready};
use crate::support::{Server, TestDatabase, binary, on_every_database};
use serde_json::json;
use std::process::Output;

on_every_database!(
    a_replica_goes_on_and_starts_on_an_expanded_schema,
    a_replica_that_is_shut_out_writes_nothing,
    migrations_are_not_undone_under_a_server,
);

fn run(database: &TestDatabase, arguments: &[&str]) -> Output {
    binary().args(arguments).env("DATABASE_URL", database.url()).output().unwrap()
}

fn a_replica_goes_on_and_starts_on_an_expanded_schema(database: &TestDatabase) {
    let server = Server::start(database);
    assert_eq!(server.client().add_batch("B", "LAMP", 10, None).status, 201);
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')");
    let goes_on = |server: &Server, order_id: &str| {
        ready(&server.client());
        assert_eq!(server.client().allocate(order_id, "LAMP", 1).status, 201);
    };
    goes_on(&server, "O-1");
    drop(server);
    goes_on(&Server::start(database), "O-2");
    assert!(run(database, &["check"]).status.success());
}

fn a_replica_that_is_shut_out_writes_nothing(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    assert_eq!(client.add_batch("B", "LAMP", 10, None).status, 201);
    assert_eq!(client.allocate("O-1", "LAMP", 1).status, 201);
    let counted = || {
        let tables = ["products", "batches", "order_lines", "all_events", "orders", "pick_lists"];
        tables.map(|table| database.count(&format!("SELECT count(*) FROM {table}")))
    };
    let before = counted();
    database.execute("UPDATE schema_generation SET generation = 99");
    for answer in [
        client.allocate("O-2", "LAMP", 1),
        client.place("O-3", &[("LAMP", 1)], json!({})),
        client.add_batch("B-2", "RUG", 1, None),
        client.give_back("O-1", "B"),
        client.cancel("O-1"),
        client.change_batch("B", &json!({"purchased_quantity": 5})),
        client.post("/pick-lists", &json!({})),
    ] {
        let problem = answer.problem(503, "schema-not-current");
        assert!(problem["detail"].as_str().unwrap().contains("generation 99"), "{problem}");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    unready(&client).problem(503, "schema-not-current");
    assert_eq!(client.get("/batch/B").status, 200, "stored rows can be read");
    assert_eq!(counted(), before);
    database.execute("UPDATE schema_generation SET generation = 1");
    assert_eq!(client.allocate("O-2", "LAMP", 1).status, 201);
    ready(&client);
}

fn migrations_are_not_undone_under_a_server(database: &TestDatabase) {
    let server = Server::start(database);
    let asked = run(database, &["migrate", "down"]);
    assert!(!asked.status.success() && String::from_utf8_lossy(&asked.stderr).contains("--yes"), "{asked:?}");
    while database.count("SELECT count(*) FROM leases") == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let refused = run(database, &["migrate", "down", "--yes"]);
    assert!(!refused.status.success(), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a server that uses the database is running"));
    assert_eq!(server.client().add_batch("B", "LAMP", 10, None).status, 201);
    server.signal("KILL");
    server.wait();
    // Its lease has expired, and may pass to another server.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(!run(database, &["migrate", "down", "--yes"]).status.success());
    let server = Server::start(database);
    server.signal("TERM");
    server.wait();
    assert!(run(database, &["migrate", "down", "--yes"]).status.success());
}

#[test]
fn only_a_server_and_migrate_up_create_a_file() {
    let database = TestDatabase::sqlite();
    let path = std::path::Path::new(database.url().strip_prefix("sqlite://").unwrap());
    drop(std::fs::remove_file(path));
    for arguments in [
        &["migrate", "status"][..],
        &["migrate", "down", "--yes"],
        &["outbox", "status"],
        &["outbox", "retry"],
        &["check"],
        &["repair", "clock", "--yes"],
    ] {
        let output = run(&database, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("there is no database sqlite://"), "{arguments:?}: {error}");
        assert!(!path.exists(), "{arguments:?} has made a file");
    }
}

//! The responses of the service when the database fails.

use crate::outages::{ready, unready};
use crate::support::{Answer, Client, Server, TestDatabase, expire_at, now, on_every_database, swept};
use serde_json::json;
use std::thread;

fn assert_reveals_nothing(answer: &Answer) {
    let text = answer.text.to_lowercase();
    for secret in ["select", "insert", "no such table", "relation", "diesel", ".rs", "sqlite", "postgres", "panicked"] {
        assert!(!text.contains(secret), "{secret}: {answer:?}");
    }
}

fn a_broken_schema_is_a_clean_500_with_its_cause_in_the_log(database: &TestDatabase) {
    let server = Server::start(database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    database.execute("DROP VIEW allocations");
    database.execute("ALTER TABLE order_lines RENAME TO other_lines");
    let read = client.get_with("/allocations", ("x-request-id", "the-read"));
    read.problem(500, "internal-error");
    assert_eq!(read.header("x-request-id"), Some("the-read"));
    let write = client.allocate("O-1", "LAMP", 1);
    write.problem(500, "internal-error");
    for answer in [read, write] {
        assert_reveals_nothing(&answer);
    }
    let logged =
        |line: &&String| line.contains("\"ERROR\"") && line.contains("the-read") && line.contains("allocations");
    assert_eq!(server.log().iter().filter(logged).count(), 1, "{:?}", server.log());
    assert_eq!(client.get("/readyz").status, 200, "requests that do not need the table work");
}

fn a_schema_of_another_version_is_not_ready(database: &TestDatabase) {
    let server = Server::start(database);
    assert_eq!(server.client().get("/readyz").status, 200);
    database.execute("UPDATE schema_generation SET generation = 99");
    let answer = unready(&server.client());
    let problem = answer.problem(503, "schema-not-current");
    assert_eq!(problem["checks"][0]["name"], "schema");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(server.client().get("/livez").status, 200);
}

on_every_database!(a_broken_schema_is_a_clean_500_with_its_cause_in_the_log, a_schema_of_another_version_is_not_ready,);

mod postgres_away {
    use super::*;

    #[test]
    fn a_lost_database_is_a_503_until_it_is_back() {
        let database = TestDatabase::postgres();
        let server = Server::start(&database);
        let client = server.client();
        client.add_batch("B-1", "LAMP", 50, None);
        assert_eq!(client.allocate("O-0", "LAMP", 1).status, 201);
        client.place("O-H", &[("LAMP", 1)], json!({"hold_seconds": 600}));
        expire_at(&database, "O-H", now() + 1_000_000);
        database.set_away(true);
        unready(&client).problem(503, "database-unavailable");
        // Concurrently, because each waits for a connection or for its turn before it fails.
        let requests: [fn(&Client) -> Answer; 18] = [
            |client| client.get("/batch/B-1"),
            |client| client.get("/batch"),
            |client| client.get("/allocations?sku=LAMP"),
            |client| client.allocate("O-1", "LAMP", 1),
            |client| client.add_batch("B-2", "LAMP", 1, None),
            |client| client.delete("/batch/B-1"),
            |client| client.change_batch("B-1", &json!({"purchased_quantity": 1})),
            |client| client.give_back("O-0", "B-1"),
            |client| client.place("O-2", &[("LAMP", 1)], json!({})),
            |client| client.get("/orders/O-0"),
            |client| client.get("/orders"),
            |client| client.get("/orders/O-0/history"),
            |client| client.confirm("O-H"),
            |client| client.extend("O-H", 60),
            |client| client.cancel("O-0"),
            |client| client.get("/backorders"),
            |client| client.get("/products/LAMP"),
            |client| client.get("/products/LAMP/availability"),
        ];
        let answers: Vec<Answer> = thread::scope(|scope| {
            let threads: Vec<_> = requests.iter().map(|ask| scope.spawn(|| ask(&client))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for answer in answers {
            answer.problem(503, "database-unavailable");
            assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
            assert_reveals_nothing(&answer);
        }
        assert_eq!(client.get("/livez").status, 200);
        database.set_away(false);
        ready(&client);
        assert_eq!(client.allocate("O-1", "LAMP", 1).status, 201);
        assert_eq!(client.available("B-1"), 48);
        client.confirm("O-H").problem(409, "hold-expired");
        swept(&database, "O-H");
    }
}

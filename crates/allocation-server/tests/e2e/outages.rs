//! Databases that fail, fall silent or reject writes: readiness, responses and log.

use crate::support::{Answer, Client, Proxy, Server, TestDatabase, binary, free_port, on_every_database};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Waits until `done`, generously, because these tests are not about speed.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until it is ready.
pub(crate) fn ready(client: &Client) {
    eventually("it is not ready", || (client.get("/readyz").status == 200).then_some(()));
}

/// Waits until it is not ready, and returns the problem.
#[track_caller]
pub(crate) fn unready(client: &Client) -> Answer {
    eventually("it stays ready", || Some(client.get("/readyz")).filter(|answer| answer.status == 503))
}

/// The warnings and errors of the log, and the lines that report a recovery.
fn warnings(server: &Server) -> Vec<String> {
    let message = |line: &String| {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = line["message"].as_str().unwrap_or_default();
        let counts = line["level"] != "INFO" && line["level"] != "DEBUG" || message.contains("resumed");
        counts.then(|| message.to_owned())
    };
    server.log().iter().filter_map(message).collect()
}

fn through(url: &str) -> impl FnOnce(&mut Command) -> &mut Command {
    move |command| command.env("DATABASE_URL", url)
}

#[test]
fn a_silent_database_blocks_neither_callers_nor_readiness_nor_shutdown() {
    let database = TestDatabase::postgres();
    let (proxy, url) = Proxy::of(database.url());
    let server = Server::start_with(&database, through(&url));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    ready(&client);
    proxy.set_silent(true);
    // The test waits for every response: the server's own limits are longer.
    thread::scope(|scope| {
        let asking: Vec<_> = (0..12)
            .map(|number| {
                let client = server.client();
                scope.spawn(move || match number % 3 {
                    0 => client.allocate(&format!("O-{number}"), "LAMP", 1),
                    1 => client.get("/batch/B-1"),
                    _ => client.cancel(&format!("O-{number}")),
                })
            })
            .collect();
        unready(&client).problem(503, "database-unavailable");
        for answer in asking {
            let answer = answer.join().unwrap();
            assert_eq!(answer.status, 503, "{answer:?}");
        }
    });
    assert_eq!(client.get("/livez").status, 200);
    proxy.set_silent(false);
    ready(&client);
    assert_eq!(client.allocate("O-after", "LAMP", 1).status, 201);
    proxy.set_silent(true);
    unready(&client);
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log:?}");
}

#[test]
fn a_cut_connection_fails_no_request() {
    let database = TestDatabase::postgres();
    let (proxy, url) = Proxy::of(database.url());
    let server = Server::start_with(&database, through(&url));
    for number in 0..4 {
        server.client().add_batch(&format!("B-{number}"), &format!("SKU-{number}"), 1_000_000, None);
    }
    let (over, served) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        for number in 0..4 {
            let (client, over, served) = (server.client(), &over, &served);
            scope.spawn(move || {
                for time in 0.. {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    let (order, sku) = (format!("O-{number}-{time}"), format!("SKU-{number}"));
                    let answers = [
                        client.allocate(&order, &sku, 1),
                        client.get(&format!("/batch/B-{number}")),
                        client.get(&format!("/orders/{order}")),
                    ];
                    for answer in answers {
                        assert!(answer.status < 300, "{answer:?}");
                        served.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        let mut cuts = 0;
        let until = Instant::now() + Duration::from_secs(60);
        while (cuts < 100 || served.load(Ordering::SeqCst) < 400) && Instant::now() < until {
            proxy.cut_one();
            cuts += 1;
            thread::sleep(Duration::from_millis(50));
        }
        over.store(true, Ordering::SeqCst);
    });
    assert!(served.load(Ordering::SeqCst) >= 400);
}

#[test]
fn an_outage_logs_two_lines_for_each_component_with_the_cause() {
    let database = TestDatabase::postgres();
    let (proxy, url) = Proxy::of(database.url());
    let server = Server::start_with(&database, through(&url));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    ready(&client);
    let before = warnings(&server).len();
    database.set_away(true);
    unready(&client).problem(503, "database-unavailable");
    for number in 0..10 {
        let line = serde_json::json!({"order_id": format!("O-{number}"), "sku": "LAMP", "qty": 1});
        assert!(client.post("/allocations", &line).status >= 500);
    }
    proxy.cut();
    database.set_away(false);
    ready(&client);
    let parts = ["the database", "database access of requests", "event sequencing"];
    let changes = eventually("a part does not resume", || {
        client.get("/batch/B-1");
        let changes = changes(&warnings(&server)[before..]);
        let all = parts.iter().all(|part| changes.contains_key(*part));
        let resumed = |of: &Vec<String>| of.last().is_some_and(|line| line.contains(" resumed after "));
        (all && changes.values().all(resumed)).then_some(changes)
    });
    for (part, lines) in changes {
        let [failed, _resumed] = &lines[..] else { panic!("{part}: {lines:?}") };
        // Requests that find the database unavailable have no cause of their own.
        let causes = ["terminating connection", "server closed", "FATAL", "database-unavailable"];
        assert!(causes.iter().any(|cause| failed.contains(cause)), "{failed}");
        assert!(part != "the database" || !failed.contains("database-unavailable"), "{failed}");
    }
}

/// The lines about changes of state by the part that changed. A reminder follows every minute that an outage lasts.
fn changes(warnings: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut changes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in warnings.iter().filter(|line| !line.contains(" still failing after ")) {
        let (part, _) =
            line.split_once(" failed, ").or_else(|| line.split_once(" resumed after ")).unwrap_or((line, ""));
        changes.entry(part.to_owned()).or_default().push(line.clone());
    }
    changes
}

#[test]
fn a_primary_that_became_a_standby_is_replaced_by_the_new_one() {
    let database = TestDatabase::postgres();
    let name = database.url().rsplit_once('/').unwrap().1.split('?').next().unwrap().to_owned();
    let (proxy, url) = Proxy::of(database.url());
    let server = Server::start_with(&database, through(&url));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    ready(&client);
    database.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    proxy.cut();
    unready(&client).problem(503, "database-unavailable");
    client.allocate("O-1", "LAMP", 1).problem(503, "database-unavailable");
    assert_eq!(client.get("/batch/B-1").status, 200, "reads go on");
    database.execute(&format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT"));
    // The existing connections stay read-only for their lifetime.
    ready(&client);
    for number in 0..20 {
        assert_eq!(client.allocate(&format!("O-{number}"), "LAMP", 1).status, 201);
    }
}

#[test]
fn a_url_with_several_hosts_finds_the_writable_one() {
    let database = TestDatabase::postgres();
    let (_, rest) = database.url().split_once("://").unwrap();
    let authority = rest.split(['/', '?']).next().unwrap();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let several = database.url().replacen(host, &format!("127.0.0.1:{},{host}", free_port()), 1);
    let separator = if several.contains('?') { '&' } else { '?' };
    let several = format!("{several}{separator}target_session_attrs=read-write");
    let server = Server::start_with(&database, through(&several));
    assert_eq!(server.client().add_batch("B-1", "LAMP", 1, None).status, 201);
    ready(&server.client());
}

/// A locked database is no queue of requests: the response names it, and the log has the cause once.
#[test]
fn a_lock_of_another_session_is_reported_as_such() {
    let database = TestDatabase::postgres();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let holding = AtomicBool::new(true);
    thread::scope(|scope| {
        let lock = "BEGIN; SELECT 1 FROM products WHERE sku = 'LAMP' FOR UPDATE; SELECT pg_sleep(12); COMMIT";
        let holder = scope.spawn(|| {
            database.execute(lock);
            holding.store(false, Ordering::SeqCst);
        });
        let answer = eventually("no request meets the lock", || {
            let answer = client.change_batch("B-1", &serde_json::json!({"purchased_quantity": 99}));
            (answer.status == 503 || !holding.load(Ordering::SeqCst)).then_some(answer)
        });
        answer.problem(503, "database-busy");
        holder.join().unwrap();
    });
    let warnings = warnings(&server);
    let busy: Vec<_> = warnings.iter().filter(|line| line.starts_with("locking by requests failed")).collect();
    assert_eq!(busy.len(), 1, "{warnings:?}");
    assert!(busy[0].contains("lock timeout"), "{busy:?}");
}

/// A locked database is no queue of requests: the response names it, and the log has the cause once.
#[test]
fn a_sqlite_lock_of_another_program_is_reported_as_such() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    let held = database.hold_write_lock();
    let answer = client.change_batch("B-1", &serde_json::json!({"purchased_quantity": 99}));
    answer.problem(503, "database-busy");
    unready(&client).problem(503, "database-unavailable");
    drop(held);
    ready(&client);
    assert_eq!(client.change_batch("B-1", &serde_json::json!({"purchased_quantity": 99})).status, 200);
    let warnings = warnings(&server);
    let busy: Vec<_> = warnings.iter().filter(|line| line.starts_with("locking by requests failed")).collect();
    assert_eq!(busy.len(), 1, "{warnings:?}");
    assert!(busy[0].contains("database is locked") || busy[0].contains("other writers"), "{busy:?}");
}

#[test]
fn a_removed_or_replaced_sqlite_file_gets_no_writes() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    client.add_batch("B-1", "LAMP", 100, None);
    ready(&client);
    let file = database.url().trim_start_matches("sqlite://").to_owned();
    let aside = format!("{file}.aside");
    fs::rename(&file, &aside).unwrap();
    client.allocate("O-1", "LAMP", 1).problem(503, "database-unavailable");
    unready(&client).problem(503, "database-unavailable");
    assert!(!fs::exists(&file).unwrap(), "no empty one takes its place");
    fs::copy(&aside, &file).unwrap();
    client.allocate("O-1", "LAMP", 1).problem(503, "database-unavailable");
    client.get("/batch/B-1").problem(503, "database-unavailable");
    unready(&client);
    fs::remove_file(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    ready(&client);
    assert_eq!(client.allocate("O-1", "LAMP", 1).status, 201);
}

#[test]
fn a_current_schema_needs_no_rights_to_change_it() {
    let database = TestDatabase::postgres();
    assert!(binary().args(["migrate", "up"]).env("DATABASE_URL", database.url()).status().unwrap().success());
    let role = format!("clerk_{}", database.url().rsplit_once('/').unwrap().1.split('?').next().unwrap());
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'clerk';
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    ));
    let (scheme, rest) = database.url().split_once("://").unwrap();
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    let url = format!("{scheme}://{role}:clerk@{place}");
    // A lock on the migration history by another session blocks nothing either.
    let server = Server::start_with(&database, through(&url));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 5, None);
    assert_eq!(client.allocate("O-1", "LAMP", 1).status, 201);
    ready(&client);
    drop(server);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_migrating_service_is_alive_and_not_ready() {
    let database = TestDatabase::postgres();
    let address = format!("127.0.0.1:{}", free_port());
    let migrating = AtomicBool::new(true);
    thread::scope(|scope| {
        // The lock that migrations wait for, as during a long migration of another replica.
        let holder = scope.spawn(|| {
            database.execute(
                "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 5216694956302)); \
                 SELECT pg_sleep(5); COMMIT",
            );
            migrating.store(false, Ordering::SeqCst);
        });
        eventually("the lock is not taken", || {
            (database.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") > 0).then_some(())
        });
        let mut command = binary();
        command.args(["--address", &address, "--log-format", "json"]).env("DATABASE_URL", database.url());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let client = Client::new(&address);
        let alive = eventually("it does not answer", || client.try_get("/livez"));
        let unready = client.try_get("/readyz");
        let write = client.try_get("/batch");
        if migrating.load(Ordering::SeqCst) {
            assert_eq!(alive.status, 200);
            let problem = unready.unwrap().problem(503, "not-ready");
            assert_eq!(problem["checks"][0]["name"], "starting");
            write.unwrap().problem(503, "not-ready");
        }
        holder.join().unwrap();
        eventually("it does not get ready", || client.try_get("/readyz").filter(|answer| answer.status == 200));
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

on_every_database!(the_heartbeat_is_one_row);

fn the_heartbeat_is_one_row(database: &TestDatabase) {
    let server = Server::start(database);
    let beats = || database.count("SELECT sum(beats) FROM heartbeat");
    let before = beats();
    eventually("no heartbeat", || (beats() > before + 1).then_some(()));
    assert_eq!(database.count("SELECT count(*) FROM heartbeat"), 1);
    drop(server);
}

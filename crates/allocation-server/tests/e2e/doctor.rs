//! The command `doctor`.

use crate::support::{Proxy, Server, TestDatabase, binary, free_port, on_every_database};
use allocation_test_support::TestBroker;
use std::process::Command;

/// Runs the doctor, and returns its lines and whether it found the service fit.
#[track_caller]
pub(crate) fn examine(url: &str, adjust: impl FnOnce(&mut Command) -> &mut Command) -> (Vec<String>, bool) {
    let mut command = binary();
    command.arg("doctor").env("DATABASE_URL", url).env("ALLOCATION_ADDRESS", "127.0.0.1:0");
    let output = adjust(&mut command).output().unwrap();
    let lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    let failures = lines.iter().filter(|line| line.starts_with("FAIL")).count();
    assert_eq!(output.status.code(), Some(i32::from(failures > 0)), "{lines:?}");
    (lines, failures == 0)
}

/// Checks that the line about a subject begins with a mark and contains some words.
#[track_caller]
pub(crate) fn assert_line(lines: &[String], mark: &str, subject: &str, words: &str) {
    let line = lines.iter().find(|line| line[6..].starts_with(subject)).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(line.starts_with(mark) && line.contains(words), "{mark} {words}: {lines:?}");
}

fn a_new_and_a_served_database_are_fit(database: &TestDatabase) {
    database.execute("SELECT 1");
    let (lines, is_fit) = examine(database.url(), |command| command);
    assert!(is_fit, "{lines:?}");
    assert_line(&lines, "note", "schema", "allocation migrate up");
    assert_line(&lines, "ok", "keys", "only callers on this machine");

    let server = Server::start(database);
    let (lines, is_fit) = examine(database.url(), |command| command.args(["--address", server.address()]));
    assert!(is_fit, "{lines:?}");
    for subject in ["settings", "address", "database", "schema", "rights", "keys", "broker"] {
        assert_line(&lines, "ok", subject, "");
    }
    assert_line(&lines, "ok", "address", "a server is ready");
}

fn a_start_that_would_be_refused_fails(database: &TestDatabase) {
    database.execute("SELECT 1");
    let (lines, _) = examine(database.url(), |command| command.args(["--address", "0.0.0.0:0"]));
    assert_line(&lines, "FAIL", "keys", "allocation keys create");
    let (lines, _) = examine(database.url(), |command| command.args(["--address", "0.0.0.0:0", "--allow-anonymous"]));
    assert_line(&lines, "note", "keys", "every caller may do everything");
    let (lines, _) = examine(database.url(), |command| command.arg("--read-only"));
    assert_line(&lines, "FAIL", "schema", "on the primary");

    assert!(binary().args(["migrate", "up"]).env("DATABASE_URL", database.url()).status().unwrap().success());
    database.execute("UPDATE schema_generation SET generation = 99");
    let (lines, _) = examine(database.url(), |command| command);
    assert_line(&lines, "FAIL", "schema", "newer");
}

on_every_database!(a_new_and_a_served_database_are_fit, a_start_that_would_be_refused_fails);

#[test]
fn a_missing_file_is_announced_and_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stock.db");
    let (lines, is_fit) = examine(&format!("sqlite://{}", file.display()), |command| command);
    assert!(is_fit, "{lines:?}");
    assert_line(&lines, "note", "database", "created at the first start");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    let (lines, _) = examine("sqlite:///no/such/folder/a.db", |command| command);
    assert_line(&lines, "FAIL", "rights", "/no/such/folder");
}

#[test]
fn wrong_settings_ports_and_levels_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("stock.db").display());
    let (lines, is_fit) = examine(&url, |command| command.env("ALLOCATION_POOLSIZE", "9"));
    assert!(is_fit, "{lines:?}");
    assert_line(&lines, "note", "settings", "ALLOCATION_POOLSIZE");
    let (lines, _) = examine(&url, |command| command.env("RUST_LOG", "allocation=loud"));
    assert_line(&lines, "FAIL", "settings", "RUST_LOG");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (lines, _) = examine(&url, |command| command.args(["--address", &address]));
    assert_line(&lines, "FAIL", "address", "choose another with --address");
    let (lines, _) = examine("mysql://somewhere", |command| command);
    assert_line(&lines, "FAIL", "database", "sqlite://");
}

#[test]
fn a_clock_that_is_off_and_missing_rights_fail() {
    let database = TestDatabase::postgres();
    drop(Server::start(&database));
    let (lines, _) = examine(database.url(), |command| command.args(["--clock-offset-seconds", "-60"]));
    assert_line(&lines, "FAIL", "clock", "-60.");
    let role = format!("reader_{}", std::process::id());
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'reader';
         GRANT USAGE ON SCHEMA public TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
         GRANT INSERT, UPDATE, DELETE ON products TO {role}"
    ));
    let (scheme, rest) = database.url().split_once("://").unwrap();
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    let url = format!("{scheme}://{role}:reader@{place}");
    let (lines, _) = examine(&url, |command| command);
    assert_line(&lines, "FAIL", "rights", "may not write: GRANT INSERT, UPDATE, DELETE ON api_keys, ");
    assert!(!lines.concat().contains("products"), "{lines:?}");
    let (lines, is_fit) = examine(&url, |command| command.arg("--read-only"));
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    assert!(is_fit, "{lines:?}");
}

#[test]
fn a_database_or_broker_that_is_unreachable_or_silent_fails_without_its_password() {
    let database = TestDatabase::postgres();
    let (proxy, silent) = Proxy::of(database.url());
    proxy.set_silent(true);
    let closed = format!("postgres://someone:secret-word@127.0.0.1:{}/none", free_port());
    for url in [&closed, &silent] {
        let (lines, _) = examine(url, |command| command);
        assert_line(&lines, "FAIL", "database", "check DATABASE_URL");
        assert!(!lines.concat().contains("secret-word"));
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for port in [free_port(), nobody.local_addr().unwrap().port()] {
        let url = format!("amqp://someone:secret-word@127.0.0.1:{port}");
        let (lines, _) = examine(database.url(), |command| command.env("ALLOCATION_AMQP_URL", &url));
        assert_line(&lines, "FAIL", "broker", "127.0.0.1");
        assert!(!lines.concat().contains("secret-word"));
    }
}

#[test]
fn a_broker_that_accepts_connections_is_fit() {
    let database = TestDatabase::sqlite();
    database.execute("SELECT 1");
    let broker = TestBroker::shared();
    let (lines, is_fit) = examine(database.url(), |command| command.env("ALLOCATION_AMQP_URL", broker.url()));
    assert!(is_fit, "{lines:?}");
    assert_line(&lines, "ok", "broker", "accepts connections");
}

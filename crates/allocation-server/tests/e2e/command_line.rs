//! The program from its operator's point of view.

use crate::support::{Server, TestDatabase, binary, free_port, on_every_database};
use std::process::Output;

fn run(database: &TestDatabase, arguments: &[&str]) -> Output {
    binary().args(arguments).env("DATABASE_URL", database.url()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Checks that it failed with one line that contains all these words, and no backtrace.
#[track_caller]
fn assert_one_line(output: &Output, words: &[&str]) {
    let error = text(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    let lines: Vec<&str> = error.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(lines.len(), 1, "{error}");
    for word in words {
        assert!(lines[0].contains(word), "{word}: {error}");
    }
    assert!(!error.contains("panicked") && !error.contains("backtrace"), "{error}");
}

fn the_schema_migrates_up_and_down_and_reports_its_state(database: &TestDatabase) {
    database.execute("SELECT 1");
    assert!(text(&run(database, &["migrate", "status"]).stdout).contains("pending"));
    let up = run(database, &["migrate", "up"]);
    assert!(up.status.success() && text(&up.stdout).contains("run:"), "{up:?}");
    assert_eq!(text(&run(database, &["migrate", "up"]).stdout), "nothing to do\n");
    let status = text(&run(database, &["migrate", "status"]).stdout);
    assert!(status.contains("applied") && !status.contains("pending"), "{status}");
    let down = run(database, &["migrate", "down", "--steps", "100", "--yes"]);
    assert!(down.status.success() && text(&down.stdout).contains("undone:"), "{down:?}");
    assert_eq!(text(&run(database, &["migrate", "down", "--yes"]).stdout), "nothing to do\n");
    assert!(run(database, &["migrate", "up"]).status.success());
    assert_eq!(Server::start(database).client().get("/readyz").status, 200);
}

fn a_schema_newer_than_the_program_is_rejected(database: &TestDatabase) {
    assert!(run(database, &["migrate", "up"]).status.success());
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')");
    database.execute("UPDATE schema_generation SET generation = 99");
    let output = run(database, &["serve", "--address", "127.0.0.1:0", "--log-format", "json"]);
    assert_one_line(&output, &["newer", "generation 99"]);
    assert_one_line(&run(database, &["migrate", "up"]), &["newer"]);
}

fn a_database_from_before_the_first_release_is_rejected(database: &TestDatabase) {
    database.execute(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL);
         INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000000001')",
    );
    for arguments in [&["serve", "--address", "127.0.0.1:0", "--log-format", "json"][..], &["migrate", "up"]] {
        assert_one_line(&run(database, arguments), &["before the first release", "empty"]);
    }
}

fn a_check_that_fails_differs_from_one_with_findings(database: &TestDatabase) {
    database.execute("SELECT 1");
    let failed = run(database, &["check"]);
    assert_one_line(&failed, &["schema", "allocation migrate"]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(run(database, &["migrate", "up"]).status.success());
    assert_eq!(run(database, &["check"]).status.code(), Some(0));
    database.execute("INSERT INTO products (sku, version, held_lines) VALUES ('LAMP', 1, 3)");
    let found = run(database, &["check"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    assert!(text(&found.stdout).contains("line counters"), "{found:?}");
}

fn outbox_reports_its_state_and_rejected_requests(database: &TestDatabase) {
    database.execute("SELECT 1");
    for arguments in [&["outbox", "status"][..], &["outbox", "retry"]] {
        assert_one_line(&run(database, arguments), &["schema", "allocation migrate"]);
    }
    assert!(run(database, &["migrate", "up"]).status.success());
    let status = run(database, &["outbox", "status"]);
    assert!(status.status.success() && text(&status.stdout).contains("to be delivered            0\n"), "{status:?}");
    let noted = text(&status.stdout);
    assert!(noted.starts_with("no broker is configured here"), "{noted}");
    let with_broker = ["outbox", "status", "--amqp-url", "amqp://127.0.0.1/%2f"];
    assert!(text(&run(database, &with_broker).stdout).starts_with("events without a position"));
    let nothing = run(database, &["outbox", "retry"]);
    assert!(nothing.status.success() && text(&nothing.stdout) == "to be sent again: 0\n", "{nothing:?}");
    assert_one_line(&run(database, &["outbox", "retry", "--position", "7"]), &["no event is parked"]);
    for wrong in [&["outbox"][..], &["outbox", "retry", "--position", "x"], &["outbox", "status", "--format", "xml"]] {
        assert_eq!(run(database, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

fn read_only_refuses_the_commands_that_write(database: &TestDatabase) {
    database.execute("SELECT 1");
    let read_only = |arguments: &[&str]| {
        let mut command = binary();
        command.args(arguments).env("DATABASE_URL", database.url()).env("ALLOCATION_READ_ONLY", "true");
        command.output().unwrap()
    };
    let refused = ["--read-only", "changes the database"];
    assert_one_line(&read_only(&["migrate", "up"]), &refused);
    let status = read_only(&["migrate", "status"]);
    assert!(status.status.success() && text(&status.stdout).contains("pending"), "{status:?}");
    assert!(run(database, &["migrate", "up"]).status.success());
    for arguments in [&["migrate", "down", "--yes"][..], &["repair", "clock", "--yes"], &["outbox", "retry"]] {
        assert_one_line(&read_only(arguments), &refused);
    }
    for arguments in [&["migrate", "status"][..], &["outbox", "status"], &["check"]] {
        let read = read_only(arguments);
        assert!(read.status.success() && !text(&read.stdout).contains("pending"), "{read:?}");
    }
}

on_every_database!(
    the_schema_migrates_up_and_down_and_reports_its_state,
    a_schema_newer_than_the_program_is_rejected,
    a_database_from_before_the_first_release_is_rejected,
    a_check_that_fails_differs_from_one_with_findings,
    outbox_reports_its_state_and_rejected_requests,
    read_only_refuses_the_commands_that_write,
);

#[test]
fn a_port_in_use_is_reported() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let output = run(&database, &["--address", server.address(), "--log-format", "json"]);
    assert_one_line(&output, &["cannot listen on", "--address"]);
}

#[test]
fn an_unreachable_database_is_reported_without_its_password() {
    let url = format!("postgres://someone:secret-word@127.0.0.1:{}/none", free_port());
    let output = binary().args(["--log-format", "json", "--address", "127.0.0.1:0"]).env("DATABASE_URL", url).output();
    let output = output.unwrap();
    assert_one_line(&output, &["DATABASE_URL"]);
    assert!(!text(&output.stderr).contains("secret-word"));
}

#[test]
fn a_sqlite_file_in_a_missing_directory_is_reported() {
    let output = binary()
        .args(["--log-format", "json", "--address", "127.0.0.1:0"])
        .env("DATABASE_URL", "sqlite:///no/such/folder/a.db")
        .output();
    assert_one_line(&output.unwrap(), &["/no/such/folder/a.db"]);
}

#[test]
fn invalid_settings_are_reported_with_a_remedy() {
    for (name, value, words) in [
        ("DATABASE_URL", "mysql://host/db", ["sqlite://", "postgres://"]),
        ("DATABASE_URL", "sqlite://", ["DATABASE_URL", "--database-url"]),
        ("ALLOCATION_ADDRESS", "localhost", ["--address", "localhost"]),
        ("ALLOCATION_POOL_SIZE", "0", ["--pool-size", "0"]),
        ("ALLOCATION_RETAIN_EVENTS_DAYS", "-1", ["--retain-events-days", "-1"]),
        ("ALLOCATION_EVENT_SOURCE", "a b", ["--event-source", "URI"]),
        ("ALLOCATION_TIME_ZONE", "Berlin", ["--time-zone", "IANA"]),
        ("ALLOCATION_LOG_FORMAT", "xml", ["--log-format", "json"]),
        ("ALLOCATION_AMQP_URL", "amqp://u:secret-word@h:x", ["--amqp-url", "amqp://USER:PASSWORD@HOST"]),
        ("ALLOCATION_AMQP_URL", "secret-word", ["ALLOCATION_AMQP_URL", "amqp://"]),
        ("ALLOCATION_AMQP_EXCHANGE", "amq.mine", ["--amqp-exchange", "amq."]),
        ("ALLOCATION_AMQP_QUEUE", "amq.mine", ["--amqp-queue", "amq."]),
        ("RUST_LOG", "allocation=loud", ["RUST_LOG", "level"]),
    ] {
        let output = binary().args(["serve"]).env(name, value).output().unwrap();
        let error = text(&output.stderr);
        assert!(!output.status.success(), "{name}={value}");
        assert!(words.iter().all(|word| error.contains(word)), "{name}={value}: {error}");
        assert!(!error.contains("panicked") && !error.contains("secret-word"), "{error}");
    }
    assert!(!binary().arg("--no-such-flag").output().unwrap().status.success());
}

#[test]
fn the_environment_overrides_the_dotenv_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "DATABASE_URL=mysql://nonsense\n").unwrap();
    let mut from_file = binary();
    let output = from_file.current_dir(&folder).args(["migrate", "status"]).output().unwrap();
    assert!(text(&output.stderr).contains("sqlite://"), "{output:?}");
    let mut from_environment = binary();
    let output = from_environment.current_dir(&folder).args(["migrate", "up"]).env("DATABASE_URL", "sqlite://here.db");
    assert!(output.output().unwrap().status.success());
    assert!(folder.path().join("here.db").exists(), "a relative path is of the working directory");
    std::fs::write(folder.path().join(".env"), "this is no setting\n").unwrap();
    let output = binary().current_dir(&folder).args(["migrate", "status"]).output().unwrap();
    assert_one_line(&output, &[".env"]);
}

fn health(address: &str) -> Output {
    binary().args(["health", "--address", address]).output().unwrap()
}

/// The command of the container's health check.
#[test]
fn the_exit_status_of_health_reports_the_health_of_a_server() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let well = health(server.address());
    assert!(well.status.success() && well.stderr.is_empty(), "{well:?}");
    database.execute("UPDATE schema_generation SET generation = 99");
    crate::outages::unready(&server.client());
    assert_one_line(&health(server.address()), &["not ready", "503", "schema-not-current"]);
    let nowhere = format!("127.0.0.1:{}", free_port());
    assert_one_line(&health(&nowhere), &["no server answers", &nowhere]);
    // A server that accepts and stays silent times out.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    assert_one_line(&health(&address), &["no server answers", &address]);
}

#[test]
fn the_openapi_document_is_printed() {
    let output = binary().arg("openapi").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["paths"]["/allocations"]["post"].is_object());
    assert_eq!(text(&output.stdout), include_str!("../../../../docs/openapi.json"));
}

#[test]
fn the_asyncapi_document_is_printed() {
    let output = binary().arg("asyncapi").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["asyncapi"], "3.0.0");
    assert_eq!(text(&output.stdout), include_str!("../../../../docs/asyncapi.json"));
}

#[test]
fn the_log_is_json_when_it_is_no_terminal() {
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, |command| command.env("RUST_LOG", "debug"));
    server.client().get_with("/livez", ("x-request-id", "check-42"));
    // The log line may follow the response.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let about = loop {
        match server.log().into_iter().find(|line| line.contains("check-42")) {
            Some(line) => break line,
            None => assert!(std::time::Instant::now() < deadline, "{:?}", server.log()),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["level"], "DEBUG");
}

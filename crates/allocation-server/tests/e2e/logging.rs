//! A blocked log loses lines, never the service.

use crate::support::{Client, TestDatabase, binary, free_port, on_every_database};
use std::fs::File;
use std::io::{self, Read};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A server whose standard error goes to a given file.
struct Logging {
    child: Child,
    client: Client,
}

impl Logging {
    fn start(database: &TestDatabase, stderr: impl Into<Stdio>) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = binary();
        // So that the log is long.
        command.args(["--address", &address, "--log-format", "json"]).env("RUST_LOG", "trace");
        command.env("DATABASE_URL", database.url()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let server = Self { child: command.spawn().unwrap(), client: Client::new(&address) };
        let deadline = Instant::now() + Duration::from_secs(60);
        while server.client.try_get("/readyz").is_none_or(|answer| answer.status != 200) {
            assert!(Instant::now() < deadline, "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Allocates many lines and waits for their events, so that every component logs.
    fn use_all(&self, database: &TestDatabase, name: &str) {
        self.client.add_batch(&format!("B-{name}"), name, 1_000, None);
        for number in 0..200 {
            assert_eq!(self.client.allocate(&format!("O-{name}-{number}"), name, 1).status, 201);
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        let numbered = format!("SELECT count(*) FROM events WHERE sku = '{name}'");
        while database.count(&numbered) < 201 {
            assert!(Instant::now() < deadline, "the events get no positions");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(mut self) {
        let killed = std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn an_unread_log_stops_nothing(database: &TestDatabase) {
    let (reader, writer) = io::pipe().unwrap();
    let server = Logging::start(database, writer);
    server.use_all(database, "LAMP");
    server.use_all(database, "DESK");
    server.stop();
    drop(reader);
}

fn a_log_that_is_read_late_is_complete_up_to_its_buffer(database: &TestDatabase) {
    let (mut reader, writer) = io::pipe().unwrap();
    let server = Logging::start(database, writer);
    server.use_all(database, "LAMP");
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    server.stop();
    let text = read.join().unwrap();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string(), "{line}");
    }
    assert!(text.len() > 64 * 1_024, "more than a pipe holds: {}", text.len());
    assert!(text.contains("\"stopped\""));
}

fn a_log_that_is_closed_stops_nothing(database: &TestDatabase) {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let server = Logging::start(database, writer);
    server.use_all(database, "LAMP");
    server.stop();
}

fn a_log_on_a_full_disk_stops_nothing(database: &TestDatabase) {
    let server = Logging::start(database, File::options().write(true).open("/dev/full").unwrap());
    server.use_all(database, "LAMP");
    server.stop();
}

fn printing_to_a_closed_pipe_is_no_failure(database: &TestDatabase) {
    assert!(binary().args(["migrate", "up"]).env("DATABASE_URL", database.url()).status().unwrap().success());
    for arguments in [
        &["openapi"][..],
        &["--help"],
        &["--version"],
        &["migrate", "--help"],
        &["migrate", "status"],
        &["migrate", "up"],
        &["outbox", "status"],
        &["outbox", "status", "--format", "json"],
        &["outbox", "retry"],
    ] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = binary();
        let output = command.args(arguments).env("DATABASE_URL", database.url()).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{arguments:?}: {output:?}");
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = binary();
        let output = command.args(arguments).env("DATABASE_URL", database.url()).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("allocation: standard output cannot be written: No space left"), "{error}");
    }
}

on_every_database!(
    an_unread_log_stops_nothing,
    a_log_that_is_read_late_is_complete_up_to_its_buffer,
    a_log_that_is_closed_stops_nothing,
    a_log_on_a_full_disk_stops_nothing,
    printing_to_a_closed_pipe_is_no_failure,
);

#[test]
fn an_unread_error_does_not_keep_the_process_alive() {
    let (reader, writer) = io::pipe().unwrap();
    fill(&writer);
    for arguments in [&["--no-such-flag"][..], &["--database-url", "nonsense"]] {
        let status = binary().args(arguments).stderr(writer.try_clone().unwrap()).status().unwrap();
        assert!(!status.success() && status.code().is_some(), "{status}");
    }
    drop(reader);
}

/// Fills a pipe to its last byte, in a process that can be killed when it stalls.
fn fill(writer: &io::PipeWriter) {
    let mut yes = std::process::Command::new("yes").stdout(writer.try_clone().unwrap()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    yes.kill().unwrap();
    yes.wait().unwrap();
}

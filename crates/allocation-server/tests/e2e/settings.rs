//! Settings from the command line, the environment and `.env`.

use crate::support::{TestDatabase, binary};
use std::process::Command;

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the value and the source of a setting.
#[track_caller]
fn setting<'a>(dump: &'a str, name: &str) -> (&'a str, &'a str) {
    let line = dump.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("{dump}"));
    let (value, source) = line[name.len()..].trim_start().split_once(' ').unwrap();
    (value, source.trim())
}

#[test]
fn the_effective_settings_are_printed_with_their_sources_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let dotenv = "ALLOCATION_POOL_SIZE=9\nALLOCATION_TIME_ZONE=Europe/Berlin\nALLOCATION_ADDRESS=:1\n";
    std::fs::write(folder.path().join(".env"), dotenv).unwrap();
    let dump = printed(
        binary()
            .current_dir(&folder)
            .args(["keys", "list", "--dump-config", "--read-only", "--retain-events-days", "7"])
            .env("ALLOCATION_ADDRESS", "localhost:8001")
            .env("ALLOCATION_ADRESS", "x")
            .env("ALLOCATION_AMQP_URL", "amqp://clerk:hunter2@broker")
            .env("RUST_LOG", "warn"),
    );
    for (name, expected) in [
        ("address", ("localhost:8001", "ALLOCATION_ADDRESS")),
        ("amqp-url", ("***", "ALLOCATION_AMQP_URL")),
        ("database-url", ("sqlite://allocation.db", "default")),
        ("log-format", ("json", "default")),
        ("metrics-address", ("-", "default")),
        ("pool-size", ("9", "ALLOCATION_POOL_SIZE in .env")),
        ("read-only", ("true", "--read-only")),
        ("retain-events-days", ("7", "--retain-events-days")),
        ("time-zone", ("Europe/Berlin", "ALLOCATION_TIME_ZONE in .env")),
        ("max-connections", ("4096", "default")),
        ("RUST_LOG", ("warn", "RUST_LOG")),
    ] {
        assert_eq!(setting(&dump, name), expected, "{name}");
    }
    assert!(dump.contains("ALLOCATION_ADRESS is not a setting"), "{dump}");
    assert!(!dump.contains("hunter2") && !dump.contains("clock-offset"), "{dump}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "it does nothing else");
}

#[test]
fn an_empty_variable_is_unset() {
    let mut command = binary();
    for name in [
        "DATABASE_URL_FILE",
        "ALLOCATION_ADDRESS",
        "ALLOCATION_POOL_SIZE",
        "ALLOCATION_READ_ONLY",
        "ALLOCATION_ALLOWED_HOSTS",
        "ALLOCATION_AMQP_URL",
        "ALLOCATION_AMQP_EXCHANGE",
        "ALLOCATION_LOG_FORMAT",
        "RUST_LOG",
    ] {
        command.env(name, "");
    }
    let database = TestDatabase::sqlite();
    let dump = printed(command.env("DATABASE_URL", database.url()).arg("--dump-config"));
    let given: Vec<&str> = dump.lines().filter(|line| !line.ends_with("  default")).collect();
    assert!(given.len() == 1 && given[0].starts_with("database-url "), "{given:?}");
    assert!(printed(command.arg("--help")).contains("[env: ALLOCATION_POOL_SIZE=]"));
}

#[test]
fn settings_are_listed_in_the_help_of_the_program_alone() {
    assert!(printed(binary().arg("--help")).contains("--pool-size"));
    for arguments in [&["serve"][..], &["migrate"], &["migrate", "down"], &["keys", "create"], &["check"]] {
        let help = printed(binary().args(arguments).arg("--help"));
        assert!(!help.contains("--pool-size") && help.contains("`allocation --help`"), "{help}");
    }
}

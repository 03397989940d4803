//! The commands of the operator's page, run as printed.

use crate::support::{Server, TestDatabase, binary};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PAGE: &str = "docs/operating.md";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the commands of the page that have a tag.
fn commands(tag: &str) -> String {
    let printed = Command::new("scripts/doc-commands").args([PAGE, tag]).current_dir(workspace()).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    String::from_utf8(printed.stdout).unwrap()
}

/// Runs the commands with a tag in a folder, with the program in the path.
fn run(tag: &str, folder: &Path, url: &str) {
    let commands = commands(tag);
    let program = PathBuf::from(binary().get_program());
    let mut path = OsString::from(program.parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-e", "-c", &commands])
        .current_dir(folder)
        .env("PATH", path)
        .env("DATABASE_URL", url)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{commands}{printed}{}", String::from_utf8_lossy(&output.stderr));
}

/// Backs up and restores by the commands tagged with the name of a database. Units that were added after the backup
/// are gone.
fn back_up_and_restore(database: &str, url: &str, restored_url: &str, folder: &TempDir) {
    let server = Server::start_at(url, |command| command);
    assert_eq!(server.client().add_batch("B-1", "LAMP", 10, None).status, 201);
    run(&format!("{database} running"), folder.path(), url);
    assert_eq!(server.client().add_batch("B-2", "LAMP", 10, None).status, 201);
    server.signal("TERM");
    assert!(server.wait().0.success());

    run(&format!("{database} stopped"), folder.path(), restored_url);
    run("stopped", folder.path(), restored_url);
    let server = Server::start_at(restored_url, |command| command);
    assert_eq!(server.client().get("/batch/B-1").status, 200);
    assert_eq!(server.client().get("/batch/B-2").status, 404);
}

#[test]
fn sqlite_is_backed_up_and_restored_as_documented() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}", folder.path().join("allocation.db").display());
    back_up_and_restore("sqlite", &url, &url, &folder);
}

#[test]
fn postgres_is_backed_up_and_restored_as_documented() {
    let (database, empty) = (TestDatabase::postgres(), TestDatabase::postgres());
    back_up_and_restore("postgres", database.url(), empty.url(), &TempDir::new().unwrap());
}

/// Every block of commands has a tag, and runs above or in a script that a workflow calls.
#[test]
fn every_block_of_commands_is_run_somewhere() {
    let page = fs::read_to_string(workspace().join(PAGE)).unwrap();
    let tags = page.lines().filter_map(|line| line.trim().strip_prefix("```sh")).map(str::trim);
    let workflow = fs::read_to_string(workspace().join(".github/workflows/ci.yml")).unwrap();
    let mut blocks = 0;
    for tag in tags {
        blocks += 1;
        let runs = match tag {
            "sqlite running" | "sqlite stopped" | "postgres running" | "postgres stopped" | "stopped" => continue,
            "install" => "scripts/doc-commands docs/operating.md install",
            "compose" | "compose-key" => "scripts/check-compose",
            "systemd" | "systemd-key" => "scripts/check-systemd",
            "kubernetes-postgres" | "kubernetes-postgres-key" => "scripts/check-kubernetes",
            "kubernetes-sqlite" | "kubernetes-sqlite-key" => "scripts/check-kubernetes",
            _ => panic!("nothing runs the commands tagged {tag:?}"),
        };
        assert!(workflow.contains(runs), "the workflow does not call {runs}");
    }
    assert!(blocks >= 10, "{blocks} blocks");
}

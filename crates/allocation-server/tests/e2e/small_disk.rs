//! SQLite's write-ahead log: under overlapping readers, and on a small disk.

use crate::outages::{ready, unready};
use crate::support::{Answer, Client, Server, TestDatabase, binary};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A disk of some MiB, which needs root.
struct Disk(PathBuf);

impl Disk {
    fn of_mib(mib: u32, folder: &Path) -> Option<Self> {
        let place = folder.join("disk");
        fs::create_dir(&place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(&place);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(place)),
            output => {
                eprintln!("skipped: no small disk can be mounted: {output:?}");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Writes until the disk is full, and returns the refusal of a write.
///
/// One refusal does not prove it: emptying the write-ahead log afterwards may make room for more writes.
fn fill(client: &Client, write: impl Fn(u32) -> Answer) -> Answer {
    let mut refused = (0..100_000).map(write).filter(|answer| answer.status != 201);
    refused.find(|_| client.get("/readyz").status != 200).unwrap()
}

fn size(path: &str) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

#[test]
fn the_write_ahead_log_is_bounded_under_overlapping_readers() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    for number in 0..300 {
        client.add_batch(&format!("B-{number:0>200}"), &format!("SKU-{number}"), 1_000_000, None);
    }
    let log = format!("{}-wal", database.url().trim_start_matches("sqlite://"));
    let over = AtomicBool::new(false);
    let most = thread::scope(|scope| {
        // Their snapshots overlap without a gap.
        for _ in 0..4 {
            let (client, over) = (server.client(), &over);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(client.get("/products?limit=1000").status, 200);
                }
            });
        }
        for writer in 0..8 {
            let (client, over) = (server.client(), &over);
            scope.spawn(move || {
                for number in 0.. {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    let lines: Vec<_> = (0..40).map(|sku| format!("SKU-{}", (number * 40 + sku) % 300)).collect();
                    let lines: Vec<_> = lines.iter().map(|sku| (sku.as_str(), 1)).collect();
                    let answer = client.place(&format!("O-{writer}-{number}"), &lines, serde_json::json!({}));
                    assert!(answer.status == 201 || answer.status == 503, "{answer:?}");
                }
            });
        }
        let (mut most, begun) = (0, Instant::now());
        while begun.elapsed() < Duration::from_secs(20) {
            most = most.max(size(&log));
            thread::sleep(Duration::from_millis(50));
        }
        over.store(true, Ordering::SeqCst);
        most
    });
    assert!(most < 100 * 1_024 * 1_024, "{most} bytes");
}

#[test]
fn a_small_disk_that_fills_up_is_a_503_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::of_mib(20, folder.path()) else { return };
    let file = disk.0.join("stock.db");
    let url = format!("sqlite://{}", file.display());
    let database = TestDatabase::sqlite();
    let start = || Server::start_with(&database, |command| command.env("DATABASE_URL", &url));
    let server = start();
    let client = server.client();
    client.add_batch("B-1", "LAMP", 2_000_000_000, None);
    ready(&client);
    // Many times the usual size of the log, mostly the same pages again.
    for number in 0..3_000_u32 {
        let answer = client.change_batch("B-1", &serde_json::json!({"purchased_quantity": 1_000_000 + number}));
        assert_eq!(answer.status, 200, "{number}: {answer:?}, log {}", size(&format!("{}-wal", file.display())));
    }
    // Another file fills the rest of the disk.
    let filler = disk.0.join("filler");
    let mut dd = Command::new("dd");
    drop(dd.args(["if=/dev/zero", "bs=65536", &format!("of={}", filler.display())]).output());
    let full = fill(&client, |number| client.allocate(&format!("O-{number}"), "LAMP", 1));
    full.problem(503, "database-unavailable");
    unready(&client).problem(503, "database-unavailable");
    assert_eq!(client.get("/livez").status, 200);
    drop(client);
    server.signal("TERM");
    server.wait();
    fs::remove_file(&filler).unwrap();
    let server = start();
    ready(&server.client());
    assert_eq!(server.client().allocate("O-after", "LAMP", 1).status, 201);
}

#[test]
fn a_restart_on_a_full_disk_works_again_with_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::of_mib(20, folder.path()) else { return };
    let url = format!("sqlite://{}", disk.0.join("stock.db").display());
    assert!(binary().args(["migrate", "up"]).env("DATABASE_URL", &url).status().unwrap().success());
    let database = TestDatabase::sqlite();
    let server = Server::start_with(&database, |command| command.env("DATABASE_URL", &url));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 2_000_000_000, None);
    // The database alone fills the disk.
    let full = fill(&client, |number| client.add_batch(&format!("B-{number}-{:0>200}", 0), "LAMP", 1, None));
    full.problem(503, "database-unavailable");
    unready(&client).problem(503, "database-unavailable");
    assert_eq!(client.get("/batch/B-1").status, 200, "reads go on");
    server.signal("KILL");
    drop(server);
    let mut grow = Command::new("mount");
    assert!(grow.args(["-o", "remount,size=40m"]).arg(&disk.0).status().unwrap().success());
    let server = Server::start_with(&database, |command| command.env("DATABASE_URL", &url));
    ready(&server.client());
    assert_eq!(server.client().allocate("O-after", "LAMP", 1).status, 201);
}

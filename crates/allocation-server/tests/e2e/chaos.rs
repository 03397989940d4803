//! Faults that last: `scripts/chaos` runs these tests, one after the other.
//!
//! Customers send commands while a fault strikes again and again, and repeat each command until it is
//! answered. What they were answered must be there afterwards.

mod checker;
mod customer;
mod disk;
mod postgres;
mod proxy;
mod replicas;
mod silence;

use crate::support::TestDatabase;
use customer::Customer;
use replicas::Replicas;
use std::thread;
use std::time::{Duration, Instant};

const CUSTOMERS: usize = 8;
/// How long the customers go on after the fault is over: everything must be answered again.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// How many customers' requests must have been answered at least; else the fault has stopped the service.
const FEWEST_ANSWERS: usize = 50;

/// For how long each fault strikes.
fn duration() -> Duration {
    Duration::from_secs(std::env::var("ALLOCATION_CHAOS_SECONDS").map_or(5, |text| text.parse().unwrap()))
}

/// What `scripts/chaos` has set up for a fault, `None` when it cannot be had here.
fn setting(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        println!("chaos: {name} is not set, as scripts/chaos does where it can: skipped");
    }
    value
}

/// Lets customers act while a fault strikes, and checks what they were answered. `strike` strikes once,
/// and tells how long to wait until it strikes again.
fn endure(fault: &str, database: &TestDatabase, replicas: &Replicas, mut strike: impl FnMut(usize) -> Duration) {
    checker::stock(&replicas.client(0));
    let over = Instant::now() + duration();
    let mut customers: Vec<_> = (0..CUSTOMERS).map(|number| Customer::new(number, replicas)).collect();
    let mut times = 0;
    thread::scope(|scope| {
        for customer in &mut customers {
            scope.spawn(move || {
                while Instant::now() < over + AFTERWARDS {
                    customer.act();
                }
            });
        }
        while Instant::now() < over {
            let pause = strike(times);
            times += 1;
            thread::sleep(pause);
        }
    });
    let answered: usize = customers.iter().map(|customer| customer.answered).sum();
    let mut violations: Vec<String> = customers.iter_mut().flat_map(|it| std::mem::take(&mut it.violations)).collect();
    if answered < FEWEST_ANSWERS {
        violations.push(format!("only {answered} requests were answered"));
    }
    violations.extend(checker::check(database, &replicas.client(0), &customers));
    println!("chaos | {fault} | {times} | {answered} | {}", violations.len());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn replicas_are_killed() {
    let database = TestDatabase::postgres();
    let replicas = Replicas::start(&database, 2);
    endure("a replica is killed", &database, &replicas, |time| {
        replicas.kill(time % 2);
        thread::sleep(Duration::from_millis(200));
        replicas.restart(time % 2);
        Duration::from_millis(300)
    });
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn postgres_is_killed() {
    let Some(helper) = setting("ALLOCATION_CHAOS_POSTGRES") else { return };
    let database = TestDatabase::postgres();
    let replicas = Replicas::start(&database, 2);
    endure("PostgreSQL is killed", &database, &replicas, |_| {
        postgres::kill_and_start(&helper);
        Duration::from_secs(1)
    });
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn connections_are_cut_after_commit() {
    let database = TestDatabase::postgres();
    let proxy = proxy::Proxy::start(database.url());
    let replicas = Replicas::start_at(&proxy.url(database.url()), 2);
    endure("a connection is cut after COMMIT", &database, &replicas, |_| {
        proxy.cut_the_next_commit();
        Duration::from_millis(50)
    });
    assert!(proxy.cuts() > 0, "no connection was cut");
}

/// An hour ahead, and an hour behind: longer than any cart is held.
#[test]
#[ignore = "scripts/chaos runs it"]
fn clocks_are_apart() {
    let database = TestDatabase::postgres();
    let replicas = Replicas::start_with_offsets(&database, &[0, 3_600, -3_600]);
    endure("clocks are apart", &database, &replicas, |_| Duration::from_millis(100));
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn the_disk_is_full() {
    let Some(folder) = setting("ALLOCATION_CHAOS_SMALL_DISK") else { return };
    let database = TestDatabase::sqlite_in(folder.as_ref());
    let replicas = Replicas::start(&database, 1);
    endure("the disk is full", &database, &replicas, |_| {
        let filler = disk::Filler::fill(folder.as_ref());
        thread::sleep(Duration::from_millis(700));
        drop(filler);
        Duration::from_millis(700)
    });
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn the_log_stalls() {
    let database = TestDatabase::sqlite();
    let replicas = Replicas::start_stalled(&database);
    // Nobody reads the log from the start on: it strikes all the time.
    endure("the log stalls", &database, &replicas, |_| Duration::from_millis(100));
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn a_thousand_connections_are_silent() {
    let database = TestDatabase::sqlite();
    let replicas = Replicas::start(&database, 1);
    let mut silence = silence::Silence::default();
    endure("1,000 connections are silent", &database, &replicas, |_| {
        silence.fill(&replicas.address(0));
        Duration::from_millis(200)
    });
    assert!(silence.opened() >= silence::CONNECTIONS, "{} connections were opened", silence.opened());
}

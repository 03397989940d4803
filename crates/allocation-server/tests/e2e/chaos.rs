//! Long faults: `scripts/chaos` runs these tests, one after the other.
//!
//! Customers send commands while a fault strikes again and again, and repeat each command until it
//! gets a response. Afterwards, every response must be true.

mod checker;
mod customer;
mod disk;
mod postgres;
mod proxy;
mod replicas;
mod silence;

use crate::outages::ready;
use crate::stress::ledger::Ledger;
use crate::support::{TestDatabase, binary, program};
use allocation_test_support::{Replication, TestCluster};
use customer::Customer;
use replicas::Replicas;
use std::thread;
use std::time::{Duration, Instant};

const CUSTOMERS: usize = 8;
/// How long the customers continue after the fault: every command must get a response again.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// The minimum number of responses; below it, the fault has stopped the service.
const FEWEST_ANSWERS: usize = 50;

/// The duration of each fault.
fn duration() -> Duration {
    Duration::from_secs(std::env::var("ALLOCATION_CHAOS_SECONDS").map_or(5, |text| text.parse().unwrap()))
}

/// The equipment that a script has set up for a fault, `None` if it is not available.
fn setting(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        println!("chaos: {name} is not set, as its script does where it can: skipped");
    }
    value
}

/// Lets customers act while a fault strikes, and checks their responses. `strike` strikes once,
/// and returns the pause before the next strike.
fn endure(fault: &str, database: &TestDatabase, replicas: &Replicas, strike: impl FnMut(usize) -> Duration) {
    let endured = act_and_check(database, replicas, strike);
    let Endured { strikes, answered, lost, mut violations } = endured;
    violations.extend(lost);
    println!("chaos | {fault} | {strikes} | {answered} | 0 | {}", violations.len());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// The outcome of a fault.
struct Endured {
    strikes: usize,
    answered: usize,
    /// Responses that the database does not confirm.
    lost: Vec<String>,
    /// Everything else that is wrong.
    violations: Vec<String>,
}

fn act_and_check(database: &TestDatabase, replicas: &Replicas, mut strike: impl FnMut(usize) -> Duration) -> Endured {
    checker::stock(&replicas.client(0));
    let over = Instant::now() + duration();
    let mut customers: Vec<_> = (0..CUSTOMERS).map(|number| Customer::new(number, replicas)).collect();
    let mut strikes = 0;
    thread::scope(|scope| {
        for customer in &mut customers {
            scope.spawn(move || {
                while Instant::now() < over + AFTERWARDS {
                    customer.act();
                }
            });
        }
        while Instant::now() < over {
            let pause = strike(strikes);
            strikes += 1;
            thread::sleep(pause);
        }
    });
    let answered: usize = customers.iter().map(|customer| customer.answered).sum();
    let mut lost: Vec<String> = customers.iter_mut().flat_map(|it| std::mem::take(&mut it.contradictions)).collect();
    let mut violations: Vec<String> = customers.iter_mut().flat_map(|it| std::mem::take(&mut it.violations)).collect();
    if answered < FEWEST_ANSWERS {
        violations.push(format!("only {answered} requests were answered"));
    }
    let stored = Ledger::stored(database);
    lost.extend(checker::check_responses(&stored, &customers));
    violations.extend(checker::check_state(database, &replicas.client(0), &stored, &customers));
    Endured { strikes, answered, lost, violations }
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn killing_replicas_breaks_no_invariant() {
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
fn killing_postgres_breaks_no_invariant() {
    let Some(helper) = setting("ALLOCATION_CHAOS_POSTGRES") else { return };
    let database = TestDatabase::postgres();
    let replicas = Replicas::start(&database, 2);
    endure("PostgreSQL is killed", &database, &replicas, |_| {
        postgres::kill_and_start(&helper);
        Duration::from_secs(1)
    });
}

/// The number of replicas that are replaced one by one.
const ROLLED: usize = 3;

/// Replaces the replicas of the version before by those of this one, then the other way round, and so on: a release
/// can be rolled back.
#[test]
#[ignore = "scripts/check-rolling-upgrade runs it"]
fn replicas_of_two_versions_break_no_invariant() {
    let Some(before) = setting("ALLOCATION_CHAOS_VERSION_BEFORE") else { return };
    let this = binary().get_program().to_str().unwrap().to_owned();
    let database = TestDatabase::postgres();
    let replicas = Replicas::start_version(&database, &before, ROLLED);
    let (mut replaced, mut unserved) = (0, Vec::new());
    endure("replicas of two versions", &database, &replicas, |time| {
        let is_forward = (time / ROLLED).is_multiple_of(2);
        replicas.replace(time % ROLLED, if is_forward { &this } else { &before });
        replaced += 1;
        for number in 0..ROLLED {
            let client = replicas.client(number);
            ready(&client);
            for path in ["/events?after=0&limit=1000", "/orders/O-0-0/history", "/orders?limit=10"] {
                let answer = client.get(path);
                unserved.extend((answer.status != 200).then(|| format!("{path}: {answer:?}")));
            }
        }
        Duration::from_secs(1)
    });
    assert!(unserved.is_empty(), "{}", unserved.join("\n"));
    assert!(replaced > ROLLED, "{replaced} replacements: not every replica, and none of them back");
    for path in [&before, &this] {
        let checked = program(path).arg("check").env("DATABASE_URL", database.url()).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
}

/// The time before a failover, with a standby.
const WITH_STANDBY: Duration = Duration::from_secs(2);
/// The time between cutting off the standby and killing the primary, at every other failover.
const CUT_OFF: Duration = Duration::from_millis(300);
/// The time after a failover: commits continue without a standby, or wait for one.
const WITHOUT_STANDBY: Duration = Duration::from_secs(1);

/// Lets customers act while one primary after another is killed and its standby promoted.
fn endure_failovers(replication: Replication) -> Endured {
    let mut cluster = TestCluster::start(replication);
    let database = TestDatabase::postgres_on(&cluster.url());
    let replicas = Replicas::start(&database, 2);
    act_and_check(&database, &replicas, |time| {
        thread::sleep(WITH_STANDBY);
        if time % 2 == 0 {
            cluster.cut_replication();
            thread::sleep(CUT_OFF);
        }
        cluster.fail_over();
        thread::sleep(WITHOUT_STANDBY);
        cluster.replace_standby();
        Duration::ZERO
    })
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn failovers_with_a_synchronous_standby_lose_nothing() {
    let Endured { strikes, answered, lost, mut violations } = endure_failovers(Replication::Synchronous);
    violations.extend(lost);
    println!("chaos | failover, synchronous standby | {strikes} | {answered} | 0 | {}", violations.len());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// The newest commits may be lost with the primary. The remaining state must be consistent.
#[test]
#[ignore = "scripts/chaos runs it"]
fn failovers_with_an_asynchronous_standby_lose_only_the_newest_commits() {
    let Endured { strikes, answered, lost, violations } = endure_failovers(Replication::Asynchronous);
    let fault = "failover, asynchronous standby";
    println!("chaos | {fault} | {strikes} | {answered} | {} | {}", lost.len(), violations.len());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn connections_cut_after_commit_break_no_invariant() {
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
fn clocks_an_hour_apart_break_no_invariant() {
    let database = TestDatabase::postgres();
    let replicas = Replicas::start_with_offsets(&database, &[0, 3_600, -3_600]);
    endure("clocks are apart", &database, &replicas, |_| Duration::from_millis(100));
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn a_full_disk_breaks_no_invariant() {
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
fn a_stalled_log_breaks_no_invariant() {
    let database = TestDatabase::sqlite();
    let replicas = Replicas::start_stalled(&database);
    // The log is never read: this fault lasts from the start.
    endure("the log stalls", &database, &replicas, |_| Duration::from_millis(100));
}

#[test]
#[ignore = "scripts/chaos runs it"]
fn a_thousand_silent_connections_break_no_invariant() {
    let database = TestDatabase::sqlite();
    let replicas = Replicas::start(&database, 1);
    let mut silence = silence::Silence::default();
    endure("1,000 connections are silent", &database, &replicas, |_| {
        silence.fill(&replicas.address(0));
        Duration::from_millis(200)
    });
    assert!(silence.opened() >= silence::CONNECTIONS, "{} connections were opened", silence.opened());
}

//! Leases that change while a statement waits for them, which only PostgreSQL lets happen.

use crate::database::TestDatabase;
use crate::event_log::{LONG, lease};
use crate::world::World;
use allocation_domain::Eta;
use allocation_ports::{EventLog, Leases, LogBounds, LogSequencer, SequenceError};
use chrono::TimeDelta;
use std::thread;
use std::time::Duration;

/// Changes the lease in a slow transaction, while another process does `work`.
fn while_the_lease_changes<T: Send>(world: &World, change: &str, work: impl FnOnce() -> T + Send) -> T {
    let change = format!("BEGIN; UPDATE leases SET {change}; SELECT pg_sleep(1); COMMIT");
    thread::scope(|scope| {
        scope.spawn(|| world.database.execute(&change));
        let sleeping = "SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event = 'PgSleep'";
        while world.database.count(sleeping) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        scope.spawn(work).join().unwrap()
    })
}

#[test]
fn a_holder_whose_lease_is_being_taken_writes_nothing() {
    let world = World::new(TestDatabase::postgres());
    world.add("LAMP", "B", 5, Eta::InStock);
    assert!(world.store.take(&lease("one"), Duration::ZERO).unwrap());
    let number = || world.store.sequence(&lease("one"), LONG, 10);
    let sequenced = while_the_lease_changes(&world, "holder = 'two', expires_at = expires_at + 600000000", number);
    assert!(matches!(sequenced, Err(SequenceError::LeaseLost)), "{sequenced:?}");
    assert_eq!(world.store.bounds().unwrap(), LogBounds { oldest: 1, last: 0 });
    assert_eq!(world.store.sequence(&lease("two"), LONG, 10).unwrap().last, 1);
}

#[test]
fn a_lease_that_is_being_renewed_is_not_taken() {
    let world = World::new(TestDatabase::postgres());
    assert!(world.store.take(&lease("one"), Duration::ZERO).unwrap());
    let take = || world.store.take(&lease("two"), LONG).unwrap();
    assert!(!while_the_lease_changes(&world, "expires_at = expires_at + 600000000", take));
    assert!(world.store.take(&lease("one"), LONG).unwrap());
}

#[test]
fn a_prune_that_another_has_overtaken_does_not_move_the_start_of_the_log_back() {
    let world = World::new(TestDatabase::postgres());
    assert!(world.store.take(&lease("one"), LONG).unwrap());
    for number in 0..6 {
        world.add("LAMP", &format!("B-{number}"), 5, Eta::InStock);
        assert_eq!(world.store.sequence(&lease("one"), LONG, 1).unwrap().events, 1);
    }
    let before = world.now() + TimeDelta::days(1);
    let prune = || world.store.prune(&lease("one"), LONG, before, 1).unwrap();
    let overtakes = "expires_at = expires_at + 1; DELETE FROM event_blocks WHERE first_position < 5;
                     UPDATE event_log SET oldest_position = 5";
    assert_eq!(while_the_lease_changes(&world, overtakes, prune), 0);
    assert_eq!(world.store.bounds().unwrap(), LogBounds { oldest: 5, last: 6 });
    assert_eq!((prune(), world.store.bounds().unwrap().oldest), (1, 6));
}

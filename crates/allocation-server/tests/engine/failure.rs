//! Lines whose group fails.

use crate::{World, on_every_database};
use allocation_test_support::TestDatabase;

/// Makes the database reject lines of the order `BAD`, like an unforeseen fault.
fn refuse_bad(world: &World) {
    if world.database.url().starts_with("sqlite") {
        world.database.execute(
            "CREATE TRIGGER refuse_bad BEFORE INSERT ON order_lines WHEN NEW.order_id = 'BAD'
             BEGIN SELECT RAISE(ABORT, 'no bad orders'); END",
        );
    } else {
        world.database.execute("ALTER TABLE order_lines ADD CHECK (order_id <> 'BAD')");
    }
}

fn only_the_faulty_line_is_rejected(world: World) {
    world.add_batch("B-1", "LAMP", 100);
    world.add_batch("B-2", "RUG", 100);
    refuse_bad(&world);
    let orders: Vec<String> = (0..20).map(|n| format!("O-{n}")).collect();
    let mut lines: Vec<(&str, &str, u32)> =
        orders.iter().enumerate().map(|(n, order)| (order.as_str(), ["LAMP", "RUG"][n % 2], 1)).collect();
    lines[7].0 = "BAD";
    let answers = world.in_one_group(&lines);
    for (n, answer) in answers.iter().enumerate() {
        let expected = if n == 7 { "failed".to_owned() } else { format!("allocated O-{n} 1") };
        assert_eq!(*answer, expected);
    }
    assert_eq!(world.count("SELECT count(*) FROM allocations"), 19);
    assert_eq!(world.count("SELECT CAST(sum(allocated_quantity) AS bigint) FROM batches"), 19);
}

fn a_caller_that_left_changes_nothing_for_others(world: World) {
    world.add_batch("B-1", "LAMP", 3);
    let first = world.hold_up("O-1", "LAMP", 1);
    world.send("O-2", "LAMP", 1).abort();
    let last = world.send("O-3", "LAMP", 2);
    world.gate.set_closed(false);
    assert_eq!(world.answer(first), "allocated O-1 1");
    assert_eq!(world.answer(last), "short of 2, has 1", "the line of the departed caller is decided");
    assert_eq!(world.answer(world.send("O-2", "LAMP", 1)), "unchanged O-2 1");
}

fn a_shutdown_under_load_completes_every_queued_line(world: World) {
    world.add_batch("B-1", "LAMP", 1_000);
    let first = world.hold_up("O-0", "LAMP", 1);
    let waiting = (1..200).map(|n| world.send(&format!("O-{n}"), "LAMP", 1));
    let answers: Vec<_> = std::iter::once(first).chain(waiting).collect();
    let engine = world.engine.clone();
    let stopping = std::thread::spawn(move || engine.shut_down());
    world.gate.set_closed(false);
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(world.answer(answer), format!("allocated O-{n} 1"));
    }
    stopping.join().unwrap();
    assert_eq!(world.answer(world.send("LATE", "LAMP", 1)), "shutting down");
    assert_eq!(world.count("SELECT count(*) FROM allocations"), 200);
}

on_every_database!(
    only_the_faulty_line_is_rejected,
    a_caller_that_left_changes_nothing_for_others,
    a_shutdown_under_load_completes_every_queued_line,
);

fn a_full_queue_refuses_at_once(database: TestDatabase) {
    let world = World::with_queue(database, 4);
    world.add_batch("B-1", "LAMP", 100);
    let ahead = world.hold_up("O-0", "LAMP", 1);
    let queued: Vec<_> = (1..5).map(|n| world.send(&format!("O-{n}"), "LAMP", 1)).collect();
    assert_eq!(world.answer(world.send("O-9", "LAMP", 1)), "overloaded");
    world.gate.set_closed(false);
    for answer in std::iter::once(ahead).chain(queued) {
        assert!(world.answer(answer).starts_with("allocated"));
    }
    assert_eq!(world.count("SELECT count(*) FROM allocations"), 5, "a rejected line has no effect");
}

#[test]
fn a_full_queue_rejects_at_once_on_sqlite() {
    a_full_queue_refuses_at_once(TestDatabase::sqlite());
}

#[test]
fn a_full_queue_rejects_at_once_on_postgres() {
    a_full_queue_refuses_at_once(TestDatabase::postgres());
}

#[test]
fn an_outage_of_postgres_fails_every_queued_line_and_service_resumes() {
    let world = World::new(TestDatabase::postgres());
    world.add_batch("B-1", "LAMP", 100);
    world.database.set_away(true);
    let lines: Vec<String> = (0..30).map(|n| format!("O-{n}")).collect();
    let lines: Vec<(&str, &str, u32)> = lines.iter().map(|order| (order.as_str(), "LAMP", 1)).collect();
    assert!(world.in_one_group(&lines).iter().all(|answer| answer == "unavailable"));
    world.database.set_away(false);
    for (n, answer) in world.in_one_group(&lines).into_iter().enumerate() {
        assert_eq!(answer, format!("allocated O-{n} 1"));
    }
}

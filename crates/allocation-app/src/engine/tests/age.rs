//! Commands that have waited too long.

use super::*;

#[test]
fn a_command_past_its_deadline_is_rejected_and_never_run() {
    let shared = Shared::with(&[("LAMP", 100), ("RUG", 100)]);
    let (engine, first) = stalled(&shared, 100);
    let late: Vec<_> = (1..9).map(|n| submit(&engine, line(&format!("O-{n}"), "LAMP", 1))).collect();
    shared.time.pass(MAX_AGE);
    shared.open_gate();
    assert_eq!(reply(first), "overloaded", "its time was over before it had the lock");
    for answer in late {
        assert_eq!(reply(answer), "overloaded");
    }
    assert_eq!(shared.groups(), [["FIRST"]]);
    assert_eq!(locked(&shared.products)[&sku("LAMP")].available(), 100, "nothing is allocated");
    engine.shut_down();
}

#[test]
fn later_commands_are_decided_in_the_same_group() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let (engine, first) = stalled(&shared, 100);
    let submit = |id: &str| submit(&engine, line(id, "LAMP", 1));
    let late = submit("O-1");
    shared.time.pass(Duration::from_millis(400));
    let in_time = submit("O-2");
    shared.time.pass(MAX_AGE - Duration::from_millis(400));
    shared.open_gate();
    assert_eq!(reply(first), "overloaded");
    assert_eq!(reply(late), "overloaded");
    assert_eq!(reply(in_time), "allocated");
    assert_eq!(shared.counters.snapshot().overloads, 1, "commands that never ran");
    engine.shut_down();
}

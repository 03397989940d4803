//! Commands that have waited too long.

use super::*;

#[test]
fn a_command_past_its_deadline_is_rejected_and_never_run() {
    let shared = Shared::with(&[("LAMP", 100), ("RUG", 100)]);
    let engine = engine(&shared, 100, no_fault);
    shared.close_gate();
    let first = engine.submit_line(line("O-0", "LAMP", 1), EventContext::default()).unwrap();
    shared.await_unit();
    let late: Vec<_> = (1..9)
        .map(|n| engine.submit_line(line(&format!("O-{n}"), "LAMP", 1), EventContext::default()).unwrap())
        .collect();
    shared.time.pass(MAX_AGE);
    shared.open_gate();
    assert_eq!(told(first.blocking_recv().unwrap()), "overloaded", "its time was over before it had the lock");
    for answer in late {
        assert_eq!(told(answer.blocking_recv().unwrap()), "overloaded");
    }
    assert_eq!(shared.groups(), [["O-0"]]);
    assert_eq!(locked(&shared.products)[&sku("LAMP")].available(), 100, "nothing is allocated");
    engine.shut_down();
}

#[test]
fn later_commands_are_decided_in_the_same_group() {
    let shared = Shared::with(&[("LAMP", 100)]);
    let engine = engine(&shared, 100, no_fault);
    shared.close_gate();
    let first = engine.submit_line(line("O-0", "LAMP", 1), EventContext::default()).unwrap();
    shared.await_unit();
    let submit = |id: &str| engine.submit_line(line(id, "LAMP", 1), EventContext::default()).unwrap();
    let late = submit("O-1");
    shared.time.pass(Duration::from_millis(400));
    let in_time = submit("O-2");
    shared.time.pass(MAX_AGE - Duration::from_millis(400));
    shared.open_gate();
    assert_eq!(told(first.blocking_recv().unwrap()), "overloaded");
    assert_eq!(told(late.blocking_recv().unwrap()), "overloaded");
    assert_eq!(told(in_time.blocking_recv().unwrap()), "allocated");
    assert_eq!(shared.counters.snapshot().overloads, 1, "commands that never ran");
    engine.shut_down();
}

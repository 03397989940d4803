//! Products that another transaction has locked.

use super::*;
use crate::engine::lane::LANE_LENGTH;

impl Shared {
    fn hold(&self, name: &str) {
        locked(&self.held).insert(sku(name));
    }

    fn release(&self, name: &str) {
        locked(&self.held).remove(&sku(name));
    }
}

/// Submits a line that is decided at once.
fn decide(engine: &AllocationEngine, order_id: &str, name: &str) -> &'static str {
    reply(submit(engine, line(order_id, name, 1)))
}

/// Submits lines that gather in one group.
fn gather(shared: &Shared, engine: &AllocationEngine, lines: &[OrderLine]) -> Vec<oneshot::Receiver<LineReply>> {
    let first = stall(shared, engine, line("FIRST", "LAMP", 1));
    let answers = lines.iter().map(|line| submit(engine, line.clone())).collect();
    shared.open_gate();
    assert!(["allocated", "unchanged"].contains(&reply(first)));
    answers
}

#[test]
fn a_group_continues_without_a_held_product_whose_lines_follow_once_it_is_free() {
    let shared = Shared::with(&[("LAMP", 100), ("HELD", 100)]);
    let engine = engine(&shared, 100, no_fault);
    shared.hold("HELD");
    let name = |n: usize| if n % 5 == 4 { "HELD" } else { "LAMP" };
    let lines: Vec<_> = (0..16).map(|n| line(&format!("O-{n}"), name(n), 1)).collect();
    let answers = gather(&shared, &engine, &lines);
    let (mut held, mut others) = (Vec::new(), Vec::new());
    for (n, answer) in answers.into_iter().enumerate() {
        if name(n) == "HELD" { held.push(answer) } else { others.push(answer) }
    }
    for answer in others {
        assert_eq!(reply(answer), "allocated");
    }
    assert!(held.iter_mut().all(|answer| answer.try_recv().is_err()), "their turn comes");
    shared.release("HELD");
    for answer in held {
        assert_eq!(reply(answer), "allocated");
    }
    engine.shut_down();
}

#[test]
fn groups_do_not_meet_a_held_product_twice() {
    let shared = Shared::with(&[("LAMP", 100), ("HELD", 100)]);
    let engine = engine(&shared, 100, no_fault);
    shared.hold("HELD");
    let waiting = gather(&shared, &engine, &[line("H-0", "HELD", 1), line("O-0", "LAMP", 1)]);
    let [held, other] = waiting.try_into().unwrap();
    assert_eq!(reply(other), "allocated");
    for n in 1..30 {
        let more = gather(&shared, &engine, &[line(&format!("H-{n}"), "HELD", 1), line(&format!("O-{n}"), "LAMP", 1)]);
        let [_, other] = more.try_into().unwrap();
        assert_eq!(reply(other), "allocated");
    }
    let both = |group: &&Vec<String>| {
        let has = |letter: char| group.iter().any(|name| name.starts_with(letter));
        has('H') && has('O')
    };
    assert_eq!(shared.groups().iter().filter(both).count(), 1);
    shared.release("HELD");
    assert_eq!(reply(held), "allocated");
    engine.shut_down();
}

#[test]
fn an_order_over_a_held_product_delays_no_order_over_others() {
    let shared = Shared::with(&[("LAMP", 100), ("RUG", 100), ("HELD", 100)]);
    let engine = engine(&shared, 100, no_fault);
    let place = |order_id: &str, skus: &[(&str, u32)]| {
        engine.submit_order(new_order(order_id, skus, OrderTerms::default()), EventContext::default()).unwrap()
    };
    shared.hold("HELD");
    let mut held = place("H-1", &[("HELD", 1), ("LAMP", 1)]);
    let next = place("O-1", &[("LAMP", 1), ("RUG", 1)]);
    assert!(matches!(next.blocking_recv().unwrap(), Ok(Outcome::Changed(_))));
    assert!(held.try_recv().is_err());
    shared.release("HELD");
    assert!(matches!(held.blocking_recv().unwrap(), Ok(Outcome::Changed(_))));
    engine.shut_down();
}

#[test]
fn a_line_whose_product_is_held_past_its_deadline_is_busy_and_never_allocated() {
    let shared = Shared::with(&[("LAMP", 100), ("HELD", 1)]);
    let engine = engine(&shared, 100, no_fault);
    shared.hold("HELD");
    let mut waiting = gather(&shared, &engine, &[line("H-1", "HELD", 1)]);
    let held = waiting.remove(0);
    // Once by the group, and again by the lane.
    while shared.groups().iter().filter(|group| group.contains(&"H-1".to_owned())).count() < 2 {
        std::thread::yield_now();
    }
    // The process does not stall.
    for _ in 0..100 {
        shared.time.pass(MAX_AGE / 100);
        engine.age.beat();
    }
    assert_eq!(reply(held), "busy");
    shared.release("HELD");
    assert_eq!(decide(&engine, "O-1", "HELD"), "allocated", "the one unit is still there");
    engine.shut_down();
}

#[test]
fn a_panic_in_the_lane_costs_no_command_but_its_own() {
    let shared = Shared::with(&[("LAMP", 100), ("HELD", 100), ("PANIC", 1)]);
    let engine = engine(&shared, 100, no_fault);
    shared.hold("HELD");
    shared.hold("PANIC");
    let names = ["HELD", "HELD", "PANIC", "HELD"];
    let lines: Vec<_> = names.iter().enumerate().map(|(n, name)| line(&format!("H-{n}"), name, 1)).collect();
    let mut answers = gather(&shared, &engine, &lines);
    assert!(answers.iter_mut().all(|answer| answer.try_recv().is_err()), "all of them are in the lane");
    locked(&shared.held).clear();
    let answers: Vec<_> = answers.into_iter().map(reply).collect();
    assert_eq!(answers, ["allocated", "allocated", "failed", "allocated"]);
    engine.shut_down();
}

#[test]
fn the_lane_of_held_products_has_its_own_bound() {
    let shared = Shared::with(&[("LAMP", 100), ("HELD", 20_000)]);
    let engine = engine(&shared, LANE_LENGTH * 10, no_fault);
    shared.hold("HELD");
    let lines: Vec<_> = (0..LANE_LENGTH * 9).map(|n| line(&format!("H-{n}"), "HELD", 1)).collect();
    let mut answers = gather(&shared, &engine, &lines);
    assert_eq!(decide(&engine, "O-1", "LAMP"), "allocated", "later commands have room");
    let mut answered = Vec::new();
    answers.retain_mut(|answer| match answer.try_recv() {
        Ok(answer) => {
            answered.push(describe(answer));
            false
        }
        Err(_) => true,
    });
    assert_eq!(answered.len(), LANE_LENGTH * 8);
    assert!(answered.iter().all(|answer| *answer == "overloaded"));
    shared.release("HELD");
    assert_eq!(answers.len(), LANE_LENGTH);
    for answer in answers {
        assert_eq!(reply(answer), "allocated");
    }
    engine.shut_down();
}

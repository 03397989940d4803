//! Batches with more lines than one decision moves.

use crate::partly_loaded::stored;
use crate::shop::{Shop, batch, due, id, order, parts, units};
use allocation_domain::{
    BatchChange, Eta, Event, FirstToLeave, MAX_MOVED_LINES, NewPickList, OrderStatus, PickCriteria, PickLineId,
    PickListId, Product, QueuePosition, Units,
};
use std::collections::BTreeMap;

/// More than ten times the number of lines that one decision moves.
const LINES: usize = 10 * MAX_MOVED_LINES + 7;

/// Chairs in `B-1` for many lines of two units each. Every tenth has a higher priority.
fn crowd(others: &[(&str, u32, Eta)]) -> Shop {
    let all = u32::try_from(2 * LINES).unwrap();
    let mut shop = Shop::of_chairs(&[("B-1", all, due(1))]);
    for number in 0..LINES {
        shop.place(&order(&name(number)).of(2, "CHAIR").with_priority(i32::from(number % 10 == 0)));
    }
    for (reference, purchased, eta) in others {
        shop.receive(reference, "CHAIR", *purchased, *eta);
    }
    restart(&mut shop);
    shop
}

fn name(number: usize) -> String {
    format!("O-{number:05}")
}

/// Saves the product.
fn restart(shop: &mut Shop) {
    let chairs = stored(shop.chairs());
    shop.products.insert(chairs);
}

fn chairs(shop: &Shop) -> &Product {
    shop.products.iter().next().unwrap()
}

fn moving_units(shop: &Shop) -> u32 {
    chairs(shop).batch(&batch("B-1")).unwrap().moving_units()
}

/// Returns the line that a store finds by adding up the lines.
fn first_to_leave(shop: &Shop) -> Option<FirstToLeave> {
    let product = chairs(shop);
    let lowered = product.batch(&batch("B-1")).unwrap();
    let moving = lowered.moving()?;
    if moving.review.is_some() || moving.after.is_some() {
        return None;
    }
    let held = |(order_id, line)| Some((QueuePosition::of(order_id, line), line.holds(&batch("B-1"))?));
    let mut lines: Vec<_> = product.lines().filter_map(held).collect();
    lines.sort();
    let (mut sum, all) = (0, lowered.total().get() - lowered.lowered_to().get());
    let mut first = None;
    for (position, units) in lines.into_iter().rev() {
        let Some(part) = units.at_most(all - sum) else { break };
        sum += part.get();
        first = Some(FirstToLeave { position, part, units: sum });
    }
    first
}

/// Runs one step, checks the invariants, and returns whether there was anything to do.
fn step(shop: &mut Shop) -> bool {
    shop.pass(1);
    let (first, now) = (first_to_leave(shop), shop.now);
    let before = chairs(shop).events().len();
    let moved = shop.chairs().move_lines(&batch("B-1"), first.as_ref(), now).unwrap();
    let events = &chairs(shop).events()[before..];
    let left = |event: &&Event| matches!(event, Event::Deallocated { .. });
    assert!(events.iter().filter(left).count() <= MAX_MOVED_LINES + 1, "a step has a bound");
    restart(shop);
    moved.is_some()
}

/// Runs steps until nothing is left, and returns their number.
fn finish(shop: &mut Shop) -> usize {
    let steps = (0..100).take_while(|_| step(shop)).count();
    assert_eq!(moving_units(shop), 0);
    assert!(chairs(shop).batch(&batch("B-1")).unwrap().moving().is_none());
    steps
}

#[test]
fn of_many_lines_the_same_leave_a_lowered_batch_as_of_few_and_the_first_get_others() {
    let mut shop = crowd(&[("B-2", 2_000, due(2))]);
    let changed = shop.lower("B-1", 1_001);
    assert_eq!((changed.batch.purchased().get(), changed.batch.lowered_to().get()), (20_014, 1_001));
    assert_eq!((changed.batch.available(), changed.batch.moving_units()), (0, 19_013));
    restart(&mut shop);
    assert_eq!(finish(&mut shop), 10);
    let lowered = chairs(&shop).batch(&batch("B-1")).unwrap();
    assert_eq!((lowered.purchased().get(), lowered.allocated(), lowered.revision()), (1_001, 1_001, 2));
    // 1,001 lines have priority; of these the first 500 stay, and one has a unit left.
    assert_eq!(shop.holds(&name(4_990)), parts([("B-1", 2)]));
    assert_eq!(shop.holds(&name(5_000)), parts([("B-1", 1), ("B-2", 1)]));
    // The others with priority get the units elsewhere, then the oldest of the rest.
    for number in [5_010, 10_000, 1, 553] {
        assert_eq!(shop.holds(&name(number)), parts([("B-2", 2)]), "{number}");
    }
    assert_eq!(shop.status(&name(10_006)), OrderStatus::Short);
    let waiting = chairs(&shop).lines().filter(|(_, line)| line.waiting > 0).count();
    assert_eq!(waiting, 17_013_usize.div_ceil(2));
}

#[test]
fn all_lines_leave_a_batch_below_which_units_were_picked() {
    let mut shop = crowd(&[]);
    shop.postpone("B-1", Eta::InStock, false);
    let list = PickListId::parse("P").unwrap();
    shop.products.make_pick_list(&NewPickList::new(list.clone(), PickCriteria::default())).unwrap();
    shop.lower("B-1", 1);
    let now = shop.now;
    shop.products.pick(&PickLineId { list, line: 1 }, Units::new(2).unwrap(), now).unwrap();
    restart(&mut shop);
    finish(&mut shop);
    let lowered = chairs(&shop).batch(&batch("B-1")).unwrap();
    assert_eq!((lowered.purchased().get(), lowered.allocated()), (2, 0));
}

#[test]
fn a_step_that_changes_nothing_is_none() {
    let mut shop = crowd(&[]);
    shop.lower("B-1", 10);
    restart(&mut shop);
    let now = shop.now;
    assert_eq!(shop.chairs().move_lines(&batch("B-1"), None, now).unwrap(), None, "the first line is not known");
    assert!(!shop.chairs().has_changed());
}

#[test]
fn a_batch_being_lowered_gets_no_new_line() {
    let mut shop = crowd(&[]);
    shop.lower("B-1", 10);
    restart(&mut shop);
    while moving_units(&shop) > 0 {
        assert_eq!(shop.free_chairs(), 0);
        assert!(shop.try_place(&order("NEW").of(1, "CHAIR")).is_err());
        step(&mut shop);
    }
    assert_eq!(shop.free_chairs(), 0);
}

#[test]
fn units_released_by_lines_that_were_to_leave_let_others_stay() {
    let mut shop = crowd(&[]);
    shop.lower("B-1", 1_001);
    // The lines that have to leave are not known yet.
    shop.cancel(&name(5_001));
    assert_eq!(moving_units(&shop), 19_011);
    restart(&mut shop);
    step(&mut shop);
    // The last line would have left; units that a staying line releases go to one that has left.
    shop.cancel(&name(10_006));
    assert_eq!(shop.free_chairs(), 0);
    shop.cancel(&name(0));
    assert_eq!(shop.free_chairs(), 0);
    restart(&mut shop);
    finish(&mut shop);
    let lowered = chairs(&shop).batch(&batch("B-1")).unwrap();
    assert_eq!((lowered.purchased().get(), lowered.allocated()), (1_001, 1_001));
}

#[test]
fn every_line_on_a_postponed_batch_is_notified_once() {
    let mut shop = crowd(&[]);
    let now = shop.now;
    let changed = shop.postpone("B-1", due(9), false);
    assert_eq!((changed.affected.len(), changed.batch.eta()), (MAX_MOVED_LINES, due(9)));
    assert_eq!(changed.affected[0].order_id, id(&name(0)));
    assert_eq!(changed.batch.moving_units(), 18_014);
    let count_worsened = |shop: &Shop| {
        let events = chairs(shop).events().iter();
        events.filter(|it| matches!(it, Event::PromiseWorsened { .. })).count()
    };
    let mut all = count_worsened(&shop);
    restart(&mut shop);
    // The product has recorded it.
    shop.pass(1);
    shop.cancel(&name(9_999));
    shop.chairs().allocate(&id("NEW"), units(2), now + chrono::TimeDelta::hours(9)).unwrap();
    restart(&mut shop);
    while moving_units(&shop) > 0 {
        shop.pass(1);
        let now = shop.now;
        shop.chairs().move_lines(&batch("B-1"), None, now).unwrap();
        all += count_worsened(&shop);
        restart(&mut shop);
    }
    assert_eq!(all, LINES - 1);
}

#[test]
fn lines_move_to_better_batches_in_the_order_in_which_they_are_served() {
    let mut shop = crowd(&[("B-2", 4_001, due(3))]);
    shop.postpone("B-1", due(9), true);
    restart(&mut shop);
    assert_eq!(finish(&mut shop), 10);
    // 1,001 have priority, and 999 of the rest are the oldest; one more gets a part.
    for number in [0, 10_000, 1, 1_109] {
        assert_eq!(shop.holds(&name(number)), parts([("B-2", 2)]), "{number}");
    }
    assert_eq!(shop.holds(&name(1_111)), parts([("B-2", 1), ("B-1", 1)]));
    assert_eq!(shop.holds(&name(1_112)), parts([("B-1", 2)]));
}

#[test]
fn lines_move_to_better_batches_before_any_has_to_leave() {
    let mut shop = crowd(&[("B-2", 4_000, due(3))]);
    let purchased = Some(Units::new(16_014).unwrap());
    shop.change("B-1", BatchChange { purchased, eta: Some(due(9)), reallocate: true, expected: None }).unwrap();
    restart(&mut shop);
    finish(&mut shop);
    assert!(chairs(&shop).lines().all(|(_, line)| line.waiting == 0), "just as many as must leave have moved");
    assert_eq!(chairs(&shop).batch(&batch("B-1")).unwrap().purchased().get(), 16_014);
}

#[test]
fn a_batch_that_is_no_longer_in_stock_leaves_its_pick_lists() {
    let mut shop = crowd(&[]);
    shop.postpone("B-1", Eta::InStock, false);
    for list in 0..2 {
        let list = PickListId::parse(format!("P-{list}")).unwrap();
        shop.products.make_pick_list(&NewPickList::new(list, PickCriteria::default())).unwrap();
    }
    restart(&mut shop);
    shop.postpone("B-1", due(5), false);
    restart(&mut shop);
    finish(&mut shop);
    assert!(chairs(&shop).pick_lines().all(|(_, pick)| !pick.is_open()));
    assert!(chairs(&shop).lines().all(|(_, line)| line.fulfilment.listed == 0));
}

#[test]
fn another_change_continues_where_the_first_has_stopped() {
    let mut shop = crowd(&[]);
    shop.lower("B-1", 10);
    restart(&mut shop);
    step(&mut shop);
    let left = moving_units(&shop);
    let unchanged = shop.lower("B-1", 10);
    assert_eq!((unchanged.batch.revision(), shop.chairs().has_changed()), (2, true), "it goes on all the same");
    restart(&mut shop);
    assert!(moving_units(&shop) < left);
    // All remaining lines may stay, and those that have left come back.
    let raised = shop.lower("B-1", 20_014);
    assert_eq!((raised.batch.moving_units(), raised.batch.revision()), (0, 3));
    restart(&mut shop);
    while chairs(&shop).is_behind() {
        let now = shop.now;
        shop.chairs().release_expired(now).unwrap();
        restart(&mut shop);
    }
    assert!(chairs(&shop).lines().all(|(_, line)| line.waiting == 0));
    shop.lower("B-1", 0);
    restart(&mut shop);
    finish(&mut shop);
    assert_eq!(chairs(&shop).batch(&batch("B-1")).unwrap().purchased(), Units::ZERO);
}

#[test]
fn a_second_postponement_is_recorded_from_the_first_line_on() {
    let mut shop = crowd(&[]);
    shop.postpone("B-1", due(5), false);
    restart(&mut shop);
    step(&mut shop);
    let again = shop.postpone("B-1", due(9), false);
    assert_eq!((again.affected.len(), again.affected[0].old_eta), (MAX_MOVED_LINES, due(5)));
    restart(&mut shop);
    assert_eq!(finish(&mut shop), 10);
    // Lines that were not reviewed for a withdrawn date get no event for it.
    shop.postpone("B-1", due(12), false);
    restart(&mut shop);
    let back = shop.postpone("B-1", due(9), false);
    assert_eq!((back.affected.len(), back.batch.moving_units()), (0, 0));
}

/// The dates of every worsened promise since the last restart, with the order.
fn worsened(shop: &Shop) -> Vec<(String, Eta, Eta)> {
    let events = chairs(shop).events().iter();
    let worsened = events.filter_map(|event| match event {
        Event::PromiseWorsened { order_id, old_eta, new_eta, .. } => Some((order_id.to_string(), *old_eta, *new_eta)),
        _ => None,
    });
    worsened.collect()
}

#[test]
fn a_line_reviewed_late_keeps_its_promised_date() {
    let mut shop = crowd(&[]);
    let mut changes: BTreeMap<String, Vec<(Eta, Eta)>> = BTreeMap::new();
    let mut restart = |shop: &mut Shop| {
        for (name, old, new) in worsened(shop) {
            changes.entry(name).or_default().push((old, new));
        }
        restart(shop);
    };
    // Every change meets the review of the one before, each time at an earlier line.
    for (day, steps) in [(5, 5), (6, 3), (7, 1)] {
        shop.postpone("B-1", due(day), false);
        restart(&mut shop);
        for _ in 0..steps {
            shop.pass(1);
            let now = shop.now;
            shop.chairs().move_lines(&batch("B-1"), None, now).unwrap();
            restart(&mut shop);
        }
    }
    // A date in between makes nothing worse.
    shop.postpone("B-1", due(6), false);
    shop.postpone("B-1", due(9), true);
    restart(&mut shop);
    while moving_units(&shop) > 0 {
        shop.pass(1);
        let now = shop.now;
        shop.chairs().move_lines(&batch("B-1"), None, now).unwrap();
        restart(&mut shop);
    }
    assert_eq!(changes.len(), LINES, "each line has an event");
    let count = |dates: &[u32]| {
        let expected: Vec<_> = dates.chunks(2).map(|pair| (due(pair[0]), due(pair[1]))).collect();
        changes.values().filter(|dates| **dates == expected).count()
    };
    assert_eq!(count(&[1, 5, 5, 6, 6, 7, 6, 9]), 2_000);
    assert_eq!(count(&[1, 5, 5, 6, 6, 9]), 2_000);
    assert_eq!(count(&[1, 5, 5, 9]), 2_000);
    assert_eq!(count(&[1, 9]), LINES - 6_000);
}

#[test]
fn many_changes_of_a_date_leave_a_bounded_record_and_miss_no_line() {
    let mut shop = crowd(&[]);
    shop.postpone("B-1", due(2), false);
    for day in 3..15 {
        shop.pass(1);
        let now = shop.now;
        shop.chairs().move_lines(&batch("B-1"), None, now).unwrap();
        shop.postpone("B-1", due(day), false);
        restart(&mut shop);
    }
    let moving = chairs(&shop).batch(&batch("B-1")).unwrap().moving().unwrap();
    assert!(moving.unreviewed.len() <= 8, "{}", moving.unreviewed.len());
    let mut first_promise = 0;
    while moving_units(&shop) > 0 {
        shop.pass(1);
        let now = shop.now;
        shop.chairs().move_lines(&batch("B-1"), None, now).unwrap();
        first_promise += worsened(&shop).iter().filter(|(_, old, new)| (*old, *new) == (due(1), due(14))).count();
        restart(&mut shop);
    }
    assert_eq!(first_promise, LINES - 2_000, "the promise of the lines that no review had reached");
}

#[test]
fn a_line_leaves_its_pick_list_with_the_batch() {
    let mut shop = crowd(&[]);
    shop.postpone("B-1", Eta::InStock, false);
    let list = PickListId::parse("P").unwrap();
    shop.products.make_pick_list(&NewPickList::new(list, PickCriteria::default())).unwrap();
    restart(&mut shop);
    shop.lower("B-1", 0);
    restart(&mut shop);
    finish(&mut shop);
    assert!(chairs(&shop).pick_lines().all(|(_, pick)| !pick.is_open()));
}

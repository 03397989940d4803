//! Batches with more lines than one step moves.

use crate::world::{self, World, due, held as on_hold, instant, new_order, order, reference, sku, to_allocate};
use allocation_domain::{BatchChange, BatchChanged, Eta, FirstToLeave, MAX_MOVED_LINES, Pending, Product, Units};
use allocation_ports::{BatchFilter, BatchQueries, EventContexts, LockRequest, MovingBatches, ProductQueries};
use allocation_test_support::TestDatabase;
use chrono::{DateTime, Utc};

/// A hundred times the lines of one step.
const MANY: u32 = 100_000;

/// A batch `B` of lines of one unit, placed one after the other; their names are in the opposite order, and
/// the last ones have priority.
fn crowd(world: &World, lines: u32, with_priority: u32) {
    world.add("LAMP", "B", lines, Eta::InStock);
    let first = lines - with_priority;
    world.database.execute(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {lines})
         INSERT INTO order_lines (sku, order_id, quantity, reference, allocated, placed_at, precedence)
         SELECT 'LAMP', 'O-' || (900000 - n), 1, 'B', 1, n, CASE WHEN n > {first} THEN -8 ELSE -1 END FROM numbers"
    ));
    world.database.execute(&format!("UPDATE batches SET allocated_quantity = {lines} WHERE reference = 'B'"));
}

/// Decides in a unit of work of its own, and returns how many lines it had loaded, too.
fn decide<T, R: std::fmt::Debug>(
    world: &World,
    first: Option<&FirstToLeave>,
    decision: impl Fn(&mut Product, DateTime<Utc>) -> Result<T, Pending<R>>,
) -> (T, usize) {
    let now = world.now();
    world.store.clock().stop_at(now);
    let order_ids = first.map(|first| first.position.order_id().clone()).into_iter().collect();
    let wanted = LockRequest { batches: vec![reference("B")], order_ids, ..LockRequest::product(sku("LAMP")) };
    let mut unit = world.begin();
    let mut product = unit.products().lock(&[wanted]).unwrap().remove(0);
    let decided = world::decide(&mut *unit, &mut product, |product| decision(product, now)).unwrap();
    let lines = product.lines().count();
    unit.products().save(&[product], &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    (decided, lines)
}

fn change(world: &World, change: BatchChange) -> (BatchChanged, usize) {
    decide(world, None, |product, now| product.change_batch(&reference("B"), &change, now))
}

fn lower(world: &World, units: u32) -> (BatchChanged, usize) {
    change(world, BatchChange { purchased: Some(Units::new(units).unwrap()), ..BatchChange::default() })
}

/// One step, `false` when nothing is left to be done.
fn step(world: &World) -> bool {
    let batch = world.batch("B").unwrap();
    let adds_up = batch.moving().is_some_and(|moving| moving.review.is_none() && moving.after.is_none());
    let first = adds_up.then(|| world.store.first_to_leave(&reference("B"), batch.moving_units()).unwrap()).flatten();
    let (moved, lines) =
        decide(world, first.as_ref(), |product, now| product.move_lines(&reference("B"), first.as_ref(), now));
    assert!(lines <= 2 * MAX_MOVED_LINES + 1, "a step loads a bounded number of lines: {lines}");
    moved.is_some()
}

fn finish(world: &World) -> usize {
    let steps = (0..1_000).take_while(|_| step(world)).count();
    assert!(world.store.moving_batches(None, 10).unwrap().is_empty());
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
    steps
}

fn held(world: &World, lines: &str) -> i64 {
    world.database.count(&format!("SELECT count(*) FROM allocations WHERE reference = 'B' AND ({lines})"))
}

pub fn to_lower_a_crowded_batch_by_one_unit_loads_one_line(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, MANY, 10);
    let (changed, lines) = lower(&world, MANY - 1);
    // The youngest without priority.
    assert_eq!((changed.displaced.len(), &changed.displaced[0].order_id), (1, &order("O-800010")));
    assert_eq!((lines, changed.batch.moving_units()), (1, 0));
    let (changed, lines) = lower(&world, MANY - 1_001);
    assert_eq!((changed.displaced.len(), lines, changed.batch.moving_units()), (1_000, 1_000, 0));
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

pub fn a_crowded_batch_that_is_lowered_far_loses_its_lines_in_steps(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, 12_345, 10);
    let (changed, lines) = lower(&world, 100);
    assert_eq!((lines, changed.displaced.len(), changed.batch.available()), (0, 0, 0));
    assert_eq!((changed.batch.moving_units(), changed.batch.lowered_to().get()), (12_245, 100));
    assert_eq!(world.store.moving_batches(None, 10).unwrap(), [(sku("LAMP"), reference("B"))]);
    assert_eq!(world.batch("B").unwrap(), changed.batch, "what is left to be done is stored");
    assert!(step(&world));
    assert_eq!(world.batch("B").unwrap().purchased().get(), 11_344);
    assert!(world.allocate("LAMP", "NEW", 1).is_err(), "it is closed");
    assert_eq!(finish(&world), 12);
    assert_eq!(world.batch("B").unwrap().purchased().get(), 100);
    // The ones with priority, and the oldest of the rest.
    assert_eq!((held(&world, "true"), held(&world, "placed_at > 12335 OR placed_at <= 90")), (100, 100));
}

pub fn the_lines_of_a_postponed_crowded_batch_are_notified_in_steps(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, 12_345, 10);
    let (changed, lines) = change(&world, BatchChange { eta: Some(due("2027-03-01")), ..BatchChange::default() });
    assert_eq!((lines, changed.affected.len(), changed.batch.moving_units()), (1_000, 1_000, 11_345));
    // Of equal age and priority the smaller name is first: those with priority are.
    assert!(changed.affected.iter().take(10).all(|it| it.order_id < order("O-887665")), "{:?}", changed.affected[0]);
    assert_eq!(finish(&world), 12);
    let events = world.database.count("SELECT count(*) FROM outbox WHERE type = 'promise_worsened'");
    let lines = world
        .database
        .count("SELECT count(*) FROM (SELECT DISTINCT order_id FROM outbox WHERE type = 'promise_worsened') AS t");
    assert_eq!((events, lines), (12_345, 12_345));
}

pub fn a_line_reviewed_late_keeps_its_promised_date(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, 1_500, 0);
    for eta in ["2027-02-01", "2027-03-01"] {
        change(&world, BatchChange { eta: Some(due(eta)), ..BatchChange::default() });
    }
    finish(&world);
    let count_worsened = |old: &str, new: &str| {
        let dates = format!("payload LIKE '%\"old_eta\":{old}%' AND payload LIKE '%\"new_eta\":\"{new}\"%'");
        world.database.count(&format!("SELECT count(*) FROM outbox WHERE type = 'promise_worsened' AND {dates}"))
    };
    assert_eq!(count_worsened("null", "2027-02-01"), 1_000);
    assert_eq!(count_worsened("\"2027-02-01\"", "2027-03-01"), 1_000);
    assert_eq!(count_worsened("null", "2027-03-01"), 500);
}

pub fn the_lines_of_a_crowded_batch_move_to_a_better_one_in_steps(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, 5_000, 10);
    world.add("LAMP", "BETTER", 3_500, due("2027-01-01"));
    let late = BatchChange { eta: Some(due("2027-03-01")), reallocate: true, ..BatchChange::default() };
    change(&world, late);
    assert_eq!(finish(&world), 4);
    assert_eq!((world.allocated("BETTER"), world.allocated("B")), (3_500, 1_500));
    assert_eq!(held(&world, "placed_at > 4990 OR placed_at <= 3490"), 0, "the first ones have moved");
}

/// A batch is postponed and lowered in one correction.
fn postpone_and_lower(database: TestDatabase, lines: u32, to: u32, reallocate: bool) {
    let world = World::new(database);
    crowd(&world, lines, 10);
    let purchased = Some(Units::new(to).unwrap());
    change(&world, BatchChange { purchased, eta: Some(due("2027-03-01")), reallocate, ..BatchChange::default() });
    assert!(finish(&world) < 10, "each step gets further");
    let batch = world.batch("B").unwrap();
    assert_eq!((batch.purchased().get(), batch.allocated(), batch.moving_units()), (to, to, 0));
}

pub fn a_crowded_batch_postponed_and_lowered_a_little_loses_its_last_lines(database: TestDatabase) {
    // One more than a step reviews: the step that ends the review lets lines leave, too.
    postpone_and_lower(database, 1_001, 990, false);
}

pub fn a_crowded_batch_postponed_and_lowered_far_loses_its_lines_in_steps(database: TestDatabase) {
    postpone_and_lower(database, 3_210, 100, true);
}

pub fn a_crowded_batch_postponed_and_lowered_to_nothing_loses_all_lines(database: TestDatabase) {
    postpone_and_lower(database, 2_500, 0, true);
}

pub fn units_of_expired_holds_on_a_batch_that_is_lowered_are_never_free(database: TestDatabase) {
    let world = World::new(database);
    let second = |seconds: i64| instant(seconds * 1_000_000);
    world.add("LAMP", "STOCK", 9, Eta::InStock);
    world.add("LAMP", "INBOUND", 9, due("2027-01-01"));
    world.place(&new_order("HELD", &[("LAMP", 4)], on_hold(10)), second(1));
    world.allocate_at("LAMP", "FIRM", 5, second(2));
    world.place(&new_order("HELD-TOO", &[("LAMP", 3)], on_hold(10)), second(3));
    world.allocate_at("LAMP", "FIRM-TOO", 6, second(4));
    let figures = |reference: &str, at: DateTime<Utc>| {
        let batch = world.store.batch(&self::reference(reference), at).unwrap().unwrap();
        let listed = world.batches_at(&BatchFilter::default(), 10, at);
        assert!(listed.contains(&batch), "{listed:?}");
        (batch.purchased().get(), batch.allocated(), batch.available(), batch.moving_units())
    };
    let free = |at: DateTime<Utc>| {
        let product = world.store.product(&sku("LAMP"), at).unwrap().unwrap().totals;
        let from = world.store.availability(&sku("LAMP"), at).unwrap().unwrap();
        assert_eq!(from.series().last().map_or(0, |step| step.available), product.available);
        (product.in_stock, product.on_its_way, product.allocated, product.available)
    };
    world.database.execute("UPDATE batches SET moving = '{\"review\":null,\"lower_to\":6,\"after\":null}'");
    assert_eq!((figures("STOCK", second(5)), figures("INBOUND", second(5))), ((9, 9, 0, 3), (9, 9, 0, 3)));
    // Four units leave the first batch, which needs three: one is free. The other batch loses its three.
    assert_eq!((figures("STOCK", second(20)), figures("INBOUND", second(20))), ((6, 5, 1, 0), (6, 6, 0, 0)));
    assert_eq!(free(second(20)), (6, 6, 11, 1));
    let before = free(second(20));
    world.decide(to_allocate("LAMP", &[]), second(20), |product| product.release_expired(second(20))).unwrap();
    assert_eq!(free(second(20)), before, "the next decision finds what was shown");
    assert_eq!((figures("STOCK", second(20)), figures("INBOUND", second(20))), ((6, 5, 1, 0), (6, 6, 0, 0)));
}

pub fn the_first_line_to_leave_is_found_by_adding_up(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, MANY, 10);
    let first = |units| world.store.first_to_leave(&reference("B"), units).unwrap();
    let name = |units| first(units).map(|first| first.position.order_id().to_string());
    assert_eq!(name(1).as_deref(), Some("O-800010"));
    assert_eq!(name(10_000).as_deref(), Some("O-810009"));
    assert_eq!(name(10_001).as_deref(), Some("O-810010"));
    assert_eq!(name(MANY - 10).as_deref(), Some("O-899999"));
    assert_eq!(name(MANY).as_deref(), Some("O-800009"), "the oldest of those with priority");
    let all = first(MANY + 1).unwrap();
    assert_eq!((all.position.order_id(), all.units), (&order("O-800009"), MANY), "fewer units: all lines leave");
    world.database.execute("UPDATE order_lines SET quantity = 7, allocated = 7 WHERE order_id = 'O-800011'");
    let split = first(5).unwrap();
    assert_eq!((split.part.get(), split.units, split.position.order_id()), (4, 5, &order("O-800011")));
    world.database.execute("DELETE FROM order_lines");
    assert_eq!(first(1), None);
}

pub fn a_crowded_batch_below_which_units_were_picked_loses_all_other_lines(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, 1_500, 10);
    lower(&world, 0);
    world.database.execute("UPDATE batches SET allocated_quantity = 1499, picked_quantity = 1");
    world.database.execute("UPDATE products SET picked = 1");
    world
        .database
        .execute("UPDATE order_lines SET reference = NULL, allocated = 0, picked = 1 WHERE order_id = 'O-899000'");
    world.database.execute(
        "INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity, picked, status)
         VALUES ('P', 1, 'LAMP', 'O-899000', 'B', 1, 1, 'picked')",
    );
    finish(&world);
    let batch = world.batch("B").unwrap();
    assert_eq!((batch.purchased().get(), batch.allocated(), batch.moving_units()), (1, 0, 0));
}

pub fn the_remaining_moves_of_a_batch_are_stored_to_the_microsecond(database: TestDatabase) {
    let world = World::new(database);
    crowd(&world, 3_000, 0);
    world.database.execute(
        "UPDATE order_lines SET order_id = 'Ö ''\"' || order_id, precedence = 2147483647, placed_at = placed_at + 1",
    );
    let (changed, _) = change(&world, BatchChange { eta: Some(due("2027-03-01")), ..BatchChange::default() });
    let after = changed.batch.moving().unwrap().after.clone().unwrap();
    assert_eq!((after.priority(), after.placed_at().timestamp_micros()), (i32::MIN, 1_001));
    assert_eq!(world.store.batch(&reference("B"), instant(0)).unwrap(), Some(changed.batch));
    assert_eq!(finish(&world), 2);
}

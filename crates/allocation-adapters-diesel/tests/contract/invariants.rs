//! Rows that were changed by hand: a broken invariant is an error with its name, and never a conflict,
//! which would be retried.

use crate::world::{World, instant, lock_one, new_order, order, quantity, reference, sku, to_allocate};
use allocation_domain::{DataRequest, Eta, HoldDuration, NewBatch, OrderTerms};
use allocation_ports::{EventContexts, LockRequest, OrderQueries, StoreError};
use allocation_test_support::TestDatabase;
use std::fmt::Debug;

/// A lamp of which three of five units are allocated, and an intact sofa.
fn world(database: TestDatabase) -> World {
    let world = World::new(database);
    for name in ["LAMP", "SOFA"] {
        world.add(name, &format!("B-{name}"), 5, Eta::InStock);
        world.allocate(name, "O", 3).unwrap();
    }
    world
}

#[track_caller]
fn assert_broken<T: Debug>(result: Result<T, StoreError>, invariant: &str) {
    match result {
        Err(StoreError::Invariant { name, .. }) if name.contains(invariant) => {}
        other => panic!("not the invariant {invariant}: {other:?}"),
    }
}

fn name_of(world: &World, on_postgres: &'static str, on_sqlite: &'static str) -> &'static str {
    if world.is_postgres() { on_postgres } else { on_sqlite }
}

pub fn a_batch_that_counts_less_than_its_lines_hold_is_not_decided_on(database: TestDatabase) {
    let world = world(database);
    world.database.execute("UPDATE batches SET allocated_quantity = 2 WHERE sku = 'LAMP'");
    let lock = |name| world.begin().products().lock(&[to_allocate(name, &["O"])]).map(|found| found.len());
    assert_broken(lock("LAMP"), "batch_covers_its_allocations");
    assert_eq!(lock("SOFA").unwrap(), 1, "others go on");
    assert_broken(world.store.order(&order("O")), "batch_covers_its_allocations");
    let mut unit = world.begin();
    let mut lamp = lock_one(&mut *unit, to_allocate("LAMP", &[]));
    assert_broken(unit.products().load(&mut lamp, &DataRequest::Line(order("O"))), "batch_covers_its_allocations");
}

pub fn lines_that_hold_more_than_a_batch_counts_together_are_not_decided_on(database: TestDatabase) {
    let world = world(database);
    world.allocate("LAMP", "P", 2).unwrap();
    world.database.execute("UPDATE batches SET allocated_quantity = 4 WHERE sku = 'LAMP'");
    let lock = |names: &[&str]| world.begin().products().lock(&[to_allocate("LAMP", names)]).map(drop);
    lock(&["O"]).unwrap();
    lock(&["P"]).unwrap();
    assert_broken(lock(&["O", "P"]), "batch_covers_its_allocations");
}

pub fn a_line_that_has_more_than_it_ordered_is_not_decided_on(database: TestDatabase) {
    let world = world(database);
    world.database.execute(
        "UPDATE order_lines SET reference = NULL, allocated = 0 WHERE sku = 'LAMP';
         INSERT INTO line_parts VALUES ('LAMP', 'O', 'B-LAMP', 4, -1, 1);
         UPDATE batches SET allocated_quantity = 4 WHERE sku = 'LAMP'",
    );
    let locked = world.begin().products().lock(&[to_allocate("LAMP", &["O"])]).map(drop);
    assert_broken(locked, "order_line_within_its_quantity");
}

pub fn a_counter_that_a_constraint_refuses_names_the_constraint(database: TestDatabase) {
    let world = world(database);
    world.database.execute("UPDATE products SET in_stock = 0");
    let removed = world.begin_and(|unit| {
        let mut lamp =
            lock_one(unit, LockRequest { batches: vec![reference("B-LAMP")], ..to_allocate("LAMP", &["O"]) });
        lamp.deallocate(&order("O"), &reference("B-LAMP"), instant(0)).unwrap();
        lamp.remove_batch(&reference("B-LAMP"), instant(0)).unwrap();
        unit.products().save(&[lamp], &EventContexts::default())
    });
    assert_broken(removed, name_of(&world, "products_totals", "in_stock"));
}

pub fn a_locked_row_that_is_missing_is_named(database: TestDatabase) {
    let world = world(database);
    world.add("RUG", "B-RUG", 5, Eta::InStock);
    world.database.execute("DELETE FROM batch_references WHERE sku = 'RUG'");
    let removed =
        world.change(LockRequest { batches: vec![reference("B-RUG")], ..LockRequest::product(sku("RUG")) }, |rug| {
            rug.remove_batch(&reference("B-RUG"), instant(0)).unwrap();
        });
    assert_broken(removed, "locked_batch_reference_exists");
}

/// Names taken concurrently stay conflicts: the next run finds them.
pub fn a_taken_reference_is_a_conflict(database: TestDatabase) {
    let world = world(database);
    let added = world.change(LockRequest { create: true, ..LockRequest::product(sku("RUG")) }, |rug| {
        rug.add_batch(NewBatch::new(reference("B-LAMP"), quantity(1), Eta::InStock), instant(0)).unwrap();
    });
    assert!(matches!(added, Err(StoreError::Conflict(_))), "{added:?}");
    let placed = [new_order("N", &[("LAMP", 1)], OrderTerms::default())];
    let add = || world.begin_and(|unit| unit.orders().add(&placed, instant(0)));
    add().unwrap();
    let again = add();
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

/// Changes by hand, which no constraint refuses, each with the fault that an inspection names.
const DRIFT: [(&str, &str); 10] = [
    ("UPDATE batches SET allocated_quantity = 2 WHERE sku = 'LAMP'", "allocated quantity is not the sum"),
    ("UPDATE batches SET picked_quantity = 1 WHERE sku = 'LAMP'", "differ from their pick lines"),
    ("UPDATE batches SET adjusted_quantity = 6 WHERE sku = 'LAMP'", "more adjusted units than they have"),
    ("UPDATE products SET held_lines = 4 WHERE sku = 'LAMP'", "line counters differ"),
    ("UPDATE products SET in_stock = 4 WHERE sku = 'LAMP'", "stock differs from their batches"),
    ("UPDATE products SET held = 4 WHERE sku = 'LAMP'", "held units differ"),
    ("UPDATE order_lines SET listed = 1 WHERE sku = 'LAMP'", "listed, picked and shipped units differ"),
    ("UPDATE order_lines SET ended = 'cancelled' WHERE sku = 'LAMP'", "have ended and still have"),
    ("INSERT INTO batch_references (reference, sku, purchased_quantity) VALUES ('NONE', 'LAMP', 1)", "do not exist"),
    ("UPDATE event_log SET last_position = last_position + 7", "number of events differs"),
];

pub fn an_inspection_names_each_drift(database: TestDatabase) {
    let world = world(database);
    let faults = || world.store.inspect(HoldDuration::DAY).unwrap().findings;
    assert_eq!((faults(), world.store.inspect(HoldDuration::DAY).unwrap().products), (Vec::new(), 2));
    for (drift, fault) in DRIFT {
        world.database.execute(drift);
        let found = faults();
        assert!(found.iter().any(|it| it.what.contains(fault) && it.rows == 1), "{drift}: {found:?}");
    }
}

/// Such a program writes the units of the batch, and leaves the adjustments.
pub fn a_program_from_before_adjustments_may_correct_an_adjusted_batch(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 9, Eta::InStock);
    world.database.execute("UPDATE batches SET adjusted_quantity = 5");
    for (units, shown) in [(9, (4, 5, 9)), (7, (2, 5, 7)), (3, (0, 3, 3))] {
        world.database.execute(&format!("UPDATE batches SET purchased_quantity = {units}"));
        let batch = world.batch("B-1").unwrap();
        assert_eq!((batch.purchased().get(), batch.adjustments(), batch.available()), shown);
    }
}

use crate::database::TestDatabase;
use crate::world::{World, due, instant, lock_one, order, quantity, reference, sku, to_allocate};
use allocation_domain::{Eta, NewBatch, Outcome};
use allocation_ports::{EventContexts, LockRequest, StoreError};

pub fn a_batch_is_added(database: TestDatabase) {
    let world = World::new(database);
    let added = world.add("LAMP", "B", 10, due("2027-01-01"));
    assert_eq!(world.batch("B"), Some(added));
    assert_eq!(world.batch("C"), None);
}

pub fn a_line_is_stored_in_one_batch_or_split(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "SMALL", 2, Eta::InStock);
    world.add("LAMP", "LARGE", 10, due("2027-01-01"));
    assert!(matches!(world.allocate("LAMP", "O-1", 5), Ok(Outcome::Changed(_))));
    assert!(matches!(world.allocate("LAMP", "O-2", 6), Ok(Outcome::Changed(_))));
    assert_eq!(world.allocation_texts(), ["O-1 LAMP LARGE 5", "O-2 LAMP LARGE 4", "O-2 LAMP SMALL 2"]);
    assert_eq!((world.allocated("SMALL"), world.allocated("LARGE")), (2, 9));
    let Ok(Outcome::Unchanged(line)) = world.allocate("LAMP", "O-2", 6) else { panic!("the line was allocated twice") };
    assert_eq!(line.allocations.iter().map(|part| part.reference.as_str()).collect::<Vec<_>>(), ["SMALL", "LARGE"]);
    assert!(world.allocate("LAMP", "O-3", 2).is_err());
    world.assert_counters_equal_sums();
}

pub fn a_released_line_is_removed(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 10, Eta::InStock);
    world.allocate("LAMP", "O", 10).unwrap();
    assert_eq!(world.deallocate("LAMP", "O", "B"), Ok(quantity(10)));
    assert!(world.allocation_texts().is_empty());
    assert_eq!(world.database.count("SELECT count(*) FROM order_lines"), 0);
    assert!(world.deallocate("LAMP", "O", "B").is_err());
    world.allocate("LAMP", "O", 4).unwrap();
    assert_eq!(world.allocation_texts(), ["O LAMP B 4"]);
}

pub fn a_line_that_lost_units_is_refilled(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 3, Eta::InStock);
    world.add("LAMP", "B-2", 4, Eta::InStock);
    world.allocate("LAMP", "O", 6).unwrap();
    world.deallocate("LAMP", "O", "B-1").unwrap();
    assert_eq!(world.allocation_texts(), ["O LAMP B-2 3"]);
    // Into a batch that already serves the line, and into another one.
    world.add("LAMP", "B-0", 2, due("2030-01-01"));
    world.allocate("LAMP", "O-2", 3).unwrap();
    world.allocate("LAMP", "O", 6).unwrap();
    assert_eq!(world.allocation_texts(), ["O LAMP B-0 2", "O LAMP B-2 4", "O-2 LAMP B-1 3"]);
    assert_eq!(world.database.count("SELECT count(*) FROM order_lines WHERE quantity = 6"), 1);
    world.assert_counters_equal_sums();
}

pub fn a_line_can_be_removed_and_added_in_one_unit(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.add("LAMP", "B-2", 9, Eta::InStock);
    world.allocate("LAMP", "O", 5).unwrap();
    let wanted = LockRequest { batches: vec![reference("B-1")], ..to_allocate("LAMP", &["O"]) };
    world
        .change(wanted, |product| {
            product.deallocate(&order("O"), &reference("B-1"), instant(0)).unwrap();
            product.allocate(&order("O"), quantity(8), instant(0)).unwrap();
        })
        .unwrap();
    assert_eq!(world.allocation_texts(), ["O LAMP B-2 8"]);
    assert_eq!((world.allocated("B-1"), world.allocated("B-2")), (0, 8));
    assert_eq!(world.database.count("SELECT quantity FROM order_lines"), 8);
}

pub fn a_batch_can_be_removed_and_added_again(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    world.remove_batch("LAMP", "B");
    assert_eq!(world.batch("B"), None);
    assert_eq!(world.database.count("SELECT count(*) FROM batch_references"), 0);
    let added = world.add("CHAIR", "B", 6, due("2027-01-01"));
    assert_eq!(world.batch("B"), Some(added));
    let wanted = LockRequest { batches: vec![reference("B")], ..LockRequest::product(sku("CHAIR")) };
    let again = world
        .change(wanted, |product| {
            product.load_in_transit([]);
            product.remove_batch(&reference("B"), instant(0)).unwrap();
            product.add_batch(NewBatch::new(reference("B"), quantity(7), Eta::InStock), world.now()).unwrap().clone()
        })
        .unwrap();
    assert_eq!(world.batch("B"), Some(again));
}

pub fn several_products_are_saved_in_one_unit(database: TestDatabase) {
    let world = World::new(database);
    for name in ["A", "B", "C"] {
        world.add(name, &format!("{name}-1"), 3, Eta::InStock);
        world.allocate(name, "OLD", 1).unwrap();
    }
    let mut unit = world.begin();
    let wanted: Vec<_> = ["A", "B", "C"]
        .iter()
        .map(|name| LockRequest {
            batches: vec![reference(&format!("{name}-1"))],
            ..to_allocate(name, &["OLD", "O", "P"])
        })
        .collect();
    let mut products = unit.products().lock(&wanted).unwrap();
    for product in &mut products {
        let batch = reference(&format!("{}-1", product.sku()));
        product.deallocate(&order("OLD"), &batch, instant(0)).unwrap();
        product.allocate(&order("O"), quantity(1), instant(0)).unwrap();
        product.allocate(&order("P"), quantity(2), instant(0)).unwrap();
        product
            .add_batch(
                NewBatch::new(reference(&format!("{}-2", product.sku())), quantity(1), Eta::InStock),
                world.now(),
            )
            .unwrap();
    }
    unit.products().save(&products, &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    let expected = ["O A A-1 1", "P A A-1 2", "O B B-1 1", "P B B-1 2", "O C C-1 1", "P C C-1 2"];
    assert_eq!(world.allocation_texts(), expected);
    assert_eq!(world.database.count("SELECT count(*) FROM batches"), 6);
    world.assert_counters_equal_sums();
}

pub fn a_reference_under_another_sku_is_a_conflict(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    let wanted = LockRequest { create: true, ..LockRequest::product(sku("CHAIR")) };
    let result = world.change(wanted, |product| {
        product.add_batch(NewBatch::new(reference("B"), quantity(5), Eta::InStock), world.now()).unwrap();
    });
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
    assert_eq!(world.database.count("SELECT count(*) FROM batches"), 1);
}

pub fn a_batch_that_vanished_is_a_broken_invariant(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    world.add("LAMP", "C", 5, Eta::InStock);
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
    drop(unit);
    world.remove_batch("LAMP", "B");
    product.allocate(&order("O"), quantity(1), instant(0)).unwrap();
    let mut unit = world.begin();
    let result = unit.products().save(&[product], &EventContexts::default());
    assert!(matches!(result, Err(StoreError::Invariant { .. })), "{result:?}");
}

/// No foreign key leads from an allocation to its batch. The statement that adds the allocation changes the
/// counter of the batch, which has to exist and to have the units.
pub fn an_allocation_to_a_batch_that_vanished_is_a_broken_invariant(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
    drop(unit);
    world.database.execute("DELETE FROM batches");
    product.allocate(&order("O"), quantity(1), instant(0)).unwrap();
    let mut unit = world.begin();
    let result = unit.products().save(&[product], &EventContexts::default());
    drop(unit);
    assert!(matches!(&result, Err(StoreError::Invariant { name, .. }) if *name == "locked_batch_exists"), "{result:?}");
    assert_eq!(world.database.count("SELECT count(*) FROM order_lines"), 0);
}

/// The counter would allow the removal, because the batch is removed with it.
pub fn a_batch_that_keeps_an_allocation_is_not_removed(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    let mut unit = world.begin();
    let named = LockRequest { batches: vec![reference("B")], ..LockRequest::product(sku("LAMP")) };
    let mut product = lock_one(&mut *unit, named);
    drop(unit);
    world.allocate("LAMP", "O", 1).unwrap();
    product.remove_batch(&reference("B"), instant(0)).unwrap();
    let mut unit = world.begin();
    let result = unit.products().save(&[product], &EventContexts::default());
    assert!(
        matches!(&result, Err(StoreError::Invariant { name, .. }) if name.contains("batches_keep_allocated")),
        "{result:?}"
    );
}

pub fn a_second_allocation_of_a_line_is_a_broken_invariant(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    let mut unit = world.begin();
    // A unit that does not load the line would allocate it a second time.
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &[]));
    drop(unit);
    world.allocate("LAMP", "O", 1).unwrap();
    product.allocate(&order("O"), quantity(2), instant(0)).unwrap();
    let mut unit = world.begin();
    let result = unit.products().save(&[product], &EventContexts::default());
    assert!(matches!(result, Err(StoreError::Invariant { .. })), "{result:?}");
}

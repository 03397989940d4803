use crate::database::TestDatabase;
use crate::world::{World, instant, lock_one, order, quantity, reference, sku, to_allocate};
use allocation_domain::{Eta, NewBatch};
use allocation_ports::{BatchQueries, EventContexts, LockRequest, LockWait, StoreError, UnitOfWorkFactory};
use std::time::{Duration, Instant};

pub fn a_committed_unit_is_stored_and_a_dropped_one_is_not(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 10, Eta::InStock);
    for commits in [false, true] {
        let mut unit = world.begin();
        let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
        product.allocate(&order("O"), quantity(3), instant(0)).unwrap();
        unit.products().save(&[product], &EventContexts::default()).unwrap();
        if commits {
            unit.commit().unwrap();
        } else {
            drop(unit);
        }
        assert_eq!(world.allocated("B"), if commits { 3 } else { 0 });
    }
    let version = world.database.count("SELECT version FROM products");
    assert_eq!(version, 2, "a dropped unit does not count");
}

pub fn readers_see_nothing_of_a_unit_before_its_commit(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 10, Eta::InStock);
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
    product.allocate(&order("O"), quantity(3), instant(0)).unwrap();
    unit.products().save(&[product], &EventContexts::default()).unwrap();
    assert_eq!(world.allocated("B"), 0);
    assert!(world.allocation_texts().is_empty());
    unit.commit().unwrap();
    assert_eq!(world.allocated("B"), 3);
}

pub fn a_unit_that_failed_cannot_be_committed(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 10, Eta::InStock);
    let mut unit = world.begin();
    let wanted = LockRequest { create: true, ..LockRequest::product(sku("CHAIR")) };
    let mut chair = lock_one(&mut *unit, wanted);
    chair.add_batch(NewBatch::new(reference("B"), quantity(1), Eta::InStock), instant(0)).unwrap();
    assert!(matches!(unit.products().save(&[chair], &EventContexts::default()), Err(StoreError::Conflict(_))));
    assert!(matches!(unit.products().sku_of(&reference("B")), Err(StoreError::Failed(_))));
    assert!(matches!(unit.commit(), Err(StoreError::Failed(_))));
    assert_eq!(world.database.count("SELECT count(*) FROM products"), 1);
    world.add("CHAIR", "C", 1, Eta::InStock);
}

pub fn a_unit_without_changes_writes_nothing(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 10, Eta::InStock);
    let mut unit = world.begin();
    let product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
    unit.products().save(&[product], &EventContexts::default()).unwrap();
    unit.products().save(&[], &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    world.begin().commit().unwrap();
    assert_eq!(world.database.count("SELECT count(*) FROM outbox"), 1, "only that of the batch");
}

pub fn without_a_free_connection_the_store_is_busy(database: TestDatabase) {
    let world = World::with_pool(database, 1);
    let unit = world.begin();
    let started = Instant::now();
    assert!(matches!(world.store.begin(LockWait::Usual).map(drop), Err(StoreError::Busy(_))));
    assert!(started.elapsed() < Duration::from_secs(5));
    if world.is_postgres() {
        assert!(matches!(world.store.batch(&reference("B"), instant(0)), Err(StoreError::Busy(_))));
    } else {
        assert!(world.store.batch(&reference("B"), instant(0)).is_ok(), "readers do not wait for a writer");
    }
    drop(unit);
    drop(world.begin());
}

pub fn a_unit_in_a_panicking_thread_is_rolled_back(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 10, Eta::InStock);
    let panicked = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut unit = world.begin();
            let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
            product.allocate(&order("O"), quantity(3), instant(0)).unwrap();
            unit.products().save(&[product], &EventContexts::default()).unwrap();
            std::panic::resume_unwind(Box::new("the worker gives up"));
        });
        worker.join().is_err()
    });
    assert!(panicked);
    assert_eq!(world.allocated("B"), 0);
    world.allocate("LAMP", "O", 10).unwrap();
}

use crate::database::TestDatabase;
use crate::shop::seconds;
use crate::world::{World, due, held, instant, lock_one, new_order, order, quantity, reference, sku, to_allocate};
use allocation_domain::{BatchChange, DataRequest, Eta, LoadRequest, NewBatch, Pending, Product, Totals, Units};
use allocation_ports::{
    EventContexts, FoundBatch, LockRequest, LockWait, ProductQueries, StoreError, UnitOfWorkFactory,
};
use chrono::TimeDelta;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn references(product: &Product) -> Vec<&str> {
    product.batches().iter().map(|batch| batch.reference().as_str()).collect()
}

pub fn a_sku_without_a_product_is_left_out_unless_it_is_to_be_created(database: TestDatabase) {
    let world = World::new(database);
    let mut unit = world.begin();
    let create = |name| LockRequest { create: true, ..LockRequest::product(sku(name)) };
    let wanted = [LockRequest::product(sku("NONE")), create("NEW"), to_allocate("NONE-2", &["O"]), create("A")];
    let products = unit.products().lock(&wanted).unwrap();
    let mut skus: Vec<_> = products.iter().map(|product| product.sku().as_str()).collect();
    skus.sort_unstable();
    assert_eq!(skus, ["A", "NEW"]);
    assert!(unit.products().lock(&[]).unwrap().is_empty());
    unit.commit().unwrap();
    assert_eq!(world.database.count("SELECT count(*) FROM products"), 2);
}

pub fn every_lock_increments_the_version(database: TestDatabase) {
    let world = World::new(database);
    for version in 1..=3 {
        let mut unit = world.begin();
        let wanted = LockRequest { create: true, ..LockRequest::product(sku("LAMP")) };
        assert_eq!(lock_one(&mut *unit, wanted).version(), version);
        unit.commit().unwrap();
    }
}

pub fn each_product_keeps_its_own_instants_whatever_the_clock_does(database: TestDatabase) {
    let world = World::new(database);
    for name in ["LAMP", "RUG", "SOFA"] {
        world.add_at(name, name, 9, Eta::InStock, seconds(0));
    }
    world.place(&new_order("CART", &[("RUG", 2)], held(10)), seconds(0));
    // The clock was ahead while lamps were allocated, and was then set back.
    let allocate = |now| move |product: &mut Product| product.allocate(&order("O"), quantity(1), now);
    world.decide(to_allocate("LAMP", &["O"]), seconds(3_600), allocate(seconds(3_600))).unwrap();

    let lock = |names: &[&str], now| {
        world.set_time(now);
        let mut unit = world.begin();
        let wanted: Vec<_> = names.iter().map(|name| to_allocate(name, &["P"])).collect();
        let products = unit.products().lock(&wanted).unwrap();
        (unit, products)
    };
    let lock_times = |products: &[Product]| {
        let lock_time = |product: &Product| product.lock_time().unwrap();
        products.iter().map(lock_time).map(|lock| (lock.now, lock.decided_at)).collect::<Vec<_>>()
    };
    let later = |micros| seconds(3_600) + TimeDelta::microseconds(micros);
    let (mut unit, mut products) = lock(&["RUG", "LAMP", "SOFA"], seconds(9));
    assert_eq!(lock_times(&products), [(seconds(9), seconds(9)), (seconds(9), later(1)), (seconds(9), seconds(9))]);
    assert!(products[0].line(&order("CART")).is_none(), "its hold lasts by the clock, whatever another product has");
    for product in &mut products {
        product.allocate(&order("P"), quantity(1), seconds(9)).unwrap();
    }
    unit.products().save(&products, &EventContexts::default()).unwrap();
    unit.commit().unwrap();

    let (unit, products) = lock(&["SOFA", "RUG", "LAMP"], seconds(10));
    assert_eq!(
        lock_times(&products),
        [(seconds(10), seconds(10)), (seconds(10), seconds(10)), (seconds(10), later(2))]
    );
    assert!(products[1].line(&order("CART")).is_some(), "its hold has expired by the clock");
    drop(unit);
    let at = "SELECT occurred_at FROM outbox WHERE order_id = 'P' ORDER BY sku";
    assert_eq!(
        world.database.texts(&at.replace("occurred_at", "CAST(occurred_at AS text)")),
        [later(1), seconds(9), seconds(9)].map(|at| at.timestamp_micros().to_string()),
        "{at}"
    );
    world.assert_events_are_in_order();
}

pub fn only_the_most_preferred_open_batches_are_loaded(database: TestDatabase) {
    let world = World::new(database);
    for number in (0..40).rev() {
        world.add("LAMP", &format!("B-{number:02}"), 1, due(&format!("2027-01-{:02}", number / 2 + 1)));
    }
    world.add("LAMP", "STOCK", 1, Eta::InStock);
    world.add("LAMP", "USED-UP", 1, Eta::InStock);
    world.allocate("LAMP", "O-1", 1).unwrap();
    world.deallocate("LAMP", "O-1", "STOCK").unwrap();
    world.add("LAMP", "OLDER", 5, Eta::InStock);
    world.allocate("LAMP", "O-2", 5).unwrap();

    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
    assert_eq!(product.batches().len(), 32);
    // Of two batches of a day, the one with the greater number was added first.
    assert_eq!(references(&product)[..6], ["STOCK", "USED-UP", "B-01", "B-00", "B-03", "B-02"]);
    let needed = LoadRequest { sku: sku("LAMP"), what: DataRequest::Batches };
    assert_eq!(product.allocate(&order("O"), quantity(33), instant(0)), Err(Pending::Load(needed)));
    assert!(product.allocate(&order("O"), quantity(1), instant(0)).is_ok());
}

pub fn all_open_batches_can_be_loaded_afterwards(database: TestDatabase) {
    let world = World::new(database);
    for number in 0..50 {
        world.add("LAMP", &format!("B-{number}"), 1, Eta::InStock);
    }
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
    unit.products().load(&mut product, &DataRequest::Batches).unwrap();
    assert_eq!(product.available(), 50);
    product.allocate(&order("O"), quantity(50), instant(0)).unwrap();
    unit.products().save(&[product], &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    assert_eq!(world.database.count("SELECT count(*) FROM allocations"), 50);
    world.assert_counters_equal_sums();

    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &[]));
    unit.products().load(&mut product, &DataRequest::Batches).unwrap();
    assert!(product.batches().is_empty());
}

pub fn named_batches_and_lines_are_loaded_whatever_they_hold(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "FULL", 2, Eta::InStock);
    world.add("LAMP", "OPEN", 2, Eta::InStock);
    world.add("CHAIR", "OTHER", 2, Eta::InStock);
    world.allocate("LAMP", "O-1", 2).unwrap();

    let mut unit = world.begin();
    let wanted = LockRequest {
        batches: vec![reference("FULL"), reference("OTHER"), reference("NONE")],
        order_ids: vec![order("O-1"), order("O-2")],
        ..LockRequest::product(sku("LAMP"))
    };
    let product = lock_one(&mut *unit, wanted.clone());
    assert_eq!(references(&product), ["FULL"], "neither open batches nor those of another SKU");
    let lines: Vec<_> = product.lines().collect();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].0, lines[0].1.quantity), (&order("O-1"), quantity(2)));
    drop(unit);

    let mut unit = world.begin();
    let product = lock_one(&mut *unit, LockRequest { open_batches: true, ..wanted });
    assert_eq!(references(&product), ["FULL", "OPEN"]);
    drop(unit);

    let mut unit = world.begin();
    let product = lock_one(&mut *unit, LockRequest::product(sku("LAMP")));
    assert!(product.batches().is_empty());
}

pub fn several_products_are_loaded_each_with_its_own(database: TestDatabase) {
    let world = World::new(database);
    for name in ["C", "A", "B"] {
        world.add(name, &format!("{name}-1"), 2, Eta::InStock);
        world.add(name, &format!("{name}-2"), 4, Eta::InStock);
        world.allocate(name, "O", 5).unwrap();
    }
    let mut unit = world.begin();
    let wanted: Vec<_> = ["B", "X", "C", "A"].iter().map(|name| to_allocate(name, &["O", "P"])).collect();
    let products = unit.products().lock(&wanted).unwrap();
    assert_eq!(products.len(), 3);
    for product in products {
        let name = product.sku().as_str();
        assert_eq!(references(&product), [format!("{name}-1"), format!("{name}-2")], "the full one holds units of O");
        assert_eq!(product.version(), 4);
        let (order_id, line) = product.lines().next().unwrap();
        let parts: Vec<_> =
            line.allocations.iter().map(|part| (part.reference.to_string(), part.quantity.get())).collect();
        assert_eq!(order_id, &order("O"));
        assert_eq!(parts, [(format!("{name}-1"), 2), (format!("{name}-2"), 3)]);
    }
}

pub fn a_lock_excludes_others_and_sees_what_they_committed(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 10, Eta::InStock);
    let (about_to_lock, locks) = mpsc::channel();
    thread::scope(|scope| {
        let mut first = world.begin();
        let mut product = lock_one(&mut *first, to_allocate("LAMP", &["O-1"]));
        let second = scope.spawn(|| {
            about_to_lock.send(()).unwrap();
            let mut second = world.begin();
            lock_one(&mut *second, to_allocate("LAMP", &["O-1", "O-2"]))
        });
        locks.recv().unwrap();
        thread::sleep(Duration::from_millis(200));
        assert!(!second.is_finished(), "the second waits for the first");
        product.allocate(&order("O-1"), quantity(7), instant(0)).unwrap();
        first.products().save(&[product], &EventContexts::default()).unwrap();
        first.commit().unwrap();
        let product = second.join().unwrap();
        assert_eq!(product.available(), 3);
        assert_eq!(product.lines().count(), 1);
        assert_eq!(product.version(), 3);
    });
}

pub fn a_lock_blocks_other_products_only_under_a_single_writer(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 10, Eta::InStock);
    world.add("CHAIR", "B-2", 10, Eta::InStock);
    let mut first = world.begin();
    lock_one(&mut *first, to_allocate("LAMP", &[]));
    if world.is_postgres() {
        world.allocate("CHAIR", "O", 1).unwrap();
    } else {
        drop(first);
        world.allocate("CHAIR", "O", 1).unwrap();
    }
}

pub fn batches_are_found_by_reference(database: TestDatabase) {
    let world = World::new(database);
    let added = world.add("LAMP", "B", 10, due("2027-01-01"));
    let mut unit = world.begin();
    assert_eq!(unit.products().sku_of(&reference("B")).unwrap(), Some(sku("LAMP")));
    assert_eq!(unit.products().sku_of(&reference("b")).unwrap(), None);
    let as_added = FoundBatch { batch: added, added_quantity: Units::new(10).unwrap(), added_eta: due("2027-01-01") };
    assert_eq!(unit.products().find_batch(&reference("B")).unwrap(), Some(as_added.clone()));
    assert_eq!(unit.products().find_batch(&reference("C")).unwrap(), None);
    drop(unit);

    let wanted = LockRequest { batches: vec![reference("B")], ..LockRequest::product(sku("LAMP")) };
    let less = BatchChange { purchased: Some(Units::ZERO), eta: Some(Eta::InStock), ..BatchChange::default() };
    let corrected = world.change(wanted, |product| {
        product.load_in_transit([]);
        let changed = product.change_batch(&reference("B"), &less, instant(0)).unwrap();
        product.add_batch(NewBatch::new(reference("D"), quantity(7), due("2027-02-01")), instant(0)).unwrap();
        product.change_batch(&reference("D"), &less, instant(0)).unwrap();
        changed.batch
    });
    let mut unit = world.begin();
    let found = unit.products().find_batch(&reference("B")).unwrap();
    assert_eq!(found, Some(FoundBatch { batch: corrected.unwrap(), ..as_added }));
    let found = unit.products().find_batch(&reference("D")).unwrap().unwrap();
    assert_eq!((found.batch.purchased(), found.batch.eta()), (Units::ZERO, Eta::InStock));
    assert_eq!((found.added_quantity.get(), found.added_eta), (7, due("2027-02-01")), "corrected in the same unit");
}

/// Version 1 is that of the unit that has created the product.
pub fn a_product_is_registered_once_and_stays(database: TestDatabase) {
    let world = World::new(database);
    let register = |commit: bool| {
        let mut unit = world.begin();
        let wanted = LockRequest { create: true, ..LockRequest::product(sku("LAMP")) };
        let mut product = lock_one(&mut *unit, wanted);
        let is_new = product.register();
        unit.products().save(&[product], &EventContexts::default()).unwrap();
        if commit {
            unit.commit().unwrap();
        }
        is_new
    };
    assert!(register(false), "it is rolled back");
    assert!(world.store.product(&sku("LAMP"), instant(0)).unwrap().is_none());
    assert!(register(true));
    let found = world.store.product(&sku("LAMP"), instant(0)).unwrap().unwrap();
    assert_eq!(found.totals, Totals::default());
    assert!(!register(false) && !register(true));
    let registrations = "SELECT count(*) FROM all_events WHERE type = 'product_registered' AND order_id IS NULL";
    assert_eq!(world.database.count(registrations), 1);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.remove_batch("LAMP", "B-1");
    assert!(!register(false), "a product outlives its last batch");
    world.add("SOFA", "B-2", 5, Eta::InStock);
    world.remove_batch("SOFA", "B-2");
    assert!(
        !lock_one(&mut *world.begin(), LockRequest { create: true, ..LockRequest::product(sku("SOFA")) }).register()
    );
}

pub fn products_locked_by_others_are_returned_without_a_wait_and_the_rest_is_locked(database: TestDatabase) {
    let world = World::new(database);
    for name in ["A", "B", "C"] {
        world.add(name, name, 10, Eta::InStock);
    }
    let skus = |names: &[&str]| names.iter().map(|name| sku(name)).collect::<Vec<_>>();
    if !world.is_postgres() {
        assert_eq!(world.begin().products().locked_by_others(&skus(&["A", "NONE"])).unwrap(), []);
        return;
    }
    let mut first = world.begin();
    lock_one(&mut *first, to_allocate("B", &[]));
    let mut second = world.begin();
    assert_eq!(second.products().locked_by_others(&skus(&["C", "NONE", "B", "A"])).unwrap(), skus(&["B"]));
    let mut third = world.begin();
    assert_eq!(third.products().locked_by_others(&skus(&["A", "B", "C"])).unwrap(), skus(&["A", "B", "C"]));
    drop(first);
    assert_eq!(third.products().locked_by_others(&skus(&["A", "B", "C"])).unwrap(), skus(&["A", "C"]));
    let products = second.products().lock(&[to_allocate("A", &[]), to_allocate("C", &[])]).unwrap();
    assert_eq!(products.len(), 2, "they are its own already");
    assert!(second.products().locked_by_others(&[]).unwrap().is_empty());
}

/// Changes that another unit commits while the lock is awaited are visible under it.
pub fn a_product_that_was_unlocked_just_now_is_locked_as_it_is(database: TestDatabase) {
    let world = World::new(database);
    world.add("A", "A", 10, Eta::InStock);
    let mut unit = world.begin();
    if world.is_postgres() {
        world.allocate("A", "O", 4).unwrap();
    }
    assert_eq!(unit.products().locked_by_others(&[sku("A")]).unwrap(), []);
    let product = lock_one(&mut *unit, to_allocate("A", &["O"]));
    assert_eq!(product.available(), if world.is_postgres() { 6 } else { 10 });
}

pub fn a_brief_wait_for_a_product_ends_busy_and_waits_for_a_connection_as_usual(database: TestDatabase) {
    let world = World::new(database);
    world.add("A", "A", 10, Eta::InStock);
    if world.is_postgres() {
        let mut first = world.begin();
        lock_one(&mut *first, to_allocate("A", &[]));
        for wait in [LockWait::Brief, LockWait::Short] {
            let mut second = world.store.begin(wait).unwrap();
            let locked = second.products().lock(&[to_allocate("A", &[])]);
            assert!(matches!(locked, Err(StoreError::Busy(_))), "{wait:?}: {locked:?}");
        }
        return;
    }
    let (begins, begun) = mpsc::channel();
    thread::scope(|scope| {
        let first = world.begin();
        let second = scope.spawn(|| {
            begins.send(()).unwrap();
            world.store.begin(LockWait::Brief).map(drop)
        });
        begun.recv().unwrap();
        thread::sleep(Duration::from_millis(200));
        drop(first);
        assert!(second.join().unwrap().is_ok(), "the writer of a file is waited for");
    });
}

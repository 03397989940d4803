//! Locks that only PostgreSQL has: deadlocks, and units that stall.

use crate::concurrency::persistently;
use crate::database::TestDatabase;
use crate::world::{World, instant, lock_one, order, quantity, sku, to_allocate};
use allocation_domain::{Eta, NewPickList, PickCriteria, PickListId, Products};
use allocation_ports::{EventContexts, LockRequest};
use std::sync::Barrier;
use std::thread;

#[test]
fn locking_the_same_products_in_hostile_orders_never_deadlocks() {
    let world = World::new(TestDatabase::postgres());
    // Inserted in another order than that of the SKUs, so the order of the table differs from that
    // of the index.
    let names: Vec<_> = (0..40).map(|number| format!("SKU-{:02}", number * 17 % 40)).collect();
    for name in &names {
        world.add(name, name, 10, Eta::InStock);
    }
    thread::scope(|scope| {
        for seed in 0..4 {
            let (world, names) = (&world, &names);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for round in 0..50 {
                    let mut wanted: Vec<_> = names.iter().map(|name| LockRequest::product(sku(name))).collect();
                    random.shuffle(&mut wanted);
                    wanted.truncate(30);
                    for wanted in &mut wanted {
                        wanted.create = random.bool();
                    }
                    wanted
                        .push(LockRequest { create: true, ..LockRequest::product(sku(&format!("NEW-{}", round / 2))) });
                    let mut unit = world.begin();
                    assert_eq!(unit.products().lock(&wanted).unwrap().len(), 31);
                    unit.commit().unwrap();
                }
            });
        }
    });
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(world.database.count(deadlocks), 0);
}

#[test]
fn units_that_make_one_list_of_lines_in_opposite_orders_never_deadlock() {
    const LINES: usize = 30;
    let world = World::new(TestDatabase::postgres());
    for number in 0..LINES {
        // The lines of a list are sorted by batch, and saved with their products.
        for (kind, batch) in [("UP", number), ("DOWN", LINES - number)] {
            let name = format!("{kind}-{number:02}");
            world.add(&name, &format!("{kind}-{batch:02}"), 1, Eta::InStock);
            world.allocate(&name, "O", 1).unwrap();
        }
    }
    let (barrier, world) = (&Barrier::new(2), &world);
    thread::scope(|scope| {
        for kind in ["UP", "DOWN"] {
            scope.spawn(move || {
                let names: Vec<_> = (0..LINES).map(|number| format!("{kind}-{number:02}")).collect();
                let wanted: Vec<_> = names.iter().map(|name| to_allocate(name, &["O"])).collect();
                for round in 0..25 {
                    let mut unit = world.begin();
                    let locked = unit.products().lock(&wanted).unwrap();
                    let mut products: Products = locked.into_iter().collect();
                    let list =
                        NewPickList::new(PickListId::parse(format!("L-{round}")).unwrap(), PickCriteria::default());
                    products.make_pick_list(&list).unwrap();
                    let products: Vec<_> = products.into_iter().collect();
                    barrier.wait();
                    // The later one waits until the other is rolled back.
                    unit.products().save(&products, &EventContexts::default()).unwrap();
                }
            });
        }
    });
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(world.database.count(deadlocks), 0);
}

#[test]
fn a_stalled_unit_holds_its_products_for_a_bounded_time() {
    let world = World::new(TestDatabase::postgres());
    world.add("LAMP", "B", 10, Eta::InStock);
    let mut stalled = world.begin();
    lock_one(&mut *stalled, to_allocate("LAMP", &[]));
    persistently(|| {
        world.change(to_allocate("LAMP", &["O"]), |product| {
            product.allocate(&order("O"), quantity(1), instant(0)).unwrap();
        })
    });
    assert_eq!(world.allocated("B"), 1);
    assert!(stalled.commit().is_err());
}

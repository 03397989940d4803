use crate::database::{TestDatabase, connect};
use crate::shop::wanted;
use crate::world::{World, decide, instant, new_order, order, quantity, reference, sku, standalone};
use allocation_domain::{
    BatchChange, DataRequest, Eta, LoadRequest, NewBatch, OrderTerms, Outcome, Pending, Products, Units,
};
use allocation_ports::{
    EventContexts, LockRequest, LockWait, OrderFilter, OrderQueries, PageSize, StoreError, UnitOfWorkFactory,
};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Runs `work` again while it conflicts, as the use cases do.
pub fn persistently<T>(mut work: impl FnMut() -> Result<T, StoreError>) -> T {
    loop {
        match work() {
            Ok(answer) => return answer,
            Err(StoreError::Conflict(_) | StoreError::Busy(_)) => thread::yield_now(),
            Err(error) => panic!("{error}: {error:?}"),
        }
    }
}

pub fn no_batch_is_oversold_and_counters_equal_sums_after_a_random_history(database: TestDatabase) {
    const SKUS: [&str; 3] = ["A", "B", "C"];
    let world = World::new(database);
    for name in SKUS {
        for number in 0..4 {
            world.add(name, &format!("{name}-{number}"), 10, Eta::InStock);
        }
    }
    // Each thread has its own store, like a replica.
    thread::scope(|scope| {
        for seed in 0..4 {
            let world = &world;
            scope.spawn(move || {
                let store = connect(&world.database, 2);
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..60 {
                    persistently(|| step(&store, &mut random));
                }
            });
        }
    });
    world.assert_counters_equal_sums();
    let overfull = world.database.count(
        "SELECT count(*) FROM order_lines l WHERE quantity < (
            SELECT sum(a.quantity) FROM allocations a WHERE a.sku = l.sku AND a.order_id = l.order_id
        )",
    );
    assert_eq!(overfull, 0, "lines that hold more than they ordered");
    let versions = world.database.count("SELECT sum(version) FROM products");
    let distinct = |columns: &str| {
        world.database.count(&format!("SELECT count(*) FROM (SELECT DISTINCT {columns} FROM outbox) AS found"))
    };
    assert!(distinct("sku, version") <= versions);
    // No key protects the versions of events; the lock of their product does.
    assert_eq!(distinct("sku, version, ordinal"), world.database.count("SELECT count(*) FROM outbox"));
}

/// Allocates or releases units of one or several products.
fn step(store: &impl UnitOfWorkFactory, random: &mut fastrand::Rng) -> Result<(), StoreError> {
    let mut skus = vec!["A", "B", "C"];
    random.shuffle(&mut skus);
    skus.truncate(random.usize(1..=3));
    let order_id = format!("O-{}", random.u8(0..12));
    let number = random.u8(0..4);
    let wanted: Vec<_> = skus
        .iter()
        .map(|name| LockRequest {
            batches: vec![reference(&format!("{name}-{number}"))],
            ..standalone(name, &order_id)
        })
        .collect();
    let mut unit = store.begin(LockWait::Usual)?;
    let mut products = unit.products().lock(&wanted)?;
    for product in &mut products {
        let batch = reference(&format!("{}-{number}", product.sku()));
        // A refusal of the domain is a step as well.
        if random.bool() {
            let _ = product.allocate(&order(&order_id), quantity(random.u32(1..=15)), instant(0));
        } else {
            let _ = product.deallocate(&order(&order_id), &batch, instant(0));
        }
    }
    unit.products().save(&products, &EventContexts::default())?;
    if random.u8(0..10) == 0 { Ok(()) } else { unit.commit() }
}

pub fn writers_of_one_line_allocate_it_once(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 100, Eta::InStock);
    let allocated: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let new = |outcome| matches!(outcome, Ok(Outcome::Changed(_)));
                    usize::from(new(world.allocate("LAMP", "O", 3)))
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(allocated, 1);
    assert_eq!(world.allocated("B"), 3);
}

pub fn the_same_new_product_is_created_once(database: TestDatabase) {
    let world = World::new(database);
    thread::scope(|scope| {
        for number in 0..4 {
            let world = &world;
            scope.spawn(move || world.add("LAMP", &format!("B-{number}"), 1, Eta::InStock));
        }
    });
    assert_eq!(world.database.count("SELECT version FROM products"), 4);
    assert_eq!(world.database.count("SELECT count(*) FROM batches"), 4);
}

pub fn of_two_batches_with_one_reference_one_is_added(database: TestDatabase) {
    let world = World::new(database);
    let barrier = Barrier::new(2);
    let results: Vec<_> = thread::scope(|scope| {
        let add = |name: &'static str| {
            let (world, barrier) = (&world, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let wanted = LockRequest { create: true, ..LockRequest::product(sku(name)) };
                world.change(wanted, |product| {
                    product.add_batch(NewBatch::new(reference("B"), quantity(1), Eta::InStock), world.now()).unwrap();
                })
            })
        };
        [add("LAMP"), add("CHAIR")].map(|worker| worker.join().unwrap()).into()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().any(|result| matches!(result, Err(StoreError::Conflict(_)))), "{results:?}");
}

/// Moves an order's units of two products between two batches of each, in one unit.
fn move_units(world: &World, from: u8, to: u8) {
    let mut unit = world.begin();
    let locked = unit.products().lock(&wanted(&["LAMP", "RUG"], &order("O"), from)).unwrap();
    let mut products: Products = locked.into_iter().collect();
    let purchased = |units| BatchChange { purchased: Units::new(units).ok(), ..BatchChange::default() };
    for name in ["LAMP", "RUG"] {
        for (batch, units) in [(to, 5), (from, 0)] {
            let batch = reference(&format!("{name}-{batch}"));
            let changed = decide(&mut *unit, &mut products, |products| {
                let product = products.get_mut(&sku(name)).unwrap();
                match product.batch(&batch).map(|_| ()) {
                    Some(()) => product.change_batch(&batch, &purchased(units), instant(0)).map(drop),
                    None => Err(Pending::Load(LoadRequest { sku: sku(name), what: DataRequest::Batch(batch.clone()) })),
                }
            });
            changed.unwrap();
        }
    }
    unit.products().save(&products.into_iter().collect::<Vec<_>>(), &EventContexts::default()).unwrap();
    unit.commit().unwrap();
}

pub fn a_moving_order_is_never_seen_partially(database: TestDatabase) {
    let world = World::new(database);
    for name in ["LAMP", "RUG"] {
        world.add(name, &format!("{name}-1"), 5, Eta::InStock);
        world.add(name, &format!("{name}-2"), 1, Eta::InStock);
        world.allocate(name, "O", 5).unwrap();
    }
    let (done, deadline) = (AtomicBool::new(false), Instant::now() + Duration::from_secs(60));
    let continues = || !done.load(Ordering::Relaxed) && Instant::now() < deadline;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut rounds = 0;
            while rounds < 40 || continues() {
                move_units(&world, 1, 2);
                move_units(&world, 2, 1);
                rounds += 1;
            }
        });
        let mut seen = BTreeSet::new();
        while continues() || !writer.is_finished() {
            let one = world.store.order(&order("O")).unwrap().unwrap();
            let listed = world.store.orders(&OrderFilter::default(), None, PageSize::default(), instant(0)).unwrap();
            for order in [one, listed.orders[0].clone()] {
                let parts = order.lines.iter().flat_map(|(_, line)| &line.allocations);
                let parts: Vec<_> = parts.map(|part| (part.reference.to_string(), part.quantity.get())).collect();
                let moved = parts[0].0.ends_with('2');
                let batch = if moved { 2 } else { 1 };
                assert_eq!(parts, [(format!("LAMP-{batch}"), 5), (format!("RUG-{batch}"), 5)]);
                seen.insert(moved);
            }
            done.store(seen.len() == 2, Ordering::Relaxed);
        }
        assert_eq!(seen.len(), 2, "it was seen before and after");
    });
    world.assert_counters_equal_sums();
}

pub fn units_that_add_the_same_orders_in_opposite_orders_never_deadlock(database: TestDatabase) {
    let world = World::new(database);
    let orders = |round: usize| {
        let named = |number| new_order(&format!("O-{round}-{number:02}"), &[("LAMP", 1)], OrderTerms::default());
        (0..40).map(named).collect::<Vec<_>>()
    };
    let (barrier, world) = (&Barrier::new(2), &world);
    thread::scope(|scope| {
        for backwards in [false, true] {
            scope.spawn(move || {
                for round in 0..25 {
                    let mut orders = orders(round);
                    if backwards {
                        orders.reverse();
                    }
                    barrier.wait();
                    let mut unit = persistently(|| world.store.begin(LockWait::Usual));
                    match unit.orders().add(&orders, instant(0)) {
                        Ok(()) => unit.commit().unwrap(),
                        Err(StoreError::Conflict(_)) => {}
                        Err(error) => panic!("{error}: {error:?}"),
                    }
                }
            });
        }
    });
    assert_eq!(world.database.count("SELECT count(*) FROM orders"), 1_000, "one of each two was added whole");
    if world.is_postgres() {
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(world.database.count(deadlocks), 0);
    }
}

//! Units of work on one order over products that they do not share.

use crate::world::{World, decide, held, instant, new_order, order, quantity, reference, sku, standalone, to_allocate};
use allocation_domain::{
    AllocateError, Eta, LineAllocation, NewOrder, Order, OrderChange, OrderTerms, Outcome, Product, Products,
    ReservationState, Sku, TermsChange, Units,
};
use allocation_ports::{EventContexts, LockRequest, LockWait, OrderQueries, StoreError, UnitOfWork, UnitOfWorkFactory};
use allocation_test_support::TestDatabase;
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

/// A world with plenty of some products.
fn world(database: TestDatabase) -> World {
    let world = World::new(database);
    for name in ["LAMP", "RUG", "SOFA"] {
        world.add(name, &format!("B-{name}"), 10_000, Eta::InStock);
    }
    world
}

fn save(unit: &mut dyn UnitOfWork, products: Products) -> Result<(), StoreError> {
    let changed: Vec<Product> = products.into_iter().filter(|product| !product.events().is_empty()).collect();
    if changed.is_empty() { Ok(()) } else { unit.products().save(&changed, &EventContexts::default()) }
}

type Allocated = Result<Outcome<LineAllocation>, AllocateError>;

/// Locks a product and decides a standalone line on it, without saving it.
fn decide_line(unit: &mut dyn UnitOfWork, name: &str, order_id: &str) -> Result<(Products, Allocated), StoreError> {
    let mut products: Products = unit.products().lock(&[standalone(name, order_id)])?.into_iter().collect();
    let allocated = decide(unit, &mut products, |products| {
        products.get_mut(&sku(name)).unwrap().allocate(&order(order_id), quantity(1), instant(0))
    });
    Ok((products, allocated))
}

/// Allocates a standalone line in its own unit of work.
fn allocate(world: &World, name: &str, order_id: &str) -> Result<Allocated, StoreError> {
    let mut unit = world.store.begin(LockWait::Usual)?;
    let (products, allocated) = decide_line(&mut *unit, name, order_id)?;
    save(&mut *unit, products)?;
    unit.commit()?;
    Ok(allocated)
}

/// Locks everything that belongs to an order, as decisions on a whole order do.
fn lock_order(unit: &mut dyn UnitOfWork, order_id: &str) -> Result<Products, StoreError> {
    let skus = unit.orders().skus_of(&order(order_id))?;
    if skus.is_empty() {
        return Ok(Products::default());
    }
    let wanted: Vec<_> = skus
        .iter()
        .map(|name| LockRequest { order_ids: vec![order(order_id)], ..LockRequest::product(name.clone()) })
        .collect();
    let locked = unit.products().lock(&wanted)?;
    unit.orders().lock_lines(&order(order_id), &skus)?;
    Ok(locked.into_iter().collect())
}

/// Cancels an order in its own unit of work.
fn cancel(world: &World, order_id: &str) -> Result<Option<Order>, StoreError> {
    let mut unit = world.store.begin(LockWait::Usual)?;
    let mut products = lock_order(&mut *unit, order_id)?;
    let cancelled = decide(&mut *unit, &mut products, |products| products.cancel(&order(order_id), instant(0)));
    save(&mut *unit, products)?;
    unit.commit()?;
    Ok(cancelled.ok())
}

/// Changes the quantities of lines of an order in its own unit of work.
fn change(world: &World, order_id: &str, lines: &[(&str, u32)]) -> Result<Option<Order>, StoreError> {
    let mut unit = world.store.begin(LockWait::Usual)?;
    let skus = unit.orders().skus_of(&order(order_id))?;
    if skus.is_empty() {
        return Ok(None);
    }
    let all: BTreeSet<Sku> = skus.iter().cloned().chain(lines.iter().map(|(name, _)| sku(name))).collect();
    let wanted: Vec<_> = all.iter().map(|name| to_allocate(name.as_str(), &[order_id])).collect();
    let mut products: Products = unit.products().lock(&wanted)?.into_iter().collect();
    unit.orders().lock_lines(&order(order_id), &skus)?;
    let lines = lines.iter().map(|(name, units)| (sku(name), Units::new(*units).unwrap()));
    let change = OrderChange::new(order(order_id), lines, TermsChange::default()).unwrap();
    let changed = decide(&mut *unit, &mut products, |products| products.change_order(&change, instant(0))).ok();
    save(&mut *unit, products)?;
    let left = unit.orders().skus_of(&order(order_id))?;
    unit.orders().lock_lines(&order(order_id), &left)?;
    unit.commit()?;
    Ok(changed)
}

/// Places an order as the engine does: it looks for one with its id under the locks. `None` if one exists.
fn place(world: &World, placed: &NewOrder) -> Result<Option<Order>, StoreError> {
    let mut unit = world.store.begin(LockWait::Usual)?;
    let mut products = lock_to_place(&mut *unit, placed)?;
    if !unit.orders().with_lines(&[placed.order_id().clone()])?.is_empty() {
        return Ok(None);
    }
    let order = decide(&mut *unit, &mut products, |products| products.place(placed, instant(0)));
    save(&mut *unit, products)?;
    unit.orders().add(std::slice::from_ref(placed), instant(0))?;
    unit.commit()?;
    Ok(order.ok())
}

fn lock_to_place(unit: &mut dyn UnitOfWork, placed: &NewOrder) -> Result<Products, StoreError> {
    let wanted: Vec<_> = placed
        .lines()
        .iter()
        .map(|(name, _)| LockRequest {
            open_batches: true,
            order_ids: vec![placed.order_id().clone()],
            ..LockRequest::product(name.clone())
        })
        .collect();
    Ok(unit.products().lock(&wanted)?.into_iter().collect())
}

/// Runs `work` again while it conflicts, as the use cases do.
fn until_done<T>(mut work: impl FnMut() -> Result<T, StoreError>) -> T {
    loop {
        match work() {
            Ok(answer) => return answer,
            Err(StoreError::Conflict(_) | StoreError::Busy(_)) => thread::yield_now(),
            Err(error) => panic!("{error}: {error:?}"),
        }
    }
}

fn commitments(world: &World, order_id: &str) -> Vec<ReservationState> {
    let order = world.store.order(&order(order_id)).unwrap().unwrap();
    order.lines.into_iter().map(|(_, line)| line.commitment).collect()
}

/// One line of every order is its anchor, or none if the anchor was removed.
fn assert_anchors(world: &World) {
    if world.is_postgres() {
        let wrong = "SELECT count(*) FROM order_lines WHERE order_slot NOT IN ('', sku)";
        assert_eq!(world.database.count(wrong), 0);
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(world.database.count(deadlocks), 0);
    }
}

pub fn a_cancelled_order_keeps_no_line_in_either_order(database: TestDatabase) {
    const ROUNDS: usize = 150;
    let world = world(database);
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        let lines = scope.spawn(|| {
            (0..ROUNDS)
                .map(|round| {
                    barrier.wait();
                    until_done(|| allocate(&world, "SOFA", &format!("O-{round}"))).is_ok()
                })
                .collect::<Vec<_>>()
        });
        for round in 0..ROUNDS {
            let name = format!("O-{round}");
            // The first line is committed earlier, or concurrently.
            if round % 2 == 0 {
                allocate(&world, "LAMP", &name).unwrap().unwrap();
                barrier.wait();
            } else {
                barrier.wait();
                drop(until_done(|| allocate(&world, "LAMP", &name)));
            }
            assert!(until_done(|| cancel(&world, &name)).is_some());
        }
        let allocated = lines.join().unwrap();
        for (round, allocated) in allocated.into_iter().enumerate() {
            let name = format!("O-{round}");
            let expected = vec![ReservationState::Cancelled; if allocated { 2 } else { 1 }];
            assert_eq!(commitments(&world, &name), expected, "{name}");
        }
    });
    assert_anchors(&world);
    world.assert_counters_equal_sums();
}

pub fn an_order_that_loses_its_first_line_is_still_locked_as_a_whole(database: TestDatabase) {
    let world = world(database);
    place(&world, &new_order("O-1", &[("LAMP", 1), ("SOFA", 1)], OrderTerms::default())).unwrap().unwrap();
    let anchors = "SELECT count(*) FROM order_lines WHERE order_slot = ''";
    for (lines, left) in [(&[("LAMP", 0)][..], 1), (&[("SOFA", 0), ("RUG", 2)], 1), (&[("LAMP", 2)], 2)] {
        assert_eq!(change(&world, "O-1", lines).unwrap().unwrap().lines.len(), left);
        if world.is_postgres() {
            assert_eq!(world.database.count(anchors), 1);
        }
    }
    allocate(&world, "SOFA", "O-1").unwrap().unwrap();
    assert_eq!(cancel(&world, "O-1").unwrap().unwrap().lines.len(), 3);
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

/// Many units add and remove first lines of the same orders, and decide on whole orders, in
/// adverse sequences.
pub fn units_that_meet_at_orders_never_wait_in_a_circle(database: TestDatabase) {
    const SKUS: [&str; 3] = ["LAMP", "RUG", "SOFA"];
    let world = world(database);
    thread::scope(|scope| {
        for seed in 0..4 {
            let world = &world;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                for step in 0..60 {
                    let name = format!("O-{}", random.u8(0..6) + 6 * (step / 20));
                    let product = random.choice(SKUS).unwrap();
                    match random.u8(0..10) {
                        0..4 => until_done(|| group(world, product, &mut random)),
                        4 => drop(until_done(|| allocate(world, product, &name))),
                        5 => until_done(|| deallocate(world, product, &name)),
                        6 => drop(until_done(|| cancel(world, &name))),
                        7 | 8 => {
                            let lines = [(product, random.u32(0..2)), (SKUS[random.usize(0..3)], 1)];
                            let lines = if lines[0].0 == lines[1].0 { &lines[..1] } else { &lines };
                            drop(until_done(|| change(world, &name, lines)));
                        }
                        _ => {
                            let placed = new_order(&name, &[("LAMP", 1), ("RUG", 1)], OrderTerms::default());
                            drop(until_done(|| place(world, &placed)));
                        }
                    }
                }
            });
        }
    });
    let mixed = "SELECT count(*) FROM order_lines a JOIN order_lines b ON a.order_id = b.order_id
                 WHERE a.ended = 'cancelled' AND b.ended IS NULL";
    assert_eq!(world.database.count(mixed), 0, "cancelled orders that keep a line");
    assert_anchors(&world);
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

/// Adds standalone lines of many orders in one unit, in any order of their ids.
fn group(world: &World, name: &str, random: &mut fastrand::Rng) -> Result<(), StoreError> {
    let mut names: Vec<_> = (0..18).map(|number| format!("O-{number}")).collect();
    random.shuffle(&mut names);
    names.truncate(9);
    let wanted = LockRequest {
        open_batches: true,
        standalone: names.iter().map(|name| order(name)).collect(),
        ..LockRequest::product(sku(name))
    };
    let mut unit = world.store.begin(LockWait::Usual)?;
    let mut products: Products = unit.products().lock(&[wanted])?.into_iter().collect();
    for order_id in &names {
        // A refusal is a decision as well.
        drop(decide(&mut *unit, &mut products, |products| {
            products.get_mut(&sku(name)).unwrap().allocate(&order(order_id), quantity(1), instant(0))
        }));
    }
    save(&mut *unit, products)?;
    unit.commit()
}

fn deallocate(world: &World, name: &str, order_id: &str) -> Result<(), StoreError> {
    let batch = reference(&format!("B-{name}"));
    let wanted = LockRequest {
        batches: vec![batch.clone()],
        order_ids: vec![order(order_id)],
        ..LockRequest::product(sku(name))
    };
    let mut unit = world.store.begin(LockWait::Usual)?;
    let mut products: Products = unit.products().lock(&[wanted])?.into_iter().collect();
    // A missing line is not released.
    drop(decide(&mut *unit, &mut products, |products| {
        products.get_mut(&sku(name)).unwrap().deallocate(&order(order_id), &batch, instant(0))
    }));
    save(&mut *unit, products)?;
    unit.commit()
}

/// Interleavings that SQLite rules out, because its units begin one after the other.
mod postgres {
    use super::*;
    use std::time::{Duration, Instant};

    fn conflicts<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> bool {
        matches!(result, Err(StoreError::Conflict(_)))
    }

    /// Waits until a unit of work waits for a lock.
    fn await_waiting(world: &World) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while world.database.count(waiting) == 0 {
            assert!(Instant::now() < deadline, "no unit of work waits");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_line_added_after_the_skus_of_its_order_were_read_is_a_conflict() {
        let world = world(TestDatabase::postgres());
        allocate(&world, "LAMP", "O").unwrap().unwrap();
        let mut unit = world.begin();
        assert_eq!(unit.orders().skus_of(&order("O")).unwrap(), [sku("LAMP")]);
        allocate(&world, "SOFA", "O").unwrap().unwrap();
        let wanted = LockRequest { order_ids: vec![order("O")], ..LockRequest::product(sku("LAMP")) };
        unit.products().lock(&[wanted]).unwrap();
        assert!(conflicts(&unit.orders().lock_lines(&order("O"), &[sku("LAMP")])));
        drop(unit);
        assert_eq!(cancel(&world, "O").unwrap().unwrap().lines.len(), 2);
    }

    #[test]
    fn a_cancellation_waits_for_a_line_that_is_being_added() {
        let world = world(TestDatabase::postgres());
        allocate(&world, "LAMP", "O").unwrap().unwrap();
        let mut unit = world.begin();
        let (products, allocated) = decide_line(&mut *unit, "SOFA", "O").unwrap();
        assert!(allocated.is_ok());
        thread::scope(|scope| {
            let cancelled = scope.spawn(|| cancel(&world, "O"));
            await_waiting(&world);
            save(&mut *unit, products).unwrap();
            unit.commit().unwrap();
            assert!(conflicts(&cancelled.join().unwrap()));
        });
        assert_eq!(cancel(&world, "O").unwrap().unwrap().lines.len(), 2);
    }

    #[test]
    fn a_line_waits_for_the_cancellation_of_its_order_and_is_rejected() {
        let world = world(TestDatabase::postgres());
        allocate(&world, "LAMP", "O").unwrap().unwrap();
        let mut unit = world.begin();
        let mut products = lock_order(&mut *unit, "O").unwrap();
        products.cancel(&order("O"), instant(0)).unwrap();
        save(&mut *unit, products).unwrap();
        thread::scope(|scope| {
            let allocated = scope.spawn(|| allocate(&world, "SOFA", "O").unwrap());
            await_waiting(&world);
            unit.commit().unwrap();
            assert!(matches!(allocated.join().unwrap(), Err(AllocateError::OrderCancelled(_))));
        });
        assert_eq!(commitments(&world, "O"), [ReservationState::Cancelled]);
    }

    #[test]
    fn two_first_lines_of_an_order_are_serialised_with_its_cancellation() {
        let world = world(TestDatabase::postgres());
        let mut unit = world.begin();
        let (products, allocated) = decide_line(&mut *unit, "SOFA", "O").unwrap();
        assert!(allocated.is_ok());
        allocate(&world, "LAMP", "O").unwrap().unwrap();
        assert_eq!(cancel(&world, "O").unwrap().unwrap().lines.len(), 1);
        assert!(conflicts(&save(&mut *unit, products)));
        drop(unit);
        assert!(matches!(allocate(&world, "SOFA", "O").unwrap(), Err(AllocateError::OrderCancelled(_))));
    }

    #[test]
    fn an_order_whose_anchor_was_removed_gets_another_for_its_next_first_lines() {
        let world = world(TestDatabase::postgres());
        let mut unit = world.begin();
        let (products, allocated) = decide_line(&mut *unit, "RUG", "O").unwrap();
        assert!(allocated.is_ok());
        allocate(&world, "LAMP", "O").unwrap().unwrap();
        allocate(&world, "SOFA", "O").unwrap().unwrap();
        deallocate(&world, "LAMP", "O").unwrap();
        assert_eq!(world.database.count("SELECT count(*) FROM order_lines WHERE order_slot = ''"), 0);
        assert_eq!(cancel(&world, "O").unwrap().unwrap().lines.len(), 1);
        assert_eq!(world.database.count("SELECT count(*) FROM order_lines WHERE order_slot = ''"), 1);
        assert!(conflicts(&save(&mut *unit, products)));
    }

    #[test]
    fn an_anchor_that_is_removed_meanwhile_is_waited_for_and_a_conflict() {
        let world = world(TestDatabase::postgres());
        allocate(&world, "LAMP", "O").unwrap().unwrap();
        let mut unit = world.begin();
        let wanted = LockRequest {
            batches: vec![reference("B-LAMP")],
            order_ids: vec![order("O")],
            ..LockRequest::product(sku("LAMP"))
        };
        let mut products: Products = unit.products().lock(&[wanted]).unwrap().into_iter().collect();
        let lamp = products.get_mut(&sku("LAMP")).unwrap();
        lamp.deallocate(&order("O"), &reference("B-LAMP"), instant(0)).unwrap();
        save(&mut *unit, products).unwrap();
        thread::scope(|scope| {
            let allocated = scope.spawn(|| allocate(&world, "SOFA", "O"));
            await_waiting(&world);
            unit.commit().unwrap();
            assert!(conflicts(&allocated.join().unwrap()));
        });
        allocate(&world, "SOFA", "O").unwrap().unwrap();
        assert_eq!(commitments(&world, "O"), [ReservationState::Firm]);
    }

    #[test]
    fn an_order_is_not_placed_beside_a_first_line() {
        let world = world(TestDatabase::postgres());
        let placed = new_order("O", &[("LAMP", 1)], held(600));
        let mut unit = world.begin();
        let mut products = lock_to_place(&mut *unit, &placed).unwrap();
        assert!(unit.orders().with_lines(&[order("O")]).unwrap().is_empty());
        allocate(&world, "SOFA", "O").unwrap().unwrap();
        products.place(&placed, instant(0)).unwrap();
        assert!(conflicts(&save(&mut *unit, products)));
        drop(unit);
        assert_eq!(place(&world, &placed).unwrap(), None);
    }

    /// The one way past the anchor's slot: it is free again while another line exists.
    #[test]
    fn an_order_is_not_placed_beside_a_line_whose_anchor_was_removed() {
        let world = world(TestDatabase::postgres());
        let placed = new_order("O", &[("RUG", 1)], held(600));
        let mut unit = world.begin();
        let mut products = lock_to_place(&mut *unit, &placed).unwrap();
        assert!(unit.orders().with_lines(&[order("O")]).unwrap().is_empty());
        allocate(&world, "LAMP", "O").unwrap().unwrap();
        allocate(&world, "SOFA", "O").unwrap().unwrap();
        deallocate(&world, "LAMP", "O").unwrap();
        products.place(&placed, instant(0)).unwrap();
        save(&mut *unit, products).unwrap();
        assert!(conflicts(&unit.orders().add(std::slice::from_ref(&placed), instant(0))));
        drop(unit);
        assert_eq!(place(&world, &placed).unwrap(), None);
    }

    #[test]
    fn a_placed_order_keeps_one_anchor() {
        let world = world(TestDatabase::postgres());
        place(&world, &new_order("O", &[("LAMP", 1), ("RUG", 2)], held(600))).unwrap().unwrap();
        allocate(&world, "SOFA", "O").unwrap().unwrap();
        let slots = "SELECT sku || '=' || order_slot FROM order_lines ORDER BY sku";
        assert_eq!(world.database.texts(slots), ["LAMP=", "RUG=RUG", "SOFA=SOFA"]);
    }
}

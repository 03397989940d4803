//! Lines of every kind: their holds, their queue, and corrections of their batches.

use crate::database::TestDatabase;
use crate::world::{
    World, decide, due, held, instant, lock_one, new_order, order, quantity, reference, sku, taken, to_allocate, waits,
};
use allocation_domain::{
    Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, AllocateError, BatchChange, BatchReference,
    CancelError, DataRequest, Eta, LineState, NewBatch, OrderTerms, Product, QueuePosition, ReservationState,
    UnitChange, Units,
};
use allocation_ports::{EventContexts, LockRequest};
use chrono::{DateTime, TimeDelta, Utc};

/// A line as a lock that names it loads it.
fn line(world: &World, order_id: &str) -> Option<LineState> {
    let mut unit = world.begin();
    lock_one(&mut *unit, to_allocate("LAMP", &[order_id])).line(&order(order_id)).cloned()
}

fn seconds(seconds: i64) -> DateTime<Utc> {
    instant(0) + TimeDelta::seconds(seconds)
}

fn cancel(world: &World, order_id: &str, now: DateTime<Utc>) {
    let cancelled: Result<_, CancelError> = world.decide(to_allocate("LAMP", &[order_id]), now, |product| {
        world.with_order(product, |products| products.cancel(&order(order_id), now))
    });
    cancelled.unwrap();
}

fn change_batch(world: &World, batch: &str, change: &BatchChange) {
    let wanted = LockRequest { batches: vec![reference(batch)], ..LockRequest::product(sku("LAMP")) };
    world.decide(wanted, instant(0), |product| product.change_batch(&reference(batch), change, instant(0))).unwrap();
}

pub fn lines_of_every_kind_round_trip(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 8, Eta::InStock);
    world.add("LAMP", "B-2", 8, due("2027-01-01"));
    let whole = OrderTerms { allow_split: false, ..waits(i32::MIN) };
    let kinds = [
        ("HELD", 6, held(3_600)),
        ("LOW", 4, OrderTerms { priority: i32::MIN, ..OrderTerms::default() }),
        ("WAITS-HELD", 9, OrderTerms { hold: held(86_400).hold, ..waits(i32::MAX) }),
        ("WHOLE", 7, whole),
    ];
    for (name, units, terms) in kinds {
        let (placed, now) = (new_order(name, &[("LAMP", units)], terms), world.now());
        let before = world.place(&placed, now);
        let after = line(&world, name).unwrap();
        assert_eq!(before.lines, [(sku("LAMP"), after.clone())], "{name}");
        assert_eq!((after.terms, after.commitment), (terms.of_line(now), terms.commitment(now)), "{name}");
    }
    let waiting: Vec<_> = kinds.iter().map(|(name, ..)| line(&world, name).unwrap().waiting).collect();
    assert_eq!(waiting, [0, 0, 3, 7]);
    cancel(&world, "LOW", world.now());
    let cancelled = line(&world, "LOW").unwrap();
    assert_eq!((cancelled.commitment, cancelled.allocated()), (ReservationState::Cancelled, 0));
    assert_eq!(line(&world, "WAITS-HELD").unwrap().waiting, 0, "the released units served it");
    world.assert_totals_equal_sums();
}

pub fn standalone_lines_have_entries_in_no_partial_index(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 8, Eta::InStock);
    world.allocate("LAMP", "O", 3).unwrap();
    let of_orders = "SELECT count(*) FROM order_lines
                     WHERE of_order OR waiting > 0 OR ended IS NOT NULL OR expires_at IS NOT NULL
                        OR listed > 0 OR picked > 0 OR shipped > 0";
    assert_eq!(world.database.count(of_orders), 0);
    assert_eq!(line(&world, "O").unwrap().terms.placed_at, instant(1));
}

pub fn every_lock_loads_expired_holds_for_the_next_line(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 4, Eta::InStock);
    world.add("LAMP", "B-2", 4, Eta::InStock);
    world.place(&new_order("CART", &[("LAMP", 6)], held(10)), seconds(0));
    world.place(&new_order("LATER", &[("LAMP", 2)], held(20)), seconds(0));
    let loaded = |now| {
        world.set_time(now);
        let mut unit = world.begin();
        let products = unit.products().lock(&[LockRequest::product(sku("LAMP"))]).unwrap();
        let names = |product: &Product| product.lines().map(|(order_id, _)| order_id.to_string()).collect::<Vec<_>>();
        (names(&products[0]), products[0].batches().len())
    };
    assert_eq!(loaded(seconds(10) - TimeDelta::microseconds(1)), (vec![], 0));
    assert_eq!(loaded(seconds(10)), (vec!["CART".to_owned()], 2), "with the batches to give back to");
    assert_eq!(loaded(seconds(20)).0, ["CART", "LATER"]);

    let allocate = |name: &str, now| {
        world.decide(to_allocate("LAMP", &[name]), now, |product| product.allocate(&order(name), quantity(6), now))
    };
    let early = seconds(10) - TimeDelta::microseconds(1);
    assert!(matches!(allocate("O", early), Err(AllocateError::OutOfStock(_))));
    allocate("O", seconds(10)).unwrap();
    assert_eq!(line(&world, "CART").unwrap().commitment, ReservationState::Expired);
    assert!(matches!(allocate("CART", seconds(10)), Err(AllocateError::HoldExpired(_))));
    assert_eq!(loaded(seconds(15)).0, [""; 0], "released holds are not loaded again");
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

/// More waiting lines than two pages, with few priorities and instants.
fn queue(world: &World) -> Vec<QueuePosition> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut positions = Vec::new();
    for number in 0..230 {
        let placed = new_order(&format!("O-{number:03}"), &[("LAMP", 2)], waits(random.i32(-1..=1)));
        let placed = world.place(&placed, seconds(random.i64(0..3)));
        positions.push(QueuePosition::of(&placed.order_id, &placed.lines[0].1));
    }
    positions.sort();
    positions
}

pub fn the_queue_is_loaded_in_pages_in_its_order(database: TestDatabase) {
    let world = World::new(database);
    let expected = queue(&world);
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, LockRequest::product(sku("LAMP")));
    let mut pages = Vec::new();
    loop {
        let after = product.waiting().last().cloned();
        let next = DataRequest::WaitingLines { after, free: 2, limit: 100 };
        unit.products().load(&mut product, &next).unwrap();
        let at_hand: Vec<_> = product.waiting().cloned().collect();
        assert_eq!(at_hand, expected[..at_hand.len()]);
        if pages.last() == Some(&at_hand.len()) {
            break;
        }
        pages.push(at_hand.len());
    }
    assert!(pages.len() > 1 && pages.last() == Some(&230), "{pages:?}");
}

pub fn new_units_serve_the_queue_in_its_order(database: TestDatabase) {
    let world = World::new(database);
    let expected = queue(&world);
    assert_eq!(world.totals("LAMP"), [0, 0, 0, 460, 230]);
    world.add("LAMP", "B-1", 301, due("2027-01-01"));
    let served = world.allocation_texts();
    let mut names: Vec<_> = expected[..151].iter().map(|position| position.order_id().to_string()).collect();
    names.sort();
    assert_eq!(served.iter().map(|text| &text[..5]).collect::<Vec<_>>(), names);
    assert_eq!(world.totals("LAMP"), [0, 301, 0, 159, 80]);
    world.deallocate("LAMP", expected[0].order_id().as_str(), "B-1").unwrap();
    assert_eq!(world.allocated("B-1"), 301, "a line that releases units no longer waits");
    assert_eq!(world.totals("LAMP"), [0, 301, 0, 157, 79]);
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

pub fn a_long_queue_is_served_in_few_loads(database: TestDatabase) {
    const LINES: u32 = 3_000;
    let world = World::new(database);
    world.change(LockRequest { create: true, ..LockRequest::product(sku("LAMP")) }, |_| ()).unwrap();
    world.database.execute(&format!(
        "INSERT INTO order_lines (sku, order_id, quantity, placed_at, of_order, backorders, waiting)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LINES})
         SELECT 'LAMP', 'O-' || i, 1, i, {yes}, {yes}, 1 FROM n;
         UPDATE products SET backordered = {LINES}, waiting_lines = {LINES}",
        yes = if world.is_postgres() { "true" } else { "1" },
    ));
    let mut loads = Vec::new();
    loop {
        let mut unit = world.begin();
        let mut product = lock_one(&mut *unit, to_allocate("LAMP", &[]));
        let is_first = loads.is_empty();
        let mut decisions = 0;
        decide(&mut *unit, &mut product, |product| {
            decisions += 1;
            if is_first {
                return taken(
                    product.add_batch(NewBatch::new(reference("B"), quantity(LINES), Eta::InStock), seconds(0)),
                );
            }
            product.release_expired(seconds(0)).map(drop)
        })
        .unwrap();
        loads.push(decisions - 1);
        let behind = product.is_behind();
        unit.products().save(&[product], &EventContexts::default()).unwrap();
        unit.commit().unwrap();
        if !behind {
            break;
        }
    }
    assert_eq!(loads, [1, 1, 1], "all lines that a unit of work serves, at once");
    assert_eq!(world.totals("LAMP"), [i64::from(LINES), 0, 0, 0, 0]);
    assert_eq!(world.allocated("B"), LINES);
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

pub fn a_corrected_batch_keeps_its_lines(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 300, Eta::InStock);
    for number in 0..150 {
        world.allocate("LAMP", &format!("O-{number:03}"), 2).unwrap();
    }
    let change = |purchased: u32, eta| BatchChange {
        purchased: Some(Units::new(purchased).unwrap()),
        eta: Some(eta),
        ..BatchChange::default()
    };
    change_batch(&world, "B-1", &change(99, due("2027-02-01")));
    let batch = world.batch("B-1").unwrap();
    assert_eq!((batch.purchased().get(), batch.allocated(), batch.revision()), (99, 99, 2));
    assert_eq!(batch.eta(), due("2027-02-01"));
    assert_eq!(world.totals("LAMP"), [0, 99, 0, 201, 101], "the youngest wait, one of them for a part");
    assert_eq!(line(&world, "O-049").unwrap().waiting, 1);
    world.assert_counters_equal_sums();

    change_batch(&world, "B-1", &change(0, Eta::InStock));
    let batch = world.batch("B-1").unwrap();
    assert_eq!((batch.purchased(), batch.allocated(), batch.revision()), (Units::ZERO, 0, 3));
    assert_eq!(world.totals("LAMP"), [0, 0, 0, 300, 150]);
    assert!(world.allocation_texts().is_empty());
    assert_eq!(world.begin().orders().skus_of(&order("O-000")).unwrap(), [sku("LAMP")]);
    change_batch(&world, "B-1", &change(300, Eta::InStock));
    assert_eq!(world.totals("LAMP"), [300, 0, 0, 0, 0]);
    assert_eq!(world.allocation_texts().len(), 150);
    world.assert_totals_equal_sums();
}

pub fn a_batch_that_a_line_holds_units_of_is_loaded_on_demand(database: TestDatabase) {
    let world = World::new(database);
    let added = world.add("LAMP", "B-1", 3, Eta::InStock);
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, LockRequest::product(sku("LAMP")));
    unit.products().load(&mut product, &DataRequest::Batch(reference("B-1"))).unwrap();
    assert_eq!(product.batches(), [added]);
}

/// Runs a random command on a product or an order.
fn step(world: &World, random: &mut fastrand::Rng, now: DateTime<Utc>) {
    let (order_id, batch) = (order(&format!("O-{}", random.u8(0..20))), reference(&format!("B-{}", random.u8(0..4))));
    let (units, choice) = (random.u32(1..=9), random.u8(0..11));
    let hold = random.bool().then_some(random.u32(10..30));
    let terms = OrderTerms {
        hold: hold.and_then(|seconds| held(seconds).hold),
        allow_split: random.bool(),
        ..if random.bool() { waits(random.i32(0..3)) } else { OrderTerms::default() }
    };
    let (purchased, late, reallocate) = (random.u32(0..=12), random.bool(), random.bool());
    let eta = if late { due("2027-03-01") } else { Eta::InStock };
    let change = BatchChange { purchased: Units::new(purchased).ok(), eta: Some(eta), reallocate, expected: None };
    let line = AdjustmentLine {
        reference: batch.clone(),
        change: UnitChange::new(if late { 2 } else { -3 }).unwrap(),
        expected: None,
    };
    let reason = AdjustmentReason::restore("lost").unwrap();
    let adjustment = Adjustment::new(AdjustmentId::restore("A").unwrap(), reason, [line]).unwrap();
    let placed = new_order(order_id.as_str(), &[("LAMP", units)], terms);
    let wanted = |batch: &BatchReference| LockRequest {
        create: true,
        batches: vec![batch.clone()],
        ..to_allocate("LAMP", &[order_id.as_str()])
    };
    // A refusal of the domain is a step as well.
    let Ok(()) = world.decide(wanted(&batch), now, |product| match choice {
        0 => taken(product.add_batch(NewBatch::new(batch.clone(), quantity(units), eta), now)),
        1 => taken(product.allocate(&order_id, quantity(units), now)),
        2 => taken(product.deallocate(&order_id, &batch, now)),
        3 => taken(product.remove_batch(&batch, now)),
        4 => taken(product.change_batch(&batch, &change, now)),
        5 | 6 => taken(world.with_order(product, |products| products.place(&placed, now))),
        7 => taken(world.with_order(product, |products| products.cancel(&order_id, now))),
        8 => taken(world.with_order(product, |products| products.close(&order_id, now))),
        9 => taken(world.with_order(product, |products| products.adjust(&adjustment, now))),
        _ => {
            let _refused_or_not = world.with_order(product, |products| products.confirm(&order_id, now));
            Ok(())
        }
    });
}

pub fn totals_equal_sums_after_a_random_history(database: TestDatabase) {
    let world = World::new(database);
    let mut random = fastrand::Rng::with_seed(11);
    for second in 0..250 {
        step(&world, &mut random, seconds(second));
        if second % 10 == 0 {
            world.assert_counters_equal_sums();
            world.assert_totals_equal_sums();
        }
    }
    world.assert_totals_equal_sums();
    let kinds =
        "SELECT count(*) FROM (SELECT DISTINCT coalesce(ended, 'alive'), waiting > 0 FROM order_lines) AS kinds";
    assert!(world.database.count(kinds) >= 3, "the history has lines of most kinds");
}

//! The bounds of a unit of work, with ten times as many rows in the store.

use crate::shop::seconds;
use crate::world::{World, decide, instant, lock_one, order, quantity, reference, sku, to_allocate};
use allocation_domain::{Eta, NewBatch, Pending, Product};
use allocation_ports::{EventContexts, LockRequest, LockWait, ProductQueries, UnitOfWorkFactory};
use allocation_test_support::TestDatabase;

/// Ten times the bound of a unit of work.
const LINES: usize = 10 * Product::MAX_AT_ONCE;

fn literal(world: &World, value: bool) -> &'static str {
    match (world.is_postgres(), value) {
        (true, true) => "true",
        (true, false) => "false",
        (false, true) => "1",
        (false, false) => "0",
    }
}

/// Numbers from 1, as a table `n` with a column `i`.
fn numbers(rows: usize) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})")
}

/// Adds lines of LAMP that wait for the units of an expression each, oldest first.
fn add_waiting(world: &World, lines: usize, waiting: &str, allow_split: bool) {
    let (yes, splits) = (literal(world, true), literal(world, allow_split));
    world.database.execute(&format!(
        "INSERT INTO order_lines (sku, order_id, quantity, of_order, backorders, allow_split, placed_at, waiting)
         {} SELECT 'LAMP', 'W-' || (100000 + i), {waiting}, {yes}, {yes}, {splits}, i, {waiting} FROM n;
         UPDATE products SET
             waiting_lines = (SELECT count(*) FROM order_lines WHERE waiting > 0),
             backordered = (SELECT coalesce(sum(waiting), 0) FROM order_lines)
         WHERE sku = 'LAMP'",
        numbers(lines)
    ));
}

/// Adds carts of one unit of LAMP in batch B, which expire at second 5.
fn add_carts(world: &World, carts: usize) {
    let expires_at = seconds(5).timestamp_micros();
    let yes = literal(world, true);
    world.database.execute(&format!(
        "INSERT INTO order_lines (sku, order_id, quantity, of_order, expires_at, reference, allocated)
         {} SELECT 'LAMP', 'C-' || i, 1, {yes}, {expires_at}, 'B', 1 FROM n;
         UPDATE batches SET allocated_quantity = allocated_quantity + {carts} WHERE reference = 'B';
         UPDATE products SET held_lines = held_lines + {carts}, held = held + {carts} WHERE sku = 'LAMP'",
        numbers(carts)
    ));
}

/// The work of one step.
struct Step {
    loaded: usize,
    written: usize,
    behind: bool,
}

/// Locks LAMP, and catches up by one unit of work.
fn step(world: &World, second: i64) -> Step {
    let now = seconds(second);
    world
        .decide(LockRequest::product(sku("LAMP")), now, |product| {
            product.release_expired(now)?;
            let (loaded, written) = (product.lines().count(), product.changes().lines.len());
            Ok(Step { loaded, written, behind: product.is_behind() })
        })
        .unwrap()
}

fn is_found_as_behind(world: &World, second: i64) -> bool {
    let found = world.store.begin(LockWait::Usual).unwrap().products().with_expired_holds(seconds(second), 8).unwrap();
    found == [sku("LAMP")]
}

pub fn expired_holds_are_released_in_steps(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", u32::try_from(LINES).unwrap() + 7, Eta::InStock);
    add_carts(&world, LINES);
    let available = |second| world.store.availability(&sku("LAMP"), seconds(second)).unwrap().unwrap();
    let all = u64::try_from(LINES).unwrap() + 7;
    assert_eq!(available(4).earliest(quantity(8)), None);
    assert_eq!(available(5).series()[0].available, all, "summed, however many have expired");
    let totals = world.store.product(&sku("LAMP"), seconds(5)).unwrap().unwrap().totals;
    assert_eq!((totals.held, totals.allocated, totals.available), (0, 0, all));
    let early = world.decide(to_allocate("LAMP", &["EARLY"]), seconds(4), |product| {
        product.allocate(&order("EARLY"), quantity(1), seconds(4))
    });
    assert!(early.is_ok(), "holds that have not expired block no line: {early:?}");
    for number in 1..=10 {
        assert!(is_found_as_behind(&world, 6));
        let step = step(&world, 6);
        assert!(step.loaded <= Product::MAX_AT_ONCE + 1, "{} lines", step.loaded);
        assert!((900..=Product::MAX_AT_ONCE + 1).contains(&step.written), "{} lines", step.written);
        assert_eq!(step.behind, number < 10, "after {number} steps");
        world.assert_totals_equal_sums();
        if step.behind {
            assert_eq!(world.store.product(&sku("LAMP"), seconds(6)).unwrap().unwrap().totals.held, 0);
        }
    }
    assert!(!is_found_as_behind(&world, 6));
    world.assert_counters_equal_sums();
    let expirations = world.database.count("SELECT count(*) FROM outbox WHERE type = 'hold_expired'");
    assert_eq!(usize::try_from(expirations).unwrap(), LINES, "each once");
}

pub fn a_decision_on_a_product_that_is_behind_is_none(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", u32::try_from(LINES).unwrap() + 7, Eta::InStock);
    add_carts(&world, 2 * Product::MAX_AT_ONCE);
    let wanted = LockRequest { batches: vec![reference("B")], ..to_allocate("LAMP", &["C-1"]) };
    world.set_time(seconds(6));
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, wanted);
    let release = |product: &mut Product| product.release_expired(seconds(6));
    decide(&mut *unit, &mut product, release).unwrap();
    let undecided = product.deallocate(&order("C-1"), &reference("B"), seconds(6));
    assert_eq!(undecided, Err(Pending::CatchUp(sku("LAMP"))));
    unit.products().save(&[product], &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    assert!(!step(&world, 6).behind, "the holds that the rejected decision released are saved");
}

pub fn an_arrival_for_a_long_queue_is_allocated_in_steps(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "GONE", 1, Eta::InStock);
    world.allocate("LAMP", "FIRST", 1).unwrap();
    add_waiting(&world, LINES, "1", true);
    world.add_at("LAMP", "B", u32::try_from(LINES).unwrap() + 5, Eta::InStock, instant(9));
    assert_eq!(world.allocated("B"), u32::try_from(Product::MAX_AT_ONCE).unwrap());
    let first = "SELECT count(*) FROM order_lines WHERE waiting = 0 AND order_id <= 'W-101000'";
    assert_eq!(world.database.count(first), 1_001, "in the order of service");
    let availability = world.store.availability(&sku("LAMP"), instant(9)).unwrap().unwrap();
    assert_eq!(availability.series().last().map(|from| from.available), Some(5), "the rest belongs to the queue");
    for number in 1..=10 {
        assert!(is_found_as_behind(&world, 6));
        let step = step(&world, 6);
        assert!(step.loaded <= Product::MAX_AT_ONCE, "{} lines", step.loaded);
        assert!(step.written <= Product::MAX_AT_ONCE, "{} lines", step.written);
        assert_eq!(step.behind, number < 10, "after {number} steps");
        world.assert_totals_equal_sums();
    }
    assert!(!is_found_as_behind(&world, 6));
    assert_eq!(world.totals("LAMP")[3..], [0, 0]);
    world.assert_counters_equal_sums();
    world.allocate("LAMP", "NEW", 5).unwrap();
}

pub fn lines_that_no_free_unit_fits_are_not_loaded(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "GONE", 1, Eta::InStock);
    world.allocate("LAMP", "FIRST", 1).unwrap();
    add_waiting(&world, LINES, "3", false);
    let add = |name: &str, units: u32| {
        let at = world.now();
        world
            .decide(LockRequest::product(sku("LAMP")), at, |product| {
                let batch =
                    product.add_batch(NewBatch::new(reference(name), quantity(units), Eta::InStock), at)?.clone();
                Ok((product.lines().count(), batch.available()))
            })
            .unwrap()
    };
    assert_eq!(add("TWO", 2), (0, 2));
    assert_eq!(add("ONE", 1), (3, 0), "as many lines as there are units");
    assert_eq!(world.allocation_texts()[1..], ["W-100001 LAMP ONE 1", "W-100001 LAMP TWO 2"]);
    world.database.execute(
        "UPDATE order_lines SET waiting = 2 WHERE order_id = 'W-110000';
         UPDATE products SET backordered = backordered - 1 WHERE sku = 'LAMP'",
    );
    assert_eq!(add("MORE", 2), (1, 0), "the last line is found past all others");
    world.assert_totals_equal_sums();
}

/// The store serves lines of all priorities, sizes and kinds like a completely loaded product.
pub fn waiting_lines_are_found_in_the_order_of_service(database: TestDatabase) {
    let world = World::new(database);
    for (sizes, free) in [(5, 9), (40, 60), (300, 500)] {
        world.database.execute("DELETE FROM order_lines; DELETE FROM outbox_blocks");
        world.database.execute("DELETE FROM batches; DELETE FROM batch_references; DELETE FROM products");
        world.add("LAMP", "GONE", 1, Eta::InStock);
        world.allocate("LAMP", "FIRST", 1).unwrap();
        add_waiting(&world, 1_200, &format!("1 + (i * 7919) % {sizes}"), false);
        world.database.execute(&format!(
            "UPDATE order_lines SET allow_split = {} WHERE quantity % 11 = 0 AND waiting > 0;
             UPDATE order_lines SET precedence = -1 - quantity % 3, placed_at = placed_at % 50 WHERE waiting > 0",
            literal(&world, true)
        ));
        let all = world.database.texts(
            "SELECT order_id || ' ' || waiting || ' ' || CASE WHEN allow_split THEN 'parts' ELSE 'whole' END
             FROM order_lines WHERE waiting > 0 ORDER BY precedence, placed_at, order_id",
        );
        let mut left: u32 = free;
        let mut expected = Vec::new();
        for line in &all {
            let fields: Vec<_> = line.split(' ').collect();
            let waiting: u32 = fields[1].parse().unwrap();
            let takes = if fields[2] == "parts" { waiting.min(left) } else { waiting * u32::from(waiting <= left) };
            left -= takes;
            if takes > 0 {
                expected.push(format!("{} LAMP B {takes}", fields[0]));
            }
        }
        world.add("LAMP", "B", free, Eta::InStock);
        while step(&world, 6).behind {}
        let mut served = world.allocation_texts();
        served.retain(|text| !text.starts_with("FIRST"));
        expected.sort();
        assert_eq!(served, expected, "{sizes} sizes, {free} units");
        world.assert_totals_equal_sums();
    }
}

pub fn a_read_allocates_expired_units_to_waiting_lines(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", u32::try_from(LINES).unwrap(), Eta::InStock);
    add_carts(&world, LINES);
    add_waiting(&world, 30, "7", false);
    world.database.execute(&format!(
        "UPDATE order_lines SET expires_at = {} WHERE order_id = 'W-100001';
         UPDATE products SET held_lines = held_lines + 1 WHERE sku = 'LAMP'",
        seconds(5).timestamp_micros()
    ));
    let all = u64::try_from(LINES).unwrap();
    let totals = world.store.product(&sku("LAMP"), seconds(5)).unwrap().unwrap().totals;
    assert_eq!((totals.held, totals.backordered, totals.allocated, totals.available), (0, 0, 29 * 7, all - 29 * 7));
    let availability = world.store.availability(&sku("LAMP"), seconds(5)).unwrap().unwrap();
    assert_eq!(availability.series()[0].available, all - 29 * 7);
    while step(&world, 6).behind {}
    assert_eq!(world.store.product(&sku("LAMP"), seconds(6)).unwrap().unwrap().totals, totals);
}

pub fn many_products_share_the_bound(database: TestDatabase) {
    let world = World::new(database);
    let expires_at = seconds(5).timestamp_micros();
    world.database.execute(&format!(
        "INSERT INTO products (sku, version, held_lines)
         {} SELECT 'SKU-' || (100 + i), 0, 200 FROM n;
         INSERT INTO order_lines (sku, order_id, quantity, expires_at)
         {} SELECT 'SKU-' || (100 + p.i), 'O-' || p.i || '-' || n.i, 1, {expires_at} FROM n CROSS JOIN (
             {} SELECT i FROM n
         ) AS p",
        numbers(100),
        numbers(200),
        numbers(100),
    ));
    let wanted: Vec<_> = (1..=100).map(|i| LockRequest::product(sku(&format!("SKU-{}", 100 + i)))).collect();
    world.set_time(seconds(6));
    let mut unit = world.begin();
    let products = unit.products().lock(&wanted).unwrap();
    assert_eq!(products.len(), 100);
    for product in &products {
        assert_eq!((product.lines().count(), product.is_behind()), (Product::MAX_AT_ONCE_OF_MANY + 1, true));
    }
}

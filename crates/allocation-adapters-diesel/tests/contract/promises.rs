//! Units that come free improve the promises of lines on later batches.

use crate::database::TestDatabase;
use crate::world::{World, due, instant, new_order, order, quantity, reference, sku};
use allocation_domain::{Eta, OrderTerms, Product, Promises};
use allocation_ports::{AllocationFilter, LockRequest, ProductQueries};

fn held(world: &World) -> Vec<(String, String, u32)> {
    let rows = world.allocations(&AllocationFilter::default(), 100);
    let row = |row: &allocation_ports::AllocationRow| {
        (row.order_id.to_string(), row.reference.to_string(), row.quantity.get())
    };
    rows.iter().map(row).collect()
}

fn rows<const N: usize>(rows: [(&str, &str, u32); N]) -> Vec<(String, String, u32)> {
    rows.map(|(order, batch, units)| (order.to_owned(), batch.to_owned(), units)).to_vec()
}

pub fn lines_of_later_batches_move_to_units_that_come_free(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "MARCH", 5, due("2027-03-01"));
    world.add("LAMP", "APRIL", 9, due("2027-04-01"));
    world.allocate("LAMP", "A", 4).unwrap();
    world.allocate("LAMP", "B", 10).unwrap();
    assert_eq!(held(&world), rows([("A", "MARCH", 4), ("B", "APRIL", 9), ("B", "MARCH", 1)]));
    world.add("LAMP", "STOCK", 5, Eta::InStock);
    assert_eq!(held(&world), rows([("A", "STOCK", 4), ("B", "APRIL", 9), ("B", "STOCK", 1)]));
    world.deallocate("LAMP", "A", "STOCK").unwrap();
    world.allocate("LAMP", "C", 6).unwrap();
    assert_eq!(held(&world), rows([("B", "APRIL", 9), ("B", "STOCK", 1), ("C", "MARCH", 2), ("C", "STOCK", 4)]));
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

pub fn promises_of_an_order_and_of_a_product_are_kept_once_stored(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "MARCH", 9, due("2027-03-01"));
    let stable = OrderTerms { promises: Promises::Stable, ..OrderTerms::default() };
    world.place(&new_order("KEPT", &[("LAMP", 2)], stable), instant(50));
    world.allocate("LAMP", "A", 3).unwrap();
    world.add("LAMP", "STOCK", 4, Eta::InStock);
    assert_eq!(held(&world), rows([("A", "STOCK", 3), ("KEPT", "MARCH", 2)]));
    let promises = || world.store.product(&sku("LAMP"), world.now()).unwrap().unwrap().promises;
    for wanted in [Promises::Stable, Promises::Fair] {
        let lamp = || LockRequest::product(sku("LAMP"));
        let set = |product: &mut Product| product.set_promises(wanted, world.now());
        assert_eq!(world.decide(lamp(), world.now(), set), Ok(true));
        assert_eq!(world.decide(lamp(), world.now(), set), Ok(false));
        assert_eq!(promises(), wanted);
    }
    let line = LockRequest { order_ids: vec![order("KEPT")], ..LockRequest::product(sku("LAMP")) };
    let kept = world.change(line, |product| product.line(&order("KEPT")).unwrap().terms.promises);
    assert_eq!(kept.unwrap(), Promises::Stable);
}

pub fn many_lines_move_in_steps(database: TestDatabase) {
    let world = World::new(database);
    let most = u32::try_from(Product::MAX_AT_ONCE).unwrap();
    world.add("LAMP", "MARCH", most + 5, due("2027-03-01"));
    world
        .change(LockRequest { batches: vec![reference("MARCH")], ..LockRequest::product(sku("LAMP")) }, |product| {
            product.complete([]);
            for n in 0..most + 5 {
                let now = world.now();
                product.allocate(&order(&format!("O-{n}")), quantity(1), now).unwrap();
            }
        })
        .unwrap();
    world.add("LAMP", "STOCK", most + 5, Eta::InStock);
    assert_eq!((world.allocated("STOCK"), world.allocated("MARCH")), (most, 5));
    let now = world.now();
    world.decide(LockRequest::product(sku("LAMP")), now, |product| product.release_expired(now)).unwrap();
    assert_eq!((world.allocated("STOCK"), world.allocated("MARCH")), (most + 5, 0));
    world.assert_counters_equal_sums();
    world.assert_totals_equal_sums();
}

pub fn a_bounded_number_of_lines_that_do_not_fit_is_passed_over(database: TestDatabase) {
    let world = World::new(database);
    let most = allocation_domain::MAX_PASSED_OVER;
    world.add("LAMP", "MARCH", u32::try_from(2 * most + 1).unwrap(), due("2027-03-01"));
    world.database.execute(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n <= {most})
         INSERT INTO order_lines (sku, order_id, quantity, reference, allocated, placed_at, precedence)
         SELECT 'LAMP', 'O-' || n, CASE WHEN n > {most} THEN 1 ELSE 2 END, 'MARCH', CASE WHEN n > {most} THEN 1 ELSE 2 END,
                n, -1
         FROM numbers"
    ));
    let all = 2 * most + 1;
    world.database.execute(&format!("UPDATE batches SET allocated_quantity = {all} WHERE reference = 'MARCH'"));
    world.add("LAMP", "STOCK", 1, Eta::InStock);
    assert_eq!(world.allocated("STOCK"), 0, "the line that fits comes after too many that do not");
    let cancelled = LockRequest { order_ids: vec![order("O-1")], ..LockRequest::product(sku("LAMP")) };
    let now = world.now();
    world.decide(cancelled, now, |product| product.deallocate(&order("O-1"), &reference("MARCH"), now)).unwrap();
    assert_eq!(world.allocated("STOCK"), 0, "its own batch had the units");
    world.add("LAMP", "SHELF", 1, Eta::InStock);
    assert_eq!(world.allocated("SHELF"), 1);
    let found = world.begin().products().lock(&[LockRequest::product(sku("LAMP"))]).unwrap().remove(0);
    assert!(!found.is_behind());
}

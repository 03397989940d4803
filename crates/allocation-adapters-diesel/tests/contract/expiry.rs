//! Products with expired holds, as the sweeper finds them.

use crate::database::TestDatabase;
use crate::shop::seconds;
use crate::world::{World, held, new_order, order, sku, to_allocate};
use allocation_domain::{Eta, OrderStatus};
use allocation_ports::{BackorderFilter, BackorderQueries, BatchQueries, OrderQueries, PageSize, ProductQueries};
use chrono::TimeDelta;

fn with_expired_holds(world: &World, second: i64, most: u16) -> Vec<String> {
    let found = world.begin().products().with_expired_holds(seconds(second), most).unwrap();
    found.iter().map(ToString::to_string).collect()
}

pub fn products_with_expired_holds_are_found_once_in_the_order_of_their_expiry(database: TestDatabase) {
    let world = World::new(database);
    for (name, hold) in [("LAMP", 20), ("RUG", 10), ("SOFA", 30)] {
        world.add(name, name, 100, Eta::InStock);
        for number in 0..3 {
            let placed = new_order(&format!("{name}-{number}"), &[(name, 1)], held(hold + number));
            world.place(&placed, seconds(0));
        }
    }
    assert_eq!(with_expired_holds(&world, 9, 10), [""; 0]);
    assert_eq!(with_expired_holds(&world, 10, 10), ["RUG"], "from the very instant on");
    assert_eq!(with_expired_holds(&world, 22, 10), ["RUG", "LAMP"]);
    assert_eq!(with_expired_holds(&world, 60, 10), ["RUG", "LAMP", "SOFA"]);
    assert_eq!(with_expired_holds(&world, 60, 2), ["RUG", "LAMP"]);
    assert_eq!(with_expired_holds(&world, 60, 0), [""; 0]);
    let released = world.decide(to_allocate("RUG", &[]), seconds(60), |product| product.release_expired(seconds(60)));
    assert_eq!(released.unwrap().len(), 3);
    assert_eq!(with_expired_holds(&world, 60, 10), ["LAMP", "SOFA"]);
}

pub fn thousands_of_expired_lines_of_one_product_do_not_hide_another(database: TestDatabase) {
    let world = World::new(database);
    let expires_at = seconds(5).timestamp_micros();
    world.insert_lines(&format!(
        "INSERT INTO order_lines (sku, order_id, quantity, of_order, expires_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3500)
         SELECT 'LAMP', 'O-' || i, 1, {}, {expires_at} + i / 2 FROM n;
         INSERT INTO order_lines (sku, order_id, quantity, expires_at)
         VALUES ('RUG', 'O', 1, {expires_at} + 1749), ('SOFA', 'O', 1, {expires_at} + 9000000)",
        if world.is_postgres() { "true" } else { "1" },
    ));
    assert_eq!(with_expired_holds(&world, 6, 10), ["LAMP", "RUG"]);
    assert_eq!(with_expired_holds(&world, 6, 1), ["LAMP"]);
    assert_eq!(with_expired_holds(&world, 14, 10), ["LAMP", "RUG", "SOFA"]);
}

pub fn expired_holds_are_invisible_before_they_are_released(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 4, Eta::InStock);
    let terms = allocation_domain::OrderTerms { hold: held(10).hold, ..crate::world::waits(5) };
    world.place(&new_order("CART", &[("LAMP", 6)], terms), seconds(0));
    world.place(&new_order("NEXT", &[("LAMP", 3)], crate::world::waits(0)), seconds(1));
    let early = seconds(10) - TimeDelta::microseconds(1);
    let read = |now| {
        let queue = world.store.backorders(&BackorderFilter::default(), None, PageSize::default(), now).unwrap();
        let queue: Vec<_> = queue.iter().map(|row| format!("{} {}", row.position, row.queued.order_id())).collect();
        let totals = world.store.product(&sku("LAMP"), now).unwrap().unwrap().totals;
        let batch = world.store.batch(&crate::world::reference("B"), now).unwrap().unwrap();
        let allocations = world.allocations_at(&Default::default(), 10, now).len();
        (queue, [totals.held, totals.backordered, totals.allocated, totals.available], batch.allocated(), allocations)
    };
    assert_eq!(read(early), (vec!["1 CART".to_owned(), "2 NEXT".to_owned()], [4, 5, 4, 0], 4, 1));
    assert_eq!(read(seconds(10)), (vec!["1 NEXT".to_owned()], [0, 0, 3, 1], 0, 0), "the totals include the next line");
    let cart = world.store.order(&order("CART")).unwrap().unwrap();
    assert_eq!((cart.lines[0].1.allocated(), cart.lines[0].1.waiting), (4, 2), "as it is stored");
    assert_eq!((cart.status(early), cart.status(seconds(10))), (OrderStatus::PartiallyAllocated, OrderStatus::Expired));
}

//! Placed orders, stored and restored.

use crate::database::TestDatabase;
use crate::world::{World, held, instant, new_order, order, quantity, sku, to_allocate, waits};
use allocation_domain::{
    AllocateError, Eta, HoldDuration, NewOrder, OnShortage, OrderEnd, OrderTerms, Pending, Products, Promises, Quantity,
};
use allocation_ports::{EventContexts, LockRequest, StoreError, UnitOfWork};

fn find(world: &World, names: &[&str]) -> Vec<NewOrder> {
    let names: Vec<_> = names.iter().map(|name| order(name)).collect();
    let mut found = world.begin().orders().find(&names).unwrap();
    found.sort_by(|one, other| one.order_id().cmp(other.order_id()));
    found
}

fn add(world: &World, orders: &[NewOrder]) -> Result<(), StoreError> {
    let mut unit = world.begin();
    unit.orders().add(orders, instant(7))?;
    unit.commit()
}

pub fn an_order_round_trips(database: TestDatabase) {
    let world = World::new(database);
    let longest = OrderTerms {
        promises: Promises::Stable,
        on_shortage: OnShortage::Backorder,
        hold: Some(HoldDuration::from_seconds(86_400).unwrap()),
        priority: i32::MIN,
        allow_split: false,
        ship_complete: true,
    };
    let many: Vec<_> = (0..NewOrder::MAX_LINES).map(|number| format!("SKU \"{number}\" 🪑")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), Quantity::MAX)).collect();
    let orders = [
        new_order("'; \"", &many, longest),
        new_order("FIRST", &[("LAMP", 1)], waits(i32::MAX)),
        new_order("HELD", &[("SOFA", 2), ("LAMP", 1)], held(10)),
        new_order("PLAIN", &[("LAMP", 1)], OrderTerms::default()),
    ];
    let reversed: Vec<_> = orders.iter().rev().cloned().collect();
    add(&world, &reversed).unwrap();
    assert_eq!(find(&world, &["PLAIN", "'; \"", "NONE", "FIRST", "plain", "HELD"]), orders);
    assert_eq!(find(&world, &["HELD", "HELD"]), orders[2..3]);
    assert_eq!((find(&world, &["plain"]), find(&world, &[])), (vec![], vec![]));
    let at = world.database.count("SELECT count(*) FROM orders WHERE placed_at = 1780000000000007");
    assert_eq!(at, 4);
    add(&world, &[]).unwrap();
}

pub fn an_order_is_added_once(database: TestDatabase) {
    let world = World::new(database);
    let named = |name: &str, units| new_order(name, &[("LAMP", units)], OrderTerms::default());
    add(&world, &[named("O", 1)]).unwrap();
    for orders in [vec![named("O", 2)], vec![named("P", 1), named("O", 1)], vec![named("P", 1), named("P", 1)]] {
        let result = add(&world, &orders);
        assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
    }
    assert_eq!(find(&world, &["O", "P"]), [named("O", 1)]);
}

/// Locks the products of an order.
fn lock(unit: &mut dyn UnitOfWork, names: &[&str], order_id: &str) -> Products {
    let wanted: Vec<_> =
        names.iter().map(|name| LockRequest { create: true, ..to_allocate(name, &[order_id]) }).collect();
    unit.products().lock(&wanted).unwrap().into_iter().collect()
}

fn save(mut unit: Box<dyn UnitOfWork>, products: Products) {
    let products: Vec<_> = products.into_iter().collect();
    unit.products().save(&products, &EventContexts::default()).unwrap();
    unit.commit().unwrap();
}

fn skus_of(world: &World, name: &str) -> Vec<String> {
    world.begin().orders().skus_of(&order(name)).unwrap().iter().map(ToString::to_string).collect()
}

pub fn an_order_over_several_products_is_placed_and_cancelled_in_one_unit(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.add("RUG", "B-2", 5, Eta::InStock);
    let placed = new_order("O", &[("SOFA", 4), ("LAMP", 3)], waits(0));
    let mut unit = world.begin();
    let mut products = lock(&mut *unit, &["LAMP", "SOFA"], "O");
    let before = products.place(&placed, instant(0)).unwrap();
    unit.orders().add(std::slice::from_ref(&placed), instant(0)).unwrap();
    save(unit, products);
    world.allocate("RUG", "O", 2).unwrap();

    assert_eq!(skus_of(&world, "O"), ["LAMP", "RUG", "SOFA"], "one holds, one waits, one was sent alone");
    assert_eq!(world.allocation_texts(), ["O LAMP B-1 3", "O RUG B-2 2"]);
    let mut unit = world.begin();
    let mut products = lock(&mut *unit, &["LAMP", "SOFA"], "O");
    assert_eq!(products.order(&order("O")), Some(before));
    products.cancel(&order("O"), instant(0)).unwrap();
    save(unit, products);
    assert_eq!(skus_of(&world, "O"), ["LAMP", "RUG", "SOFA"], "ended lines are kept");
    assert_eq!(world.allocation_texts(), ["O RUG B-2 2"]);
    assert!(skus_of(&world, "P").is_empty());
    world.assert_counters_equal_sums();
}

pub fn orders_with_lines_are_returned(database: TestDatabase) {
    let world = World::new(database);
    world.add_at("LAMP", "B-1", 50, Eta::InStock, instant(0));
    for (name, terms) in [("WAITS", waits(0)), ("HELD", held(20))] {
        world.place(&new_order(name, &[("LAMP", 2)], terms), instant(0));
    }
    let with_lines = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| order(name)).collect();
        let mut found = world.begin().orders().with_lines(&names).unwrap();
        found.sort();
        found
    };
    assert_eq!(with_lines(&["WAITS", "NEW", "HELD", "NEW", "WAITS"]), ["HELD", "WAITS"].map(order));
    assert!(with_lines(&["NEW"]).is_empty() && with_lines(&[]).is_empty());
}

pub fn an_order_that_has_ended_gets_no_line_of_another_product(database: TestDatabase) {
    let world = World::new(database);
    for name in ["LAMP", "SOFA"] {
        world.add_at(name, &format!("B-{name}"), 50, Eta::InStock, instant(0));
    }
    for (name, terms) in
        [("WAITS", waits(0)), ("HELD", held(20)), ("EXPIRED", held(10)), ("CANCELLED", waits(0)), ("CLOSED", waits(0))]
    {
        world.place(&new_order(name, &[("LAMP", 2)], terms), instant(0));
    }
    let lamps = |name: &str| to_allocate("LAMP", &[name]);
    let cancel = |products: &mut Products| products.cancel(&order("CANCELLED"), instant(0));
    world.decide(lamps("CANCELLED"), instant(0), |product| world.with_order(product, cancel)).unwrap();
    let close = |products: &mut Products| products.close(&order("CLOSED"), instant(0));
    world.decide(lamps("CLOSED"), instant(0), |product| world.with_order(product, close)).unwrap();
    let end = instant(10_000_000);
    let check = |name: &str| {
        let alone = ["WAITS", "HELD", "EXPIRED", "CANCELLED", "CLOSED", "NEW"].map(order).to_vec();
        let wanted = LockRequest { standalone: alone, open_batches: true, ..LockRequest::product(sku(name)) };
        world.set_time(end);
        let mut unit = world.begin();
        let mut product = unit.products().lock(&[wanted]).unwrap().remove(0);
        let mut ask = |order_id| product.allocate(&order(order_id), quantity(2), end);
        assert!(ask("WAITS").is_ok() && ask("HELD").is_ok() && ask("NEW").is_ok());
        assert!(matches!(ask("EXPIRED"), Err(Pending::Refused(AllocateError::HoldExpired(_)))));
        assert!(matches!(ask("CANCELLED"), Err(Pending::Refused(AllocateError::OrderCancelled(_)))));
        assert!(matches!(ask("CLOSED"), Err(Pending::Refused(AllocateError::OrderClosed(_)))));
        drop(product);
        let loaded = unit.orders().load(&order("CLOSED")).unwrap().unwrap();
        assert_eq!((loaded.end(end), loaded.lines.len()), (Some(OrderEnd::Closed), 1));
        assert_eq!(unit.orders().load(&order("NONE")).unwrap(), None);
    };
    check("SOFA");
    check("LAMP");
    world.decide(lamps("EXPIRED"), end, |product| product.release_expired(end)).unwrap();
    check("SOFA");
}

/// A program from before orders were closed takes a closed line for a firm one, and fills it again.
pub fn a_closed_line_that_an_older_program_filled_again_is_firm(database: TestDatabase) {
    let world = World::new(database);
    for name in ["LAMP", "SOFA"] {
        world.add_at(name, &format!("B-{name}"), 50, Eta::InStock, instant(0));
    }
    for name in ["WAITS", "WHOLE", "CLOSED"] {
        world.place(&new_order(name, &[("LAMP", 2)], waits(0)), instant(0));
        let close = |products: &mut Products| products.close(&order(name), instant(0));
        world.decide(to_allocate("LAMP", &[name]), instant(0), |lamps| world.with_order(lamps, close)).unwrap();
    }
    let sql = [
        "UPDATE order_lines SET waiting = 1 WHERE order_id = 'WAITS'",
        "UPDATE order_lines SET reference = 'B-LAMP', allocated = 1 WHERE order_id = 'WHOLE'",
        "UPDATE batches SET allocated_quantity = 1 WHERE reference = 'B-LAMP'",
        "UPDATE products SET waiting_lines = 1, backordered = 1 WHERE sku = 'LAMP'",
    ];
    sql.iter().for_each(|sql| world.database.execute(sql));
    for name in ["WAITS", "WHOLE"] {
        let loaded = world.begin().orders().load(&order(name)).unwrap().unwrap();
        assert_eq!(loaded.end(instant(0)), None, "{name}");
        assert!(world.allocate("SOFA", name, 1).is_ok(), "{name}");
    }
    assert!(matches!(world.allocate("SOFA", "CLOSED", 1), Err(AllocateError::OrderClosed(_))));
}

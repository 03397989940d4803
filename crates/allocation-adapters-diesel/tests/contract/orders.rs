//! Orders as they were placed.

use crate::world::{World, held, instant, new_order, order, to_allocate, waits};
use allocation_domain::{Eta, HoldDuration, NewOrder, OnShortage, OrderTerms, Products, Quantity};
use allocation_ports::{PlacedOrder, StoreError, UnitOfWork, Wanted};
use allocation_test_support::TestDatabase;

fn find(world: &World, name: &str) -> Option<PlacedOrder> {
    world.begin().orders().find(&order(name)).unwrap()
}

fn add(world: &World, order: &NewOrder, micros: i64) {
    let mut unit = world.begin();
    unit.orders().add(order, instant(micros)).unwrap();
    unit.commit().unwrap();
}

pub fn an_order_comes_back_as_it_was_placed(database: TestDatabase) {
    let world = World::new(database);
    let longest = OrderTerms {
        on_shortage: OnShortage::Backorder,
        hold: Some(HoldDuration::from_seconds(86_400).unwrap()),
        priority: i32::MIN,
        allow_split: false,
    };
    let many: Vec<_> = (0..NewOrder::MAX_LINES).map(|number| format!("SKU \"{number}\" 🪑")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), Quantity::MAX)).collect();
    let orders = [
        new_order("PLAIN", &[("LAMP", 1)], OrderTerms::default()),
        new_order("HELD", &[("SOFA", 2), ("LAMP", 1)], held(10)),
        new_order("'; \"", &many, longest),
        new_order("FIRST", &[("LAMP", 1)], waits(i32::MAX)),
    ];
    for (micros, order) in (7..).zip(&orders) {
        add(&world, order, micros);
    }
    for (micros, order) in (7..).zip(orders) {
        let placed = find(&world, order.order_id().as_str());
        assert_eq!(placed, Some(PlacedOrder { order, placed_at: instant(micros), cancelled_at: None }));
    }
    assert_eq!(find(&world, "plain"), None);
}

pub fn an_order_is_added_once(database: TestDatabase) {
    let world = World::new(database);
    let placed = new_order("O", &[("LAMP", 1)], OrderTerms::default());
    add(&world, &placed, 1);
    let mut unit = world.begin();
    let result = unit.orders().add(&new_order("O", &[("SOFA", 1)], OrderTerms::default()), instant(2));
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
    drop(unit);
    assert_eq!(find(&world, "O").unwrap().order, placed);
}

pub fn a_cancelled_order_keeps_the_instant_it_was_cancelled_at(database: TestDatabase) {
    let world = World::new(database);
    add(&world, &new_order("O", &[("LAMP", 1)], OrderTerms::default()), 1);
    add(&world, &new_order("P", &[("LAMP", 1)], OrderTerms::default()), 1);
    for micros in [2, 3] {
        let mut unit = world.begin();
        unit.orders().cancel(&order("O"), instant(micros)).unwrap();
        unit.commit().unwrap();
    }
    assert_eq!(find(&world, "O").unwrap().cancelled_at, Some(instant(2)));
    assert_eq!(find(&world, "P").unwrap().cancelled_at, None);
    let mut unit = world.begin();
    assert!(matches!(unit.orders().cancel(&order("NONE"), instant(4)), Err(StoreError::Conflict(_))));
}

/// Locks products, as an order needs them.
fn lock(unit: &mut dyn UnitOfWork, names: &[&str], order_id: &str) -> Products {
    let wanted: Vec<_> = names.iter().map(|name| Wanted { create: true, ..to_allocate(name, &[order_id]) }).collect();
    unit.products().lock(&wanted, instant(0)).unwrap().into_iter().collect()
}

fn save(mut unit: Box<dyn UnitOfWork>, products: Products) {
    let products: Vec<_> = products.into_iter().collect();
    unit.products().save(&products, instant(0)).unwrap();
    unit.commit().unwrap();
}

fn skus_of(world: &World, name: &str) -> Vec<String> {
    world.begin().orders().skus_of(&order(name)).unwrap().iter().map(ToString::to_string).collect()
}

pub fn an_order_over_several_products_is_placed_and_cancelled_in_one_unit(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.add("RUG", "B-2", 5, Eta::InStock);
    world.allocate("RUG", "O", 2).unwrap();
    let placed = new_order("O", &[("SOFA", 4), ("LAMP", 3)], waits(0));
    let mut unit = world.begin();
    let mut products = lock(&mut *unit, &["LAMP", "SOFA"], "O");
    let before = products.place(&placed, instant(0)).unwrap();
    unit.orders().add(&placed, instant(0)).unwrap();
    save(unit, products);

    assert_eq!(skus_of(&world, "O"), ["LAMP", "RUG", "SOFA"], "one holds, one waits, one was sent alone");
    assert_eq!(world.allocation_texts(), ["O LAMP B-1 3", "O RUG B-2 2"]);
    let mut unit = world.begin();
    let mut products = lock(&mut *unit, &["LAMP", "SOFA"], "O");
    assert_eq!(products.order(&order("O")), Some(before));
    products.cancel(&order("O"), instant(0)).unwrap();
    save(unit, products);
    assert_eq!(skus_of(&world, "O"), ["LAMP", "RUG", "SOFA"], "what has ended is remembered");
    assert_eq!(world.allocation_texts(), ["O RUG B-2 2"]);
    assert!(skus_of(&world, "P").is_empty());
    world.assert_counters_equal_sums();
}

//! Orders in the archive: every answer about them stays the same.

use crate::concurrency::persistently;
use crate::database::{TestDatabase, connect};
use crate::picking::list_id;
use crate::shop::{SKUS, Shop, seconds};
use crate::world::{World, decide, instant, new_order, order, quantity, reference, sku, standalone, to_allocate};
use allocation_domain::{
    AllocateError, BatchChange, Disposition, Eta, GoodsReturn, NewOrder, NewPickList, OpenLines, Order, OrderId,
    OrderTerms, Outcome, PickCriteria, PickLineId, PickStatus, Product, Products, ReturnError, ReturnId, ReturnLine,
    Sku, Units,
};
use allocation_ports::{
    CompletedOrders, CompletionCursor, EventContexts, LockRequest, LockWait, OrderFilter, OrderQueries, PageSize,
    PickListFilter, PickListQueries, StoreError, UnitOfWork, UnitOfWorkFactory,
};
use chrono::{DateTime, Utc};
use std::sync::Barrier;
use std::thread;

/// A world with plenty of some products, whose archive is prepared.
fn world(database: TestDatabase) -> World {
    let world = World::new(database);
    for name in SKUS {
        world.add(name, &format!("B-{name}"), 10_000, Eta::InStock);
    }
    prepare(&world);
    world
}

fn prepare(world: &World) -> usize {
    world.begin_and(|unit| unit.orders().prepare_archive(instant(0), 100)).unwrap()
}

/// Locks products, with their lines of an order.
fn lock(unit: &mut dyn UnitOfWork, names: &[&str], order_id: &str) -> Result<Products, StoreError> {
    let wanted: Vec<_> = names.iter().map(|name| to_allocate(name, &[order_id])).collect();
    Ok(unit.products().lock(&wanted)?.into_iter().collect())
}

fn save(unit: &mut dyn UnitOfWork, products: Products) -> Result<(), StoreError> {
    let changed: Vec<Product> = products.into_iter().filter(Product::has_changed).collect();
    if changed.is_empty() { Ok(()) } else { unit.products().save(&changed, &EventContexts::default()) }
}

/// Places an order as the engine does; `None` if there is an order with its id.
fn place(unit: &mut dyn UnitOfWork, placed: &NewOrder) -> Result<Option<Order>, StoreError> {
    let names: Vec<_> = placed.lines().iter().map(|(name, _)| name.as_str()).collect();
    let mut products = lock(unit, &names, placed.order_id().as_str())?;
    let ids = [placed.order_id().clone()];
    if !unit.orders().find(&ids)?.is_empty() || !unit.orders().with_lines(&ids)?.is_empty() {
        return Ok(None);
    }
    let order = decide(unit, &mut products, |products| products.place(placed, instant(0))).unwrap();
    save(unit, products)?;
    unit.orders().add(std::slice::from_ref(placed), instant(0))?;
    Ok(Some(order))
}

/// Allocates a standalone line.
fn allocate(unit: &mut dyn UnitOfWork, name: &str, order_id: &str) -> Result<Result<bool, AllocateError>, StoreError> {
    let mut products: Products = unit.products().lock(&[standalone(name, order_id)])?.into_iter().collect();
    let allocated = decide(unit, &mut products, |products| {
        products.get_mut(&sku(name)).unwrap().allocate(&order(order_id), quantity(1), instant(0))
    });
    save(unit, products)?;
    Ok(allocated.map(|outcome| matches!(outcome, Outcome::Changed(_))))
}

/// Cancels an order; `None` if there is none.
fn cancel(unit: &mut dyn UnitOfWork, order_id: &str) -> Result<Option<()>, StoreError> {
    let Some(mut products) = lock_order(unit, order_id)? else { return Ok(None) };
    decide(unit, &mut products, |products| products.cancel(&order(order_id), instant(0))).unwrap();
    save(unit, products).map(Some)
}

fn lock_order(unit: &mut dyn UnitOfWork, order_id: &str) -> Result<Option<Products>, StoreError> {
    let skus = unit.orders().skus_of(&order(order_id))?;
    if skus.is_empty() {
        return Ok(None);
    }
    let names: Vec<_> = skus.iter().map(Sku::as_str).collect();
    let products = lock(unit, &names, order_id)?;
    unit.orders().lock_lines(&order(order_id), &skus)?;
    Ok(Some(products))
}

/// Archives an order if it is complete; returns whether it was.
fn archive(unit: &mut dyn UnitOfWork, order_id: &str) -> Result<bool, StoreError> {
    let Some(products) = lock_order(unit, order_id)? else { return Ok(false) };
    let found = products.order(&order(order_id)).unwrap();
    if !found.is_complete() {
        return Ok(false);
    }
    let skus = found.lines.iter().map(|(name, _)| name.clone()).collect();
    let lines = unit.orders().archive(&[(order(order_id), skus)])?;
    assert_eq!(lines, u64::try_from(found.lines.len()).unwrap());
    Ok(true)
}

/// Returns the ids of the listed orders.
fn listed(world: &World) -> Vec<OrderId> {
    let page = world.store.orders(&OrderFilter::default(), None, PageSize::LARGEST, instant(0)).unwrap();
    page.orders.into_iter().map(|order| order.order_id).collect()
}

/// Puts everything that an order has on a list, picks it and ships it.
fn ship(world: &World, order_id: &str, list: &str) {
    let mut unit = world.begin();
    let mut products = lock_order(&mut *unit, order_id).unwrap().unwrap();
    let new = NewPickList::new(list_id(list), PickCriteria::default());
    let made = products.make_pick_list(&new).unwrap();
    for (line, pick) in &made.lines {
        let id = PickLineId { list: list_id(list), line: *line };
        let units = Units::new(pick.quantity.get()).unwrap();
        products.pick(&id, units, instant(0)).unwrap();
    }
    products.ship(&list_id(list), OpenLines::Refuse).unwrap();
    unit.pick_lists().add(&new, instant(0)).unwrap();
    save(&mut *unit, products).unwrap();
    unit.commit().unwrap();
}

const LAMP_AND_RUG: [(&str, u32); 2] = [("LAMP", 2), ("RUG", 3)];

/// Places and ships an order with a lamp and a rug.
fn shipped(world: &World, order_id: &str, list: &str) -> NewOrder {
    let placed = new_order(order_id, &LAMP_AND_RUG, OrderTerms::default());
    world.begin_and(|unit| place(unit, &placed)).unwrap().unwrap();
    ship(world, order_id, list);
    placed
}

pub fn an_archived_order_is_found_by_its_id_and_not_listed(database: TestDatabase) {
    let world = world(database);
    let placed = shipped(&world, "O", "P-1");
    world.allocate("SOFA", "OTHER", 1).unwrap();
    let (before, list) = (world.store.order(&order("O")).unwrap(), world.store.pick_list(&list_id("P-1")).unwrap());
    let lists = || world.store.pick_lists(&PickListFilter::default(), None, PageSize::LARGEST).unwrap();
    let counts = lists();
    assert_eq!(listed(&world), ["O", "OTHER"].map(order));
    assert!(world.begin_and(|unit| archive(unit, "O")).unwrap());
    assert_eq!(listed(&world), [order("OTHER")]);
    assert_eq!(world.store.order(&order("O")).unwrap(), before);
    assert_eq!(world.store.pick_list(&list_id("P-1")).unwrap(), list);
    assert_eq!(lists(), counts);
    let mut unit = world.begin();
    assert_eq!(unit.orders().find(&[order("O")]).unwrap(), [placed]);
    assert_eq!(unit.orders().with_lines(&[order("O"), order("NONE")]).unwrap(), [order("O")]);
    assert_eq!(unit.orders().skus_of(&order("O")).unwrap(), ["LAMP", "RUG"].map(sku));
    assert_eq!(unit.orders().load(&order("O")).unwrap(), before);
    let first = PickLineId { list: list_id("P-1"), line: 1 };
    assert_eq!(unit.pick_lists().find_lines(std::slice::from_ref(&first)).unwrap()[&first].status, PickStatus::Shipped);
    drop(unit);
    world.assert_counters_equal_sums();
}

/// Takes back and restocks lamps of an order.
fn take_back(unit: &mut dyn UnitOfWork, return_id: &str, units: u32) -> Result<Result<(), ReturnError>, StoreError> {
    let line = ReturnLine { sku: sku("LAMP"), quantity: quantity(units), disposition: Disposition::Restock };
    let goods_return = GoodsReturn::new(ReturnId::restore(return_id).unwrap(), order("O"), [line]).unwrap();
    let mut products = lock(unit, &["LAMP"], "O")?;
    let returned = decide(unit, &mut products, |products| products.take_back(&goods_return, instant(0)));
    if returned.is_ok() {
        save(unit, products)?;
    }
    Ok(returned.map(drop))
}

pub fn returned_units_stay_returned_in_the_archive(database: TestDatabase) {
    let world = world(database);
    shipped(&world, "O", "P-1");
    let returned = || world.store.order(&order("O")).unwrap().unwrap().lines[0].1.fulfilment.returned;
    for round in 1..=2 {
        let id = format!("RMA-{round}");
        world.begin_and(|unit| take_back(unit, &id, 1)).unwrap().unwrap();
        assert_eq!(returned(), round);
        let batch = world.batch(&id).unwrap();
        let origin = batch.origin().unwrap();
        assert_eq!((origin.return_id.as_str(), &origin.order_id, batch.available()), (&*id, &order("O"), 1));
        let found = world.begin().products().find_batch(batch.reference()).unwrap().unwrap();
        assert_eq!(found.batch, batch);
        assert!(world.begin_and(|unit| archive(unit, "O")).unwrap());
        assert_eq!(returned(), round, "also in the archive");
        let more = world.begin_and(|unit| take_back(unit, "MORE", 3 - round)).unwrap();
        assert!(matches!(more, Err(ReturnError::MoreThanShipped { .. })), "{more:?}");
        assert_eq!(listed(&world), [order("O")], "the lock has restored it");
    }
    // Other commands keep the origin of a batch.
    let now = world.now();
    let wanted = LockRequest { batches: vec![reference("RMA-1")], ..LockRequest::product(sku("LAMP")) };
    let change = BatchChange { purchased: Units::new(9).ok(), ..BatchChange::default() };
    world.decide(wanted, now, |product| product.change_batch(&reference("RMA-1"), &change, now)).unwrap();
    assert_eq!((returned(), world.batch("RMA-1").unwrap().origin().is_some()), (2, true));
    assert_eq!(world.batch("B-LAMP").unwrap().origin(), None);
    world.assert_counters_equal_sums();
}

pub fn a_lock_restores_an_archived_order_until_its_unit_is_rolled_back(database: TestDatabase) {
    let world = world(database);
    shipped(&world, "O", "P-1");
    let before = world.store.order(&order("O")).unwrap();
    let wanted: [fn() -> LockRequest; 3] =
        [|| to_allocate("LAMP", &["O"]), || standalone("LAMP", "O"), || standalone("SOFA", "O")];
    for wanted in wanted {
        assert!(world.begin_and(|unit| archive(unit, "O")).unwrap());
        let mut unit = world.begin();
        let product = unit.products().lock(&[wanted()]).unwrap().remove(0);
        let stored = before.as_ref().unwrap().lines.iter().find(|(name, _)| name == product.sku());
        assert_eq!(product.line(&order("O")), stored.map(|(_, line)| line));
        assert_eq!(product.pick_lines().count(), usize::from(stored.is_some()), "with its pick line");
        drop(unit);
        assert!(listed(&world).is_empty(), "the unit was rolled back");
        world.begin_and(|unit| unit.products().lock(&[wanted()]).map(drop)).unwrap();
        assert_eq!(listed(&world), [order("O")]);
        assert_eq!(world.store.order(&order("O")).unwrap(), before);
    }
    world.assert_counters_equal_sums();
}

pub fn commands_on_an_archived_order_are_answered_as_before(database: TestDatabase) {
    let world = world(database);
    let placed = shipped(&world, "O", "P-1");
    let other = new_order("O", &[("SOFA", 1)], OrderTerms::default());
    let archive = || assert!(world.begin_and(|unit| archive(unit, "O")).unwrap());
    archive();
    assert_eq!(world.begin_and(|unit| place(unit, &placed)).unwrap(), None);
    archive();
    assert_eq!(world.begin_and(|unit| place(unit, &other)).unwrap(), None, "an order of another product");
    archive();
    assert_eq!(world.begin_and(|unit| allocate(unit, "LAMP", "O")).unwrap().ok(), None, "of another quantity");
    archive();
    assert_eq!(world.begin_and(|unit| allocate(unit, "SOFA", "O")).unwrap(), Ok(true), "a shipped order gets lines");
    assert_eq!(world.store.order(&order("O")).unwrap().unwrap().lines.len(), 3);
    assert!(!world.begin_and(|unit| self::archive(unit, "O")).unwrap(), "it is not complete any more");
    world.assert_counters_equal_sums();
}

pub fn a_cancelled_order_of_standalone_lines_stays_cancelled_in_the_archive(database: TestDatabase) {
    let world = world(database);
    world.allocate("LAMP", "O", 1).unwrap();
    world.begin_and(|unit| cancel(unit, "O")).unwrap().unwrap();
    for name in ["LAMP", "SOFA"] {
        assert!(world.begin_and(|unit| archive(unit, "O")).unwrap());
        let refused = world.begin_and(|unit| allocate(unit, name, "O")).unwrap();
        assert!(matches!(refused, Err(AllocateError::OrderCancelled(_))), "{refused:?}");
    }
    assert!(world.begin().orders().find(&[order("O")]).unwrap().is_empty(), "it was not placed as a whole");
}

pub fn an_order_is_archived_with_all_its_lines_and_only_once_they_are_complete(database: TestDatabase) {
    let world = world(database);
    let placed = new_order("O", &LAMP_AND_RUG, OrderTerms::default());
    world.begin_and(|unit| place(unit, &placed)).unwrap();
    let refused = |skus: &[&str]| {
        let mut unit = world.begin();
        lock_order(&mut *unit, "O").unwrap();
        let refused = unit.orders().archive(&[(order("O"), skus.iter().map(|name| sku(name)).collect())]);
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        drop(unit);
        assert_eq!(listed(&world), [order("O")]);
    };
    refused(&["LAMP", "RUG"]);
    ship(&world, "O", "P-1");
    refused(&["LAMP"]);
    assert!(world.begin_and(|unit| archive(unit, "O")).unwrap());
}

fn completed(world: &World, until: DateTime<Utc>, limit: u16) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), None::<CompletionCursor>);
    loop {
        let page = world.store.completed_orders(until, after.as_ref(), limit).unwrap();
        assert!(page.orders.len() <= usize::from(limit));
        assert!(page.orders.iter().all(|order| order.completed_at <= until));
        found.extend(page.orders.into_iter().map(|order| order.order_id.to_string()));
        match page.next {
            None => return found,
            next => after = next,
        }
    }
}

pub fn complete_orders_are_found_once_in_the_order_of_their_completion(database: TestDatabase) {
    let world = world(database);
    for (number, name) in ["C", "B", "A", "OPEN"].into_iter().enumerate() {
        world.allocate("LAMP", name, 1).unwrap();
        if number == 1 {
            // Its other line is not complete.
            world.allocate("RUG", "HALF", 1).unwrap();
            ship(&world, "HALF", "P-HALF");
            world.allocate("SOFA", "HALF", 1).unwrap();
        }
    }
    for (number, name) in (1..).zip(["C", "B", "A"]) {
        world.set_time(instant(number * 1_000_000));
        ship(&world, name, &format!("P-{name}"));
    }
    let end = instant(100_000_000);
    for limit in [1, 2, 3, 100] {
        assert_eq!(completed(&world, end, limit), ["C", "B", "A"], "{limit} lines at a time");
    }
    assert_eq!(completed(&world, instant(2_000_500), 100), ["C", "B"]);
    assert!(completed(&world, instant(0) - chrono::TimeDelta::days(1), 100).is_empty());
    assert!(world.begin_and(|unit| archive(unit, "B")).unwrap());
    assert_eq!(completed(&world, end, 100), ["C", "A"]);
}

pub fn decisions_are_the_same_whatever_is_archived_in_between(database: TestDatabase) {
    let mut shop = Shop::new(database);
    prepare(&shop.world);
    let mut random = fastrand::Rng::with_seed(12);
    let mut archived = 0;
    for number in 0..400 {
        shop.step(&mut random, seconds(number));
        if number % 4 == 3 {
            archived += archive_some(&mut shop, &mut random, seconds(number));
        }
    }
    assert!(archived > 50, "{archived} orders were archived");
    for stored in shop.orders() {
        assert_eq!(shop.world.store.order(&stored.order_id).unwrap().as_ref(), Some(&stored));
    }
    let lists = shop.pick_lists();
    assert!(!lists.is_empty());
    for (id, list) in lists {
        assert_eq!(shop.world.store.pick_list(&id).unwrap().unwrap().list, list);
    }
}

/// Archives some complete orders, and returns their number.
fn archive_some(shop: &mut Shop, random: &mut fastrand::Rng, now: DateTime<Utc>) -> usize {
    let complete = shop.orders().into_iter().filter(|order| order.is_complete() && random.bool());
    let orders: Vec<_> = complete
        .map(|order| (order.order_id, order.lines.into_iter().map(|(name, _)| name).collect::<Vec<_>>()))
        .collect();
    let order_ids: Vec<_> = orders.iter().map(|(order_id, _)| order_id.clone()).collect();
    let lock = |unit: &mut dyn UnitOfWork| {
        let wanted = SKUS.map(|name| LockRequest { order_ids: order_ids.clone(), ..LockRequest::product(sku(name)) });
        let locked = unit.products().lock(&wanted).unwrap();
        for (order_id, skus) in &orders {
            unit.orders().lock_lines(order_id, skus).unwrap();
        }
        locked
    };
    let archive = |_, unit: &mut dyn UnitOfWork| {
        unit.orders().archive(&orders).unwrap();
    };
    let nothing = |_: &mut Products, _| Ok::<_, allocation_domain::Pending<std::convert::Infallible>>(());
    shop.decide_on(&SKUS, lock, now, nothing, archive);
    orders.len()
}

/// The work of a unit, with an answer.
type Work<'a> = dyn Fn(&mut dyn UnitOfWork) -> Result<bool, StoreError> + Sync + 'a;

/// Runs units of work at once, each on a store of its own as replicas do, and again while they conflict.
fn at_once(world: &World, units: &[&Work<'_>]) -> Vec<bool> {
    let barrier = Barrier::new(units.len());
    thread::scope(|scope| {
        let started: Vec<_> = units
            .iter()
            .map(|work| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let store = connect(&world.database, 2);
                    barrier.wait();
                    persistently(|| {
                        let mut unit = store.begin(LockWait::Usual)?;
                        let answer = work(&mut *unit)?;
                        unit.commit()?;
                        Ok(answer)
                    })
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

pub fn an_order_is_never_doubled_while_it_is_archived(database: TestDatabase) {
    let world = world(database);
    for number in 0..25 {
        let id = format!("O-{number}");
        let placed = shipped(&world, &id, &format!("P-{number}"));
        let other = new_order(&id, &[("SOFA", 1)], OrderTerms::default());
        let answers = at_once(
            &world,
            &[
                &|unit| archive(unit, &id),
                &|unit| archive(unit, &id),
                &|unit| Ok(place(unit, &placed)?.is_some()),
                &|unit| Ok(place(unit, &other)?.is_some()),
                &|unit| {
                    let list = unit.pick_lists().find(&list_id(&format!("P-{number}")))?.unwrap().list;
                    let read = unit.orders().load(&order(&id))?.unwrap();
                    Ok((list.lines.len(), read.lines.len()) == (2, 2) && unit.orders().skus_of(&order(&id))?.len() == 2)
                },
            ],
        );
        assert_eq!(answers[2..], [false, false, true], "the order exists, and is read whole");
        assert_eq!(world.store.order(&order(&id)).unwrap().unwrap().lines.len(), 2);
        let added = at_once(
            &world,
            &[&|unit| archive(unit, &id), &|unit| Ok(allocate(unit, "SOFA", &id)? == Ok(true)), &|unit| {
                archive(unit, &id)
            }],
        );
        assert!(added[1], "a shipped order gets lines");
        assert_eq!(world.store.order(&order(&id)).unwrap().unwrap().lines.len(), 3);
        assert!(listed(&world).contains(&order(&id)), "it is not complete");
        world.begin_and(|unit| cancel_rest(unit, &id)).unwrap();
    }
    world.assert_counters_equal_sums();
}

/// Releases the sofa of an order.
fn cancel_rest(unit: &mut dyn UnitOfWork, order_id: &str) -> Result<(), StoreError> {
    let mut products = lock_order(unit, order_id)?.unwrap();
    let closed = decide(unit, &mut products, |products| products.close(&order(order_id), instant(0)));
    closed.unwrap();
    save(unit, products)
}

use super::*;
use crate::testing::{
    Shop, cause, conflict, ending, list_id, new_order, now, order, product_with_line, rolled_back, sku, use_cases_with,
    with_orders,
};
use allocation_domain::{
    CancelError, LineState, NewPickList, OpenLines, Order, OrderStatus, OrderTerms, PickCriteria, PickLineId, Product,
    ProductState, ReservationState, Units,
};
use allocation_ports::mocks::{MockOrderRepository, MockQueries, MockUnitOfWork};
use allocation_ports::{CompletedPage, OrderFilter, OrderQueries, PageSize};
use chrono::TimeDelta;

/// Creates a shop with an order of two lamps and a sofa, all shipped.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 9)]);
    shop.place("O-1", &[("LAMP", 2), ("SOFA", 1)], OrderTerms::default());
    let criteria = PickCriteria { order_ids: Some([order("O-1")].into()), ..PickCriteria::default() };
    shop.use_cases.make_pick_list(&NewPickList::new(list_id("P-1"), criteria)).unwrap();
    for (line, units) in [(1, 2), (2, 1)] {
        shop.use_cases.pick(&PickLineId { list: list_id("P-1"), line }, Units::new(units).unwrap()).unwrap();
    }
    shop.use_cases.ship_pick_list(&list_id("P-1"), OpenLines::Refuse).unwrap();
    shop
}

fn archive_by(shop: &Shop, until: DateTime<Utc>) -> Archived {
    shop.use_cases.archive_orders(until, &mut None, &mut || Ok(true)).unwrap()
}

fn listed(shop: &Shop) -> Vec<OrderId> {
    let page = shop.store.orders(&OrderFilter::default(), None, PageSize::LARGEST, now()).unwrap();
    page.orders.into_iter().map(|order| order.order_id).collect()
}

/// An instant at which every order of these tests was completed long ago.
fn later() -> DateTime<Utc> {
    now() + TimeDelta::days(365)
}

#[test]
fn an_order_is_archived_once_it_was_complete_for_long_enough() {
    let shop = shop();
    shop.allocate("O-2", "LAMP", 1);
    let before = shop.lines("O-1");
    assert_eq!(archive_by(&shop, now() - TimeDelta::days(1)), Archived::default());
    assert_eq!(archive_by(&shop, later()), Archived { orders: 1, lines: 2 });
    assert_eq!(archive_by(&shop, later()), Archived::default());
    assert_eq!((shop.lines("O-1"), listed(&shop)), (before, vec![order("O-2")]));
    let counted = shop.use_cases.units.counters().snapshot();
    assert_eq!((counted.archived_orders, counted.archived_lines, counted.archive_lag_micros), (1, 2, 0));
}

#[test]
fn a_refused_command_leaves_an_archived_order_in_the_archive() {
    let shop = shop();
    let refused = || match shop.use_cases.cancel_order(&order("O-1")) {
        Err(crate::UseCaseError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let before = refused();
    archive_by(&shop, later());
    assert_eq!(refused(), before);
    assert!(matches!(before, CancelError::Picked(_)), "{before:?}");
    assert!(listed(&shop).is_empty());
}

#[test]
fn a_line_added_to_an_archived_order_makes_it_current_again() {
    let shop = shop();
    archive_by(&shop, later());
    shop.add("RUG", "B-3", 1);
    shop.allocate("O-1", "RUG", 1);
    assert_eq!((shop.lines("O-1").len(), listed(&shop)), (3, vec![order("O-1")]));
    let order = Order { order_id: order("O-1"), lines: shop.lines("O-1") };
    assert_eq!(order.status(now()), OrderStatus::PartiallyShipped);
    assert_eq!(archive_by(&shop, later()), Archived::default(), "it is not complete");
}

#[test]
fn more_orders_than_a_unit_takes_are_archived_by_several() {
    let shop = Shop::with(&[("LAMP", "B-1", 999)]);
    for number in 0..=2 * MAX_ORDERS {
        let id = format!("O-{number}");
        shop.place(&id, &[("LAMP", 1)], OrderTerms::default());
        shop.use_cases.cancel_order(&order(&id)).unwrap();
    }
    let mut units = 0;
    let archived = shop.use_cases.archive_orders(later(), &mut None, &mut || {
        units += 1;
        Ok(true)
    });
    assert_eq!((archived.unwrap().orders, units), (41, 3));
    assert!(listed(&shop).is_empty());
}

#[test]
fn a_task_that_must_stop_continues_from_where_it_was() {
    let shop = Shop::with(&[("LAMP", "B-1", 999)]);
    for number in 0..=usize::from(SEARCH_LIMIT) {
        let id = format!("O-{number:03}");
        shop.place(&id, &[("LAMP", 1)], OrderTerms::default());
        shop.advance(TimeDelta::seconds(1));
        shop.use_cases.cancel_order(&order(&id)).unwrap();
    }
    let (mut after, mut left) = (None, 6);
    let archived = shop.use_cases.archive_orders(later(), &mut after, &mut || {
        left -= 1;
        Ok(left > 0)
    });
    assert_eq!(archived.unwrap().orders, u64::from(SEARCH_LIMIT));
    assert_eq!(after.as_ref().map(|after| after.order_id.clone()), Some(order("O-099")));
    assert_eq!(listed(&shop), [order("O-100")]);
    let archived = shop.use_cases.archive_orders(later(), &mut after, &mut || Ok(true));
    assert_eq!(archived.unwrap().orders, 1);
}

/// Finds an order.
fn finds(order_id: &str) -> MockQueries {
    let mut queries = MockQueries::new();
    let found = CompletionCursor { completed_at: now(), order_id: order(order_id) };
    queries
        .expect_completed_orders()
        .times(1)
        .return_once(move |_, _, _| Ok(CompletedPage { orders: vec![found], next: None }));
    queries
}

/// Returns a lamp with a cancelled line of `O-1`.
fn complete() -> Product {
    let ended = product_with_line("LAMP", 9, 3, ReservationState::Cancelled);
    let line = |(id, line): (&OrderId, &LineState)| (id.clone(), LineState { allocations: Vec::new(), ..line.clone() });
    let lines = ended.lines().map(line).collect();
    Product::restore(ProductState { lines, ..crate::testing::locked_state("LAMP", 7) })
}

fn has_lamp(orders: &mut MockOrderRepository) {
    orders.expect_skus_of().returning(|_| Ok(vec![sku("LAMP")]));
}

fn archives(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    let unit = ending(outcome, |products| {
        products.expect_lock().times(1).returning(|_| Ok(vec![complete()]));
    });
    with_orders(unit, |orders| {
        has_lamp(orders);
        orders.expect_lock_lines().times(1).returning(|_, _| Ok(()));
        orders.expect_archive().times(1).returning(|_| Ok(1));
    })
}

fn archived_with(units: Vec<Result<MockUnitOfWork, StoreError>>) -> Result<Archived, StoreError> {
    use_cases_with(finds("O-1"), units).archive_orders(later(), &mut None, &mut || Ok(true))
}

#[test]
fn an_order_that_changes_before_it_is_locked_stays() {
    let unit = rolled_back(|products| {
        let current = product_with_line("LAMP", 9, 3, ReservationState::Firm);
        products.expect_lock().times(1).return_once(move |_| Ok(vec![current]));
    });
    assert_eq!(archived_with(vec![with_orders(unit, has_lamp)]).unwrap(), Archived::default());
}

#[test]
fn an_order_of_too_many_lines_for_a_unit_stays() {
    let unit = with_orders(rolled_back(|_| {}), |orders| {
        let skus: Vec<_> = (0..=MAX_LINES).map(|number| sku(&format!("SKU-{number}"))).collect();
        orders.expect_skus_of().times(1).return_once(move |_| Ok(skus));
    });
    assert_eq!(archived_with(vec![unit]).unwrap(), Archived::default());
}

#[test]
fn a_unit_holds_no_more_lines_than_its_bound() {
    let skus = |names: &'static str| move |_: &OrderId| Ok((0..600).map(|it| sku(&format!("{names}-{it}"))).collect());
    let unit = with_orders(
        rolled_back(|products| {
            products.expect_lock().times(1).withf(|wanted| wanted.len() == 600).returning(|_| Ok(Vec::new()));
        }),
        |orders| {
            orders.expect_skus_of().times(2).returning(skus("SKU"));
        },
    );
    let mut unit = unit.unwrap();
    let step = archive_first(&mut unit, &[order("O-1"), order("O-2")]).unwrap();
    assert!(matches!(step, UnitOutcome::Rollback(Step { examined: 1, .. })));
}

#[test]
fn conflicts_run_again_and_failures_are_returned() {
    assert_eq!(archived_with(vec![archives(Err(conflict())), archives(Ok(()))]).unwrap().lines, 1);
    let failed = archived_with(vec![archives(Err(StoreError::Failed(cause("disk on fire"))))]);
    assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
    let busy = || Err(StoreError::Busy(cause("locked")));
    let failed = archived_with(vec![busy(), busy(), busy()]);
    assert!(matches!(failed, Err(StoreError::Busy(_))), "{failed:?}");
}

#[test]
fn the_archive_is_prepared_until_few_lines_are_dated() {
    let prepares = |dated: usize| {
        with_orders(ending(Ok(()), |_| {}), move |orders| {
            orders.expect_prepare_archive().times(1).returning(move |_, _| Ok(dated));
        })
    };
    let full = usize::from(MAX_DATED);
    let use_cases = use_cases_with(MockQueries::new(), vec![prepares(full), prepares(full), prepares(3)]);
    assert_eq!(use_cases.prepare_archive(&mut || Ok(true)).unwrap(), 2 * full + 3);
    let use_cases = use_cases_with(MockQueries::new(), Vec::new());
    assert_eq!(use_cases.prepare_archive(&mut || Ok(false)).unwrap(), 0);
}

#[test]
fn an_archived_order_is_repeated_as_before() {
    let shop = shop();
    archive_by(&shop, later());
    let preview = shop.use_cases.preview_order(&new_order("O-1", &[("LAMP", 2), ("SOFA", 1)], OrderTerms::default()));
    assert!(matches!(preview, Ok(allocation_domain::Outcome::Unchanged(()))), "{preview:?}");
    let other = shop.use_cases.preview_order(&new_order("O-1", &[("LAMP", 7)], OrderTerms::default()));
    assert!(other.is_err(), "{other:?}");
}

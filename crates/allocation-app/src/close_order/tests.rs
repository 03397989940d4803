use super::*;
use crate::testing::{
    Shop, committed, conflict, list_id, locks, order, product_with_line, rolled_back, saves, sku, units, use_cases,
    with_orders,
};
use allocation_domain::{OrderTerms, PickLineId, ReservationState, Sku};
use allocation_ports::StoreError;

fn close(shop: &Shop) -> Result<Order, UseCaseError<CloseError>> {
    shop.use_cases.close_order(&order("O-1"), None)
}

fn pick_one(shop: &Shop) {
    shop.make_pick_list();
    shop.use_cases.pick(&PickLineId { list: list_id("P-1"), line: 1 }, units(3).into()).unwrap();
}

#[test]
fn a_closed_order_keeps_what_is_picked_and_gives_up_the_rest_once() {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.place("O-1", &[("LAMP", 3), ("SOFA", 2)], OrderTerms::default());
    pick_one(&shop);
    shop.new_events();
    for events in [&["line_closed", "pick_line_withdrawn", "deallocated", "line_closed", "back_in_stock"][..], &[]] {
        let closed = close(&shop).unwrap();
        assert_eq!(closed.lines, shop.lines("O-1"));
        assert_eq!(shop.new_events(), events);
        assert_eq!(["B-1", "B-2"].map(|name| shop.batch(name).unwrap().allocated()), [0, 0]);
        assert_eq!(closed.lines[0].1.fulfilment.picked, 3);
    }
}

#[test]
fn waiting_lines_are_served_in_the_same_unit_of_work() {
    let shop = Shop::with(&[("LAMP", "B-1", 3)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.place_waiting("O-2", &[("LAMP", 2)]);
    shop.new_events();
    close(&shop).unwrap();
    assert_eq!(shop.new_events(), ["deallocated", "line_closed", "allocated", "back_in_stock"]);
    assert_eq!(shop.lines("O-2")[0].1.allocated(), 2);
}

#[test]
fn a_dry_run_returns_what_would_be_and_stores_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.new_events();
    let before = shop.lines("O-1");
    let would_be = shop.use_cases.clone().as_dry_run(true).close_order(&order("O-1"), None).unwrap();
    assert_eq!((shop.lines("O-1"), shop.new_events().len()), (before, 0));
    assert_eq!(close(&shop).unwrap(), would_be);
    let none = shop.use_cases.clone().as_dry_run(true).close_order(&order("O-9"), None);
    assert!(matches!(none, Err(UseCaseError::Refused(CloseError::NotFound(id))) if id == order("O-9")));
}

#[test]
fn a_line_added_while_waiting_for_the_locks_is_closed_too() {
    let firm = |name| product_with_line(name, 9, 3, ReservationState::Firm);
    let with_skus = |unit, skus: &'static [&'static str], answer: fn() -> Result<(), StoreError>| {
        with_orders(unit, |orders| {
            orders.expect_skus_of().times(1).returning(|_| Ok(skus.iter().map(|name| sku(name)).collect()));
            orders
                .expect_lock_lines()
                .times(1)
                .withf(|_, locked| locked.iter().map(Sku::as_str).eq(skus.iter().copied()))
                .returning(move |_, _| answer());
        })
    };
    let before = with_skus(rolled_back(|products| locks(products, vec![firm("LAMP")])), &["LAMP"], || Err(conflict()));
    let after = committed(|products| {
        locks(products, vec![firm("LAMP"), firm("SOFA")]);
        saves(products, &["deallocated", "line_closed", "deallocated", "line_closed"]);
    });
    let units = vec![before, with_skus(after, &["LAMP", "SOFA"], || Ok(()))];
    use_cases(units).close_order(&order("O-1"), None).unwrap();
}

#[test]
fn refusals_change_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.new_events();
    let other = BTreeSet::from([OrderVersion::from_number(0)]);
    let stale = shop.use_cases.close_order(&order("O-1"), Some(&other));
    assert!(matches!(stale, Err(UseCaseError::Refused(CloseError::Stale { .. }))));
    assert_eq!(shop.new_events(), [""; 0]);
    shop.use_cases.cancel_order(&order("O-1")).unwrap();
    assert!(matches!(close(&shop), Err(UseCaseError::Refused(CloseError::Cancelled(_)))));
    let none = Shop::with(&[]).use_cases.close_order(&order("O-1"), None);
    assert!(matches!(none, Err(UseCaseError::Refused(CloseError::NotFound(id))) if id == order("O-1")));
}

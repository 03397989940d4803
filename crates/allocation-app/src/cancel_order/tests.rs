use super::*;
use crate::testing::{
    Shop, committed, conflict, list_id, locks, order, product_with_line, rolled_back, saves, sku, units, use_cases,
    with_orders,
};
use allocation_domain::{OrderConfirmation, OrderTerms, PickLineId, ReservationState, Sku};
use allocation_ports::StoreError;

fn cancel(shop: &Shop) -> Result<(), UseCaseError<CancelError>> {
    shop.use_cases.cancel_order(&order("O-1"))
}

#[test]
fn a_cancelled_order_releases_all_its_units_once() {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.place_held("O-1", &[("LAMP", 3), ("SOFA", 2)], 10);
    shop.new_events();
    for events in [&["deallocated", "line_cancelled", "deallocated", "line_cancelled", "back_in_stock"][..], &[]] {
        cancel(&shop).unwrap();
        assert_eq!(shop.new_events(), events);
        assert_eq!(["B-1", "B-2"].map(|name| shop.batch(name).unwrap().allocated()), [0, 0]);
    }
}

#[test]
fn waiting_lines_are_served_in_the_same_unit_of_work() {
    let shop = Shop::with(&[("LAMP", "B-1", 3)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.place_waiting("O-2", &[("LAMP", 2)]);
    shop.new_events();
    cancel(&shop).unwrap();
    assert_eq!(shop.new_events(), ["deallocated", "line_cancelled", "allocated", "back_in_stock"]);
    assert_eq!(shop.lines("O-2")[0].1.allocated(), 2);
}

#[test]
fn a_line_added_while_waiting_for_the_locks_is_cancelled_too() {
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
        saves(products, &["deallocated", "line_cancelled", "deallocated", "line_cancelled"]);
    });
    let units = vec![before, with_skus(after, &["LAMP", "SOFA"], || Ok(()))];
    use_cases(units).cancel_order(&order("O-1")).unwrap();
}

#[test]
fn an_unknown_order_is_an_error() {
    let refusal = cancel(&Shop::with(&[])).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(CancelError::NotFound(id)) if id == order("O-1")));
}

#[test]
fn an_order_with_picked_units_is_not_cancelled() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.make_pick_list();
    shop.use_cases.pick(&PickLineId { list: list_id("P-1"), line: 1 }, units(1).into()).unwrap();
    assert!(matches!(cancel(&shop), Err(UseCaseError::Refused(CancelError::Picked(id))) if id == order("O-1")));
}

#[test]
fn an_order_of_another_version_is_not_cancelled_and_an_ended_one_stays_so() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    let other = Some(std::collections::BTreeSet::from([allocation_domain::OrderVersion::from_number(0)]));
    let cancel_if = |expected: &Option<_>| shop.use_cases.cancel_order_if(&order("O-1"), expected.as_ref());
    assert!(matches!(cancel_if(&other), Err(UseCaseError::Refused(CancelError::Stale { .. }))));
    let seen = shop.use_cases.confirm_order(&OrderConfirmation::new(order("O-1"))).unwrap().version();
    cancel_if(&Some([seen].into())).unwrap();
    cancel_if(&Some([seen].into())).unwrap();
}

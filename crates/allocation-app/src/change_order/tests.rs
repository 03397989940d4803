use super::*;
use crate::testing::{
    Shop, cause, committed, conflict, ending, locks, order, order_in, product_with_line, reference, rolled_back, saves,
    sku, units, use_cases, with_orders,
};
use allocation_domain::{
    BatchChange, Eta, HoldDuration, OnShortage, OrderTerms, OrderVersion, ReservationState, Shortages, TermsChange,
    Units,
};
use std::collections::BTreeSet;

fn change(lines: &[(&str, u32)]) -> OrderChange {
    let lines = lines.iter().map(|(name, quantity)| (sku(name), Units::new(*quantity).unwrap()));
    OrderChange::new(order("O-1"), lines, TermsChange::default()).unwrap()
}

fn quantities(shop: &Shop) -> Vec<(String, u32, u32)> {
    let lines = shop.lines("O-1").into_iter();
    lines.map(|(sku, line)| (sku.to_string(), line.quantity.get(), line.allocated())).collect()
}

#[test]
fn a_change_adds_raises_lowers_and_removes_lines_in_one_unit_of_work() {
    let shop = Shop::with(&[("BED", "B-0", 3), ("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.place("O-1", &[("LAMP", 3), ("SOFA", 2)], OrderTerms::default());
    shop.new_events();
    let changed = shop.use_cases.change_order(&change(&[("BED", 1), ("LAMP", 5), ("SOFA", 0)])).unwrap();
    assert_eq!(changed.lines, shop.lines("O-1"));
    assert_eq!(quantities(&shop), [("BED".to_owned(), 1, 1), ("LAMP".to_owned(), 5, 5)]);
    let events =
        ["line_placed", "allocated", "line_changed", "allocated", "back_in_stock", "deallocated", "line_removed"];
    assert_eq!(shop.new_events().iter().collect::<BTreeSet<_>>(), events.map(String::from).iter().collect());
    shop.use_cases.change_order(&change(&[("BED", 1), ("LAMP", 5), ("SOFA", 0)])).unwrap();
    assert_eq!(shop.new_events(), [""; 0], "a repeat changes nothing");
}

#[test]
fn freed_units_serve_waiting_lines_in_the_same_unit_of_work() {
    let shop = Shop::with(&[("LAMP", "B-1", 3)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.place_waiting("O-2", &[("LAMP", 2)]);
    shop.new_events();
    shop.use_cases.change_order(&change(&[("LAMP", 2)])).unwrap();
    assert_eq!(shop.new_events(), ["deallocated", "line_changed", "allocated"]);
    assert_eq!(shop.lines("O-2")[0].1.allocated(), 1);
}

#[test]
fn a_preview_returns_what_would_be_and_stores_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.new_events();
    let before = shop.lines("O-1");
    let would_be = shop.use_cases.clone().as_dry_run(true).change_order(&change(&[("LAMP", 7)])).unwrap();
    assert_eq!(would_be.lines[0].1.allocated(), 7);
    assert_eq!((shop.lines("O-1"), shop.new_events().len()), (before, 0));
    let refused = shop.use_cases.clone().as_dry_run(true).change_order(&change(&[("LAMP", 10)]));
    assert!(
        matches!(refused, Err(UseCaseError::Refused(ChangeOrderError::OutOfStock(Shortages(lines)))) if lines.len() == 1)
    );
    assert_eq!(shop.use_cases.change_order(&change(&[("LAMP", 7)])).unwrap(), would_be);
}

#[test]
fn refusals_change_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 3)]);
    shop.place("O-1", &[("LAMP", 3)], OrderTerms::default());
    shop.new_events();
    let stale = change(&[("LAMP", 1)]).if_version(Some([OrderVersion::from_number(0)].into()));
    let refused = shop.use_cases.change_order(&stale);
    assert!(matches!(refused, Err(UseCaseError::Refused(ChangeOrderError::Stale { .. }))));
    let short = shop.use_cases.change_order(&change(&[("LAMP", 4), ("SOFA", 1)]));
    assert!(
        matches!(short, Err(UseCaseError::Refused(ChangeOrderError::OutOfStock(Shortages(lines)))) if lines.len() == 2)
    );
    let none = Shop::with(&[]).use_cases.change_order(&change(&[("LAMP", 1)]));
    assert!(matches!(none, Err(UseCaseError::Refused(ChangeOrderError::NotFound(id))) if id == order("O-1")));
    assert_eq!((shop.new_events(), quantities(&shop)), (vec![], vec![("LAMP".to_owned(), 3, 3)]));
}

#[test]
fn a_removed_line_is_followed_by_another_lock_on_what_is_left() {
    let firm = |name| product_with_line(name, 9, 3, ReservationState::Firm);
    let unit = committed(|products| {
        locks(products, vec![firm("LAMP"), firm("SOFA")]);
        saves(products, &["deallocated", "line_removed"]);
    });
    let unit = with_orders(unit, |orders| {
        orders.expect_skus_of().returning(|_| Ok(vec![sku("LAMP"), sku("SOFA")]));
        for skus in [&["LAMP", "SOFA"][..], &["SOFA"]] {
            let expected: Vec<_> = skus.iter().map(|name| sku(name)).collect();
            orders.expect_lock_lines().times(1).withf(move |_, locked| locked == expected).returning(|_, _| Ok(()));
        }
    });
    use_cases(vec![unit]).change_order(&change(&[("LAMP", 0)])).unwrap();
}

#[test]
fn a_line_added_while_waiting_for_the_locks_is_seen() {
    let firm = |name| product_with_line(name, 9, 3, ReservationState::Firm);
    let before = with_orders(rolled_back(|products| locks(products, vec![firm("LAMP")])), |orders| {
        orders.expect_skus_of().returning(|_| Ok(vec![sku("LAMP")]));
        orders.expect_lock_lines().times(1).returning(|_, _| Err(conflict()));
    });
    let after = committed(|products| {
        locks(products, vec![firm("LAMP"), firm("SOFA")]);
        saves(products, &["deallocated", "line_changed"]);
    });
    let changed = use_cases(vec![before, order_in(after, &["LAMP", "SOFA"])]).change_order(&change(&[("LAMP", 2)]));
    assert_eq!(changed.unwrap().lines.len(), 2);
}

#[test]
fn a_change_that_an_unknown_commit_made_is_returned_although_it_is_stale_by_now() {
    let seen = product_with_line("LAMP", 9, 3, ReservationState::Firm);
    let version = Products::from_iter([seen.clone()]).order(&order("O-1")).unwrap().version();
    let lost = StoreError::OutcomeUnknown(cause("no reply"));
    let first = ending(Err(lost), |products| {
        locks(products, vec![seen]);
        saves(products, &["deallocated", "line_changed"]);
    });
    let second = rolled_back(|products| locks(products, vec![product_with_line("LAMP", 9, 2, ReservationState::Firm)]));
    let once = change(&[("LAMP", 2)]).if_version(Some([version].into()));
    let done = use_cases(vec![order_in(first, &["LAMP"]), order_in(second, &["LAMP"])]).change_order(&once);
    assert_eq!(done.unwrap().lines[0].1.quantity, units(2));
}

#[test]
fn a_hold_that_an_unknown_commit_may_have_extended_is_not_refused_as_stale() {
    let held = |seconds| {
        let expires_at = crate::testing::now() + chrono::TimeDelta::seconds(seconds);
        product_with_line("LAMP", 9, 3, ReservationState::Held { expires_at })
    };
    let version = Products::from_iter([held(60)]).order(&order("O-1")).unwrap().version();
    let first = ending(Err(StoreError::OutcomeUnknown(cause("no reply"))), |products| {
        locks(products, vec![held(60)]);
        saves(products, &["hold_extended"]);
    });
    let stale = || order_in(rolled_back(|products| locks(products, vec![held(900)])), &["LAMP"]);
    let hold = TermsChange { hold: Some(HoldDuration::from_seconds(900).unwrap()), ..TermsChange::default() };
    let once = OrderChange::new(order("O-1"), [], hold).unwrap().if_version(Some([version].into()));
    let mut units = vec![order_in(first, &["LAMP"])];
    units.extend((1..crate::RetryPolicy::default().attempts).map(|_| stale()));
    let unknown = use_cases(units).change_order(&once);
    assert!(matches!(unknown, Err(UseCaseError::Store(StoreError::OutcomeUnknown(_)))), "{unknown:?}");
}

#[test]
fn a_change_of_the_order_of_service_waits_for_a_large_correction() {
    let shop = Shop::with(&[("LAMP", "B-1", 3_000)]);
    let others: Vec<_> = (0..1_500).map(|number| order(&format!("P-{number:04}"))).collect();
    shop.place("O-1", &[("LAMP", 1)], OrderTerms { on_shortage: OnShortage::Backorder, ..OrderTerms::default() });
    shop.allocate_to_each(&others, "LAMP");
    let late = Eta::Due("2099-01-15".parse().unwrap());
    let postponed = BatchChange { eta: Some(late), ..BatchChange::default() };
    shop.use_cases.change_batch(&reference("B-1"), &postponed).unwrap();
    assert!(shop.batch("B-1").unwrap().moving().is_some());
    let priority = TermsChange { priority: Some(5), ..TermsChange::default() };
    let ahead = OrderChange::new(order("O-1"), [], priority).unwrap();
    assert!(matches!(shop.use_cases.change_order(&ahead), Err(UseCaseError::Store(StoreError::Busy(_)))));
    let cancelled = shop.use_cases.change_order(&change(&[("LAMP", 0)])).unwrap();
    assert!(cancelled.lines[0].1.is_idle(), "units can be given up meanwhile");
}

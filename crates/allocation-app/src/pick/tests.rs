use super::*;
use crate::testing::{
    Shop, cause, conflict, ending, list_id, listed, locks, now, restored, rolled_back, saves, use_cases, with_list,
};
use allocation_domain::{PickStatus, Product};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;

fn first() -> PickLineId {
    PickLineId { list: list_id("P-1"), line: 1 }
}

fn units(found: u32) -> Units {
    Units::new(found).unwrap()
}

/// Creates a shop with a lamp to pick: three units of nine.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.allocate("O-1", "LAMP", 3);
    shop.make_pick_list();
    shop.new_events();
    shop
}

fn pick_in(shop: &Shop, found: u32) -> Result<Outcome<Picked, PickLine>, UseCaseError<PickError>> {
    shop.use_cases.pick(&first(), units(found))
}

fn pick(
    unit: Vec<Result<MockUnitOfWork, StoreError>>,
    found: u32,
) -> Result<Outcome<Picked, PickLine>, UseCaseError<PickError>> {
    use_cases(unit).pick(&first(), units(found))
}

/// Returns a lamp of which `found` units were picked.
fn picked(found: u32) -> Vec<Product> {
    let mut lamp = listed(&["LAMP"]).remove(0);
    lamp.pick(&first(), units(found), now()).unwrap();
    vec![restored(&lamp)]
}

/// Returns a unit over these products, of which the first is locked.
fn over(
    products: &[Product],
    outcome: Option<Result<(), StoreError>>,
    events: &'static [&'static str],
) -> Result<MockUnitOfWork, StoreError> {
    let locked = products.to_vec();
    let unit = match outcome {
        Some(outcome) => ending(outcome, |repository| {
            locks(repository, locked);
            saves(repository, events);
        }),
        None => rolled_back(|repository| locks(repository, locked)),
    };
    with_list(unit, products)
}

#[test]
fn the_units_are_picked_once_with_an_event() {
    let shop = shop();
    let Outcome::Changed(picked) = pick_in(&shop, 3).unwrap() else { panic!("a first pick") };
    assert_eq!((picked.line.picked, picked.missing), (3, 0));
    assert_eq!(shop.new_events(), ["picked"]);
    let again = pick_in(&shop, 3).unwrap();
    assert!(matches!(again, Outcome::Unchanged(line) if line.status == PickStatus::Picked));
    assert!(shop.new_events().is_empty());
}

#[test]
fn short_picked_units_are_replaced_in_the_same_unit_of_work() {
    // The batch has six more units.
    let shop = shop();
    let Outcome::Changed(picked) = pick_in(&shop, 2).unwrap() else { panic!("a first pick") };
    assert_eq!((picked.line.picked, picked.missing, picked.displaced), (2, 1, None));
    assert_eq!(picked.affected.iter().map(|it| it.quantity.get()).sum::<u32>(), 1);
    assert_eq!(shop.new_events(), ["picked", "units_missing", "allocated"]);
}

#[test]
fn another_quantity_corrects_the_pick_until_it_is_shipped() {
    let shop = shop();
    let error = pick_in(&shop, 4).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(PickError::TooMany { .. })));
    pick_in(&shop, 3).unwrap();
    shop.new_events();
    let would_be = shop.use_cases.clone().as_dry_run(true).pick(&first(), units(2)).unwrap();
    assert_eq!(shop.new_events(), [""; 0], "a dry run");
    assert_eq!(pick_in(&shop, 2).unwrap(), would_be);
    assert_eq!(shop.new_events(), ["pick_corrected", "allocated"]);
    assert!(matches!(pick_in(&shop, 2).unwrap(), Outcome::Unchanged(line) if line.picked == 2));
    pick_in(&shop, 3).unwrap();
    assert_eq!(shop.new_events(), ["deallocated", "pick_corrected"]);
    shop.use_cases.ship_pick_list(&list_id("P-1"), allocation_domain::OpenLines::Refuse).unwrap();
    let error = pick_in(&shop, 2).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(PickError::AlreadyShipped { .. })));
}

/// The report was about an order that was cancelled since, and its line and batch are loaded all the same.
#[test]
fn units_that_are_found_for_an_order_that_is_gone_are_free() {
    let shop = shop();
    pick_in(&shop, 0).unwrap();
    shop.use_cases.cancel_order(&crate::testing::order("O-1")).unwrap();
    let Outcome::Changed(corrected) = pick_in(&shop, 2).unwrap() else { panic!("a correction") };
    assert_eq!((corrected.line.picked, corrected.line.put_back), (0, 2));
    assert_eq!(shop.batch("B-1").unwrap().available(), 8);
}

#[test]
fn a_withdrawn_pick_line_is_rejected() {
    let shop = shop();
    shop.use_cases.release_pick_list(&list_id("P-1")).unwrap();
    let error = pick_in(&shop, 3).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(PickError::Withdrawn(id)) if id == first()));
}

#[test]
fn an_unknown_pick_line_is_an_error() {
    let error = pick_in(&Shop::with(&[]), 3).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(PickError::NotFound(id)) if id == first()));
}

#[test]
fn after_two_conflicts_the_third_run_picks_the_units() {
    let run = |outcome| over(&listed(&["LAMP"]), Some(outcome), &["picked"]);
    let outcome = pick(vec![run(Err(conflict())), run(Err(conflict())), run(Ok(()))], 3);
    assert!(matches!(outcome, Ok(Outcome::Changed(_))));
}

#[test]
fn units_picked_by_a_commit_of_unknown_outcome_are_reported_as_picked() {
    let lost = over(&listed(&["LAMP"]), Some(Err(StoreError::OutcomeUnknown(cause("connection lost")))), &["picked"]);
    let outcome = pick(vec![lost, over(&picked(3), None, &[])], 3);
    assert!(matches!(outcome, Ok(Outcome::Unchanged(line)) if line.picked == 3));
}

#[test]
fn a_store_that_stays_busy_is_an_error() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    let error = pick(vec![busy(), busy(), busy()], 3).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Busy(_))));
}

use super::*;
use crate::testing::{
    cause, committed, conflict, ending, list_id, listed, locks, now, order, product_with_line, restored, rolled_back,
    saves, sku, use_cases, with_list, with_pick_lists,
};
use allocation_domain::{Commitment, PickCriteria, Product};
use allocation_ports::mocks::{MockPickListRepository, MockUnitOfWork};

fn asked() -> NewPickList {
    NewPickList::new(list_id("P-1"), PickCriteria::default())
}

/// A lamp and a sofa that are allocated and on no list.
fn allocated() -> Vec<Product> {
    ["LAMP", "SOFA"].map(|name| restored(&product_with_line(name, 9, 3, Commitment::Firm))).into()
}

/// There is no such list yet, and these lines were found for it.
fn finds(names: &'static [&'static str]) -> impl FnOnce(&mut MockPickListRepository) {
    move |lists| {
        lists.expect_find().withf(|id| *id == list_id("P-1")).returning(|_| Ok(None));
        let lines = names.iter().map(|name| (sku(name), order("O-1"))).collect();
        lists.expect_candidates().withf(|list| *list == asked()).return_once(|_| Ok(lines));
    }
}

fn made(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    let unit = ending(outcome, |products| {
        locks(products, allocated());
        saves(products, &["pick_listed", "pick_listed"]);
    });
    with_pick_lists(unit, |lists| {
        finds(&["LAMP", "SOFA"])(lists);
        lists.expect_add().times(1).withf(|id, at| (id, *at) == (&list_id("P-1"), now())).returning(|_, _| Ok(()));
    })
}

/// All lines that were found are on a list of others by the time they are locked.
fn taken() -> Result<MockUnitOfWork, StoreError> {
    let unit = rolled_back(|products| locks(products, listed(&["LAMP"])));
    with_pick_lists(unit, |lists| {
        lists.expect_find().returning(|_| Ok(None));
        lists.expect_candidates().returning(|_| Ok(vec![(sku("LAMP"), order("O-1"))]));
    })
}

fn make(units: Vec<Result<MockUnitOfWork, StoreError>>, name: &str) -> Result<MakePickListOutcome, MakePickListError> {
    use_cases(units).make_pick_list(&NewPickList::new(list_id(name), PickCriteria::default()))
}

#[test]
fn what_is_allocated_is_put_on_a_list() {
    let MakePickListOutcome::Made(stored) = make(vec![made(Ok(()))], "P-1").unwrap() else { panic!("a new list") };
    assert_eq!((stored.list.lines.len(), stored.created_at), (2, now()));
}

#[test]
fn a_list_of_that_name_stays_as_it_is() {
    let known = with_list(rolled_back(|_| {}), &listed(&["LAMP"]));
    let MakePickListOutcome::Unchanged(stored) = make(vec![known], "P-1").unwrap() else { panic!("a known list") };
    assert_eq!(stored.list.lines.len(), 1);
}

#[test]
fn where_nothing_is_found_nothing_is_locked() {
    let error = make(vec![with_pick_lists(rolled_back(|_| {}), finds(&[]))], "P-1").unwrap_err();
    assert!(matches!(error, MakePickListError::NothingToPick));
}

#[test]
fn when_all_was_taken_meanwhile_others_are_looked_for() {
    let other = with_pick_lists(
        committed(|products| {
            locks(products, vec![restored(&product_with_line("SOFA", 9, 3, Commitment::Firm))]);
            saves(products, &["pick_listed"]);
        }),
        |lists| {
            lists.expect_find().returning(|_| Ok(None));
            lists.expect_candidates().returning(|_| Ok(vec![(sku("SOFA"), order("O-1"))]));
            lists.expect_add().times(1).returning(|_, _| Ok(()));
        },
    );
    assert!(matches!(make(vec![taken(), taken(), other], "P-2"), Ok(MakePickListOutcome::Made(_))));
}

#[test]
fn whoever_is_always_late_is_told_to_come_again() {
    let error = make((0..MOST_TRIES).map(|_| taken()).collect(), "P-2").unwrap_err();
    assert!(matches!(error, MakePickListError::Store(StoreError::Busy(_))));
}

#[test]
fn a_list_that_others_made_under_that_name_meanwhile_is_shown() {
    let raced = with_pick_lists(rolled_back(|products| locks(products, listed(&["LAMP"]))), finds(&["LAMP"]));
    let known = with_list(rolled_back(|_| {}), &listed(&["LAMP"]));
    assert!(matches!(make(vec![raced, known], "P-1"), Ok(MakePickListOutcome::Unchanged(_))));
}

#[test]
fn after_two_conflicts_the_third_run_makes_it() {
    let outcome = make(vec![made(Err(conflict())), made(Err(conflict())), made(Ok(()))], "P-1");
    assert!(matches!(outcome, Ok(MakePickListOutcome::Made(_))));
}

#[test]
fn a_list_that_a_lost_commit_had_made_is_made() {
    let lost = made(Err(StoreError::OutcomeUnknown(cause("connection lost"))));
    let known = with_list(rolled_back(|_| {}), &listed(&["LAMP", "SOFA"]));
    assert!(matches!(make(vec![lost, known], "P-1"), Ok(MakePickListOutcome::Made(_))));
}

#[test]
fn a_store_that_stays_busy_is_told() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    let error = make(vec![busy(), busy(), busy()], "P-1").unwrap_err();
    assert!(matches!(error, MakePickListError::Store(StoreError::Busy(_))));
}

#[test]
fn a_name_tells_when_it_was_given() {
    let cases = use_cases(Vec::new());
    let (one, other) = (cases.name_pick_list().unwrap(), cases.name_pick_list().unwrap());
    assert!(one.as_str().starts_with("PL-20270115-080000-") && one.as_str().len() == 27, "{one}");
    assert_ne!(one, other);
}

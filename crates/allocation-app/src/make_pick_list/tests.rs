use super::*;
use crate::testing::{
    Shop, cause, conflict, ending, list_id, listed, locks, now, order, product_with_line, restored, rolled_back, saves,
    sku, use_cases, use_cases_with, with_list, with_pick_lists,
};
use allocation_domain::{OnShortage, OrderTerms, PickCriteria, Product, Products, ReservationState};
use allocation_ports::mocks::{MockPickListRepository, MockQueries, MockUnitOfWork};
use allocation_ports::{PickListQueries, PickableLines};
use chrono::TimeDelta;

const BOTH: &[&str] = &["LAMP", "SOFA"];

fn new_list() -> NewPickList {
    NewPickList::new(list_id("P-1"), PickCriteria::default())
}

/// Returns a lamp and a sofa that are allocated and on no list.
fn allocated() -> Vec<Product> {
    ["LAMP", "SOFA"].map(|name| restored(&product_with_line(name, 9, 3, ReservationState::Firm))).into()
}

/// Finds these lines, up to the requested number: the size of the list at the first attempt, and more each
/// time.
fn finding(names: &'static [&'static str]) -> MockQueries {
    let (mut queries, mut attempts) = (MockQueries::new(), 0);
    queries.expect_pickable().returning(move |criteria, limit| {
        attempts += 1;
        assert_eq!((criteria, limit), (new_list().criteria(), attempts * new_list().max_lines()));
        let lines = names.iter().map(|name| (sku(name), order("O-1"))).collect();
        Ok(PickableLines { lines, ship_complete: BTreeSet::new(), complete: true })
    });
    queries
}

/// Expects a lookup of the list, which does not exist yet.
fn unknown(lists: &mut MockPickListRepository) {
    lists.expect_find().withf(|id| *id == list_id("P-1")).returning(|_| Ok(None));
}

fn made(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    let unit = ending(outcome, |products| {
        locks(products, allocated());
        saves(products, &["pick_listed", "pick_listed"]);
    });
    with_pick_lists(unit, |lists| {
        unknown(lists);
        lists.expect_add().times(1).withf(|list, at| (list, *at) == (&new_list(), now())).returning(|_, _| Ok(()));
    })
}

/// Returns a unit in which other lists have taken all found lines by the time of the lock.
fn taken(names: &[&str]) -> Result<MockUnitOfWork, StoreError> {
    let others = names.iter().map(|name| {
        let mut shop = Products::from_iter([product_with_line(name, 9, 3, ReservationState::Firm)]);
        shop.make_pick_list(&NewPickList::new(list_id("OTHER"), PickCriteria::default())).unwrap();
        restored(shop.iter().next().unwrap())
    });
    with_pick_lists(rolled_back(|products| locks(products, others.collect())), unknown)
}

/// Returns a unit in which the list exists, made from all lines.
fn known() -> Result<MockUnitOfWork, StoreError> {
    with_list(rolled_back(|_| {}), &listed(BOTH))
}

fn make(
    queries: MockQueries,
    units: Vec<Result<MockUnitOfWork, StoreError>>,
) -> Result<Outcome<StoredPickList>, UseCaseError<MakePickListError>> {
    use_cases_with(queries, units).make_pick_list(&new_list())
}

/// Creates a shop in which `O-1` has a lamp and a sofa.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 9)]);
    for name in BOTH {
        shop.allocate("O-1", name, 3);
    }
    shop.new_events();
    shop
}

#[test]
fn allocated_units_are_put_on_a_list() {
    let shop = shop();
    shop.advance(TimeDelta::seconds(1));
    let Outcome::Changed(stored) = shop.use_cases.make_pick_list(&new_list()).unwrap() else { panic!("new") };
    assert_eq!((stored.list.lines.len(), stored.created_at), (2, now() + TimeDelta::seconds(1)));
    assert_eq!(shop.new_events(), ["pick_listed", "pick_listed"]);
}

#[test]
fn an_existing_list_with_the_id_is_unchanged() {
    let shop = shop();
    shop.make_pick_list();
    shop.new_events();
    for _ in 0..2 {
        let outcome = shop.use_cases.make_pick_list(&new_list()).unwrap();
        let Outcome::Unchanged(stored) = outcome else { panic!("known") };
        assert_eq!(stored.list.lines.len(), 2);
        assert!(shop.new_events().is_empty());
        shop.allocate("O-2", "LAMP", 1);
        shop.new_events();
    }
}

#[test]
fn an_existing_list_with_another_request_is_rejected() {
    let shop = shop();
    shop.make_pick_list();
    let other = new_list().with_max_lines(1).unwrap();
    // The list is found likewise after a commit of unknown outcome.
    let lost = made(Err(StoreError::OutcomeUnknown(cause("connection lost"))));
    let resolving = with_pick_lists(rolled_back(|_| {}), |lists| {
        let stored = Products::from_iter(listed(&["LAMP"])).pick_list(&list_id("P-1")).unwrap();
        lists.expect_find().return_once(|_| Ok(Some(StoredPickList { list: stored, created_at: now() })));
        lists.expect_request().return_once(|_| Ok(Some(new_list().with_max_lines(1).unwrap())));
    });
    let results = [shop.use_cases.make_pick_list(&other), make(finding(BOTH), vec![lost, resolving])];
    for error in results.map(Result::unwrap_err) {
        assert!(
            matches!(&error, UseCaseError::Refused(MakePickListError::AlreadyExists(id)) if *id == list_id("P-1")),
            "{error:?}"
        );
    }
}

#[test]
fn a_list_without_lines_is_not_made() {
    let error = Shop::with(&[]).use_cases.make_pick_list(&new_list()).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(MakePickListError::NothingToPick)));
}

#[test]
fn candidates_taken_meanwhile_are_searched_again() {
    let outcome = make(finding(BOTH), vec![taken(BOTH), taken(BOTH), made(Ok(()))]);
    assert!(matches!(outcome, Ok(Outcome::Changed(_))));
}

#[test]
fn an_attempt_locks_no_more_lines_than_the_list_has_and_none_twice() {
    let list = new_list().with_max_lines(1).unwrap();
    let all = ["LAMP", "RUG", "SOFA"];
    let (mut queries, mut attempts) = (MockQueries::new(), 0);
    queries.expect_pickable().returning(move |_, limit| {
        attempts += 1;
        assert_eq!(limit, attempts);
        let lines = all.iter().take(limit).map(|name| (sku(name), order("O-1"))).collect();
        Ok(PickableLines { lines, ship_complete: BTreeSet::new(), complete: limit > all.len() })
    });
    // When every line was tried, the first is tried again.
    let units = (0..MAX_SEARCHES).map(|attempt| taken(&all[attempt % all.len()..][..1])).collect();
    let error = use_cases_with(queries, units).make_pick_list(&list).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Busy(_))));
}

#[test]
fn a_pick_list_that_always_loses_the_race_fails_as_busy() {
    let error = make(finding(BOTH), (0..MAX_SEARCHES).map(|_| taken(BOTH)).collect()).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Busy(_))));
}

#[test]
fn a_list_made_concurrently_under_the_id_is_returned() {
    let locked = rolled_back(|products| locks(products, listed(BOTH)));
    let outcome = make(finding(BOTH), vec![with_pick_lists(locked, unknown), known()]);
    assert!(matches!(outcome, Ok(Outcome::Unchanged(_))));
}

#[test]
fn after_two_conflicts_the_third_run_makes_it() {
    let outcome = make(finding(BOTH), vec![made(Err(conflict())), made(Err(conflict())), made(Ok(()))]);
    assert!(matches!(outcome, Ok(Outcome::Changed(_))));
}

#[test]
fn a_list_that_a_lost_commit_had_made_is_made() {
    let lost = made(Err(StoreError::OutcomeUnknown(cause("connection lost"))));
    assert!(matches!(make(finding(BOTH), vec![lost, known()]), Ok(Outcome::Changed(_))));
}

#[test]
fn a_store_that_stays_busy_is_an_error() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    let error = make(finding(BOTH), vec![busy(), busy(), busy()]).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Busy(_))));
}

#[test]
fn a_search_that_ended_at_its_bound_with_nothing_is_busy_and_not_nothing_to_pick() {
    let mut queries = MockQueries::new();
    queries.expect_pickable().times(1).returning(|_, _| {
        Ok(PickableLines { lines: BTreeSet::new(), ship_complete: BTreeSet::new(), complete: false })
    });
    let error = make(queries, vec![with_pick_lists(rolled_back(|_| {}), unknown)]).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Busy(_))), "{error:?}");
}

#[test]
fn a_store_that_cannot_be_read_is_reported() {
    let mut queries = MockQueries::new();
    queries.expect_pickable().return_once(|_, _| Err(StoreError::Unavailable(cause("connection refused"))));
    let error = make(queries, Vec::new()).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Unavailable(_))));
}

#[test]
fn a_generated_id_contains_its_time() {
    let cases = use_cases(Vec::new());
    let (one, other) = (cases.name_pick_list().unwrap(), cases.name_pick_list().unwrap());
    assert!(one.as_str().starts_with("PL-20270115-080000-") && one.as_str().len() == 27, "{one}");
    assert_ne!(one, other);
}

/// Terms on which an order ships complete, and waits for what is missing.
fn complete() -> OrderTerms {
    OrderTerms { on_shortage: OnShortage::Backorder, ship_complete: true, ..OrderTerms::default() }
}

fn make_named(shop: &Shop, name: &str, criteria: PickCriteria) -> Result<Vec<String>, UseCaseError<MakePickListError>> {
    let made = shop.use_cases.make_pick_list(&NewPickList::new(list_id(name), criteria))?;
    let (Outcome::Changed(made) | Outcome::Unchanged(made)) = made;
    Ok(made.list.lines.values().map(|line| format!("{} {}", line.order_id, line.sku)).collect())
}

#[test]
fn an_order_that_ships_complete_is_left_out_until_all_of_it_is_in_stock() {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 1)]);
    shop.place("WHOLE", &[("LAMP", 3), ("SOFA", 2)], complete());
    shop.place_waiting("PARTS", &[("LAMP", 2), ("SOFA", 2)]);
    assert_eq!(make_named(&shop, "P-1", PickCriteria::default()).unwrap(), ["PARTS LAMP"]);
    shop.add("SOFA", "B-3", 1);
    let lamps = PickCriteria { skus: Some([sku("LAMP")].into()), ..PickCriteria::default() };
    assert_eq!(make_named(&shop, "P-2", lamps).unwrap(), ["WHOLE LAMP"], "its other product is locked, too");
    assert_eq!(make_named(&shop, "P-3", PickCriteria::default()).unwrap(), ["WHOLE SOFA", "WHOLE SOFA"]);
}

/// Finds a line of an order that ships complete, as a search before another unit of work has changed it.
fn finding_of(ship_complete: bool) -> MockQueries {
    let mut queries = MockQueries::new();
    queries.expect_pickable().returning(move |_, _| {
        let ship_complete = if ship_complete { [order("WHOLE")].into() } else { BTreeSet::new() };
        Ok(PickableLines { lines: [(sku("LAMP"), order("WHOLE"))].into(), ship_complete, complete: true })
    });
    queries
}

/// Returns the use cases over a shop that find a line whatever is stored.
fn stale(shop: &Shop, ship_complete: bool) -> UseCases {
    let units = crate::UnitRunner::new(
        std::sync::Arc::new(shop.store.clone()),
        crate::RetryPolicy {
            attempts: 3,
            first_wait: std::time::Duration::ZERO,
            longest_wait: std::time::Duration::ZERO,
            max_elapsed: std::time::Duration::MAX,
        },
    );
    UseCases::new(units, std::sync::Arc::new(finding_of(ship_complete)), std::sync::Arc::new(crate::testing::clock()))
}

#[test]
fn what_the_search_has_found_is_decided_again_on_all_lines_of_the_order() {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.place("WHOLE", &[("LAMP", 3), ("SOFA", 2)], complete());
    // Another unit of work has taken a sofa since the search.
    shop.use_cases.deallocate(&order("WHOLE"), &crate::testing::reference("B-2")).unwrap();
    for knows in [true, false] {
        let refused = stale(&shop, knows).make_pick_list(&new_list());
        assert!(matches!(refused, Err(UseCaseError::Store(StoreError::Busy(_)))), "{refused:?}");
    }
    let list = shop.store.pick_list(&list_id("P-1")).unwrap();
    assert_eq!(list, None);
}

/// The order began to ship complete after the search, so that not all its products are locked.
#[test]
fn an_order_that_ships_complete_only_since_the_search_is_left_out() {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.place("WHOLE", &[("LAMP", 3), ("SOFA", 2)], complete());
    let refused = stale(&shop, false).make_pick_list(&new_list());
    assert!(matches!(refused, Err(UseCaseError::Store(StoreError::Busy(_)))), "{refused:?}");
    assert!(matches!(stale(&shop, true).make_pick_list(&new_list()), Ok(Outcome::Changed(_))));
}

#[test]
fn orders_that_ship_complete_are_listed_within_a_bound_of_lines() {
    let names: Vec<String> = (0..400).map(|number| format!("SKU-{number:03}")).collect();
    let shop = Shop::with(&names.iter().map(|name| (name.as_str(), name.as_str(), 9)).collect::<Vec<_>>());
    let lines: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    for name in ["O-1", "O-2", "O-3"] {
        shop.place(name, &lines, complete());
    }
    let listed: Vec<_> =
        ["P-1", "P-2"].map(|name| make_named(&shop, name, PickCriteria::default()).unwrap().len()).into();
    assert_eq!(listed, [800, 400], "the third order would make 1,200 lines");
}

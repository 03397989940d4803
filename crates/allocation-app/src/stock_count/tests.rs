use super::*;
use crate::testing::{Shop, cause, ending, now, reference, rolled_back, sku, units, use_cases, with_documents};
use allocation_domain::{BatchReference, Eta, NewBatch, Units};
use allocation_ports::mocks::{MockStockCounts, MockUnitOfWork};
use std::collections::BTreeSet;

fn id(text: &str) -> CountId {
    CountId::parse(text).unwrap()
}

fn of_references(names: &[&str]) -> NewStockCount {
    let scope = CountScope::References(names.iter().map(|name| reference(name)).collect());
    NewStockCount { count_id: id("C-1"), scope, blind: false }
}

fn of_lamps() -> NewStockCount {
    let scope = CountScope::Skus(BTreeSet::from([sku("LAMP")]));
    NewStockCount { count_id: id("C-1"), scope, blind: false }
}

fn counted(units: u32) -> CountedUnits {
    CountedUnits { counted: Units::new(units).unwrap(), picked_counted: None, recount: Units::ZERO }
}

/// A shop with a count of its batches of lamps, `B-1` of 9 units and `B-2` of 4.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("LAMP", "B-2", 4), ("SOFA", "S-1", 2)]);
    let opened = shop.use_cases.open_count(&of_lamps()).unwrap();
    assert!(matches!(opened, Outcome::Changed(_)));
    shop.new_events();
    shop
}

fn enter(shop: &Shop, line: u32, units: u32) {
    shop.use_cases.enter_count(&id("C-1"), line, counted(units)).unwrap();
}

fn totals(shop: &Shop) -> [u32; 2] {
    ["B-1", "B-2"].map(|name| shop.batch(name).unwrap().total().get())
}

#[test]
fn variances_are_applied_when_the_count_is_closed_and_once() {
    let shop = shop();
    enter(&shop, 1, 7);
    enter(&shop, 2, 5);
    assert_eq!((totals(&shop), shop.new_events().len()), ([9, 4], 0), "an entry changes no batch");
    let close = || shop.use_cases.close_count(&id("C-1"), UncountedLines::Refuse).unwrap();
    let Outcome::Changed(closed) = close() else { panic!("it is new") };
    assert_eq!((totals(&shop), shop.new_events().len()), ([7, 5], 2));
    assert_eq!(closed.closed.as_ref().unwrap().adjusted.lines.len(), 2);
    assert_eq!(close(), Outcome::Unchanged(closed));
    assert_eq!(totals(&shop), [7, 5]);
}

#[test]
fn units_that_move_after_an_entry_make_no_variance() {
    let shop = shop();
    enter(&shop, 1, 9);
    enter(&shop, 2, 4);
    shop.allocate("O-1", "LAMP", 9);
    let closed = shop.use_cases.close_count(&id("C-1"), UncountedLines::Refuse).unwrap();
    assert!(matches!(closed, Outcome::Changed(count) if count.closed.as_ref().unwrap().adjusted.lines.is_empty()));
    assert_eq!(totals(&shop), [9, 4]);
}

#[test]
fn the_same_count_is_opened_once_and_another_one_of_its_id_is_rejected() {
    let shop = shop();
    assert!(matches!(shop.use_cases.open_count(&of_lamps()), Ok(Outcome::Unchanged(count)) if count.lines.len() == 2));
    let other = shop.use_cases.open_count(&of_references(&["B-1"]));
    assert!(matches!(other, Err(UseCaseError::Refused(OpenCountError::AlreadyExists(_)))), "{other:?}");
}

#[test]
fn a_batch_is_in_at_most_one_open_count() {
    let shop = shop();
    let other = NewStockCount { count_id: id("C-2"), ..of_references(&["B-2", "S-1"]) };
    let refused = shop.use_cases.open_count(&other);
    let Err(UseCaseError::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal, OpenCountError::BatchInOpenCount { reference: reference("B-2"), count_id: id("C-1") });
    shop.use_cases.close_count(&id("C-1"), UncountedLines::Leave).unwrap();
    assert!(matches!(shop.use_cases.open_count(&other), Ok(Outcome::Changed(_))));
}

#[test]
fn only_batches_in_stock_are_counted() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    let late = NewBatch::new(reference("LATE"), units(3), late());
    shop.use_cases.add_batch(&sku("LAMP"), &late).unwrap();
    for name in ["LATE", "NONE"] {
        let refused = shop.use_cases.open_count(&of_references(&["B-1", name]));
        let missing = |it: &BatchReference| *it == reference(name);
        assert!(matches!(&refused, Err(UseCaseError::Refused(OpenCountError::NotFound(it))) if missing(it)));
    }
    let Outcome::Changed(opened) = shop.use_cases.open_count(&of_lamps()).unwrap() else { panic!("it is new") };
    assert_eq!(opened.lines.iter().map(|line| line.reference.as_str()).collect::<Vec<_>>(), ["B-1"]);
}

fn late() -> Eta {
    Eta::Due("2099-01-15".parse().unwrap())
}

#[test]
fn a_line_that_is_not_entered_keeps_the_count_open_unless_it_is_left() {
    let shop = shop();
    enter(&shop, 2, 3);
    let refused = shop.use_cases.close_count(&id("C-1"), UncountedLines::Refuse);
    let is_first = |lines: &[u32]| lines == [1];
    assert!(
        matches!(&refused, Err(UseCaseError::Refused(CloseCountError::NotCounted { lines, .. })) if is_first(lines)),
        "{refused:?}"
    );
    assert_eq!(totals(&shop), [9, 4]);
    shop.use_cases.close_count(&id("C-1"), UncountedLines::Leave).unwrap();
    assert_eq!(totals(&shop), [9, 3]);
}

#[test]
fn a_closed_count_takes_no_entry_and_is_not_abandoned() {
    let shop = shop();
    shop.use_cases.close_count(&id("C-1"), UncountedLines::Leave).unwrap();
    let entry = shop.use_cases.enter_count(&id("C-1"), 1, counted(1));
    assert!(matches!(entry, Err(UseCaseError::Refused(EnterCountError::Closed(_)))), "{entry:?}");
    let abandoned = shop.use_cases.abandon_count(&id("C-1"));
    assert!(matches!(abandoned, Err(UseCaseError::Refused(AbandonCountError::Closed(_)))), "{abandoned:?}");
}

#[test]
fn an_abandoned_count_is_gone_with_its_entries() {
    let shop = shop();
    enter(&shop, 1, 1);
    shop.use_cases.abandon_count(&id("C-1")).unwrap();
    let gone = shop.use_cases.close_count(&id("C-1"), UncountedLines::Leave);
    assert!(matches!(gone, Err(UseCaseError::Refused(CloseCountError::NotFound(_)))), "{gone:?}");
    let again = shop.use_cases.abandon_count(&id("C-1"));
    assert!(matches!(again, Err(UseCaseError::Refused(AbandonCountError::NotFound(_)))), "{again:?}");
    let unknown = shop.use_cases.enter_count(&id("C-1"), 1, counted(1));
    assert!(matches!(unknown, Err(UseCaseError::Refused(EnterCountError::NotFound(_)))), "{unknown:?}");
}

#[test]
fn a_dry_run_stores_nothing() {
    let shop = shop();
    let dry = shop.use_cases.clone().as_dry_run(true);
    assert_eq!(dry.enter_count(&id("C-1"), 1, counted(7)).unwrap().lines[0].entry.unwrap().variance(), -2);
    enter(&shop, 1, 7);
    let Outcome::Changed(would_be) = dry.close_count(&id("C-1"), UncountedLines::Leave).unwrap() else {
        panic!("it is new")
    };
    assert_eq!(would_be.closed.unwrap().adjusted.lines.len(), 1);
    dry.abandon_count(&id("C-1")).unwrap();
    assert_eq!(totals(&shop), [9, 4]);
    assert!(matches!(
        shop.use_cases.close_count(&id("C-1"), UncountedLines::Refuse),
        Err(UseCaseError::Refused(CloseCountError::NotCounted { lines, .. })) if lines == [2]
    ));
}

#[test]
fn a_count_that_an_unknown_commit_has_opened_is_new() {
    let opened = StockCount::open(of_lamps(), [(sku("LAMP"), reference("B-1"))], now()).unwrap();
    let counts = |prepare: fn(&mut MockStockCounts)| {
        let mut counts = MockStockCounts::new();
        prepare(&mut counts);
        counts
    };
    let first = with_documents(ending(Err(StoreError::OutcomeUnknown(cause("no reply"))), |_| {}), |documents| {
        documents.expect_find().returning(|_| Ok(None));
    });
    let first = first.map(|unit: MockUnitOfWork| {
        unit.with_counts(counts(|counts| {
            counts.expect_find().returning(|_| Ok(None));
            counts.expect_counted().returning(|_| Ok(None));
            counts.expect_countable().returning(|_, _| Ok(vec![(sku("LAMP"), reference("B-1"))]));
            counts.expect_add().returning(|_| Ok(()));
        }))
    });
    let found = opened.clone();
    let second = rolled_back(|_| {}).map(|unit: MockUnitOfWork| {
        let mut counts = MockStockCounts::new();
        counts.expect_find().returning(move |_| Ok(Some(found.clone())));
        unit.with_counts(counts)
    });
    assert_eq!(use_cases(vec![first, second]).open_count(&of_lamps()).unwrap(), Outcome::Changed(opened));
}

use super::*;
use crate::testing::{
    Shop, batch, committed, conflict, ending, locked_state, product, reference, rolled_back, saves, sku, use_cases,
    with_documents,
};
use allocation_domain::{
    AdjustmentId, AdjustmentLine, AdjustmentReason, MAX_MOVED_LINES, OrderId, Product, ProductState, UnitChange, Units,
};
use allocation_ports::mocks::{MockProductRepository, MockStockDocuments, MockUnitOfWork};
use allocation_ports::{EventContext, StoreError};
use std::collections::BTreeMap;

fn adjustment(lines: &[(&str, i32)]) -> Adjustment {
    let line = |(name, change): &(&str, i32)| AdjustmentLine {
        reference: reference(name),
        change: UnitChange::new(*change).unwrap(),
        expected: None,
    };
    let (id, reason) = (AdjustmentId::parse("A-1").unwrap(), AdjustmentReason::parse("lost").unwrap());
    Adjustment::new(id, reason, lines.iter().map(line)).unwrap()
}

fn adjust(shop: &Shop, lines: &[(&str, i32)]) -> Result<Outcome<RecordedAdjustment>, UseCaseError<AdjustError>> {
    shop.use_cases.adjust_stock(&adjustment(lines))
}

#[test]
fn batches_of_two_products_are_adjusted_in_one_unit_of_work_and_once() {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.place_waiting("O-1", &[("SOFA", 4)]);
    shop.new_events();
    let Outcome::Changed(made) = adjust(&shop, &[("B-1", -2), ("B-2", 1)]).unwrap() else { panic!("it is new") };
    assert_eq!(shop.new_events(), ["batch_adjusted", "batch_adjusted", "allocated"]);
    assert_eq!(["B-1", "B-2"].map(|name| shop.batch(name).unwrap().total().get()), [7, 3]);
    let Outcome::Unchanged(again) = adjust(&shop, &[("B-2", 1), ("B-1", -2)]).unwrap() else { panic!("a repeat") };
    assert_eq!((made, shop.new_events().len()), (again, 0));
}

#[test]
fn another_adjustment_of_the_same_id_is_rejected() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    adjust(&shop, &[("B-1", -2)]).unwrap();
    let other = adjust(&shop, &[("B-1", -3)]);
    assert!(matches!(other, Err(UseCaseError::Refused(AdjustError::AlreadyExists(_)))), "{other:?}");
    assert_eq!(shop.batch("B-1").unwrap().total().get(), 7);
}

#[test]
fn a_repeat_is_returned_although_the_batch_was_removed() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    let Outcome::Changed(made) = adjust(&shop, &[("B-1", -2)]).unwrap() else { panic!("it is new") };
    shop.use_cases.remove_batch(&reference("B-1")).unwrap();
    assert_eq!(adjust(&shop, &[("B-1", -2)]).unwrap(), Outcome::Unchanged(made));
}

#[test]
fn a_dry_run_returns_what_would_be_and_stores_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    let dry = shop.use_cases.clone().as_dry_run(true);
    shop.allocate("O-1", "LAMP", 9);
    shop.new_events();
    let Outcome::Changed(would_be) = dry.adjust_stock(&adjustment(&[("B-1", -2)])).unwrap() else {
        panic!("it is new")
    };
    assert_eq!((shop.batch("B-1").unwrap().total().get(), shop.new_events().len()), (9, 0));
    let Outcome::Changed(made) = adjust(&shop, &[("B-1", -2)]).unwrap() else { panic!("it is new") };
    assert_eq!(made.outcome, would_be.outcome);
    let known = dry.adjust_stock(&adjustment(&[("B-1", -2)])).unwrap();
    assert_eq!(known, Outcome::Unchanged(made));
}

#[test]
fn refusals_change_nothing_of_any_batch() {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.new_events();
    for (name, change) in [("B-9", -1), ("B-2", -3)] {
        let refused = adjust(&shop, &[("B-1", -1), (name, change)]);
        assert!(matches!(refused, Err(UseCaseError::Refused(_))), "{refused:?}");
    }
    assert_eq!((shop.batch("B-1").unwrap().total().get(), shop.new_events().len()), (9, 0));
    assert!(matches!(adjust(&shop, &[("B-1", -1)]), Ok(Outcome::Changed(_))), "a refused one leaves its id free");
}

#[test]
fn the_lines_of_a_crowded_batch_leave_in_the_background() {
    let shop = Shop::with(&[("LAMP", "B-1", 2_000)]);
    let order_ids: Vec<_> = (0..1_500).map(|number| OrderId::parse(format!("O-{number:04}")).unwrap()).collect();
    for some in order_ids.chunks(MAX_MOVED_LINES) {
        shop.allocate_to_each(some, "LAMP");
    }
    let Outcome::Changed(made) = adjust(&shop, &[("B-1", -1_900)]).unwrap() else { panic!("it is new") };
    assert_eq!((made.outcome.displaced.len(), made.outcome.lines[0].on_hand), (0, 100));
    while shop.batch("B-1").unwrap().moving().is_some() {
        shop.use_cases.move_lines(|| true).unwrap();
    }
    let left = shop.batch("B-1").unwrap();
    assert_eq!((left.total().get(), left.allocated(), left.purchased().get()), (100, 100, 2_000));
}

/// Documents without any, of which one may be added.
fn no_documents(documents: &mut MockStockDocuments) {
    documents.expect_find().returning(|_| Ok(None));
    documents.expect_add().returning(|_| Ok(()));
}

fn lamps() -> Product {
    product("LAMP", vec![batch("B-1", "LAMP", 9)])
}

/// Expects that the batch is looked for and its product locked.
fn locks_lamps(products: &mut MockProductRepository, locked: Option<Product>) {
    let found = |_: &[_]| Ok(BTreeMap::from([(reference("B-1"), sku("LAMP"))]));
    products.expect_skus_of_batches().times(1).returning(found);
    products.expect_lock().times(1).returning(move |_| Ok(locked.clone().into_iter().collect()));
}

fn run(
    units: Vec<Result<MockUnitOfWork, StoreError>>,
) -> Result<Outcome<RecordedAdjustment>, UseCaseError<AdjustError>> {
    use_cases(units).adjust_stock(&adjustment(&[("B-1", -2)]))
}

#[test]
fn a_conflict_runs_the_unit_again() {
    let adding = with_documents(
        rolled_back(|products| {
            locks_lamps(products, Some(lamps()));
            saves(products, &["batch_adjusted"]);
        }),
        |documents| {
            documents.expect_find().returning(|_| Ok(None));
            documents.expect_add().returning(|_| Err(conflict()));
        },
    );
    let again = committed(|products| {
        locks_lamps(products, Some(lamps()));
        saves(products, &["batch_adjusted"]);
    });
    assert!(matches!(run(vec![adding, with_documents(again, no_documents)]), Ok(Outcome::Changed(_))));
}

#[test]
fn an_unknown_commit_is_resolved_by_the_recorded_adjustment() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    let Outcome::Changed(made) = adjust(&shop, &[("B-1", -2)]).unwrap() else { panic!("it is new") };
    let unknown = StoreError::OutcomeUnknown("connection lost".into());
    let lost = with_documents(
        ending(Err(unknown), |products| {
            locks_lamps(products, Some(lamps()));
            saves(products, &["batch_adjusted"]);
        }),
        no_documents,
    );
    let known = made.clone();
    let found = with_documents(rolled_back(|_| {}), |documents| {
        documents.expect_find().times(1).returning(move |_| Ok(Some(StockDocument::Adjustment(known.clone()))));
    });
    assert_eq!(run(vec![lost, found]).unwrap(), Outcome::Changed(made));
}

#[test]
fn a_refusal_because_of_the_same_adjustment_finds_it_instead() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    let Outcome::Changed(made) = adjust(&shop, &[("B-1", -2)]).unwrap() else { panic!("it is new") };
    let emptied = Product::restore(ProductState {
        named_batches: vec![allocation_domain::Batch::new(
            reference("B-1"),
            sku("LAMP"),
            Units::ZERO,
            allocation_domain::Eta::InStock,
            crate::testing::now(),
        )],
        ..locked_state("LAMP", 7)
    });
    let (known, again) = (made.clone(), made.clone());
    let late = with_documents(rolled_back(|products| locks_lamps(products, Some(emptied))), |documents| {
        let mut found = vec![Some(StockDocument::Adjustment(known)), None];
        documents.expect_find().times(2).returning(move |_| Ok(found.pop().unwrap()));
    });
    let found = with_documents(rolled_back(|_| {}), |documents| {
        documents.expect_find().times(1).returning(move |_| Ok(Some(StockDocument::Adjustment(again.clone()))));
    });
    assert_eq!(run(vec![late, found]).unwrap(), Outcome::Unchanged(made));
}

#[test]
fn a_batch_that_has_moved_to_another_product_runs_the_unit_again() {
    let before = with_documents(
        rolled_back(|products| {
            locks_lamps(products, Some(product("LAMP", Vec::new())));
            products.expect_sku_of().times(1).returning(|_| Ok(Some(sku("SOFA"))));
        }),
        no_documents,
    );
    let gone = with_documents(
        rolled_back(|products| {
            locks_lamps(products, None);
            products.expect_sku_of().times(1).returning(|_| Ok(None));
        }),
        no_documents,
    );
    let refused = run(vec![before, gone]);
    assert!(matches!(refused, Err(UseCaseError::Refused(AdjustError::NotFound(_)))), "{refused:?}");
}

#[test]
fn a_product_that_is_behind_is_brought_up_to_date_first() {
    let shop = Shop::with(&[("LAMP", "B-1", 1_200)]);
    for number in 0..1_100 {
        shop.place_held(&format!("O-{number}"), &[("LAMP", 1)], 10);
    }
    shop.advance(chrono::TimeDelta::seconds(20));
    assert!(matches!(adjust(&shop, &[("B-1", -1_200)]), Ok(Outcome::Changed(_))));
    assert_eq!(shop.batch("B-1").unwrap().total(), Units::ZERO);
}

#[test]
fn events_name_the_author_and_repeats_record_none() {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.new_events();
    let context = EventContext { actor: allocation_access::Actor::Anonymous, ..EventContext::default() };
    shop.use_cases.clone().with_context(context).adjust_stock(&adjustment(&[("B-1", -2)])).unwrap();
    assert_eq!(shop.new_events_with_actors(), ["batch_adjusted by anonymous"]);
}

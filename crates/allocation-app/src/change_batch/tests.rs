use super::*;
use crate::testing::{Shop, batch, cause, ending, order, product, reference, rolled_back, saves, sku, use_cases};
use allocation_domain::{Eta, OrderTerms, Product, Units};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockProductRepository;
use chrono::NaiveDate;

/// Finds the batch `B-LAMP` and locks its product with it.
fn found(products: &mut MockProductRepository, locked: Product) {
    products.expect_sku_of().returning(|_| Ok(Some(sku("LAMP"))));
    let mut locked = Some(locked);
    products
        .expect_lock()
        .times(1)
        .withf(|wanted| wanted.len() == 1 && wanted[0].batches == [reference("B-LAMP")])
        .returning(move |_| Ok(locked.take().into_iter().collect()));
}

fn to_units(units: u32) -> BatchChange {
    BatchChange { purchased: Some(Units::new(units).unwrap()), ..BatchChange::default() }
}

/// Creates a shop with nine lamps, of which `O-1` has eight.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-LAMP", 9)]);
    shop.place("O-1", &[("LAMP", 8)], OrderTerms::default());
    shop.new_events();
    shop
}

fn change(shop: &Shop, change: &BatchChange) -> Result<BatchChanged, UseCaseError<ChangeBatchError>> {
    shop.use_cases.change_batch(&reference("B-LAMP"), change)
}

#[test]
fn a_lowered_batch_is_saved_with_the_lines_that_leave_it() {
    let shop = shop();
    let changed = change(&shop, &to_units(5)).unwrap();
    assert_eq!((changed.batch.purchased().get(), changed.batch.available(), changed.batch.revision()), (5, 0, 2));
    assert_eq!((changed.displaced.len(), &changed.displaced[0].order_id), (1, &order("O-1")));
    assert_eq!(shop.batch("B-LAMP"), Some(changed.batch));
    assert_eq!(shop.new_events(), ["deallocated", "batch_changed", "line_short"]);
}

#[test]
fn a_worse_promise_is_reported() {
    let shop = shop();
    let late = Eta::Due(NaiveDate::from_ymd_opt(2027, 3, 1).unwrap());
    let changed = change(&shop, &BatchChange { eta: Some(late), ..BatchChange::default() }).unwrap();
    assert_eq!((changed.affected.len(), changed.affected[0].new_eta), (1, late));
    assert_eq!(shop.new_events(), ["batch_changed", "promise_worsened"]);
}

#[test]
fn a_change_to_the_current_values_writes_nothing() {
    let shop = shop();
    assert_eq!(change(&shop, &to_units(9)).unwrap().batch.revision(), 1);
    assert!(shop.new_events().is_empty());
}

#[test]
fn a_change_of_an_older_revision_is_rejected() {
    let shop = shop();
    let first = shop.batch("B-LAMP").unwrap().version();
    let second = change(&shop, &to_units(10)).unwrap().batch.version();
    let refusal = change(&shop, &BatchChange { expected: Some(first), ..to_units(5) }).unwrap_err();
    assert!(
        matches!(refusal, UseCaseError::Refused(ChangeBatchError::Stale { actual, .. }) if actual == second),
        "{refusal}"
    );
}

#[test]
fn an_unknown_or_just_removed_batch_is_an_error() {
    let removed_meanwhile = rolled_back(|products| {
        products.expect_sku_of().times(1).returning(|_| Ok(Some(sku("LAMP"))));
        products.expect_sku_of().times(1).returning(|_| Ok(None));
        products.expect_lock().returning(|_| Ok(vec![product("LAMP", Vec::new())]));
    });
    for use_cases in [Shop::with(&[]).use_cases, use_cases(vec![removed_meanwhile])] {
        let refusal = use_cases.change_batch(&reference("B-LAMP"), &to_units(5)).unwrap_err();
        assert!(
            matches!(refusal, UseCaseError::Refused(ChangeBatchError::NotFound(name)) if name == reference("B-LAMP"))
        );
    }
}

#[test]
fn a_reference_that_moved_to_another_product_is_looked_up_again() {
    let moved = rolled_back(|products| {
        products.expect_sku_of().times(1).returning(|_| Ok(Some(sku("SOFA"))));
        products.expect_lock().times(1).returning(|_| Ok(vec![product("SOFA", Vec::new())]));
        products.expect_sku_of().times(1).returning(|_| Ok(Some(sku("LAMP"))));
    });
    let there = rolled_back(|products| found(products, product("LAMP", vec![batch("B-LAMP", "LAMP", 9)])));
    let changed = use_cases(vec![moved, there]).change_batch(&reference("B-LAMP"), &to_units(9)).unwrap();
    assert_eq!(changed.batch.sku(), &sku("LAMP"));
}

#[test]
fn a_change_of_unknown_outcome_is_resolved_by_the_next_run() {
    let based_on_first = BatchChange { expected: Some(batch("B-LAMP", "LAMP", 9).version()), ..to_units(5) };
    let settle = |now_there: Batch| {
        let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), |products| {
            found(products, product("LAMP", vec![batch("B-LAMP", "LAMP", 9)]));
            saves(products, &["batch_changed"]);
        });
        let finds = rolled_back(|products| found(products, product("LAMP", vec![now_there])));
        use_cases(vec![lost, finds]).change_batch(&reference("B-LAMP"), &based_on_first)
    };
    let made = settle(batch("B-LAMP", "LAMP", 5).with_revision(2)).unwrap();
    assert_eq!(made.batch.revision(), 2);
    for of_others in [batch("B-LAMP", "LAMP", 6).with_revision(2), batch("B-LAMP", "LAMP", 5).with_revision(3)] {
        assert!(matches!(settle(of_others), Err(UseCaseError::Refused(ChangeBatchError::Stale { .. }))));
    }
}

#[test]
fn any_of_several_expected_versions_is_accepted_and_no_other() {
    let shop = shop();
    let version = |revision| BatchVersion { revision, ..shop.batch("B-LAMP").unwrap().version() };
    let change = |expected: &[u32]| {
        let expected = ExpectedVersions::OneOf(expected.iter().map(|revision| version(*revision)).collect());
        shop.use_cases.change_batch_if(&reference("B-LAMP"), to_units(9), &expected)
    };
    for expected in [&[1][..], &[1, 3]] {
        assert_eq!(change(expected).unwrap().batch.revision(), 1);
    }
    for others in [&[2][..], &[]] {
        assert!(matches!(change(others), Err(UseCaseError::Refused(ChangeBatchError::Stale { .. }))));
    }
}

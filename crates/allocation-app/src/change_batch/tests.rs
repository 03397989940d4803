use super::*;
use crate::testing::{
    batch, cause, committed, ending, order, product, product_with_line, reference, rolled_back, saves, sku, use_cases,
};
use allocation_domain::{Eta, Product, ReservationState, Units};
use allocation_ports::mocks::{MockProductRepository, MockUnitOfWork};
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

/// Returns the version of the batch at a revision.
fn version(revision: u32) -> BatchVersion {
    BatchVersion { revision, ..batch("B-LAMP", "LAMP", 9).version() }
}

fn change(
    unit: Result<MockUnitOfWork, StoreError>,
    change: &BatchChange,
) -> Result<BatchChanged, UseCaseError<ChangeBatchError>> {
    use_cases(vec![unit]).change_batch(&reference("B-LAMP"), change)
}

#[test]
fn a_lowered_batch_is_saved_with_the_lines_that_leave_it() {
    let unit = committed(|products| {
        found(products, product_with_line("LAMP", 9, 8, ReservationState::Firm));
        saves(products, &["deallocated", "batch_changed", "line_short"]);
    });
    let changed = change(unit, &to_units(5)).unwrap();
    assert_eq!((changed.batch.purchased().get(), changed.batch.available(), changed.batch.revision()), (5, 0, 2));
    assert_eq!((changed.displaced.len(), &changed.displaced[0].order_id), (1, &order("O-1")));
}

#[test]
fn a_worse_promise_is_reported() {
    let unit = committed(|products| {
        found(products, product_with_line("LAMP", 9, 8, ReservationState::Firm));
        saves(products, &["batch_changed", "promise_worsened"]);
    });
    let late = Eta::Due(NaiveDate::from_ymd_opt(2027, 3, 1).unwrap());
    let changed = change(unit, &BatchChange { eta: Some(late), ..BatchChange::default() }).unwrap();
    assert_eq!((changed.affected.len(), changed.affected[0].new_eta), (1, late));
}

#[test]
fn a_change_to_the_current_values_writes_nothing() {
    let unit = rolled_back(|products| found(products, product("LAMP", vec![batch("B-LAMP", "LAMP", 9)])));
    assert_eq!(change(unit, &to_units(9)).unwrap().batch.revision(), 1);
}

#[test]
fn a_change_of_an_older_revision_is_rejected() {
    let twice = batch("B-LAMP", "LAMP", 9).with_revision(3);
    let unit = rolled_back(|products| found(products, product("LAMP", vec![twice])));
    let refusal = change(unit, &BatchChange { expected: Some(version(2)), ..to_units(5) }).unwrap_err();
    assert!(
        matches!(refusal, UseCaseError::Refused(ChangeBatchError::Stale { actual, .. }) if actual == version(3)),
        "{refusal}"
    );
}

#[test]
fn an_unknown_or_just_removed_batch_is_an_error() {
    let never = rolled_back(|products| {
        products.expect_sku_of().returning(|_| Ok(None));
    });
    let went = rolled_back(|products| {
        products.expect_sku_of().times(1).returning(|_| Ok(Some(sku("LAMP"))));
        products.expect_sku_of().times(1).returning(|_| Ok(None));
        products.expect_lock().returning(|_| Ok(vec![product("LAMP", Vec::new())]));
    });
    for unit in [never, went] {
        let refusal = change(unit, &to_units(5)).unwrap_err();
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
    let based_on_first = BatchChange { expected: Some(version(1)), ..to_units(5) };
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
    let finds = || rolled_back(|products| found(products, product("LAMP", vec![batch("B-LAMP", "LAMP", 9)])));
    let change = |tries: usize, expected: &[BatchVersion]| {
        let expected = ExpectedVersions::OneOf(expected.iter().copied().collect());
        let units = (0..tries).map(|_| finds()).collect();
        use_cases(units).change_batch_if(&reference("B-LAMP"), to_units(9), &expected)
    };
    assert_eq!(change(1, &[version(1)]).unwrap().batch.revision(), 1);
    assert_eq!(change(2, &[version(1), version(3)]).unwrap().batch.revision(), 1);
    for others in [&[version(2)][..], &[]] {
        assert!(matches!(change(1, others), Err(UseCaseError::Refused(ChangeBatchError::Stale { .. }))));
    }
}

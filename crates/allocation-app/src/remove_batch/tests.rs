use super::*;
use crate::testing::{
    Shop, batch, cause, committed, conflict, ending, product, reference, rolled_back, sku, use_cases,
};
use allocation_domain::{Batch, BatchVersion, Event};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockProductRepository;

fn locked(batches: Vec<Batch>) -> impl FnOnce(&mut MockProductRepository) {
    |products| {
        products.expect_sku_of().returning(|_| Ok(Some(sku("LAMP"))));
        products
            .expect_lock()
            .withf(|wanted| wanted[0].batches == [reference("B-1")] && !wanted[0].create)
            .return_once(|_| Ok(vec![product("LAMP", batches)]));
    }
}

fn unknown(products: &mut MockProductRepository) {
    products.expect_sku_of().returning(|_| Ok(None));
}

fn removed(products: &mut MockProductRepository) {
    locked(vec![batch("B-1", "LAMP", 20)])(products);
    products
        .expect_save()
        .times(1)
        .withf(|products, _| {
            let changes = products[0].changes();
            matches!(changes.events, [Event::BatchRemoved { .. }]) && changes.removed_batches == [&reference("B-1")]
        })
        .returning(|_, _| Ok(()));
}

#[test]
fn a_batch_without_allocations_is_removed_with_its_event() {
    let shop = Shop::with(&[("LAMP", "B-1", 20)]);
    shop.use_cases.remove_batch(&reference("B-1")).unwrap();
    assert_eq!(shop.batch("B-1"), None);
    assert_eq!(shop.new_events(), ["batch_added", "batch_removed"]);
}

#[test]
fn a_batch_with_allocations_is_not_removed() {
    let shop = Shop::with(&[("LAMP", "B-1", 20)]);
    shop.allocate("O-1", "LAMP", 4);
    let error = shop.use_cases.remove_batch(&reference("B-1")).unwrap_err();
    assert!(matches!(
        error,
        UseCaseError::Refused(RemoveBatchError::Refused(domain::RemoveBatchError::HasAllocations { allocated: 4, .. }))
    ));
}

#[test]
fn only_a_batch_in_an_expected_version_is_removed() {
    let shop = Shop::with(&[("LAMP", "B-1", 20)]);
    let version = shop.batch("B-1").unwrap().version();
    let other = BatchVersion { revision: version.revision + 1, ..version };
    let remove =
        |expected| shop.use_cases.remove_batch_if(&reference("B-1"), &ExpectedVersions::OneOf([expected].into()));
    let error = remove(other).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(RemoveBatchError::Stale { actual, .. }) if actual == version));
    remove(version).unwrap();
    assert_eq!(shop.batch("B-1"), None);
}

#[test]
fn an_unknown_batch_is_an_error() {
    let error = Shop::with(&[]).use_cases.remove_batch(&reference("B-1")).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(RemoveBatchError::Refused(domain::RemoveBatchError::NotFound(_)))));
}

#[test]
fn a_batch_removed_while_waiting_for_the_lock_is_unknown() {
    let left = rolled_back(|products| {
        products.expect_sku_of().times(1).returning(|_| Ok(Some(sku("LAMP"))));
        products.expect_lock().return_once(|_| Ok(vec![product("LAMP", Vec::new())]));
        products.expect_sku_of().times(1).returning(|_| Ok(None));
    });
    let error = use_cases(vec![left]).remove_batch(&reference("B-1")).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(RemoveBatchError::Refused(domain::RemoveBatchError::NotFound(_)))));
}

#[test]
fn after_two_conflicts_the_third_run_removes_the_batch() {
    let collides = || ending(Err(conflict()), removed);
    use_cases(vec![collides(), collides(), committed(removed)]).remove_batch(&reference("B-1")).unwrap();
}

#[test]
fn a_batch_removed_by_a_commit_of_unknown_outcome_is_reported_as_removed() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), removed);
    use_cases(vec![lost, rolled_back(unknown)]).remove_batch(&reference("B-1")).unwrap();
}

#[test]
fn a_failing_store_is_an_error() {
    let fails = rolled_back(|products| {
        products.expect_sku_of().returning(|_| Err(StoreError::Unavailable(cause("gone"))));
    });
    let error = use_cases(vec![fails]).remove_batch(&reference("B-1")).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Unavailable(_))));
}

use super::*;
use crate::testing::{
    batch, cause, committed, conflict, ending, now, order, product, reference, rolled_back, sku, units, use_cases,
};
use allocation_domain::{DataRequest, Eta, Event, LineState, NewBatch, Product, ProductState};
use allocation_ports::CausationId;
use allocation_ports::mocks::MockProductRepository;

fn shipment() -> NewBatch {
    NewBatch::new(reference("B-1"), units(20), Eta::InStock)
}

/// Locks the product, created if necessary, and looks the reference up.
fn found(existing: Option<FoundBatch>) -> impl FnOnce(&mut MockProductRepository) {
    |products| {
        products
            .expect_lock()
            .withf(|wanted| wanted.len() == 1 && wanted[0].create && wanted[0].sku == sku("LAMP"))
            .returning(|_| Ok(vec![product("LAMP", Vec::new())]));
        products.expect_find_batch().return_once(|_| Ok(existing));
    }
}

/// Returns a batch in the state in which it was added.
fn as_added(batch: Batch) -> FoundBatch {
    FoundBatch { added_quantity: batch.purchased(), added_eta: batch.eta(), batch }
}

fn saved(products: &mut MockProductRepository) {
    found(None)(products);
    products.expect_save().times(1).withf(|products, _| is_addition(products)).returning(|_, _| Ok(()));
}

fn is_addition(products: &[Product]) -> bool {
    let [product] = products else { return false };
    matches!(product.events(), [Event::BatchAdded { .. }]) && product.changes().added_batches.len() == 1
}

#[test]
fn a_new_batch_is_stored_with_its_event() {
    let outcome = use_cases(vec![committed(saved)]).add_batch(&sku("LAMP"), &shipment()).unwrap();
    let Outcome::Changed(batch) = outcome else { panic!("{outcome:?}") };
    assert_eq!((batch.available(), batch.added_at()), (20, now()));
}

#[test]
fn the_same_batch_again_changes_nothing() {
    let existing = batch("B-1", "LAMP", 20).with_allocated(4).unwrap();
    let outcome = use_cases(vec![rolled_back(found(Some(as_added(existing.clone()))))])
        .add_batch(&sku("LAMP"), &shipment())
        .unwrap();
    assert_eq!(outcome, Outcome::Unchanged(existing));
}

#[test]
fn a_repeated_batch_is_compared_with_the_values_it_was_added_with() {
    let corrected = batch("B-1", "LAMP", 25).with_revision(2);
    let added_with = |quantity| FoundBatch { added_quantity: units(quantity).into(), ..as_added(corrected.clone()) };
    let outcome =
        use_cases(vec![rolled_back(found(Some(added_with(20))))]).add_batch(&sku("LAMP"), &shipment()).unwrap();
    assert_eq!(outcome, Outcome::Unchanged(corrected.clone()));
    let error =
        use_cases(vec![rolled_back(found(Some(added_with(25))))]).add_batch(&sku("LAMP"), &shipment()).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(AddBatchError::AlreadyExists(_))), "{error}");
}

#[test]
fn another_batch_with_the_reference_is_rejected() {
    for existing in [batch("B-1", "LAMP", 21), batch("B-1", "SOFA", 20)] {
        let error = use_cases(vec![rolled_back(found(Some(as_added(existing))))])
            .add_batch(&sku("LAMP"), &shipment())
            .unwrap_err();
        assert!(
            matches!(error, UseCaseError::Refused(AddBatchError::AlreadyExists(taken)) if taken == reference("B-1"))
        );
    }
}

#[test]
fn a_reference_taken_concurrently_is_found_by_the_next_run() {
    let collides = rolled_back(|products| {
        found(None)(products);
        products.expect_save().returning(|_, _| Err(conflict()));
    });
    let finds = rolled_back(found(Some(as_added(batch("B-1", "LAMP", 21)))));
    let error = use_cases(vec![collides, finds]).add_batch(&sku("LAMP"), &shipment()).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(AddBatchError::AlreadyExists(_))));
}

#[test]
fn a_batch_added_by_a_commit_of_unknown_outcome_is_reported_as_added() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), saved);
    let existing = batch("B-1", "LAMP", 20);
    let outcome = use_cases(vec![lost, rolled_back(found(Some(as_added(existing.clone()))))])
        .add_batch(&sku("LAMP"), &shipment())
        .unwrap();
    assert_eq!(outcome, Outcome::Changed(existing));
}

#[test]
fn a_failed_commit_is_an_error() {
    let fails = ending(Err(StoreError::Failed(cause("disk on fire"))), saved);
    let error = use_cases(vec![fails]).add_batch(&sku("LAMP"), &shipment()).unwrap_err();
    assert!(matches!(error, UseCaseError::Store(StoreError::Failed(_))));
}

#[test]
fn waiting_lines_are_served_in_the_same_unit_of_work() {
    let served = committed(|products| {
        products.expect_lock().returning(|_| {
            let state = ProductState { more_waiting: true, ..crate::testing::locked_state("LAMP", 7) };
            Ok(vec![Product::restore(state)])
        });
        products.expect_find_batch().returning(|_| Ok(None));
        products.expect_load().times(1).returning(|product, needed| {
            let DataRequest::WaitingLines { after: None, free, .. } = needed else { panic!("{needed}") };
            let mut line = LineState::standalone(units(8), now());
            line.waiting = 8;
            product.load_waiting(None, *free, [(order("O-1"), line)], false);
            Ok(())
        });
        let allocated = |event: &Event| matches!(event, Event::Allocated { quantity, .. } if quantity.get() == 8);
        products
            .expect_save()
            .times(1)
            .withf(move |products, _| products[0].events().iter().any(allocated))
            .returning(|_, _| Ok(()));
    });
    let outcome = use_cases(vec![served]).add_batch(&sku("LAMP"), &shipment()).unwrap();
    assert!(matches!(outcome, Outcome::Changed(batch) if batch.available() == 12), "the remaining units are reported");
}

#[test]
fn the_events_carry_the_context_of_the_command() {
    let context = EventContext { causation_id: CausationId::parse("command-1"), ..EventContext::default() };
    let unit = committed(|products| {
        found(None)(products);
        let from = context.clone();
        products
            .expect_save()
            .times(1)
            .withf(move |products, contexts| contexts.of(products[0].sku(), 0) == Some(&from))
            .returning(|_, _| Ok(()));
    });
    use_cases(vec![unit]).with_context(context.clone()).add_batch(&sku("LAMP"), &shipment()).unwrap();
}

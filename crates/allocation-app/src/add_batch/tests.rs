use super::*;
use crate::testing::{
    Shop, batch, cause, conflict, ending, now, product, reference, rolled_back, sku, units, use_cases,
};
use allocation_domain::{BatchChange, Eta, Event, NewBatch, Product};
use allocation_ports::mocks::MockProductRepository;
use allocation_ports::{CausationId, EventContext, EventFilter, EventLog, PageSize, StoreError};

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
    let shop = Shop::with(&[]);
    let outcome = shop.use_cases.add_batch(&sku("LAMP"), &shipment()).unwrap();
    let Outcome::Changed(batch) = outcome else { panic!("{outcome:?}") };
    assert_eq!((batch.available(), batch.added_at()), (20, now()));
    assert_eq!((shop.batch("B-1"), shop.new_events()), (Some(batch), vec!["batch_added".to_owned()]));
}

#[test]
fn the_same_batch_again_changes_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 20)]);
    shop.allocate("O-1", "LAMP", 4);
    shop.new_events();
    let outcome = shop.use_cases.add_batch(&sku("LAMP"), &shipment()).unwrap();
    assert!(matches!(outcome, Outcome::Unchanged(batch) if batch.allocated() == 4));
    assert!(shop.new_events().is_empty());
}

#[test]
fn a_repeated_batch_is_compared_with_the_values_it_was_added_with() {
    let shop = Shop::with(&[("LAMP", "B-1", 20)]);
    let purchased = Some(units(25).into());
    let correction = BatchChange { purchased, ..BatchChange::default() };
    shop.use_cases.change_batch(&reference("B-1"), &correction).unwrap();
    let outcome = shop.use_cases.add_batch(&sku("LAMP"), &shipment()).unwrap();
    assert_eq!(outcome, Outcome::Unchanged(shop.batch("B-1").unwrap()));
    let as_corrected = NewBatch { purchased: units(25), ..shipment() };
    let error = shop.use_cases.add_batch(&sku("LAMP"), &as_corrected).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(AddBatchError::AlreadyExists(_))), "{error}");
}

#[test]
fn another_batch_with_the_reference_is_rejected() {
    for (other, quantity) in [("LAMP", 21), ("SOFA", 20)] {
        let shop = Shop::with(&[(other, "B-1", quantity)]);
        let error = shop.use_cases.add_batch(&sku("LAMP"), &shipment()).unwrap_err();
        assert!(
            matches!(error, UseCaseError::Refused(AddBatchError::AlreadyExists(taken)) if taken == reference("B-1"))
        );
        assert_eq!(shop.new_events(), ["batch_added"], "the other batch alone");
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
    let shop = Shop::with(&[]);
    shop.use_cases.register_product(&sku("LAMP"), None).unwrap();
    shop.place_waiting("O-1", &[("LAMP", 8)]);
    shop.new_events();
    let outcome = shop.use_cases.add_batch(&sku("LAMP"), &shipment()).unwrap();
    assert!(matches!(outcome, Outcome::Changed(batch) if batch.available() == 12), "the remaining units are reported");
    assert_eq!(shop.new_events(), ["batch_added", "allocated"]);
}

#[test]
fn the_events_carry_the_context_of_the_command() {
    let shop = Shop::with(&[]);
    let context = EventContext { causation_id: CausationId::parse("command-1"), ..EventContext::default() };
    shop.use_cases.clone().with_context(context.clone()).add_batch(&sku("LAMP"), &shipment()).unwrap();
    shop.new_events();
    let page = shop.store.read(0, &EventFilter::default(), PageSize::LARGEST).unwrap();
    assert_eq!(page.events[0].context, context);
}

use super::*;
use allocation_domain::{
    AddBatchError, Batch, BatchReference, Eta, LineState, NewBatch, OnShortage, OrderId, ProductState, Quantity,
};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn reference(text: &str) -> BatchReference {
    BatchReference::parse(text).unwrap()
}

fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

/// Returns a line that waits for `quantity` units.
fn waiting(order_id: &str, quantity: u32) -> (OrderId, LineState) {
    let mut line = LineState::standalone(units(quantity), NOW);
    line.terms.on_shortage = OnShortage::Backorder;
    line.waiting = quantity;
    (OrderId::parse(order_id).unwrap(), line)
}

fn add(product: &mut Product) -> Result<u32, Pending<AddBatchError>> {
    product.add_batch(NewBatch::new(reference("B-2"), units(5), Eta::InStock), NOW).map(Batch::available)
}

fn lamp() -> ProductState {
    ProductState::new(Sku::parse("LAMP").unwrap(), 7)
}

/// Returns a product whose backorders are all still in the store.
fn with_queue() -> Product {
    Product::restore(ProductState { more_waiting: true, more_open_batches: true, ..lamp() })
}

fn invariant<T>(decided: Result<T, StoreError>) -> String {
    match decided {
        Err(StoreError::Invariant { name, .. }) => name.into_owned(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("an invariant is broken"),
    }
}

fn load_nothing(_: &mut Product, _: &DataRequest) -> Result<(), StoreError> {
    Ok(())
}

#[test]
fn requested_rows_are_loaded_until_the_decision_is_made() {
    let mut loads = 0;
    let load = |product: &mut Product, request: &DataRequest| {
        loads += 1;
        match request {
            DataRequest::Batches => product.complete([]),
            DataRequest::WaitingLines { after: None, free, .. } => {
                product.load_waiting(None, *free, [waiting("O-1", 2)], true)
            }
            DataRequest::WaitingLines { after, free, .. } => {
                product.load_waiting(after.as_ref(), *free, [waiting("O-2", 2)], false);
            }
            other => panic!("{other}"),
        }
        Ok(())
    };
    assert_eq!(load_until_decided(&mut with_queue(), load, add).unwrap(), Ok(1));
    assert_eq!(loads, 3);
}

#[test]
fn a_decision_on_enough_rows_loads_nothing() {
    let load = |_: &mut Product, request: &DataRequest| panic!("{request}");
    assert_eq!(load_until_decided(&mut Product::restore(lamp()), load, add).unwrap(), Ok(5));
}

#[test]
fn a_refusal_is_a_decision() {
    let mut product = Product::restore(lamp());
    add(&mut product).unwrap();
    let refused = load_until_decided(&mut product, load_nothing, add).unwrap();
    assert_eq!(refused, Err(AddBatchError::AlreadyExists(reference("B-2"))));
}

#[test]
fn a_store_with_fewer_rows_than_it_counts_is_queried_at_most_twice() {
    let mut loads = 0;
    let load = |_: &mut Product, _: &DataRequest| {
        loads += 1;
        Ok(())
    };
    assert_eq!(invariant(load_until_decided(&mut with_queue(), load, add)), "counted_rows_exist");
    assert!((1..=2).contains(&loads), "{loads} loads");
}

#[test]
fn a_decision_that_requests_two_batches_in_turns_ends() {
    let mut decisions = 0;
    let decided = load_until_decided(&mut with_queue(), load_nothing, |product: &mut Product| {
        decisions += 1;
        let batch = reference(if decisions % 2 == 0 { "B-1" } else { "B-2" });
        Err::<(), Pending<Infallible>>(needs(product, DataRequest::Batch(batch)))
    });
    assert_eq!((invariant(decided), decisions), ("counted_rows_exist".to_owned(), 3));
}

#[test]
fn a_decision_that_always_requests_another_row_ends_at_the_bound() {
    let (mut decisions, mut loads) = (0_u32, 0);
    let load = |product: &mut Product, _: &DataRequest| {
        loads += 1;
        product.load_lines([waiting(&format!("O-{loads}"), 1)]);
        Ok(())
    };
    let decided = load_until_decided(&mut Product::restore(lamp()), load, |product: &mut Product| {
        decisions += 1;
        let order_id = OrderId::parse(format!("O-{decisions}")).unwrap();
        Err::<(), Pending<Infallible>>(needs(product, DataRequest::Line(order_id)))
    });
    assert_eq!(invariant(decided), "loads_are_bounded");
    assert_eq!(loads, MAX_LOADS);
}

#[test]
fn a_product_that_is_behind_breaks_an_invariant() {
    let mut behind = Product::restore(ProductState { more_expired: true, ..lamp() });
    assert_eq!(invariant(load_until_decided(&mut behind, load_nothing, add)), "decided_products_are_caught_up");
}

#[test]
fn a_request_for_another_product_breaks_an_invariant() {
    let decided = load_until_decided(&mut Products::default(), load_nothing, |_: &mut Products| {
        Err::<(), Pending<Infallible>>(needs(&with_queue(), DataRequest::Batches))
    });
    assert_eq!(invariant(decided), "requested_products_are_loaded");
}

fn needs<R>(product: &Product, what: DataRequest) -> Pending<R> {
    Pending::Load(LoadRequest { sku: product.sku().clone(), what })
}

//! The rules of allocation, after chapter 1 of "Architecture Patterns with Python".

use super::*;
use crate::{
    AddBatchError, AllocateError, DeallocateError, Eta, LineAllocation, LineChange, NewBatch, OutOfStock, Outcome,
    Pending, Quantity, RemoveBatchError,
};
use chrono::NaiveDate;

mod cost;

fn reference(text: &str) -> BatchReference {
    BatchReference::parse(text).unwrap()
}

fn order(text: &str) -> OrderId {
    OrderId::parse(text).unwrap()
}

fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

fn due(day: u32) -> Eta {
    Eta::Due(NaiveDate::from_ymd_opt(2027, 1, day).unwrap())
}

/// Returns a product whose batches were added one microsecond apart.
fn product(batches: &[(&str, u32, Eta)]) -> Product {
    let mut product = Product::new(Sku::parse("SMALL-TABLE").unwrap());
    for (micros, (name, purchased, eta)) in (0..).zip(batches) {
        let added_at = DateTime::from_timestamp_micros(micros).unwrap();
        product.add_batch(NewBatch::new(reference(name), units(*purchased), *eta), added_at).unwrap();
    }
    product
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Returns the product as a store would load it after saving.
fn stored(product: &Product) -> Product {
    Product::restore(ProductState {
        open_batches: product.batches().to_vec(),
        lines: product.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
        ..ProductState::new(product.sku().clone(), product.version() + 1)
    })
}

fn parts(outcome: &Outcome<LineAllocation>) -> Vec<(&str, u32)> {
    let (Outcome::Changed(line) | Outcome::Unchanged(line)) = outcome;
    line.allocations.iter().map(|part| (part.reference.as_str(), part.quantity.get())).collect()
}

#[test]
fn an_allocation_reduces_the_available_units() {
    let mut product = product(&[("B-1", 20, Eta::InStock)]);
    let outcome = product.allocate(&order("O-1"), units(2), now()).unwrap();
    assert_eq!(parts(&outcome), [("B-1", 2)]);
    assert_eq!(product.batch(&reference("B-1")).unwrap().available(), 18);
}

#[test]
fn all_available_units_can_be_allocated_and_no_more() {
    let mut product = product(&[("B-1", 20, Eta::InStock)]);
    product.allocate(&order("O-1"), units(20), now()).unwrap();
    let error = product.allocate(&order("O-2"), units(1), now()).unwrap_err();
    let sold_out = OutOfStock { sku: product.sku().clone(), requested: units(1), available: 0 };
    assert_eq!(error, Pending::Refused(AllocateError::OutOfStock(sold_out)));
    assert_eq!(error.to_string(), "No batch found for SKU SMALL-TABLE");
}

#[test]
fn a_rejected_line_changes_nothing() {
    let mut product = stored(&product(&[("B-1", 3, Eta::InStock), ("B-2", 4, due(1))]));
    product.allocate(&order("O-1"), units(8), now()).unwrap_err();
    assert_eq!(product.available(), 7);
    assert!(product.events().is_empty());
    assert!(product.changes().is_empty());
}

#[test]
fn allocating_twice_is_allocating_once() {
    let mut product = product(&[("B-1", 20, Eta::InStock)]);
    let first = product.allocate(&order("O-1"), units(2), now()).unwrap();
    let again = product.allocate(&order("O-1"), units(2), now()).unwrap();
    assert!(matches!(again, Outcome::Unchanged(_)));
    assert_eq!(parts(&first), parts(&again));
    assert_eq!(product.available(), 18);
}

#[test]
fn a_repeated_line_with_another_quantity_is_rejected() {
    let mut product = product(&[("B-1", 20, Eta::InStock)]);
    product.allocate(&order("O-1"), units(2), now()).unwrap();
    let error = product.allocate(&order("O-1"), units(3), now()).unwrap_err();
    assert!(matches!(error, Pending::Refused(AllocateError::LineAlreadyAllocated(line)) if line.allocated == units(2)));
    assert_eq!(product.available(), 18);
}

#[test]
fn warehouse_stock_is_preferred_to_shipments() {
    let mut product = product(&[("SHIPMENT", 100, due(1)), ("WAREHOUSE", 100, Eta::InStock)]);
    let outcome = product.allocate(&order("O-1"), units(10), now()).unwrap();
    assert_eq!(parts(&outcome), [("WAREHOUSE", 10)]);
}

#[test]
fn earlier_shipments_are_preferred() {
    let mut product = product(&[("SLOW", 100, due(20)), ("SPEEDY", 100, due(10)), ("NORMAL", 100, due(15))]);
    let outcome = product.allocate(&order("O-1"), units(10), now()).unwrap();
    assert_eq!(parts(&outcome), [("SPEEDY", 10)]);
}

#[test]
fn of_equal_batches_the_one_added_first_is_preferred_then_the_smaller_reference() {
    let mut product = product(&[("Z", 5, due(1)), ("A", 5, due(1))]);
    assert_eq!(parts(&product.allocate(&order("O-1"), units(5), now()).unwrap()), [("Z", 5)]);

    let mut twins = Product::new(Sku::parse("TWINS").unwrap());
    for name in ["b", "a", "B"] {
        twins.add_batch(NewBatch::new(reference(name), units(5), Eta::InStock), DateTime::UNIX_EPOCH).unwrap();
    }
    assert_eq!(parts(&twins.allocate(&order("O-1"), units(5), now()).unwrap()), [("B", 5)]);
}

#[test]
fn a_line_is_allocated_whole_from_the_first_batch_that_has_enough() {
    let mut product = product(&[("FIRST", 3, Eta::InStock), ("SECOND", 10, due(1)), ("THIRD", 10, due(2))]);
    assert_eq!(parts(&product.allocate(&order("O-1"), units(4), now()).unwrap()), [("SECOND", 4)]);
}

#[test]
fn a_line_larger_than_every_batch_is_split_in_order_of_preference() {
    let mut product = product(&[("LATE", 4, due(9)), ("SOON", 3, due(2)), ("HERE", 2, Eta::InStock)]);
    let outcome = product.allocate(&order("O-1"), units(7), now()).unwrap();
    assert_eq!(parts(&outcome), [("HERE", 2), ("SOON", 3), ("LATE", 2)]);
    assert_eq!(
        parts(&product.allocate(&order("O-1"), units(7), now()).unwrap()),
        [("HERE", 2), ("SOON", 3), ("LATE", 2)]
    );
}

#[test]
fn released_units_are_free_for_others_at_once() {
    let mut product = product(&[("B-1", 10, Eta::InStock)]);
    product.allocate(&order("O-1"), units(10), now()).unwrap();
    assert_eq!(product.deallocate(&order("O-1"), &reference("B-1"), now()), Ok(units(10)));
    assert_eq!(parts(&product.allocate(&order("O-2"), units(10), now()).unwrap()), [("B-1", 10)]);
}

#[test]
fn only_allocated_units_can_be_deallocated() {
    let mut product = product(&[("B-1", 10, Eta::InStock)]);
    let (order_id, reference) = (order("O-1"), reference("B-1"));
    assert_eq!(
        product.deallocate(&order_id, &self::reference("NONE"), now()),
        Err(Pending::Refused(DeallocateError::BatchNotFound(self::reference("NONE"))))
    );
    assert_eq!(
        product.deallocate(&order_id, &reference, now()),
        Err(Pending::Refused(DeallocateError::AllocationNotFound { order_id, reference }))
    );
}

#[test]
fn a_repeated_line_gets_the_units_that_it_lacks() {
    let mut product = product(&[("B-1", 6, Eta::InStock), ("B-2", 6, due(1)), ("B-3", 9, due(2))]);
    product.allocate(&order("O-1"), units(10), now()).unwrap();
    assert_eq!(product.deallocate(&order("O-1"), &reference("B-1"), now()), Ok(units(6)));
    product.allocate(&order("O-2"), units(6), now()).unwrap();
    let again = product.allocate(&order("O-1"), units(10), now()).unwrap();
    assert!(matches!(again, Outcome::Changed(_)));
    assert_eq!(parts(&again), [("B-2", 4), ("B-3", 6)]);
}

#[test]
fn a_standalone_line_without_units_can_return_with_another_quantity() {
    let mut product = product(&[("B-1", 10, Eta::InStock)]);
    product.allocate(&order("O-1"), units(10), now()).unwrap();
    product.deallocate(&order("O-1"), &reference("B-1"), now()).unwrap();
    assert_eq!(parts(&product.allocate(&order("O-1"), units(3), now()).unwrap()), [("B-1", 3)]);
}

#[test]
fn only_a_batch_without_allocations_is_removed() {
    let mut product = product(&[("B-1", 10, Eta::InStock)]);
    product.allocate(&order("O-1"), units(4), now()).unwrap();
    assert_eq!(
        product.remove_batch(&reference("B-1"), now()),
        Err(Pending::Refused(RemoveBatchError::HasAllocations { reference: reference("B-1"), allocated: 4 }))
    );
    product.deallocate(&order("O-1"), &reference("B-1"), now()).unwrap();
    assert_eq!(product.remove_batch(&reference("B-1"), now()), Ok(()));
    assert_eq!(
        product.remove_batch(&reference("B-1"), now()),
        Err(Pending::Refused(RemoveBatchError::NotFound(reference("B-1"))))
    );
}

#[test]
fn a_batch_is_added_once() {
    let mut product = product(&[("B-1", 10, Eta::InStock)]);
    let again = product.add_batch(NewBatch::new(reference("B-1"), units(10), Eta::InStock), DateTime::UNIX_EPOCH);
    assert_eq!(again, Err(Pending::Refused(AddBatchError::AlreadyExists(reference("B-1")))));
}

#[test]
fn each_change_records_an_event_and_so_does_the_last_unit() {
    let mut product = product(&[("B-1", 2, Eta::InStock), ("B-2", 3, due(1))]);
    product.allocate(&order("O-1"), units(5), now()).unwrap();
    product.deallocate(&order("O-1"), &reference("B-2"), now()).unwrap();
    let names: Vec<_> = product.events().iter().map(Event::name).collect();
    assert_eq!(
        names,
        ["batch_added", "batch_added", "allocated", "allocated", "out_of_stock", "deallocated", "back_in_stock"]
    );
}

#[test]
fn the_loaded_batches_decide_no_more_than_they_can() {
    let all = product(&[("B-1", 2, Eta::InStock), ("B-2", 3, Eta::InStock), ("B-3", 9, Eta::InStock)]);
    let some = |lines| ProductState {
        open_batches: all.batches()[..2].to_vec(),
        more_open_batches: true,
        named_batches: vec![all.batches()[2].clone()],
        lines,
        ..ProductState::new(all.sku().clone(), 1)
    };
    let mut product = Product::restore(some(Vec::new()));
    assert_eq!(parts(&product.allocate(&order("O-1"), units(3), now()).unwrap()), [("B-2", 3)]);
    assert_eq!(
        product.allocate(&order("O-2"), units(3), now()),
        Err(Pending::Load(product.needs(DataRequest::Batches)))
    );
    product.complete(all.batches().to_vec());
    assert_eq!(parts(&product.allocate(&order("O-2"), units(3), now()).unwrap()), [("B-3", 3)]);
    assert_eq!(product.available(), 8, "allocations made before the rest was loaded stay");
}

#[test]
fn changes_are_the_difference_to_the_stored_rows() {
    let mut product = stored(&product(&[("B-1", 2, Eta::InStock), ("B-2", 9, due(1))]));
    product.allocate(&order("O-1"), units(10), now()).unwrap();
    product.add_batch(NewBatch::new(reference("B-3"), units(7), due(2)), DateTime::UNIX_EPOCH).unwrap();
    let changes = product.changes();
    assert_eq!(changes.version, 1);
    assert_eq!(changes.added_batches, [product.batch(&reference("B-3")).unwrap()]);
    assert_eq!(changes.batch_deltas, [(&reference("B-1"), 2), (&reference("B-2"), 8)]);
    let order_id = order("O-1");
    let line = product.line(&order_id).unwrap().clone();
    assert_eq!(line.allocations.len(), 2);
    assert_eq!(changes.lines, [LineChange { order_id: &order_id, before: None, after: Some(&line) }]);

    let mut product = stored(&product);
    product.deallocate(&order("O-1"), &reference("B-1"), now()).unwrap();
    let changes = product.changes();
    assert!(changes.added_batches.is_empty());
    assert_eq!(changes.batch_deltas, [(&reference("B-1"), -2)]);
    let left = product.line(&order_id).unwrap();
    assert_eq!(left.allocations, line.allocations[1..]);
    assert_eq!(changes.lines, [LineChange { order_id: &order_id, before: Some(&line), after: Some(left) }]);

    product.deallocate(&order("O-1"), &reference("B-2"), now()).unwrap();
    product.remove_batch(&reference("B-2"), now()).unwrap();
    let changes = product.changes();
    assert_eq!(changes.removed_batches, [&reference("B-2")]);
    assert_eq!(changes.lines, [LineChange { order_id: &order_id, before: Some(&line), after: None }]);
}

#[test]
fn a_row_removed_and_added_in_one_unit_of_work_is_a_change_or_none() {
    let mut product = product(&[("B-1", 9, Eta::InStock)]);
    product.allocate(&order("O-1"), units(5), now()).unwrap();
    let mut product = stored(&product);
    let (order_id, reference_1) = (order("O-1"), reference("B-1"));
    let five = product.line(&order_id).unwrap().clone();
    product.deallocate(&order("O-1"), &reference("B-1"), now()).unwrap();
    product.allocate(&order("O-1"), units(7), now()).unwrap();
    let changes = product.changes();
    let seven = product.line(&order_id).unwrap();
    assert_eq!((five.quantity, seven.quantity), (units(5), units(7)));
    assert_eq!(changes.lines, [LineChange { order_id: &order_id, before: Some(&five), after: Some(seven) }]);
    assert_eq!(changes.batch_deltas, [(&reference_1, 2)]);
}

/// A quadratic comparison takes half a minute here.
#[test]
fn the_changes_of_a_line_are_found_among_very_many_open_batches() {
    let sku = Sku::parse("SMALL-TABLE").unwrap();
    let batch = |number: i64| {
        let added_at = DateTime::from_timestamp_micros(number).unwrap();
        Batch::new(reference(&format!("B-{number:06}")), sku.clone(), units(1), Eta::InStock, added_at)
    };
    let open_batches: Vec<_> = (0..100_000).map(batch).collect();
    let mut product = Product::restore(ProductState { open_batches, ..ProductState::new(sku.clone(), 1) });
    product.allocate(&order("O-1"), units(2), now()).unwrap();
    let changes = product.changes();
    assert_eq!(changes.batch_deltas, [(&reference("B-000000"), 1), (&reference("B-000001"), 1)]);
    assert_eq!((changes.added_batches.len(), changes.removed_batches.len()), (0, 0));
}

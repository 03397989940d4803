use super::*;
use crate::{
    Allocation, DataRequest, DeallocationReason, Eta, LineState, LoadRequest, Pending, ProductState, Quantity, Sku,
};
use chrono::{DateTime, Utc};

const LINES: u32 = 20_000;

fn order(number: u32) -> OrderId {
    OrderId::parse(format!("O-{number:05}")).unwrap()
}

fn reference(text: &str) -> BatchReference {
    BatchReference::parse(text).unwrap()
}

fn one() -> Quantity {
    Quantity::new(1).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// Returns a product whose batch is used up by lines of one unit, with waiting lines in the store.
fn product() -> Product {
    let sku = Sku::parse("LAMP").unwrap();
    let batch = Batch::new(reference("B-1"), sku.clone(), Quantity::new(LINES).unwrap(), Eta::InStock, now());
    let batch = batch.with_allocated(LINES).unwrap();
    let line = |number| {
        let mut line = LineState::standalone(one(), now());
        line.allocations = vec![Allocation::of(&batch, one())];
        (order(number), line)
    };
    Product::restore(ProductState {
        lines: (0..LINES).map(line).collect(),
        named_batches: vec![batch.clone()],
        more_waiting: true,
        ..ProductState::new(sku, 1)
    })
}

/// Returns everything that a decision can change.
fn everything(product: &Product) -> (Vec<Batch>, Vec<(OrderId, LineState)>, usize, String) {
    let lines = product.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
    let indexes = format!("{:?}", product.lines);
    (product.batches().to_vec(), lines, product.events().len(), indexes)
}

#[test]
fn a_decision_that_lacks_rows_changes_nothing() {
    let mut product = product();
    let before = everything(&product);
    let error = product.deallocate(&order(7), &reference("B-1"), now()).unwrap_err();
    assert!(matches!(error, Pending::Load(LoadRequest { what: DataRequest::WaitingLines { .. }, .. })));
    assert!(everything(&product) == before, "nothing has changed");
    product.load_waiting(None, 1, [], false);
    product.deallocate(&order(7), &reference("B-1"), now()).unwrap();
    assert_eq!(product.line(&order(7)), None);
}

#[test]
fn a_decision_records_only_the_rows_that_it_changes() {
    let mut product = product();
    product.begin();
    product.free(&order(7), &reference("B-1"), one(), DeallocationReason::Request).unwrap();
    product.free(&order(8), &reference("B-1"), one(), DeallocationReason::Request).unwrap();
    let noted = product.before.as_ref().unwrap();
    assert_eq!((noted.rows.lines.len(), noted.rows.batches.len(), noted.rows.pick_lines.len()), (2, 1, 0));
    product.undo();
    assert_eq!(product.batches()[0].available(), 0);
    assert!(product.events().is_empty());
}

#[test]
fn an_added_batch_is_removed_and_a_moved_one_returns_to_its_position() {
    let mut product = product();
    let before = everything(&product);
    let taken_back: Result<(), ()> = product.atomically(|product| {
        product.note_batch(&reference("B-2"));
        product.batches.insert(Batch::new(reference("B-2"), product.sku.clone(), one(), Eta::InStock, now()));
        product.note_batch(&reference("B-1"));
        product.batches.set_eta(0, Eta::Due(chrono::NaiveDate::MAX));
        assert_eq!(product.batches[0].reference(), &reference("B-2"));
        product.remove_line(&order(0));
        product.insert_line(order(LINES), LineState::standalone(one(), now()));
        Err(())
    });
    taken_back.unwrap_err();
    assert!(everything(&product) == before);
}

#[test]
fn a_nested_decision_is_undone_with_the_outer_one() {
    let mut product = product();
    let before = everything(&product);
    let decided: Result<(), ()> = product.atomically(|product| {
        product.atomically(|product| {
            product.remove_line(&order(0));
            Ok(())
        })?;
        Err(())
    });
    decided.unwrap_err();
    assert!(everything(&product) == before);
}

use super::*;
use crate::{Allocation, Batch, BatchReference, DataRequest, Eta, LineState, Pending, Product, ProductState, Quantity};

/// The maximum number of lines of an order.
const LINES: usize = crate::NewOrder::MAX_LINES;

/// The number of lines that wait for each SKU.
const WAITERS: u32 = 20;

fn order() -> OrderId {
    OrderId::parse("O-1").unwrap()
}

fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// Returns a product whose only batch is allocated to the order, with waiting lines in the store.
fn product(number: usize) -> Product {
    let sku = Sku::parse(format!("SKU-{number:03}")).unwrap();
    let reference = BatchReference::parse(format!("B-{number:03}")).unwrap();
    let batch = Batch::new(reference, sku.clone(), units(WAITERS), Eta::InStock, now());
    let batch = batch.with_allocated(WAITERS).unwrap();
    let mut line = LineState::standalone(units(WAITERS), now());
    line.terms.of_order = true;
    line.allocations = vec![Allocation::of(&batch, units(WAITERS))];
    Product::restore(ProductState {
        named_batches: vec![batch],
        more_open_batches: true,
        lines: vec![(order(), line)],
        more_waiting: true,
        ..ProductState::new(sku, 1)
    })
}

fn waiting() -> impl Iterator<Item = (OrderId, LineState)> {
    let line = |number| {
        let mut line = LineState::standalone(units(1), now());
        line.waiting = 1;
        (OrderId::parse(format!("W-{number:02}")).unwrap(), line)
    };
    (0..WAITERS).map(line)
}

/// Each product is decided once its rows are loaded, and never again for the rows of another.
#[test]
fn a_large_order_is_cancelled_product_by_product() {
    let mut products: Products = (0..LINES).map(product).collect();
    let mut cancellation = Cancellation::of(&order(), &products).unwrap();
    for done in 0..LINES {
        for expected in ["batches", "queue"] {
            let Err(Pending::Load(needed)) = cancellation.resume(&mut products, now()) else {
                panic!("rows are missing")
            };
            assert_eq!(cancellation.left.len(), LINES - done);
            assert_eq!(cancellation.left.last(), Some(&needed.sku));
            let product = products.get_mut(&needed.sku).unwrap();
            match needed.what {
                DataRequest::Batches if expected == "batches" => product.complete([]),
                DataRequest::WaitingLines { after, free, .. } if expected == "queue" => {
                    product.load_waiting(after.as_ref(), free, waiting(), false);
                }
                other => panic!("{other}"),
            }
        }
    }
    cancellation.resume(&mut products, now()).unwrap();
    assert_eq!(cancellation.left, []);
    for product in products.iter() {
        assert_eq!(product.waiting().count(), 0);
        assert_eq!(product.changes().lines.len(), 1 + usize::try_from(WAITERS).unwrap());
    }
}

use super::*;
use crate::testing::{batch, now, product, reference, sku, units};
use allocation_domain::{AddBatchError, DataRequest, Eta, LineState, OnShortage, OrderId, ProductState};
use allocation_ports::mocks::{MockProductRepository, MockUnitOfWork};

/// Returns a line that waits for `quantity` units.
fn waiting(order_id: &str, quantity: u32) -> (OrderId, LineState) {
    let mut line = LineState::standalone(units(quantity), now());
    line.terms.on_shortage = OnShortage::Backorder;
    line.waiting = quantity;
    (crate::testing::order(order_id), line)
}

fn add(product: &mut Product) -> Result<u32, AddBatchError> {
    product.add_batch(reference("B-2"), units(5), Eta::InStock, now()).map(|batch| batch.available())
}

/// Returns a product whose backorders are all still in the store.
fn with_queue() -> Product {
    Product::restore(ProductState { more_waiting: true, more_open_batches: true, ..ProductState::new(sku("LAMP"), 7) })
}

#[test]
fn what_a_decision_needs_is_loaded_until_it_decides() {
    let mut products = MockProductRepository::new();
    products.expect_load().times(3).returning(|product, needed| {
        match needed {
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
    });
    let mut unit = MockUnitOfWork::never_committed(products);
    let mut product = with_queue();
    assert_eq!(decide(&mut unit, &mut product, add).unwrap(), Ok(1));
}

#[test]
fn a_decision_that_needs_nothing_more_loads_nothing() {
    let mut unit = MockUnitOfWork::never_committed(MockProductRepository::new());
    let mut product = product("LAMP", vec![batch("B-1", "LAMP", 5)]);
    assert_eq!(decide(&mut unit, &mut product, add).unwrap(), Ok(5));
}

#[test]
fn a_store_that_has_fewer_rows_than_it_counts_is_not_asked_a_third_time() {
    let mut products = MockProductRepository::new();
    products.expect_load().times(1..=2).returning(|_, _| Ok(()));
    let mut unit = MockUnitOfWork::never_committed(products);
    let error = decide(&mut unit, &mut with_queue(), add).unwrap_err();
    assert!(matches!(error, StoreError::Invariant { name, .. } if name == "counted_rows_exist"));
}

#[test]
fn a_decision_that_asks_for_two_things_in_turns_ends() {
    let mut products = MockProductRepository::new();
    products.expect_load().times(2).returning(|_, _| Ok(()));
    let mut unit = MockUnitOfWork::never_committed(products);
    let mut asked = 0;
    let error = decide(&mut unit, &mut with_queue(), |product| {
        asked += 1;
        let batch = reference(if asked % 2 == 0 { "B-1" } else { "B-2" });
        Err::<(), _>(MoreNeeded { sku: product.sku().clone(), what: DataRequest::Batch(batch) })
    });
    assert!(matches!(error, Err(StoreError::Invariant { name, .. }) if name == "counted_rows_exist"));
}

//! Stock in memory: no decision lacks rows, and none is bounded.

use crate::partly_loaded::state;
use crate::shop::{batch, due, id, order, sku, units};
use crate::warehouse::{all, pick_line};
use allocation_domain::{
    AddBatchError, AllocateError, BatchChange, DataRequest, Eta, MAX_MOVED_LINES, NewBatch, OpenLines, OrderLine,
    OrderStatus, Outcome, PlaceError, ProductState, Stock, Units,
};
use chrono::{DateTime, TimeDelta, Utc};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn line(order_id: &str, sku_text: &str, quantity: u32) -> OrderLine {
    OrderLine::new(id(order_id), sku(sku_text), units(quantity)).unwrap()
}

/// Stock of chairs, and of lamps that never arrive.
fn chairs(purchased: u32) -> Stock {
    let mut stock = Stock::new();
    assert!(stock.register(&sku("LAMP")) && !stock.register(&sku("LAMP")));
    stock.add_batch(&sku("CHAIR"), NewBatch::new(batch("B-1"), units(purchased), Eta::InStock), NOW).unwrap();
    stock
}

#[test]
fn an_arrival_serves_every_waiting_line_at_once() {
    let mut stock = Stock::new();
    for number in 0..60 {
        stock.register(&sku(&format!("S-{number}")));
    }
    for number in 0..1_500 {
        let cart = order(&format!("O-{number}")).of(1, "S-0").or_backorder().made();
        assert_eq!(stock.place(&cart, NOW).unwrap().status(NOW), OrderStatus::Backordered);
    }
    stock.add_batch(&sku("S-0"), NewBatch::new(batch("B-1"), units(1_501), Eta::InStock), NOW).unwrap();
    assert_eq!(stock.product(&sku("S-0")).unwrap().waiting().count(), 0);
    assert_eq!(stock.batch(&batch("B-1")).unwrap().available(), 1);
}

#[test]
fn a_correction_moves_all_lines_of_a_batch_at_once() {
    let lines = MAX_MOVED_LINES + 200;
    let mut stock = chairs(u32::try_from(lines).unwrap());
    for number in 0..lines {
        stock.allocate(&line(&format!("O-{number:04}"), "CHAIR", 1), NOW).unwrap();
    }
    let change = BatchChange { purchased: Units::new(50).ok(), eta: Some(due(9)), ..BatchChange::default() };
    let changed = stock.change_batch(&batch("B-1"), &change, NOW).unwrap();
    assert_eq!((changed.batch.moving(), changed.batch.purchased().get()), (None, 50));
    assert_eq!((changed.affected.len(), changed.displaced.len()), (lines, lines - 50));
    assert_eq!(stock.order(&id("O-0049")).unwrap().status(NOW), OrderStatus::Allocated);
    assert_eq!(stock.product(&sku("CHAIR")).unwrap().waiting().count(), lines - 50);
}

#[test]
fn a_reference_belongs_to_one_batch_of_all_products() {
    let again = chairs(5).add_batch(&sku("LAMP"), NewBatch::new(batch("B-1"), units(5), Eta::InStock), NOW);
    assert_eq!(again, Err(AddBatchError::AlreadyExists(batch("B-1"))));
}

#[test]
fn an_order_that_has_ended_gets_no_line_of_another_product() {
    let mut stock = chairs(5);
    stock.add_batch(&sku("LAMP"), NewBatch::new(batch("L-1"), units(5), Eta::InStock), NOW).unwrap();
    stock.place(&order("CART").of(5, "CHAIR").held_for(60).made(), NOW).unwrap();
    stock.place(&order("O-1").of(1, "LAMP").made(), NOW).unwrap();
    stock.cancel(&id("O-1"), NOW).unwrap();
    let late = stock.allocate(&line("O-1", "CHAIR", 1), NOW);
    assert!(matches!(late, Err(AllocateError::OrderCancelled(_))), "{late:?}");
    assert!(stock.allocate(&line("CART", "LAMP", 1), NOW).is_ok(), "its hold has not expired");
    let late = stock.allocate(&line("CART", "LAMP", 2), NOW + TimeDelta::seconds(60));
    assert!(matches!(late, Err(AllocateError::LineAlreadyAllocated(_))), "{late:?}");
    assert_eq!(stock.release_expired(NOW + TimeDelta::seconds(60)), [id("CART")]);
    stock.register(&sku("RUG"));
    let late = stock.allocate(&line("CART", "RUG", 1), NOW + TimeDelta::seconds(60));
    assert!(matches!(late, Err(AllocateError::HoldExpired(_))), "{late:?}");
}

#[test]
fn an_order_is_not_placed_under_the_id_of_a_line_of_any_product() {
    let mut stock = chairs(5);
    stock.allocate(&line("O-1", "CHAIR", 1), NOW).unwrap();
    let again = stock.place(&order("O-1").of(1, "LAMP").or_backorder().made(), NOW);
    assert_eq!(again, Err(PlaceError::AlreadyExists(id("O-1"))));
}

#[test]
fn an_unknown_product_has_no_units() {
    let refused = chairs(5).allocate(&line("O-1", "RUG", 1), NOW);
    assert!(matches!(refused, Err(AllocateError::OutOfStock(short)) if short.available == 0));
}

#[test]
fn restored_stock_decides_as_before() {
    let mut stock = chairs(5);
    stock.allocate(&line("O-1", "CHAIR", 3), NOW).unwrap();
    stock.make_pick_list(&all("P-1")).unwrap();
    let states = || stock.products().map(state);
    let mut restored = Stock::restore(states()).unwrap();
    assert!(matches!(restored.allocate(&line("O-1", "CHAIR", 3), NOW), Ok(Outcome::Unchanged(_))));
    restored.pick(&pick_line("P-1", 1), Units::new(3).unwrap(), NOW).unwrap();
    assert!(matches!(restored.ship(&pick_line("P-1", 1).list, OpenLines::Refuse), Ok(Outcome::Changed(_))));

    let without = |strip: fn(ProductState) -> ProductState| Stock::restore(states().map(strip)).unwrap_err().what;
    assert_eq!(
        without(|state| ProductState { open_batches: Vec::new(), named_batches: Vec::new(), ..state }),
        DataRequest::Batch(batch("B-1"))
    );
    assert_eq!(without(|state| ProductState { pick_lines: Vec::new(), ..state }), DataRequest::PickLinesOf(id("O-1")));
    let lines = without(|state| ProductState { lines: Vec::new(), pick_lines: Vec::new(), ..state });
    assert_eq!(lines, DataRequest::NextOn { reference: batch("B-1"), after: None });
}

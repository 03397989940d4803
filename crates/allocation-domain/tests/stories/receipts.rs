//! Receipts: what arrives of an inbound batch.

use crate::shop::{Shop, batch, due, order, parts, refusal};
use allocation_domain::{
    BatchChange, Eta, Event, MAX_MOVED_LINES, OverReceipt, Product, Receipt, ReceiptId, ReceiveError, Received,
    RestTerms, Stock, Units,
};

fn receipt(kept: u32, rejected: u32) -> Receipt {
    let [kept, rejected] = [kept, rejected].map(|units| Units::new(units).unwrap());
    Receipt::new(ReceiptId::parse("R-1").unwrap(), batch("B-1"), kept, rejected).unwrap()
}

impl Shop {
    fn try_receive_part(&mut self, receipt: &Receipt) -> Result<Received, ReceiveError> {
        self.pass(1);
        let now = self.now;
        self.chairs().receive_batch(receipt, &batch("B-1/2"), now).map_err(refusal)
    }

    fn receive_part(&mut self, kept: u32) -> Received {
        self.try_receive_part(&receipt(kept, 0)).unwrap()
    }

    /// Purchased, adjusted and available units of a batch of chairs.
    fn units_of(&mut self, reference: &str) -> (u32, i64, u32) {
        let found = self.chairs().batch(&batch(reference)).unwrap();
        (found.purchased().get(), found.adjusted(), found.available())
    }
}

/// Order and units of each displaced line.
fn displaced(received: &Received) -> Vec<(&str, u32)> {
    received.displaced.iter().map(|it| (it.order_id.as_str(), it.quantity.get())).collect()
}

/// erpnext#41455, IRP#732: 40 of 100 arrive, and lines of 60 are on the batch.
#[test]
fn the_first_of_the_queue_keep_what_arrives_and_the_others_get_the_rest() {
    let mut shop = Shop::of_chairs(&[("B-1", 100, due(1))]);
    for (name, units, priority) in [("OLD", 30, 0), ("YOUNG", 20, 0), ("URGENT", 10, 1)] {
        shop.place(&order(name).of(units, "CHAIR").with_priority(priority).or_backorder());
    }
    let received = shop.receive_part(40);
    let rest = received.rest.clone().unwrap();
    assert_eq!((rest.reference, rest.quantity.get(), rest.eta), (batch("B-1/2"), 60, due(1)));
    assert_eq!((shop.holds("URGENT"), shop.holds("OLD")), (parts([("B-1", 10)]), parts([("B-1", 30)])));
    assert_eq!((shop.holds("YOUNG"), displaced(&received)), (parts([("B-1/2", 20)]), vec![]));
    assert_eq!((shop.units_of("B-1"), shop.units_of("B-1/2")), ((40, 0, 0), (60, 0, 40)));
    assert_eq!(shop.chairs().batch(&batch("B-1")).unwrap().eta(), Eta::InStock);
}

#[test]
fn a_line_that_arrives_in_part_keeps_the_part() {
    let mut shop = Shop::of_chairs(&[("B-1", 100, due(1))]);
    shop.place(&order("O-1").of(60, "CHAIR").or_backorder());
    let rest = Some(RestTerms { reference: Some(batch("LATER")), eta: Some(due(9)) });
    let received = shop.try_receive_part(&receipt(40, 0).with_rest(rest)).unwrap();
    assert_eq!(shop.holds("O-1"), parts([("B-1", 40), ("LATER", 20)]));
    let later: Vec<_> = received.affected.iter().map(|it| (it.quantity.get(), it.old_eta, it.new_eta)).collect();
    assert_eq!(later, [(20, due(1), due(9))]);
    assert!(shop.history("O-1").contains(&"promise_worsened"));
}

#[test]
fn a_newcomer_and_a_waiting_line_get_only_what_is_left_of_the_rest() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1))]);
    shop.place(&Shop::waiting("HAS", 10));
    shop.place(&Shop::waiting("WAITS", 5));
    shop.receive_part(4);
    assert_eq!((shop.holds("HAS"), shop.waits_for("WAITS")), (parts([("B-1", 4), ("B-1/2", 6)]), 5));
    assert_eq!(shop.free_chairs(), 0);
}

#[test]
fn rejected_units_adjust_the_batch_and_the_rest_is_what_has_not_arrived() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1))]);
    shop.place(&Shop::waiting("O-1", 10));
    let received = shop.try_receive_part(&receipt(4, 3)).unwrap();
    assert_eq!((received.rest.clone().unwrap().quantity.get(), received.on_hand), (3, 4));
    assert_eq!((shop.units_of("B-1"), shop.units_of("B-1/2")), ((7, -3, 0), (3, 0, 0)));
    assert_eq!(displaced(&received), [("O-1", 3)]);
    let mut all = Shop::of_chairs(&[("B-1", 10, due(1))]);
    assert_eq!(all.try_receive_part(&receipt(0, 10)).unwrap().rest, None);
    assert_eq!(all.units_of("B-1"), (10, -10, 0));
}

#[test]
fn a_rest_that_is_given_up_displaces_the_last_lines() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1)), ("B-2", 2, due(3))]);
    shop.place(&Shop::waiting("OLD", 6));
    shop.place(&Shop::waiting("YOUNG", 4));
    let received = shop.try_receive_part(&receipt(5, 0).with_rest(None)).unwrap();
    assert_eq!((received.rest.clone(), received.given_up), (None, 5));
    assert_eq!((shop.holds("OLD"), shop.holds("YOUNG")), (parts([("B-1", 5), ("B-2", 1)]), parts([("B-2", 1)])));
    assert_eq!(displaced(&received), [("YOUNG", 3)]);
    assert_eq!(shop.units_of("B-1"), (5, 0, 0));
}

#[test]
fn all_that_is_expected_arrives_and_more_only_if_it_is_accepted() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1))]);
    shop.place(&Shop::waiting("O-1", 12));
    let more = ReceiveError::MoreThanExpected { reference: batch("B-1"), expected: 10, arrived: 12 };
    assert_eq!(shop.try_receive_part(&receipt(11, 1)), Err(more));
    let received = shop.try_receive_part(&receipt(11, 1).with_over(OverReceipt::Accept)).unwrap();
    assert_eq!((received.rest, received.on_hand, shop.waits_for("O-1")), (None, 11, 1));
    assert_eq!(shop.units_of("B-1"), (12, -1, 0));
    assert_eq!(shop.try_receive_part(&receipt(1, 0)), Err(ReceiveError::NotInTransit(batch("B-1"))));
    let mut exact = Shop::of_chairs(&[("B-1", 10, due(1))]);
    assert_eq!((exact.receive_part(10).rest, exact.units_of("B-1")), (None, (10, 0, 10)));
}

#[test]
fn units_that_were_picked_before_are_not_expected_again() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    shop.place(&order("O-1").of(3, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 3);
    shop.postpone("B-1", due(2), false);
    let more = ReceiveError::MoreThanExpected { reference: batch("B-1"), expected: 7, arrived: 8 };
    assert_eq!(shop.try_receive_part(&receipt(8, 0)), Err(more));
    let received = shop.receive_part(5);
    assert_eq!((received.on_hand, received.rest.unwrap().quantity.get()), (8, 2));
    assert_eq!((shop.units_of("B-1"), shop.counts("B-1")), ((8, 0, 5), [0, 3, 0, 0, 5]));
}

#[test]
fn the_reference_of_the_rest_must_be_free() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1)), ("B-1/2", 1, due(1))]);
    assert_eq!(shop.try_receive_part(&receipt(4, 0)), Err(ReceiveError::RestExists(batch("B-1/2"))));
    assert!(shop.try_receive_part(&receipt(10, 0)).is_ok(), "no rest needs one");
    let unknown = Shop::of_chairs(&[]).try_receive_part(&receipt(4, 0));
    assert_eq!(unknown, Err(ReceiveError::NotFound(batch("B-1"))));
}

#[test]
fn the_events_of_a_receipt_are_in_order() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1))]);
    shop.place(&Shop::waiting("O-1", 10));
    let before = shop.chairs().events().len();
    shop.receive_part(4);
    let names: Vec<_> = shop.chairs().events()[before..].iter().map(Event::name).collect();
    // The rest had the last free units.
    let story = ["batch_added", "deallocated", "batch_received", "allocated", "out_of_stock"];
    assert_eq!(names, story);
    assert_eq!(shop.chairs().batch(&batch("B-1")).unwrap().revision(), 2);
}

/// A shop whose inbound batch is held by this many lines of one unit.
fn crowd(lines: usize) -> Shop {
    let mut shop = Shop::of_chairs(&[("B-1", u32::try_from(lines).unwrap(), due(1))]);
    for number in 0..lines {
        shop.place(&order(&format!("O-{number:05}")).of(1, "CHAIR"));
    }
    shop
}

#[test]
fn the_rest_of_a_crowded_batch_gets_its_units_once_all_lines_have_left() {
    let mut shop = crowd(MAX_MOVED_LINES + 500);
    let received = shop.receive_part(100);
    let rest = u32::try_from(MAX_MOVED_LINES + 400).unwrap();
    assert_eq!((received.on_hand, received.rest.unwrap().quantity.get(), received.displaced.len()), (100, rest, 0));
    let moving = |shop: &mut Shop, name: &str| shop.chairs().batch(&batch(name)).unwrap().moving_units();
    assert_eq!((moving(&mut shop, "B-1"), moving(&mut shop, "B-1/2")), (rest, rest));
    assert_eq!(shop.units_of("B-1/2"), (0, 0, 0));
    // A newcomer waits behind those who leave.
    assert!(shop.try_place(&order("NEW").of(1, "CHAIR")).is_err());
    let now = shop.now;
    assert_eq!(shop.chairs().move_lines(&batch("B-1/2"), None, now), Ok(None), "lines still leave");
    // Stock in memory does all steps.
    let mut stock = Stock::restore(shop.products.iter().map(Product::state)).unwrap();
    let change = BatchChange { eta: Some(Eta::InStock), ..BatchChange::default() };
    stock.change_batch(&batch("B-1"), &change, now).unwrap();
    let found = |name: &str| stock.batch(&batch(name)).unwrap().clone();
    assert_eq!((found("B-1").allocated(), found("B-1").moving()), (100, None));
    let left = found("B-1/2");
    let mut chairs = stock.product(&crate::shop::sku("CHAIR")).unwrap().clone();
    assert!(left.moving().is_some());
    chairs.move_lines(&batch("B-1/2"), None, now).unwrap().unwrap();
    let rest_now = chairs.batch(&batch("B-1/2")).unwrap();
    assert_eq!((rest_now.purchased().get(), rest_now.allocated(), rest_now.moving()), (rest, rest, None));
    assert_eq!(chairs.waiting().count(), 0);
}

#[test]
fn stock_in_memory_receives_a_crowded_batch_at_once() {
    let shop = crowd(MAX_MOVED_LINES + 500);
    let mut stock = Stock::restore(shop.products.iter().map(Product::state)).unwrap();
    stock.receive(&receipt(100, 0), &batch("B-1/2"), shop.now).unwrap();
    let found = |name: &str| stock.batch(&batch(name)).unwrap();
    assert_eq!((found("B-1").allocated(), found("B-1/2").allocated()), (100, 1_400));
    let again = stock.receive(&receipt(1, 0), &batch("B-1/2"), shop.now);
    assert!(again.is_err());
}

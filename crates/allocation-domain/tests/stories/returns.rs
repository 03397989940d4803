//! Returns: shipped units that come back.

use crate::shop::{Shop, batch, due, id, order, parts, refusal, sku, units};
use allocation_domain::{
    BatchOrigin, DataRequest, Disposition, Eta, Event, ExcessReturn, GoodsReturn, LoadRequest, OrderStatus, Pending,
    Product, ProductState, Products, ReturnError, ReturnId, ReturnLine, Returned, Returning, Stock,
};

fn line(sku_text: &str, quantity: u32, disposition: Disposition) -> ReturnLine {
    ReturnLine { sku: sku(sku_text), quantity: units(quantity), disposition }
}

fn restock(quantity: u32) -> ReturnLine {
    line("CHAIR", quantity, Disposition::Restock)
}

fn returned<const N: usize>(name: &str, order_id: &str, lines: [ReturnLine; N]) -> GoodsReturn {
    GoodsReturn::new(ReturnId::parse(name).unwrap(), id(order_id), lines).unwrap()
}

impl Shop {
    fn try_take_back<const N: usize>(
        &mut self,
        name: &str,
        order_id: &str,
        lines: [ReturnLine; N],
    ) -> Result<Returned, ReturnError> {
        self.pass(1);
        self.products.take_back(&returned(name, order_id, lines), self.now).map_err(refusal)
    }

    fn take_back<const N: usize>(&mut self, name: &str, order_id: &str, lines: [ReturnLine; N]) -> Returned {
        self.try_take_back(name, order_id, lines).unwrap()
    }
}

/// A shop that has shipped five chairs of an order, and has none left.
fn shipped() -> Shop {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    shop.ship("P-1");
    shop
}

fn too_many(order_id: &str, requested: u64, returnable: u32) -> ReturnError {
    let excess = ExcessReturn { sku: sku("CHAIR"), requested, returnable };
    ReturnError::MoreThanShipped { order_id: id(order_id), lines: vec![excess] }
}

/// openfoodnetwork#1631, magento/inventory#2773: units that come back are in stock again only as the return says.
#[test]
fn restocked_units_are_a_batch_of_their_own_that_remembers_its_origin() {
    let mut shop = shipped();
    let outcome = shop.take_back("RMA-1", "O-1", [restock(2)]);
    assert_eq!(outcome.lines[0].reference, Some(batch("RMA-1")));
    let found = shop.chairs().batch(&batch("RMA-1")).unwrap().clone();
    assert_eq!((found.total().get(), found.available(), found.eta()), (2, 2, Eta::InStock));
    let origin = BatchOrigin { return_id: ReturnId::parse("RMA-1").unwrap(), order_id: id("O-1") };
    assert_eq!(found.origin(), Some(&origin));
    assert_eq!(shop.counts("B-1"), [0, 0, 5, 0, 0], "what was shipped stays shipped");
    assert_eq!(shop.line("O-1").fulfilment.returnable(), 3);
    let events: Vec<_> = shop.chairs().events().iter().rev().take(3).map(Event::name).collect();
    assert_eq!(events, ["back_in_stock", "batch_added", "line_returned"]);
}

#[test]
fn the_order_gets_no_other_units_and_keeps_its_status() {
    let mut shop = shipped();
    shop.take_back("RMA-1", "O-1", [restock(2)]);
    assert_eq!((shop.status("O-1"), shop.waits_for("O-1")), (OrderStatus::Shipped, 0));
    assert_eq!(shop.free_chairs(), 2);
}

#[test]
fn restocked_units_serve_the_waiting_lines_at_once() {
    let mut shop = shipped();
    shop.place(&Shop::waiting("FIRST", 1));
    shop.place(&Shop::waiting("SECOND", 3));
    shop.take_back("RMA-1", "O-1", [restock(3)]);
    assert_eq!((shop.holds("FIRST"), shop.waits_for("FIRST")), (parts([("RMA-1", 1)]), 0));
    assert_eq!((shop.holds("SECOND"), shop.waits_for("SECOND")), (parts([("RMA-1", 2)]), 1));
}

#[test]
fn quarantined_and_scrapped_units_never_become_available() {
    let mut shop = shipped();
    shop.place(&Shop::waiting("WAITING", 1));
    let lines = [line("CHAIR", 2, Disposition::Quarantine), line("CHAIR", 1, Disposition::Scrap)];
    let outcome = shop.take_back("RMA-1", "O-1", lines);
    assert!(outcome.lines.iter().all(|line| line.reference.is_none()));
    assert_eq!((shop.free_chairs(), shop.waits_for("WAITING"), shop.chairs().batches().len()), (0, 1, 1));
    assert_eq!(shop.line("O-1").fulfilment.returned, 3);
}

#[test]
fn units_of_one_line_have_several_dispositions() {
    let mut shop = shipped();
    shop.take_back("RMA-1", "O-1", [restock(2), line("CHAIR", 1, Disposition::Scrap)]);
    assert_eq!((shop.free_chairs(), shop.line("O-1").fulfilment.returned), (2, 3));
}

#[test]
fn no_more_units_come_back_than_were_shipped() {
    let mut shop = shipped();
    shop.place(&Shop::waiting("O-2", 4));
    let lines = || [restock(4), line("CHAIR", 2, Disposition::Scrap)];
    assert_eq!(shop.try_take_back("RMA-1", "O-1", lines()), Err(too_many("O-1", 6, 5)));
    shop.take_back("RMA-1", "O-1", [restock(4)]);
    assert_eq!(shop.try_take_back("RMA-2", "O-1", [restock(2)]), Err(too_many("O-1", 2, 1)));
    assert_eq!(shop.try_take_back("RMA-2", "O-2", [restock(1)]), Err(too_many("O-2", 1, 0)), "not even picked");
    shop.take_back("RMA-2", "O-1", [restock(1)]);
    assert_eq!(shop.line("O-1").fulfilment.returnable(), 0);
    let unknown = ReturnError::OrderNotFound(id("O-9"));
    assert_eq!(shop.try_take_back("RMA-3", "O-9", [restock(1)]), Err(unknown));
}

#[test]
fn a_partly_shipped_and_a_closed_order_take_back_what_was_shipped() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock), ("B-2", 4, due(3))]);
    shop.place(&order("O-1").of(7, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 3);
    assert_eq!(shop.try_take_back("RMA-1", "O-1", [restock(1)]), Err(too_many("O-1", 1, 0)));
    shop.ship("P-1");
    shop.take_back("RMA-1", "O-1", [restock(1)]);
    assert_eq!((shop.status("O-1"), shop.free_chairs()), (OrderStatus::PartiallyShipped, 1));
    shop.close("O-1");
    shop.take_back("RMA-2", "O-1", [restock(2)]);
    assert_eq!(shop.line("O-1").fulfilment.returnable(), 0);
}

#[test]
fn all_units_of_a_return_come_back_or_none() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 2, Eta::InStock);
    shop.receive("B-2", "LAMP", 2, Eta::InStock);
    shop.place(&order("O-1").of(2, "CHAIR").of(1, "LAMP"));
    shop.list("P-1");
    shop.pick("P-1", 1, 2);
    shop.pick("P-1", 2, 1);
    shop.ship("P-1");
    let lamps = |quantity: u32| line("LAMP", quantity, Disposition::Restock);
    assert!(shop.try_take_back("RMA-1", "O-1", [restock(1), lamps(2)]).is_err());
    assert_eq!(shop.line("O-1").fulfilment.returned, 0);
    let outcome = shop.take_back("RMA-1", "O-1", [restock(1), lamps(1)]);
    let names: Vec<_> = outcome.lines.iter().filter_map(|line| line.reference.clone()).collect();
    assert_eq!(names, [batch("RMA-1/CHAIR"), batch("RMA-1/LAMP")]);
    assert_eq!((shop.free_chairs(), shop.product("LAMP").available()), (1, 2));
}

#[test]
fn a_reference_that_is_taken_is_rejected() {
    let mut shop = shipped();
    let taken = Err(ReturnError::BatchExists(batch("B-1")));
    assert_eq!(shop.try_take_back("B-1", "O-1", [restock(1)]), taken);
    shop.take_back("B-1", "O-1", [line("CHAIR", 1, Disposition::Scrap)]);
    assert_eq!(shop.line("O-1").fulfilment.returned, 1);
}

#[test]
fn a_restocked_batch_is_corrected_and_sold_like_any_other() {
    let mut shop = shipped();
    shop.take_back("RMA-1", "O-1", [restock(4)]);
    shop.lower("RMA-1", 3);
    shop.place(&order("O-2").of(3, "CHAIR"));
    shop.list("P-2");
    shop.pick("P-2", 1, 3);
    shop.ship("P-2");
    shop.take_back("RMA-2", "O-2", [restock(3)]);
    assert_eq!((shop.free_chairs(), shop.counts("RMA-1")), (3, [0, 0, 3, 0, 0]));
    assert!(shop.chairs().batch(&batch("RMA-1")).unwrap().origin().is_some());
}

#[test]
fn a_unit_of_work_serves_a_bounded_number_of_waiting_lines_from_restocked_units() {
    let waiting = u32::try_from(Product::MAX_AT_ONCE).unwrap() + 5;
    let mut shop = Shop::of_chairs(&[("B-1", waiting, Eta::InStock)]);
    shop.place(&order("O-1").of(waiting, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, waiting);
    shop.ship("P-1");
    for number in 0..waiting {
        shop.place(&Shop::waiting(&format!("W-{number:05}"), 1));
    }
    let mut stock = Stock::restore(shop.products.iter().map(Product::state)).unwrap();
    shop.take_back("RMA-1", "O-1", [restock(waiting)]);
    assert_eq!((shop.chairs().waiting().count(), shop.chairs().is_behind()), (5, true));
    let now = shop.now;
    shop.chairs().release_expired(now).unwrap();
    assert_eq!((shop.chairs().waiting().count(), shop.chairs().is_behind()), (0, false));
    stock.take_back(&returned("RMA-1", "O-1", [restock(waiting)]), now).unwrap();
    assert_eq!(stock.product(&sku("CHAIR")).unwrap().waiting().count(), 0);
}

#[test]
fn rows_that_one_product_lacks_are_loaded_without_booking_the_others_again() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 2, Eta::InStock);
    shop.receive("B-2", "LAMP", 2, Eta::InStock);
    shop.place(&order("O-1").of(2, "CHAIR").of(2, "LAMP"));
    shop.list("P-1");
    shop.pick("P-1", 1, 2);
    shop.pick("P-1", 2, 2);
    shop.ship("P-1");
    for name in ["CHAIR", "LAMP"] {
        shop.place(&order(&format!("{name}-1")).of(1, name).or_backorder());
    }
    let whole = shop.products.clone();
    // The store has loaded the lines of the order, and no waiting line.
    let part = |product: &Product| {
        let mut state = product.state();
        state.lines.retain(|(order_id, _)| *order_id == id("O-1"));
        Product::restore(ProductState { more_waiting: true, ..state })
    };
    let mut products: Products = whole.iter().map(part).collect();
    let goods_return = returned("RMA-1", "O-1", [restock(2), line("LAMP", 2, Disposition::Restock)]);
    let mut returning = Returning::of(&goods_return, &mut products, shop.now).unwrap();
    let mut asked = Vec::new();
    let outcome = loop {
        match returning.resume(&goods_return, &mut products, shop.now) {
            Ok(outcome) => break outcome,
            Err(Pending::Load(LoadRequest { sku, what: DataRequest::WaitingLines { after, free, .. } })) => {
                let queue = whole.get(&sku).unwrap().lines().filter(|(_, line)| line.waiting > 0);
                let queue: Vec<_> = queue.map(|(id, line)| (id.clone(), line.clone())).collect();
                products.get_mut(&sku).unwrap().load_waiting(after.as_ref(), free, queue, false);
                asked.push(sku);
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!((asked, outcome.lines.len()), (vec![sku("CHAIR"), sku("LAMP")], 2));
    for product in products.iter() {
        assert_eq!(product.line(&id("O-1")).unwrap().fulfilment.returned, 2, "booked once");
        assert_eq!((product.available(), product.waiting().count()), (1, 0));
    }
}

#[test]
fn the_rest_of_an_order_goes_on_after_a_return() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 7));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    shop.ship("P-1");
    shop.take_back("RMA-1", "O-1", [line("CHAIR", 1, Disposition::Scrap)]);
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-2", 2)]), 0));
    shop.list("P-2");
    shop.close("O-1");
    assert_eq!((shop.free_chairs(), shop.line("O-1").fulfilment.returned), (2, 1));
}

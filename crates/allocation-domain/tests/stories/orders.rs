//! Orders that are decided as a whole.

use crate::shop::{Shop, batch, due, id, order, parts, sku, units};
use allocation_domain::{
    AllocateError, CancelError, Eta, Event, NewOrder, NewOrderError, OrderStatus, OrderTerms, OutOfStock, Pending,
    PlaceError, Product, Shortages, UnknownSkus,
};

fn shop_of_three() -> Shop {
    let mut shop = Shop::of(&["CHAIR", "LAMP", "TABLE"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 2, Eta::InStock);
    shop.receive("L-2", "LAMP", 1, due(1));
    shop
}

#[test]
fn an_order_gets_all_its_lines() {
    let mut shop = shop_of_three();
    let placed = shop.place(&order("O-1").of(3, "LAMP").of(4, "CHAIR"));
    assert_eq!(placed.status(shop.now), OrderStatus::Allocated);
    let lines: Vec<_> = placed.lines.iter().map(|(sku, line)| (sku.as_str(), line.allocated())).collect();
    assert_eq!(lines, [("CHAIR", 4), ("LAMP", 3)]);
}

#[test]
fn the_refusal_lists_all_short_lines_and_nothing_is_placed() {
    let mut shop = shop_of_three();
    let events_before = shop.products.iter().map(|product| product.events().len()).sum::<usize>();
    let refused = shop.try_place(&order("O-1").of(5, "CHAIR").of(4, "LAMP").of(1, "TABLE").of(2, "UNKNOWN"));
    let short =
        |text: &str, requested, available| OutOfStock { sku: sku(text), requested: units(requested), available };
    let shortages = vec![short("LAMP", 4, 3), short("TABLE", 1, 0), short("UNKNOWN", 2, 0)];
    assert_eq!(refused, Err(PlaceError::OutOfStock(Shortages(shortages))));
    assert_eq!(shop.products.order(&id("O-1")), None);
    assert_eq!(shop.free_chairs(), 5);
    assert_eq!(shop.products.iter().map(|product| product.events().len()).sum::<usize>(), events_before);
}

/// magento2#38154: `chair` for `CHAIR` would wait for ever.
#[test]
fn no_order_waits_for_an_unknown_product() {
    let mut shop = shop_of_three();
    let cart = order("O-1").of(1, "chair").of(1, "CHAIR").of(9, "UNKNOWN").or_backorder();
    let unknown = UnknownSkus(vec![sku("UNKNOWN"), sku("chair")]);
    assert_eq!(shop.try_place(&cart), Err(PlaceError::UnknownSkus(unknown)));
    assert_eq!((shop.products.order(&id("O-1")), shop.free_chairs()), (None, 5));
    for name in ["UNKNOWN", "chair"] {
        let mut product = Product::new(sku(name));
        assert!(product.register() && !product.register());
        assert_eq!(product.events(), [Event::ProductRegistered { sku: sku(name) }]);
        shop.products.insert(product);
    }
    assert_eq!(shop.place(&cart).status(shop.now), OrderStatus::PartiallyAllocated);
}

#[test]
fn a_product_without_batches_is_still_known() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    let now = shop.now;
    shop.chairs().remove_batch(&batch("B-1"), now).unwrap();
    assert!(!shop.chairs().register(), "it was registered by its batch");
    let waits = shop.place(&order("O-1").of(1, "CHAIR").or_backorder());
    assert_eq!(waits.status(shop.now), OrderStatus::Backordered);
}

/// medusa#16502: of two lines of one SKU, each would pass a check of the stock by itself.
#[test]
fn an_order_has_one_line_of_a_sku() {
    let terms = OrderTerms::default();
    let chairs = |quantity| (sku("CHAIR"), units(quantity));
    for lines in [vec![chairs(3), chairs(3)], vec![chairs(1), (sku("LAMP"), units(1)), chairs(1)]] {
        assert_eq!(NewOrder::new(id("O-1"), lines, terms), Err(NewOrderError::RepeatedSku(sku("CHAIR"))));
    }
}

/// saleor#543, vendure#3508: forty customers want ten units, half of them as standalone lines and half as carts.
#[test]
fn ten_units_serve_ten_of_forty_customers() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    let served = (0..40).filter(|number| {
        let name = format!("O-{number}");
        if number % 2 == 0 {
            let now = shop.now;
            shop.chairs().allocate(&id(&name), units(1), now).is_ok()
        } else {
            shop.try_place(&order(&name).of(1, "CHAIR").held_for(600)).is_ok()
        }
    });
    assert_eq!(served.count(), 10);
    assert_eq!((shop.free_chairs(), shop.counts("B-1")), (0, [10, 0, 0, 0, 0]));
}

/// spree#7531: an order of 500 lines, of which one is split over 120 batches.
#[test]
fn the_largest_order_is_allocated_whole() {
    let names: Vec<_> = (0..NewOrder::MAX_LINES).map(|number| format!("SKU-{number:03}")).collect();
    let mut shop = Shop::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names[1..] {
        shop.receive(name, name, 2, Eta::InStock);
    }
    for number in 0..120 {
        shop.receive(&format!("SMALL-{number:03}"), &names[0], 1, Eta::InStock);
    }
    let whole = names[1..].iter().fold(order("O-1").of(120, &names[0]), |cart, name| cart.of(2, name));
    let placed = shop.place(&whole);
    assert_eq!((placed.lines.len(), placed.status(shop.now)), (500, OrderStatus::Allocated));
    assert_eq!(shop.holds("O-1").len(), 120, "one unit of each batch");
    assert!(shop.products.iter().all(|product| product.available() == 0));
}

/// PrestaShop-modules#171: a delivery that was due years ago is promised for today, and no earlier.
#[test]
fn overdue_units_are_promised_for_today_at_the_earliest() {
    let mut shop = Shop::of_chairs(&[("LATE", 4, Eta::Due(Eta::EARLIEST)), ("SOON", 4, due(9))]);
    let now = shop.now;
    let Eta::Due(today) = due(5) else { panic!("not a date") };
    let free = shop.chairs().availability(now).unwrap().promised_on(today);
    assert_eq!((free.earliest(units(1)), free.earliest(units(5))), (Some(due(5)), Some(due(9))));
    assert!(Eta::new(Eta::EARLIEST.pred_opt()).is_err() && Eta::new(Eta::LATEST.succ_opt()).is_err(), "absurd years");
}

#[test]
fn an_order_is_placed_once() {
    let mut shop = shop_of_three();
    shop.place(&order("O-1").of(1, "CHAIR"));
    let again = shop.try_place(&order("O-1").of(1, "CHAIR"));
    assert_eq!(again, Err(PlaceError::AlreadyExists(id("O-1"))));
    assert_eq!(shop.free_chairs(), 4);
}

#[test]
fn the_same_content_is_the_same_order_whatever_the_order_of_its_lines() {
    let cart = order("O-1").of(1, "CHAIR").of(2, "LAMP");
    assert_eq!(cart.made(), order("O-1").of(2, "LAMP").of(1, "CHAIR").made());
    assert_ne!(cart.made(), cart.clone().held_for(60).made());
    assert_ne!(cart.made(), cart.clone().or_backorder().made());
    assert_ne!(cart.made(), cart.clone().of(1, "TABLE").made());
    let parsed = NewOrder::new(id("O-1"), [(sku("LAMP"), units(2)), (sku("CHAIR"), units(1))], OrderTerms::default());
    assert_eq!(parsed, Ok(cart.made()));
}

#[test]
fn a_cancelled_order_frees_all_it_holds() {
    let mut shop = shop_of_three();
    shop.place(&order("O-1").of(5, "CHAIR").of(3, "LAMP"));
    shop.cancel("O-1");
    assert_eq!((shop.free_chairs(), shop.product("LAMP").available()), (5, 3));
    assert_eq!(shop.status("O-1"), OrderStatus::Cancelled);
}

#[test]
fn cancelling_twice_is_cancelling_once_and_an_unknown_order_is_an_error() {
    let mut shop = shop_of_three();
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.cancel("O-1");
    let history = shop.history("O-1");
    shop.cancel("O-1");
    assert_eq!(shop.history("O-1"), history);
    assert_eq!(shop.products.cancel(&id("NONE"), shop.now), Err(Pending::Refused(CancelError::NotFound(id("NONE")))));
}

#[test]
fn a_standalone_line_is_an_order_too() {
    let mut shop = shop_of_three();
    let now = shop.now;
    shop.chairs().allocate(&id("O-1"), units(2), now).unwrap();
    assert_eq!(shop.status("O-1"), OrderStatus::Allocated);
    assert!(matches!(shop.try_place(&order("O-1").of(2, "CHAIR")), Err(PlaceError::AlreadyExists(_))));
    shop.cancel("O-1");
    assert_eq!((shop.free_chairs(), shop.status("O-1")), (5, OrderStatus::Cancelled));
}

#[test]
fn a_late_request_does_not_revive_a_cancelled_order() {
    let mut shop = shop_of_three();
    let now = shop.now;
    shop.chairs().allocate(&id("O-1"), units(2), now).unwrap();
    shop.cancel("O-1");
    let late = shop.chairs().allocate(&id("O-1"), units(2), now);
    assert!(matches!(late, Err(Pending::Refused(AllocateError::OrderCancelled(_)))));
    assert!(shop.products.confirm(&id("O-1"), now).is_err());
}

#[test]
fn a_line_of_an_order_is_like_a_standalone_line() {
    let mut shop = shop_of_three();
    shop.place(&order("O-1").of(2, "CHAIR"));
    let now = shop.now;
    shop.chairs().allocate(&id("O-1"), units(2), now).unwrap();
    assert_eq!(shop.holds("O-1"), parts([("C-1", 2)]), "it has all its units already");
}

#[test]
fn availability_adds_up_by_date() {
    let mut shop = shop_of_three();
    shop.place(&order("O-1").of(2, "LAMP").held_for(60));
    let now = shop.now;
    let lamps = shop.product("LAMP");
    let totals = lamps.totals(now).unwrap();
    assert_eq!((totals.in_stock, totals.on_its_way), (2, 1));
    assert_eq!((totals.allocated, totals.held, totals.available, totals.backordered), (2, 2, 1, 0));
    let free = lamps.availability(now).unwrap();
    assert_eq!((free.earliest(units(1)), free.earliest(units(2))), (Some(due(1)), None));
    let later = now + chrono::TimeDelta::seconds(60);
    let free = lamps.availability(later).unwrap();
    assert_eq!((free.earliest(units(2)), free.earliest(units(3))), (Some(Eta::InStock), Some(due(1))));
    assert_eq!(lamps.totals(later).unwrap().held, 0);
    assert_eq!(lamps.events().len(), 4, "to look is not to touch");
}

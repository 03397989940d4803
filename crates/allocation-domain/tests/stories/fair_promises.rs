//! Units that come free in a better batch improve the promises of lines on later ones.

use crate::shop::{Cart, Shop, batch, due, id, order, parts, refusal, seconds, sku, units};
use allocation_domain::{
    Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, Batch, BatchChange, BatchReference, DataRequest, Eta,
    Event, LineState, LoadRequest, NewBatch, NewPickList, OrderId, Outcome, OverReceipt, Pending, PickCriteria,
    PickLineId, PickListId, Product, ProductFlags, ProductState, Promises, Quantity, QueuePosition, Receipt, ReceiptId,
    TermsChange, UnitChange, Units,
};

/// A shop whose batch of March is allocated to `OLD` completely.
fn march() -> Shop {
    let mut shop = Shop::of_chairs(&[("MARCH", 10, due(9))]);
    shop.place(&chairs("OLD", 10));
    shop
}

fn chairs(order_id: &str, quantity: u32) -> Cart {
    order(order_id).of(quantity, "CHAIR")
}

fn improved(shop: &mut Shop) -> Vec<(String, String, String, u32)> {
    let moved = |event: &Event| match event {
        Event::PromiseImproved { order_id, old_reference, reference, quantity, old_eta, new_eta, .. } => {
            assert!(new_eta < old_eta);
            Some((order_id.to_string(), old_reference.to_string(), reference.to_string(), quantity.get()))
        }
        _ => None,
    };
    shop.chairs().events().iter().filter_map(moved).collect()
}

fn moves<const N: usize>(moves: [(&str, &str, &str, u32); N]) -> Vec<(String, String, String, u32)> {
    moves.map(|(order, from, to, units)| (order.to_owned(), from.to_owned(), to.to_owned(), units)).to_vec()
}

fn deallocate(shop: &mut Shop, order_id: &str, reference: &str) {
    let now = shop.now;
    shop.chairs().deallocate(&id(order_id), &batch(reference), now).unwrap();
}

fn set_promises(shop: &mut Shop, promises: Promises) -> bool {
    let now = shop.now;
    shop.chairs().set_promises(promises, now).unwrap()
}

/// OCA/wms#23, OCA/stock-logistics-warehouse#710: an order has a batch of March, and stock is added.
#[test]
fn an_older_line_moves_to_added_stock_and_a_newcomer_gets_what_is_left() {
    let mut shop = march();
    shop.receive("STOCK", "CHAIR", 12, Eta::InStock);
    shop.place(&chairs("NEW", 5));
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 10)]));
    assert_eq!(shop.holds("NEW"), parts([("MARCH", 5)]), "two units of the stock are left, which are too few");
    assert_eq!(improved(&mut shop), moves([("OLD", "MARCH", "STOCK", 10)]));
    let story = ["line_placed", "allocated", "deallocated", "allocated", "promise_improved"];
    assert_eq!(shop.history("OLD"), story);
}

#[test]
fn lines_move_when_their_units_come_free_in_any_way() {
    type Free = fn(&mut Shop);
    let ways: [(&str, Free); 9] = [
        ("received", |shop| {
            let (receipt, all) = (ReceiptId::parse("R-1").unwrap(), Units::new(30).unwrap());
            let receipt = Receipt::new(receipt, batch("EARLY"), all, Units::ZERO).unwrap();
            let (receipt, now) = (receipt.with_over(OverReceipt::Accept), shop.now);
            shop.chairs().receive_batch(&receipt, &batch("REST"), now).unwrap();
        }),
        ("advanced", |shop| drop(shop.postpone("LATE", due(1), false))),
        ("raised", |shop| drop(shop.lower("EARLY", 40))),
        ("adjusted", |shop| {
            let line =
                AdjustmentLine { reference: batch("EARLY"), change: UnitChange::new(20).unwrap(), expected: None };
            let (adjustment, reason) = (AdjustmentId::parse("A-1").unwrap(), AdjustmentReason::parse("found").unwrap());
            let adjustment = Adjustment::new(adjustment, reason, [line]).unwrap();
            shop.products.adjust(&adjustment, shop.now).unwrap();
        }),
        ("deallocated", |shop| deallocate(shop, "FIRST", "EARLY")),
        ("cancelled", |shop| drop(shop.cancel("FIRST"))),
        ("closed", |shop| drop(shop.close("FIRST"))),
        ("lowered", |shop| drop(shop.set("FIRST", &[("CHAIR", 10)]))),
        ("expired", |shop| {
            shop.pass(700);
            shop.products.get_mut(&sku("CHAIR")).unwrap().release_expired(shop.now).unwrap();
        }),
    ];
    for (way, free) in ways {
        let mut shop = Shop::of_chairs(&[("EARLY", 20, due(2)), ("MARCH", 10, due(9)), ("LATE", 30, due(10))]);
        let first = chairs("FIRST", 20);
        shop.place(&if way == "expired" { first.held_for(600) } else { first });
        shop.place(&chairs("OLD", 10));
        assert_eq!(shop.holds("OLD"), parts([("MARCH", 10)]));
        free(&mut shop);
        let better = if way == "advanced" { "LATE" } else { "EARLY" };
        assert_eq!(shop.holds("OLD"), parts([(better, 10)]), "{way}");
    }
}

#[test]
fn waiting_lines_are_served_first() {
    let mut shop = march();
    shop.place(&Shop::waiting("WAITING", 6));
    shop.receive("STOCK", "CHAIR", 15, Eta::InStock);
    assert_eq!((shop.holds("WAITING"), shop.holds("OLD")), (parts([("STOCK", 6)]), parts([("MARCH", 10)])));
    shop.lower("STOCK", 16);
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 10)]));
}

#[test]
fn lines_move_in_the_order_of_service_and_one_that_does_not_fit_is_passed_over() {
    let mut shop = Shop::of_chairs(&[("MARCH", 12, due(9)), ("APRIL", 9, due(20))]);
    shop.place(&chairs("LARGE", 6));
    shop.place(&chairs("SMALL", 2));
    shop.place(&chairs("YOUNG", 2));
    shop.place(&chairs("HIGH", 3).with_priority(5));
    assert_eq!(shop.holds("HIGH"), parts([("APRIL", 3)]));
    shop.receive("STOCK", "CHAIR", 5, Eta::InStock);
    assert_eq!(improved(&mut shop), moves([("HIGH", "APRIL", "STOCK", 3), ("SMALL", "MARCH", "STOCK", 2)]));
    assert_eq!(shop.holds("LARGE"), parts([("MARCH", 6)]));
}

#[test]
fn of_a_split_line_each_part_moves_by_itself() {
    let mut shop = Shop::of_chairs(&[("FEBRUARY", 4, due(1)), ("MARCH", 5, due(9))]);
    shop.place(&chairs("OLD", 9));
    shop.receive("STOCK", "CHAIR", 5, Eta::InStock);
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 4), ("MARCH", 5)]), "the part that is earlier is first");
    shop.lower("STOCK", 9);
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 9)]));
}

#[test]
fn a_line_that_moves_makes_place_for_later_ones() {
    let mut shop = Shop::of_chairs(&[("MARCH", 5, due(9)), ("APRIL", 5, due(20)), ("MAY", 5, due(25))]);
    for name in ["A", "B", "C"] {
        shop.place(&chairs(name, 5));
    }
    shop.receive("STOCK", "CHAIR", 5, Eta::InStock);
    let all = [("A", "MARCH", "STOCK", 5), ("B", "APRIL", "MARCH", 5), ("C", "MAY", "APRIL", 5)];
    assert_eq!(improved(&mut shop), moves(all));
}

#[test]
fn an_order_can_keep_its_promise_until_it_is_changed() {
    let mut shop = Shop::of_chairs(&[("MARCH", 10, due(9))]);
    shop.place(&chairs("OLD", 5).stable());
    shop.receive("STOCK", "CHAIR", 12, Eta::InStock);
    assert_eq!(shop.holds("OLD"), parts([("MARCH", 5)]));
    let before = shop.products.order(&id("OLD")).unwrap().version();
    let fair = TermsChange { promises: Some(Promises::Fair), ..TermsChange::default() };
    let order = shop.set_terms("OLD", fair).unwrap();
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 5)]));
    assert_ne!(order.version(), before);
    assert_eq!(shop.products.order(&id("OLD")).unwrap().version(), shop.place(&chairs("OLD", 5).named("X")).version());
    shop.set_terms("OLD", TermsChange { promises: Some(Promises::Stable), ..TermsChange::default() }).unwrap();
    assert_eq!(shop.line("OLD").terms.promises, Promises::Stable);
}

#[test]
fn a_product_can_keep_the_promises_of_all_its_lines() {
    let mut shop = march();
    assert!(set_promises(&mut shop, Promises::Stable));
    assert!(!set_promises(&mut shop, Promises::Stable), "it is so already");
    shop.receive("STOCK", "CHAIR", 12, Eta::InStock);
    assert_eq!(shop.holds("OLD"), parts([("MARCH", 10)]));
    assert!(set_promises(&mut shop, Promises::Fair));
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 10)]), "it gets the units that are free");
    let names: Vec<_> = shop.chairs().events().iter().map(Event::name).collect();
    assert_eq!(names.iter().filter(|name| **name == "product_changed").count(), 2);
}

#[test]
fn units_on_a_pick_list_stay() {
    let mut shop = Shop::of_chairs(&[("STOCK", 4, Eta::InStock), ("MARCH", 5, due(9))]);
    shop.place(&chairs("OLD", 9));
    let list = PickListId::parse("P-1").unwrap();
    let new = NewPickList::new(list.clone(), PickCriteria::default());
    assert_eq!(shop.products.make_pick_list(&new).unwrap().lines.len(), 1);
    shop.receive("SHELF", "CHAIR", 9, Eta::InStock);
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 4), ("SHELF", 5)]));
    assert_eq!(shop.line("OLD").fulfilment.listed, 4);
    let pick = shop.chairs().pick_line(&PickLineId { list, line: 1 }).unwrap();
    assert_eq!((pick.is_open(), pick.quantity), (true, units(4)));
}

#[test]
fn held_lines_move_as_well() {
    let mut shop = Shop::of_chairs(&[("MARCH", 10, due(9))]);
    shop.place(&chairs("CART", 10).held_for(600));
    shop.receive("STOCK", "CHAIR", 10, Eta::InStock);
    assert_eq!(shop.holds("CART"), parts([("STOCK", 10)]));
    let now = shop.now;
    assert!(shop.products.extend(&id("CART"), seconds(900), now).is_ok());
}

#[test]
fn a_line_of_a_late_batch_moves_to_free_units_that_arrive_before() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1)), ("B-2", 4, due(3))]);
    shop.place(&chairs("SMALL", 3));
    shop.place(&chairs("LARGE", 5));
    let changed = shop.postpone("B-1", due(9), false);
    let affected = changed.affected.iter().map(|it| (it.order_id.as_str(), it.reference.as_str(), it.new_eta));
    assert_eq!(affected.collect::<Vec<_>>(), [("SMALL", "B-2", due(3)), ("LARGE", "B-1", due(9))]);
    assert_eq!(shop.holds("SMALL"), parts([("B-2", 3)]));
}

#[test]
fn a_short_pick_postpones_no_line_while_units_of_its_batch_are_free() {
    let mut shop = Shop::of_chairs(&[("STOCK", 9, Eta::InStock), ("MARCH", 5, due(9))]);
    shop.place(&chairs("O-1", 5));
    let list = PickListId::parse("P-1").unwrap();
    shop.products.make_pick_list(&NewPickList::new(list.clone(), PickCriteria::default())).unwrap();
    let now = shop.now;
    let found = Units::new(2).unwrap();
    let picked = shop.chairs().pick(&PickLineId { list, line: 1 }, found, now).unwrap();
    assert_eq!(shop.holds("O-1"), parts([("STOCK", 3)]));
    let Outcome::Changed(picked) = picked else { panic!("{picked:?}") };
    assert_eq!((&picked.affected[0].reference, picked.displaced), (&batch("STOCK"), None));
}

#[test]
fn a_line_that_has_released_units_keeps_the_others_until_it_lacks_none() {
    let mut shop = Shop::of_chairs(&[("STOCK", 4, Eta::InStock), ("MARCH", 20, due(9))]);
    let now = shop.now;
    shop.chairs().allocate(&id("FIRST"), units(3), now).unwrap();
    shop.chairs().allocate(&id("OLD"), units(21), now).unwrap();
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 1), ("MARCH", 20)]));
    deallocate(&mut shop, "OLD", "STOCK");
    shop.receive("SHELF", "CHAIR", 30, Eta::InStock);
    assert_eq!(shop.holds("OLD"), parts([("MARCH", 20)]));
    shop.chairs().allocate(&id("OLD"), units(21), now).unwrap();
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 1), ("SHELF", 20)]));
}

#[test]
fn batches_that_arrive_on_the_same_day_are_equally_good() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, due(9)), ("B-2", 5, due(9))]);
    shop.place(&chairs("A", 5));
    shop.place(&chairs("B", 5));
    shop.cancel("A");
    assert_eq!(shop.holds("B"), parts([("B-2", 5)]));
}

/// One line of one unit for each number, on a batch in transit.
fn crowd(number: u32) -> (Batch, Vec<(OrderId, LineState)>) {
    let mut shop = Shop::of_chairs(&[("MARCH", number, due(9))]);
    let now = shop.now;
    for n in 0..number {
        shop.chairs().allocate(&id(&format!("O-{n:05}")), units(1), now).unwrap();
    }
    let lines = shop.chairs().lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
    (shop.chairs().batch(&batch("MARCH")).unwrap().clone(), lines)
}

fn product(named: Batch, lines: Vec<(OrderId, LineState)>, more_in_transit: bool) -> Product {
    let named_batches = vec![named];
    Product::restore(ProductState { named_batches, lines, more_in_transit, ..ProductState::new(sku("CHAIR"), 1) })
}

#[test]
fn a_unit_of_work_moves_a_bounded_number_of_lines_and_newcomers_wait_for_the_others() {
    let most = u32::try_from(Product::MAX_AT_ONCE).unwrap();
    let (march, lines) = crowd(2 * most + 1);
    let now = march.added_at();
    let mut chairs = product(march, lines, false);
    chairs.add_batch(NewBatch::new(batch("STOCK"), units(2 * most + 2), Eta::InStock), now).unwrap();
    let moved = |product: &Product| product.batch(&batch("STOCK")).unwrap().allocated();
    assert_eq!((moved(&chairs), chairs.is_behind()), (most, true));
    chairs.drain_events();
    let newcomer = chairs.allocate(&id("NEW"), units(2), now);
    assert!(matches!(newcomer, Err(Pending::CatchUp(_))), "{newcomer:?}");
    assert_eq!(moved(&chairs), 2 * most);
    chairs.drain_events();
    chairs.allocate(&id("NEW"), units(2), now).unwrap();
    assert_eq!((moved(&chairs), chairs.is_behind()), (2 * most + 1, false));
    assert_eq!(chairs.line(&id("NEW")).unwrap().allocations[0].reference, batch("MARCH"));
}

fn needed<R>(error: Pending<R>) -> DataRequest {
    if let Pending::Load(LoadRequest { what, .. }) = error { what } else { panic!("rows are missing") }
}

#[test]
fn nothing_is_loaded_for_promises_without_a_batch_in_transit() {
    let mut shop = Shop::of_chairs(&[("STOCK", 5, Eta::InStock), ("SHELF", 5, Eta::InStock)]);
    shop.place(&chairs("O-1", 5));
    let all = shop.chairs().clone();
    let state = |more_in_transit| ProductState {
        named_batches: vec![all.batch(&batch("STOCK")).unwrap().clone()],
        more_open_batches: true,
        lines: all.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect(),
        more_in_transit,
        ..ProductState::new(sku("CHAIR"), 1)
    };
    let mut without = Product::restore(state(false));
    without.deallocate(&id("O-1"), &batch("STOCK"), shop.now).unwrap();
    let mut with = Product::restore(state(true));
    let error = with.deallocate(&id("O-1"), &batch("STOCK"), shop.now).unwrap_err();
    assert_eq!(needed(error), DataRequest::InTransit);
    with.load_in_transit([]);
    with.deallocate(&id("O-1"), &batch("STOCK"), shop.now).unwrap();
    assert_eq!(with.events(), without.events());
}

#[test]
fn only_lines_that_fit_are_requested_and_no_more_than_can_move() {
    let (march, lines) = crowd(3);
    let now = march.added_at();
    let mut chairs = product(march.clone(), Vec::new(), true);
    let add = |product: &mut Product| {
        product.add_batch(NewBatch::new(batch("STOCK"), units(2), Eta::InStock), now).map(|batch| batch.allocated())
    };
    assert_eq!(needed(add(&mut chairs).unwrap_err()), DataRequest::InTransit);
    chairs.load_in_transit([march]);
    let references: Vec<BatchReference> = vec![batch("MARCH")];
    let first = DataRequest::FittingOn { references: references.clone(), after: None, units: 2, limit: 2 };
    assert_eq!(needed(add(&mut chairs).unwrap_err()), first);
    assert!(chairs.events().is_empty(), "nothing has changed");
    chairs.load_fitting_on(&references, None, 2, lines[..1].to_vec(), true);
    let after = Some(QueuePosition::of(&lines[0].0, &lines[0].1));
    let next = DataRequest::FittingOn { references: references.clone(), after: after.clone(), units: 1, limit: 1 };
    assert_eq!(needed(add(&mut chairs).unwrap_err()), next);
    chairs.load_fitting_on(&references, after.as_ref(), 1, lines[1..].to_vec(), false);
    add(&mut chairs).unwrap();
    let moved: Vec<Quantity> = lines.iter().filter_map(|(id, _)| chairs.line(id)?.holds(&batch("STOCK"))).collect();
    assert_eq!(moved, [units(1), units(1)]);
}

/// A product of which no line is loaded, with the batches of a shop.
fn unloaded(shop: &mut Shop, promises: Promises) -> Product {
    let all = shop.chairs().clone();
    let mut product = Product::restore(ProductState {
        flags: ProductFlags { promises, ..ProductFlags::NEW },
        open_batches: all.batches().iter().filter(|batch| batch.available() > 0).cloned().collect(),
        more_in_transit: true,
        ..ProductState::new(sku("CHAIR"), 1)
    });
    product.load_in_transit(all.batches().iter().filter(|batch| batch.eta() != Eta::InStock).cloned());
    product
}

#[test]
fn one_search_serves_all_batches_with_free_units() {
    let names: Vec<String> = (1..=20).map(|day| format!("B-{day:02}")).collect();
    let mut shop = Shop::of_chairs(&[]);
    for (name, day) in names.iter().zip(1..) {
        shop.receive(name, "CHAIR", if day == 2 { 12 } else { 10 }, due(day));
        shop.place(&chairs(&format!("O-{day}"), 7));
    }
    let mut chairs = unloaded(&mut shop, Promises::Stable);
    let mut set = || chairs.set_promises(Promises::Fair, shop.now);
    let references: Vec<BatchReference> = names[1..].iter().map(|name| batch(name)).collect();
    let search = DataRequest::FittingOn { references: references.clone(), after: None, units: 5, limit: 59 };
    assert_eq!(needed(set().unwrap_err()), search, "for the five free units of one batch and three of each other one");
    chairs.load_fitting_on(&references, None, 5, [], false);
    assert_eq!(chairs.set_promises(Promises::Fair, shop.now), Ok(true), "nothing fits anywhere");
    assert!(!chairs.is_behind());
}

#[test]
fn a_search_goes_on_where_one_for_more_batches_has_ended() {
    let mut shop = Shop::of_chairs(&[("B-2", 5, due(2)), ("B-3", 8, due(3))]);
    shop.place(&chairs("O-1", 5));
    shop.place(&chairs("O-2", 8));
    let (first, now) = (shop.chairs().line(&id("O-1")).unwrap().clone(), shop.now);
    let mut chairs = unloaded(&mut shop, Promises::Fair);
    let [of_one, of_both] = [vec![batch("B-3")], vec![batch("B-2"), batch("B-3")]];
    let search = |references: &[BatchReference], after: Option<&QueuePosition>, units: u32| DataRequest::FittingOn {
        references: references.to_vec(),
        after: after.cloned(),
        units,
        limit: usize::try_from(units).unwrap(),
    };
    let raise = |product: &mut Product| {
        let change = BatchChange { purchased: Units::new(7).ok(), ..BatchChange::default() };
        product.change_batch(&batch("B-2"), &change, now).map(|_| ())
    };
    assert_eq!(needed(raise(&mut chairs).unwrap_err()), search(&of_one, None, 2));
    chairs.load_fitting_on(&of_one, None, 2, [], false);
    raise(&mut chairs).unwrap();
    let add = |product: &mut Product| {
        product.add_batch(NewBatch::new(batch("STOCK"), units(7), Eta::InStock), now).map(|batch| batch.allocated())
    };
    assert_eq!(needed(add(&mut chairs).unwrap_err()), search(&of_both, None, 7));
    let after = Some(QueuePosition::of(&id("O-1"), &first));
    chairs.load_fitting_on(&of_both, None, 7, [(id("O-1"), first)], true);
    assert_eq!(needed(add(&mut chairs).unwrap_err()), search(&of_both, after.as_ref(), 2), "two units are left");
    chairs.load_fitting_on(&of_both, after.as_ref(), 2, [], false);
    assert_eq!(needed(add(&mut chairs).unwrap_err()), search(&of_one, after.as_ref(), 7), "B-2 has seven now");
    chairs.load_fitting_on(&of_one, after.as_ref(), 7, [], false);
    assert_eq!(add(&mut chairs), Ok(5));
}

#[test]
fn no_search_is_repeated_for_batches_that_arrive_together() {
    let mut shop = Shop::of_chairs(&[("B-2", 4, due(2)), ("C-2", 8, due(2)), ("B-3", 140, due(3))]);
    set_promises(&mut shop, Promises::Stable);
    for number in 0..23 {
        shop.place(&chairs(&format!("O-{number:02}"), if number < 3 { 4 } else { 7 }));
    }
    for name in ["S-1", "S-2", "S-3"] {
        shop.receive(name, "CHAIR", 7, Eta::InStock);
    }
    let all = shop.chairs().clone();
    let mut chairs = unloaded(&mut shop, Promises::Stable);
    let mut requests = Vec::new();
    while let Err(error) = chairs.set_promises(Promises::Fair, shop.now) {
        let what = needed(error);
        assert!(!requests.contains(&what), "{what:?} is repeated");
        let DataRequest::FittingOn { references, after, units, limit } = &what else { panic!("a search") };
        let position = |(order_id, line): &(OrderId, LineState)| QueuePosition::of(order_id, line);
        let mut lines: Vec<_> = all.lines().map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
        lines.retain(|it| {
            let fits = |name: &BatchReference| it.1.holds(name).is_some_and(|held| held.get() <= *units);
            references.iter().any(fits) && after.as_ref().is_none_or(|after| position(it) > *after)
        });
        lines.sort_by_key(position);
        let more = lines.len() > *limit;
        lines.truncate(*limit);
        chairs.load_fitting_on(references, after.as_ref(), *units, lines, more);
        requests.push(what);
    }
    assert!(requests.len() > 3, "{requests:?}");
}

#[test]
fn a_unit_of_work_searches_a_bounded_number_of_batches() {
    let mut shop = Shop::of_chairs(&[]);
    for number in 0..600 {
        shop.receive(&format!("B-{number:03}"), "CHAIR", 1, due(9));
        shop.place(&chairs(&format!("O-{number:03}"), 1));
    }
    let (lines, now) = (shop.chairs().clone(), shop.now);
    let mut chairs = unloaded(&mut shop, Promises::Fair);
    let add = |product: &mut Product| {
        product.add_batch(NewBatch::new(batch("STOCK"), units(600), Eta::InStock), now).map(|batch| batch.allocated())
    };
    let mut searches = 0;
    let moved = loop {
        match add(&mut chairs) {
            Err(error) => {
                // A store that finds one line at a time.
                let DataRequest::FittingOn { references, after, units, .. } = needed(error) else { panic!("a search") };
                let order_id = id(&format!("O-{searches:03}"));
                let line = lines.line(&order_id).unwrap().clone();
                chairs.load_fitting_on(&references, after.as_ref(), units, [(order_id, line)], true);
                searches += 1;
            }
            Ok(moved) => break moved,
        }
    };
    assert_eq!((searches, moved, chairs.is_behind()), (2, 2, true), "the rest is for other units of work");
}

#[test]
fn lines_of_a_batch_with_a_pending_correction_move_once_it_is_done() {
    let most = u32::try_from(allocation_domain::MAX_MOVED_LINES).unwrap();
    let (march, lines) = crowd(most + 1);
    let now = march.added_at();
    let mut chairs = product(march, lines, false);
    let later = BatchChange { eta: Some(due(20)), ..BatchChange::default() };
    chairs.change_batch(&batch("MARCH"), &later, now).unwrap();
    assert!(chairs.batch(&batch("MARCH")).unwrap().moving().is_some());
    chairs.add_batch(NewBatch::new(batch("STOCK"), units(5), Eta::InStock), now).unwrap();
    assert_eq!(chairs.batch(&batch("STOCK")).unwrap().allocated(), 0);
    chairs.move_lines(&batch("MARCH"), None, now).unwrap();
    assert_eq!(chairs.batch(&batch("STOCK")).unwrap().allocated(), 5);
}

#[test]
fn a_refused_command_improves_nothing() {
    let mut shop = march();
    let now = shop.now;
    let refused = shop.chairs().allocate(&id("NEW"), units(1), now).map_err(refusal);
    assert!(refused.is_err());
    assert_eq!(improved(&mut shop), []);
}

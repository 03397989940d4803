//! Products that a store restored with part of their rows.

use crate::shop::{Shop, batch, due, id, order, seconds, sku, units};
use allocation_domain::{
    BatchChange, Cancellation, DataRequest, Eta, LineState, NewBatch, NewPickList, OrderId, Pending, PickCriteria,
    PickLineId, PickListId, Product, ProductFlags, ProductState, Products, QueuePosition, Units,
};

/// Returns the product as a store restores it after saving.
pub(crate) fn stored(product: &Product) -> Product {
    Product::restore(state(product))
}

pub(crate) fn state(product: &Product) -> ProductState {
    ProductState {
        open_batches: product.batches().iter().filter(|batch| batch.available() > 0).cloned().collect(),
        named_batches: product.batches().to_vec(),
        lines: lines(product, |_, _| true),
        pick_lines: product.pick_lines().map(|(id, pick)| (id.clone(), pick.clone())).collect(),
        flags: ProductFlags { unserved: product.is_behind(), promises: product.promises(), ..ProductFlags::NEW },
        ..ProductState::new(product.sku().clone(), product.version() + 1)
    }
}

fn lines(product: &Product, wanted: impl Fn(&OrderId, &LineState) -> bool) -> Vec<(OrderId, LineState)> {
    let wanted = product.lines().filter(|(order_id, line)| wanted(order_id, line));
    wanted.map(|(order_id, line)| (order_id.clone(), line.clone())).collect()
}

fn position(product: &Product, order_id: &str) -> QueuePosition {
    QueuePosition::of(&id(order_id), product.line(&id(order_id)).unwrap())
}

fn needed<R>(error: &Pending<R>) -> Option<&DataRequest> {
    if let Pending::Load(request) = error { Some(&request.what) } else { None }
}

#[test]
fn waiting_lines_are_requested_only_while_units_are_free() {
    let mut shop = Shop::of_chairs(&[]);
    for name in ["O-1", "O-2", "O-3"] {
        shop.place(&order(name).of(5, "CHAIR").or_backorder());
    }
    let all = shop.chairs().clone();
    let first = lines(&all, |order_id, _| *order_id == id("O-1"));
    let some = || ProductState { lines: Vec::new(), waiting: first.clone(), more_waiting: true, ..state(&all) };
    let mut product = Product::restore(some());
    product.add_batch(NewBatch::new(batch("FOUR"), units(4), Eta::InStock), shop.now).unwrap();
    assert_eq!(product.line(&id("O-1")).unwrap().waiting, 1);

    let mut product = Product::restore(some());
    let error = product.add_batch(NewBatch::new(batch("SIX"), units(6), Eta::InStock), shop.now).unwrap_err();
    assert_eq!(
        needed(&error),
        Some(&DataRequest::WaitingLines { after: Some(position(&all, "O-1")), free: 1, limit: 1 })
    );
    assert!(product.events().is_empty() && product.batches().is_empty(), "nothing has changed");
    let after = position(&all, "O-1");
    product.load_waiting(Some(&after), 1, lines(&all, |order_id, _| *order_id == id("O-2")), true);
    product.add_batch(NewBatch::new(batch("SIX"), units(6), Eta::InStock), shop.now).unwrap();
    assert_eq!(product.line(&id("O-2")).unwrap().waiting, 4);
}

#[test]
fn without_a_waiting_line_nothing_is_requested() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let all = shop.chairs().clone();
    let mut product =
        Product::restore(ProductState { open_batches: Vec::new(), more_open_batches: true, ..state(&all) });
    product.deallocate(&id("O-1"), &batch("B-1"), shop.now).unwrap();
    product.add_batch(NewBatch::new(batch("B-2"), units(5), Eta::InStock), shop.now).unwrap();
}

#[test]
fn serving_the_queue_needs_all_open_batches() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("WHOLE").of(6, "CHAIR").or_backorder().unsplit());
    let all = shop.chairs().clone();
    let unlooked =
        ProductState { open_batches: Vec::new(), named_batches: Vec::new(), more_open_batches: true, ..state(&all) };
    let mut product = Product::restore(unlooked);
    let error = product.add_batch(NewBatch::new(batch("B-2"), units(1), Eta::InStock), shop.now).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::Batches));
    product.complete(all.batches().to_vec());
    product.add_batch(NewBatch::new(batch("B-2"), units(1), Eta::InStock), shop.now).unwrap();
    assert_eq!(product.line(&id("WHOLE")).unwrap().waiting, 0);
}

#[test]
fn the_batches_of_released_units_are_requested() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("CART").of(5, "CHAIR").held_for(10));
    shop.pass(10);
    let all = shop.chairs().clone();
    let mut product = Product::restore(ProductState { named_batches: Vec::new(), ..state(&all) });
    let error = product.release_expired(shop.now).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::Batch(batch("B-1"))));
    product.load_batches(all.batches().to_vec());
    assert_eq!(product.release_expired(shop.now), Ok(vec![id("CART")]));
}

#[test]
fn lowering_needs_the_last_lines_of_a_batch_and_postponing_the_first() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(2, "CHAIR"));
    shop.place(&order("O-2").of(3, "CHAIR"));
    let all = shop.chairs().clone();
    let mut product =
        Product::restore(ProductState { lines: lines(&all, |order_id, _| *order_id == id("O-1")), ..state(&all) });
    let change = |purchased| BatchChange { purchased: Some(Units::new(purchased).unwrap()), ..BatchChange::default() };
    let error = product.change_batch(&batch("B-1"), &change(4), shop.now).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::LastOn { reference: batch("B-1"), units: 1 }));
    let late = BatchChange { eta: Some(due(9)), ..BatchChange::default() };
    let error = product.change_batch(&batch("B-1"), &late, shop.now).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::NextOn { reference: batch("B-1"), after: None }));
    let mut other = product.clone();
    other.load_last_on(&batch("B-1"), 1, Some(lines(&all, |order_id, _| *order_id == id("O-2"))));
    other.change_batch(&batch("B-1"), &change(4), shop.now).unwrap();
    assert_eq!(other.line(&id("O-2")).unwrap().waiting, 1);
    product.change_batch(&batch("B-1"), &change(9), shop.now).unwrap();
    product.load_lines(lines(&all, |_, _| true));
    product.change_batch(&batch("B-1"), &change(4), shop.now).unwrap();
    assert_eq!(product.line(&id("O-2")).unwrap().waiting, 1);
}

#[test]
fn recording_out_of_stock_after_a_reallocation_needs_all_batches() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock), ("B-2", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let all = shop.chairs().clone();
    let open = ProductState { open_batches: all.batches()[1..].to_vec(), more_open_batches: true, ..state(&all) };
    let mut product = Product::restore(open);
    let change = BatchChange { purchased: Some(Units::new(2).unwrap()), ..BatchChange::default() };
    let error = product.change_batch(&batch("B-1"), &change, shop.now).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::Batches));
    assert_eq!(product.batch(&batch("B-1")), all.batch(&batch("B-1")), "nothing has changed");
    product.complete(Vec::new());
    product.change_batch(&batch("B-1"), &change, shop.now).unwrap();
    assert_eq!(product.events().last().map(allocation_domain::Event::name), Some("out_of_stock"));
}

#[test]
fn a_line_loaded_after_its_batch_changed_has_the_new_eta() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, due(9))]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let all = shop.chairs().clone();
    let mut product = Product::restore(ProductState { lines: Vec::new(), ..state(&all) });
    let change = BatchChange { eta: Some(due(3)), ..BatchChange::default() };
    product.change_batch(&batch("B-1"), &change, shop.now).unwrap();
    product.load_lines(lines(&all, |_, _| true));
    assert_eq!(product.line(&id("O-1")).unwrap().allocations[0].eta, due(3));
}

#[test]
fn a_cancellation_continues_with_the_product_that_lacked_rows() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, Eta::InStock);
    shop.place(&order("O-1").of(5, "CHAIR").of(5, "LAMP"));
    shop.place(&order("O-2").of(5, "LAMP").or_backorder());
    let chairs = stored(shop.chairs());
    let lamps = shop.product("LAMP").clone();
    let named = lines(&lamps, |order_id, _| *order_id == id("O-1"));
    let lamps = Product::restore(ProductState { lines: named, more_waiting: true, ..state(&lamps) });
    let mut some = Products::from_iter([chairs, lamps]);
    let mut cancellation = Cancellation::of(&id("O-1"), &some).unwrap();
    let error = cancellation.resume(&mut some, shop.now).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::WaitingLines { after: None, free: 5, limit: 5 }));
    let events = |some: &Products| some.iter().map(|product| product.events().len()).collect::<Vec<_>>();
    assert_eq!(events(&some), [2, 0], "nothing has changed of the product that lacks rows");
    let waiting = lines(shop.product("LAMP"), |order_id, _| *order_id == id("O-2"));
    some.get_mut(&sku("LAMP")).unwrap().load_waiting(None, 5, waiting, false);
    cancellation.resume(&mut some, shop.now).unwrap();
    assert_eq!(events(&some), [2, 3]);
}

#[test]
fn pick_lines_of_released_units_are_requested() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let (list, now) = (PickListId::parse("P-1").unwrap(), shop.now);
    shop.products.make_pick_list(&NewPickList::new(list.clone(), PickCriteria::default())).unwrap();
    let all = shop.chairs().clone();
    let listed: Vec<_> = all.pick_lines().map(|(id, pick)| (id.clone(), pick.clone())).collect();

    let mut product = Product::restore(ProductState { pick_lines: Vec::new(), ..state(&all) });
    let error = product.deallocate(&id("O-1"), &batch("B-1"), now).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::PickLinesOf(id("O-1"))));
    product.load_pick_lines(listed.clone());
    product.deallocate(&id("O-1"), &batch("B-1"), now).unwrap();

    let bare = ProductState { lines: Vec::new(), named_batches: Vec::new(), open_batches: Vec::new(), ..state(&all) };
    let mut product = Product::restore(bare);
    let pick = |product: &mut Product| product.pick(&listed[0].0, Units::new(5).unwrap(), now);
    assert_eq!(needed(&pick(&mut product).unwrap_err()), Some(&DataRequest::Line(id("O-1"))));
    product.load_lines(lines(&all, |_, _| true));
    assert_eq!(needed(&pick(&mut product).unwrap_err()), Some(&DataRequest::Batch(batch("B-1"))));
    product.load_batches(all.batches().to_vec());
    pick(&mut product).unwrap();
}

#[test]
fn a_list_lacking_rows_of_one_product_leaves_the_others_unchanged() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, Eta::InStock);
    shop.place(&order("O-1").of(5, "CHAIR").of(5, "LAMP"));
    let list = PickListId::parse("P-1").unwrap();
    shop.products.make_pick_list(&NewPickList::new(list.clone(), PickCriteria::default())).unwrap();
    let chairs = stored(shop.chairs());
    let lamps = Product::restore(ProductState { lines: Vec::new(), ..state(shop.product("LAMP")) });
    let mut some = Products::from_iter([chairs, lamps]);
    let error = some.release_pick_list(&list).unwrap_err();
    assert_eq!(needed(&error), Some(&DataRequest::Line(id("O-1"))));
    let lamps = PickLineId { list, line: 2 };
    assert_eq!(needed(&some.release_pick_line(&lamps).unwrap_err()), Some(&DataRequest::Line(id("O-1"))));
    assert!(some.iter().all(|product| product.events().is_empty()));
}

#[test]
fn confirming_and_extending_need_only_the_lines_of_the_order() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("CART").of(5, "CHAIR").held_for(10));
    let bare = ProductState {
        open_batches: Vec::new(),
        named_batches: Vec::new(),
        more_open_batches: true,
        more_waiting: true,
        ..state(shop.chairs())
    };
    let mut some = Products::from_iter([Product::restore(bare)]);
    some.extend(&id("CART"), seconds(60), shop.now).unwrap();
    some.confirm(&id("CART"), shop.now).unwrap();
    let product = some.into_iter().next().unwrap();
    let changes = product.changes();
    assert_eq!((changes.lines.len(), changes.totals.held), (1, -5));
}

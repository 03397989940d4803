//! The cost of decisions: `cargo bench -p allocation-domain`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

use allocation_domain::{
    Batch, BatchReference, Eta, NewBatch, NewOrder, NewPickList, OnShortage, OrderId, OrderTerms, PickCriteria,
    PickLineId, PickListId, Product, ProductState, Products, Quantity, Sku, Units,
};
use chrono::DateTime;
use divan::Bencher;

fn main() {
    divan::main();
}

/// Returns a restored product with open batches of `units` free units each.
fn product(batches: u32, units: u32) -> Product {
    let sku = Sku::parse("RED-CHAIR").unwrap();
    let batch = |n: u32| {
        let reference = BatchReference::parse(format!("B-{n:05}")).unwrap();
        let added_at = DateTime::from_timestamp_micros(i64::from(n)).unwrap();
        Batch::new(reference, sku.clone(), Quantity::new(units).unwrap(), Eta::InStock, added_at)
    };
    Product::restore(ProductState {
        open_batches: (0..batches).map(batch).collect(),
        ..ProductState::new(sku.clone(), 1)
    })
}

fn orders(count: u32) -> Vec<OrderId> {
    (0..count).map(|n| OrderId::parse(format!("ORDER-{n:06}")).unwrap()).collect()
}

/// Lines of one unit, all of which fit into the first batch.
#[divan::bench(args = [1, 32, 1_000])]
fn a_group_of_200_lines_with_open_batches(bencher: Bencher<'_, '_>, batches: u32) {
    let (orders, one) = (orders(200), Quantity::new(1).unwrap());
    bencher.with_inputs(|| product(batches, 1_000)).bench_local_values(|mut product| {
        for order_id in &orders {
            product.allocate(order_id, one, DateTime::UNIX_EPOCH).unwrap();
        }
        product
    });
}

/// A line that takes one unit of each batch.
#[divan::bench(args = [2, 32, 1_000])]
fn a_line_split_over_batches(bencher: Bencher<'_, '_>, batches: u32) {
    let (order_id, quantity) = (OrderId::parse("O-1").unwrap(), Quantity::new(batches).unwrap());
    bencher.with_inputs(|| product(batches, 1)).bench_local_values(|mut product| {
        product.allocate(&order_id, quantity, DateTime::UNIX_EPOCH).unwrap();
        product
    });
}

/// A rejected line, and a repeated one.
#[divan::bench]
fn a_refusal(bencher: Bencher<'_, '_>) {
    let (order_id, quantity) = (OrderId::parse("O-1").unwrap(), Quantity::new(5).unwrap());
    let mut sold_out = product(0, 1);
    bencher.bench_local(|| sold_out.allocate(&order_id, quantity, DateTime::UNIX_EPOCH).unwrap_err());
}

/// The changes of 200 allocated lines.
#[divan::bench]
fn changes_of_200_lines(bencher: Bencher<'_, '_>) {
    let mut product = product(32, 1_000);
    for order_id in &orders(200) {
        product.allocate(order_id, Quantity::new(1).unwrap(), DateTime::UNIX_EPOCH).unwrap();
    }
    bencher.bench_local(|| product.changes().lines.len());
}

/// The changes of one line among many open batches.
#[divan::bench(args = [32, 40_000, 100_000])]
fn changes_among_open_batches(bencher: Bencher<'_, '_>, batches: u32) {
    let mut product = product(batches, 1);
    product.allocate(&orders(1)[0], Quantity::new(2).unwrap(), DateTime::UNIX_EPOCH).unwrap();
    bencher.bench_local(|| product.changes().lines.len());
}

/// A line that releases its unit, among many lines.
#[divan::bench(args = [1, 1_000, 20_000])]
fn a_deallocation_among_lines(bencher: Bencher<'_, '_>, lines: u32) {
    let mut product = product(1, 100_000);
    let orders = orders(lines);
    for order_id in &orders {
        product.allocate(order_id, Quantity::new(1).unwrap(), DateTime::UNIX_EPOCH).unwrap();
    }
    let reference = BatchReference::parse("B-00000").unwrap();
    bencher.bench_local(|| {
        product.deallocate(&orders[0], &reference, DateTime::UNIX_EPOCH).unwrap();
        product.allocate(&orders[0], Quantity::new(1).unwrap(), DateTime::UNIX_EPOCH).unwrap()
    });
}

/// An order of 500 lines is cancelled, with 20 waiting lines for each of its SKUs.
#[divan::bench]
fn a_cancelled_order_of_500_lines_with_20_waiters_each(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(crowded_shop).bench_local_values(|mut shop| {
        shop.cancel(&OrderId::parse("FIRST").unwrap(), DateTime::UNIX_EPOCH).unwrap();
        shop
    });
}

fn crowded_shop() -> Products {
    let skus: Vec<_> = (0..500).map(|n| Sku::parse(format!("SKU-{n:03}")).unwrap()).collect();
    let mut shop: Products = skus.iter().cloned().map(Product::new).collect();
    for (n, sku) in skus.iter().enumerate() {
        let reference = BatchReference::parse(format!("B-{n:03}")).unwrap();
        let product = shop.get_mut(sku).unwrap();
        product
            .add_batch(NewBatch::new(reference, Quantity::new(20).unwrap(), Eta::InStock), DateTime::UNIX_EPOCH)
            .unwrap();
    }
    let mut place = |name: String, units: u32| {
        let lines = skus.iter().map(|sku| (sku.clone(), Quantity::new(units).unwrap()));
        let terms = OrderTerms { on_shortage: OnShortage::Backorder, ..OrderTerms::default() };
        let order = NewOrder::new(OrderId::parse(name).unwrap(), lines, terms).unwrap();
        shop.place(&order, DateTime::UNIX_EPOCH).unwrap();
    };
    place("FIRST".to_owned(), 20);
    (0..20).for_each(|n| place(format!("WAITS-{n:02}"), 1));
    shop
}

/// Products of which 1,000 lines are allocated, and a list for them.
fn shop() -> (Products, NewPickList) {
    let mut product = product(32, 1_000);
    for order_id in &orders(1_000) {
        product.allocate(order_id, Quantity::new(2).unwrap(), DateTime::UNIX_EPOCH).unwrap();
    }
    let list = NewPickList::new(PickListId::parse("P-1").unwrap(), PickCriteria::default());
    (Products::from_iter([product]), list)
}

/// A pick list of 1,000 lines of one product.
#[divan::bench]
fn a_pick_list_of_1000_lines(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(shop).bench_local_values(|(mut shop, list)| {
        shop.make_pick_list(&list).unwrap();
        shop
    });
}

/// A short pick among 1,000 lines.
#[divan::bench]
fn a_short_pick_among_1000_lines(bencher: Bencher<'_, '_>) {
    let listed = || {
        let (mut shop, list) = shop();
        shop.make_pick_list(&list).unwrap();
        shop
    };
    let id = PickLineId { list: PickListId::parse("P-1").unwrap(), line: 500 };
    bencher.with_inputs(listed).bench_local_values(|mut shop| {
        shop.pick(&id, Units::ZERO, DateTime::UNIX_EPOCH).unwrap();
        shop
    });
}

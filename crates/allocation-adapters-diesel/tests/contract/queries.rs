//! Reads agree with the domain, at any instant and in pages of any size.

use crate::database::TestDatabase;
use crate::shop::{SKUS, Shop, seconds, wanted};
use crate::world::{World, decide, due, new_order, order, quantity, reference, sku, waits};
use allocation_domain::{
    Eta, NewBatch, NewOrder, Order, OrderId, OrderStatus, PickList, PickListStatus, Product, Products,
};
use allocation_ports::{
    AllocationFilter, Backorder, BackorderCursor, BackorderFilter, BackorderQueries, BatchFilter, BatchQueries,
    EventContexts, EventCursor, HistoryQueries, LockRequest, OrderFilter, OrderQueries, PageSize, PickListFilter,
    PickListQueries, ProductQueries, ProductTotals, RecordedEvent, Subject,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;

const STATUSES: [OrderStatus; 11] = [
    OrderStatus::Held,
    OrderStatus::Allocated,
    OrderStatus::PartiallyAllocated,
    OrderStatus::Backordered,
    OrderStatus::Picked,
    OrderStatus::PartiallyShipped,
    OrderStatus::Shipped,
    OrderStatus::Short,
    OrderStatus::Expired,
    OrderStatus::Cancelled,
    OrderStatus::Closed,
];

const PICK_STATUSES: [PickListStatus; 4] =
    [PickListStatus::Open, PickListStatus::Picked, PickListStatus::Shipped, PickListStatus::Withdrawn];

fn size(rows: usize) -> PageSize {
    PageSize::new(u16::try_from(rows).unwrap()).unwrap()
}

/// Returns all rows of a list in pages of this size, each after the last row of the one before.
fn paged<T: Clone>(rows: usize, page: impl Fn(Option<&T>, PageSize) -> Vec<T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let more = page(all.last(), size(rows));
        let last = more.len() < rows;
        all.extend(more);
        if last {
            return all;
        }
    }
}

/// Returns all orders of a list with the number of pages.
fn paged_orders(world: &World, filter: &OrderFilter, rows: usize, now: DateTime<Utc>) -> (Vec<Order>, usize) {
    let (mut all, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = world.store.orders(filter, after, size(rows), now).unwrap();
        assert!(page.orders.len() <= rows);
        all.extend(page.orders);
        pages += 1;
        after = page.next;
        if after.is_none() {
            return (all, pages);
        }
    }
}

fn assert_products(shop: &Shop, now: DateTime<Utc>) {
    let queries = &shop.world.store;
    let totals = |product: &Product| ProductTotals {
        sku: product.sku().clone(),
        promises: product.promises(),
        totals: product.totals(now).unwrap(),
    };
    let expected: Vec<_> = shop.truth.iter().map(totals).collect();
    for rows in [1, 2, 3, 100] {
        let read = paged(rows, |last: Option<&ProductTotals>, page| {
            queries.products(last.map(|last| last.sku.clone()), page, now).unwrap()
        });
        assert_eq!(read, expected, "pages of {rows}");
    }
    for (product, expected) in shop.truth.iter().zip(expected) {
        assert_eq!(queries.product(product.sku(), now).unwrap(), Some(expected));
        let availability = product.availability(now).unwrap();
        assert_eq!(queries.availability(product.sku(), now).unwrap(), Some(availability), "{}", product.sku());
    }
}

fn assert_batches(shop: &Shop, now: DateTime<Utc>) {
    for name in SKUS {
        let filter = BatchFilter { sku: Some(sku(name)) };
        let listed = shop.world.batches_at(&filter, 2, now);
        let known = shop.truth.get(&sku(name)).unwrap().batches();
        assert_eq!(listed.len(), known.len());
        for batch in known {
            let read = shop.world.store.batch(batch.reference(), now).unwrap().unwrap();
            assert_eq!(read, batch.clone().with_allocated(shop.allocated(batch.reference(), now)).unwrap());
            assert!(listed.contains(&read));
        }
    }
    assert_eq!(
        shop.world.batches_at(&BatchFilter::default(), 3, now).len(),
        shop.truth.iter().map(|product| product.batches().len()).sum::<usize>()
    );
}

fn assert_allocations(shop: &Shop, now: DateTime<Utc>) {
    let all = shop.allocations(now);
    for rows in [1, 2, 3, 1_000] {
        assert_eq!(shop.world.allocations_at(&AllocationFilter::default(), rows, now), all, "pages of {rows}");
    }
    for placed in shop.orders() {
        let of_order: Vec<_> = all.iter().filter(|row| row.order_id == placed.order_id).cloned().collect();
        let filter = AllocationFilter { order_id: Some(placed.order_id), ..AllocationFilter::default() };
        for rows in [1, 2, 1_000] {
            assert_eq!(shop.world.allocations_at(&filter, rows, now), of_order, "pages of {rows}");
        }
    }
}

fn assert_backorders(shop: &Shop, now: DateTime<Utc>) {
    let all = shop.backorders(now);
    for name in [None].into_iter().chain(SKUS.map(Some)) {
        let filter = BackorderFilter { sku: name.map(sku) };
        let fits = |row: &&Backorder| filter.sku.as_ref().is_none_or(|sku| row.sku == *sku);
        let expected: Vec<_> = all.iter().filter(fits).cloned().collect();
        for rows in [1, 2, 3, 1_000] {
            let read = paged(rows, |last: Option<&Backorder>, page| {
                shop.world.store.backorders(&filter, last.map(BackorderCursor::from), page, now).unwrap()
            });
            assert_eq!(read, expected, "{filter:?} in pages of {rows}");
        }
    }
}

fn assert_orders(shop: &Shop, now: DateTime<Utc>) {
    let all = shop.orders();
    for expected in &all {
        assert_eq!(shop.world.store.order(&expected.order_id).unwrap().as_ref(), Some(expected));
    }
    for status in [None].into_iter().chain(STATUSES.map(Some)) {
        for name in [None].into_iter().chain(SKUS.map(Some)) {
            let filter = OrderFilter { status, sku: name.map(sku) };
            let has_sku = |order: &Order| order.lines.iter().any(|(ordered, _)| Some(ordered) == filter.sku.as_ref());
            let fits = |order: &&Order| {
                status.is_none_or(|status| order.status(now) == status) && (filter.sku.is_none() || has_sku(order))
            };
            let expected: Vec<_> = all.iter().filter(fits).cloned().collect();
            for rows in [1, 3, 1_000] {
                let (read, pages) = paged_orders(&shop.world, &filter, rows, now);
                assert_eq!(read, expected, "{filter:?} in pages of {rows}");
                if status.is_none() {
                    assert_eq!(pages, expected.len().div_ceil(rows).max(1), "the last page says that it is");
                }
            }
        }
    }
}

fn assert_histories(shop: &Shop) {
    for placed in shop.orders() {
        let expected = shop.history(&placed.order_id);
        for rows in [1, 3, 1_000] {
            let read = paged(rows, |last: Option<&RecordedEvent>, page| {
                shop.world
                    .store
                    .history(&Subject::Order(placed.order_id.clone()), last.map(EventCursor::from), page)
                    .unwrap()
            });
            assert_eq!(read, expected, "{} in pages of {rows}", placed.order_id);
        }
    }
}

/// The movements of a product are its events that move units, in the order of the log, and add up to what it has.
fn assert_movements(shop: &Shop, now: DateTime<Utc>) {
    shop.world.sequence_all();
    for name in SKUS.map(sku) {
        let expected: Vec<_> =
            shop.events_of(&name).filter(|recorded| recorded.event.moved_units().is_some()).collect();
        for rows in [1, 3, 1_000] {
            let (mut read, mut after) = (Vec::new(), Some(0));
            while let Some(start) = after {
                let page = shop.world.store.movements(&name, start, size(rows)).unwrap();
                assert!(page.movements.len() <= rows && page.next.is_none_or(|next| next > start));
                assert!(page.movements.iter().all(|(position, _)| *position > start));
                read.extend(page.movements.into_iter().map(|(_, recorded)| recorded));
                after = page.next;
            }
            assert!(read.iter().eq(expected.iter().copied()), "{name} in pages of {rows}");
        }
        let totals = shop.world.store.product(&name, now).unwrap().unwrap();
        let moved: i64 = expected.iter().filter_map(|recorded| recorded.event.moved_units()).sum();
        assert_eq!(moved, i64::try_from(totals.totals.in_stock + totals.totals.on_its_way).unwrap(), "{name}");
    }
}

fn assert_pick_lists(shop: &Shop) {
    let all = shop.pick_lists();
    for (list_id, expected) in &all {
        let read = shop.world.store.pick_list(list_id).unwrap().unwrap();
        assert_eq!(&read.list, expected);
        assert!(read.created_at >= seconds(0));
    }
    for status in [None].into_iter().chain(PICK_STATUSES.map(Some)) {
        let fits = all.values().filter(|list| status.is_none_or(|status| list.status() == status));
        let expected: Vec<_> = fits.map(|list| (&list.list_id, list.status(), list.lines.len())).collect();
        for rows in [1, 3, 1_000] {
            let read = shop.listed(&PickListFilter { status }, rows);
            let lines = |count: u32| usize::try_from(count).unwrap();
            let read: Vec<_> =
                read.iter().map(|list| (&list.list_id, list.status(), lines(list.counts.lines))).collect();
            assert_eq!(read, expected, "{status:?} in pages of {rows}");
        }
    }
}

fn assert_read_as_it_is(shop: &Shop, now: DateTime<Utc>) {
    assert_products(shop, now);
    assert_batches(shop, now);
    assert_allocations(shop, now);
    assert_backorders(shop, now);
    assert_orders(shop, now);
    assert_pick_lists(shop);
}

pub fn reads_after_a_random_history_agree_with_the_domain(database: TestDatabase) {
    let mut shop = Shop::new(database);
    let (mut random, mut statuses) = (fastrand::Rng::with_seed(2), HashSet::new());
    let mut of_lists = HashSet::new();
    // At least 700 steps, and more until every status was seen.
    for second in 0..2_100 {
        shop.step(&mut random, seconds(second));
        of_lists.extend(shop.pick_lists().values().map(PickList::status));
        if second % 27 == 26 {
            // Holds that expire meanwhile are not released yet.
            for later in [0, 15] {
                statuses.extend(shop.orders().iter().map(|order| order.status(seconds(second + later))));
                assert_read_as_it_is(&shop, seconds(second + later));
            }
            shop.world.assert_counters_equal_sums();
            shop.world.assert_totals_equal_sums();
            if second > 690 && of_lists.len() == PICK_STATUSES.len() && statuses.len() == STATUSES.len() {
                break;
            }
        }
    }
    assert_histories(&shop);
    assert_movements(&shop, seconds(700));
    shop.world.assert_events_are_in_order();
    assert_eq!(of_lists.len(), PICK_STATUSES.len(), "{of_lists:?}");
    assert!(shop.kinds().len() >= 19 && statuses.len() == STATUSES.len(), "{:?} {statuses:?}", shop.kinds());
}

pub fn missing_rows_are_not_found(database: TestDatabase) {
    let shop = Shop::new(database);
    let (queries, now) = (&shop.world.store, seconds(0));
    assert_eq!(queries.product(&sku("NONE"), now).unwrap(), None);
    assert_eq!(queries.availability(&sku("NONE"), now).unwrap(), None);
    assert_eq!(queries.availability(&sku("LAMP"), now).unwrap().unwrap().series(), []);
    assert_eq!(queries.order(&order("NONE")).unwrap(), None);
    assert!(queries.history(&Subject::Order(order("NONE")), None, PageSize::default()).unwrap().is_empty());
    let after_last = Some(sku("ZZZ"));
    assert!(queries.products(after_last, PageSize::default(), now).unwrap().is_empty());
    assert_eq!(paged_orders(&shop.world, &OrderFilter::default(), 1, now), (vec![], 1));
}

/// Adds many orders of one allocated line each.
fn many_orders(database: TestDatabase, count: u32) -> World {
    let world = World::new(database);
    world.add("LAMP", "B", count, Eta::InStock);
    world.database.execute(&format!(
        "INSERT INTO order_lines (sku, order_id, quantity, reference, allocated)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         SELECT 'LAMP', 'O-' || (10000 + i), 1, 'B', 1 FROM n;
         UPDATE batches SET allocated_quantity = {count}"
    ));
    world
}

pub fn a_page_looks_through_a_bounded_number_of_orders(database: TestDatabase) {
    let world = many_orders(database, 4_500);
    let filter = |status, name: Option<&str>| OrderFilter { status: Some(status), sku: name.map(sku) };
    for name in [None, Some("LAMP")] {
        assert_eq!(paged_orders(&world, &filter(OrderStatus::Held, name), 5, seconds(0)), (vec![], 1));
    }
    let cancelled = filter(OrderStatus::Cancelled, Some("LAMP"));
    let page = world.store.orders(&cancelled, None, size(5), seconds(0)).unwrap();
    assert_eq!((page.orders.len(), page.next), (0, Some(order("O-12000"))), "of 2,000 orders none fits");
    assert_eq!(paged_orders(&world, &cancelled, 5, seconds(0)), (vec![], 3));
    for status in STATUSES.into_iter().filter(|status| *status != OrderStatus::Allocated) {
        assert_eq!(paged_orders(&world, &filter(status, None), 5, seconds(0)), (vec![], 1), "{status:?} has an index");
    }
    let (allocated, _) = paged_orders(&world, &filter(OrderStatus::Allocated, None), 1_000, seconds(0));
    assert_eq!(allocated.len(), 4_500);
}

pub fn an_order_of_the_past_does_not_hide_a_later_one(database: TestDatabase) {
    let world = many_orders(database, 2_100);
    world.database.execute("UPDATE order_lines SET ended = 'cancelled' WHERE order_id < 'O-12050'");
    let cancelled = OrderFilter { status: Some(OrderStatus::Expired), sku: None };
    let names = |orders: Vec<Order>| orders.into_iter().map(|order| order.order_id).collect::<Vec<OrderId>>();
    world.database.execute("UPDATE order_lines SET ended = 'expired' WHERE order_id = 'O-12040'");
    let now = seconds(0) + TimeDelta::seconds(1);
    assert_eq!(names(paged_orders(&world, &cancelled, 10, now).0), [order("O-12040")]);
}

pub fn the_largest_order_is_read_whole(database: TestDatabase) {
    let world = World::new(database);
    let names: Vec<_> = (0..NewOrder::MAX_LINES).map(|number| format!("SKU-{number:03}")).collect();
    let lines: Vec<_> = names.iter().map(|name| (name.as_str(), 2)).collect();
    let placed = new_order("O", &lines, waits(0));
    for name in names.iter().step_by(7) {
        world.add(name, &format!("{name}-1"), 1, Eta::InStock);
        world.add(name, &format!("{name}-2"), 1, Eta::InStock);
    }
    let skus: Vec<_> = names.iter().map(String::as_str).collect();
    let mut unit = world.begin();
    let locked = unit.products().lock(&wanted(&skus, placed.order_id(), 0)).unwrap();
    let mut products: Products = locked.into_iter().collect();
    let whole = decide(&mut *unit, &mut products, |products| products.place(&placed, seconds(0))).unwrap();
    unit.products().save(&products.into_iter().collect::<Vec<_>>(), &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    assert_eq!(whole.lines.len(), NewOrder::MAX_LINES);
    assert_eq!(world.store.order(placed.order_id()).unwrap().as_ref(), Some(&whole));
    let filter = OrderFilter { status: Some(OrderStatus::PartiallyAllocated), sku: Some(sku("SKU-499")) };
    assert_eq!(paged_orders(&world, &filter, 1, seconds(0)).0, [whole]);
    assert_eq!(world.begin().orders().skus_of(placed.order_id()).unwrap().len(), NewOrder::MAX_LINES);
    let filter = AllocationFilter { order_id: Some(placed.order_id().clone()), ..AllocationFilter::default() };
    assert_eq!(world.allocations(&filter, 7), world.allocations(&filter, 1_000));
    assert_eq!(world.allocations(&filter, 1_000).len(), 2 * NewOrder::MAX_LINES.div_ceil(7));
}

pub fn a_page_of_large_orders_ends_early(database: TestDatabase) {
    let world = World::new(database);
    world.insert_lines(
        "INSERT INTO order_lines (sku, order_id, quantity, waiting)
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 14999)
         SELECT 'SKU-' || (i % 500), 'O-' || (100 + i / 500), 1, 1 FROM n",
    );
    for status in [None, Some(OrderStatus::Short)] {
        let filter = OrderFilter { status, sku: None };
        let page = world.store.orders(&filter, None, size(1_000), seconds(0)).unwrap();
        assert_eq!((page.orders.len(), page.next), (20, Some(order("O-119"))), "10,000 lines");
        let (all, pages) = paged_orders(&world, &filter, 1_000, seconds(0));
        assert_eq!((all.len(), pages), (30, 2));
        assert!(all.iter().zip(100..).all(|(read, number)| read.order_id == order(&format!("O-{number}"))));
        assert!(all.iter().all(|order| order.lines.len() == 500));
        assert_eq!(paged_orders(&world, &filter, 7, seconds(0)), (all, 5));
    }
}

pub fn the_availability_of_a_thousand_open_batches_counts_them_all(database: TestDatabase) {
    let world = World::new(database);
    let wanted = LockRequest { create: true, ..LockRequest::product(sku("LAMP")) };
    let add = |product: &mut Product| {
        for number in 0..1_000 {
            let eta = due(&format!("2027-{:02}-{:02}", number % 12 + 1, number % 28 + 1));
            product.add_batch(NewBatch::new(reference(&format!("B-{number}")), quantity(2), eta), world.now()).unwrap();
        }
    };
    world.change(wanted, add).unwrap();
    let availability = world.store.availability(&sku("LAMP"), seconds(0)).unwrap().unwrap();
    assert_eq!(availability.series().last().unwrap().available, 2_000);
    assert!(availability.series().len() > 12, "{availability:?}");
}

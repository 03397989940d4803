use crate::database::TestDatabase;
use crate::world::{World, due, instant, order, reference, sku};
use allocation_domain::{Batch, Eta};
use allocation_ports::{
    AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow, BatchCursor, BatchFilter, BatchQueries,
    OverdueCursor, PageSize,
};
use chrono::DateTime;

/// Identifiers that only a comparison by bytes sorts in this order.
const NAMES: [&str; 6] = ["B", "a", "b", "Ä", "ä", "🪑"];

pub fn batches_are_listed_in_the_order_they_were_added(database: TestDatabase) {
    let world = World::new(database);
    // Each belongs to its own product: a product has no two batches of one instant.
    for name in NAMES.iter().rev() {
        world.add_at(name, name, 1, Eta::InStock, instant(1));
    }
    world.add_at("LAMP", "later", 1, Eta::InStock, instant(2));
    world.add_at("CHAIR", "earlier", 1, Eta::InStock, instant(0));
    let expected: Vec<_> = ["earlier"].into_iter().chain(NAMES).chain(["later"]).collect();
    for page in [1, 2, 3, 8, 9] {
        let batches = world.batches(&BatchFilter::default(), page);
        let names: Vec<_> = batches.iter().map(|batch| batch.reference().as_str()).collect();
        assert_eq!(names, expected, "pages of {page}");
    }
}

pub fn batches_of_one_sku_are_listed(database: TestDatabase) {
    let world = World::new(database);
    for number in 0..10 {
        let sku = if number % 3 == 0 { "LAMP" } else { "LAMP-2" };
        world.add_at(sku, &format!("B-{number}"), 1, Eta::InStock, instant(number));
    }
    let lamps = |page| world.batches(&BatchFilter { sku: Some(sku("LAMP")) }, page);
    for page in [1, 2, 4, 5] {
        let names: Vec<_> = lamps(page).iter().map(|batch| batch.reference().to_string()).collect();
        assert_eq!(names, ["B-0", "B-3", "B-6", "B-9"]);
    }
    assert_eq!(lamps(4)[0], world.batch("B-0").unwrap());
    assert!(world.batches(&BatchFilter { sku: Some(sku("NONE")) }, 5).is_empty());
    // A cursor between rows, as after its batch was removed.
    let between = BatchCursor { added_at: instant(4), reference: reference("B-4-and-more") };
    let page =
        world.store.batches(&BatchFilter { sku: Some(sku("LAMP")) }, Some(between), PageSize::default(), instant(0));
    assert_eq!(page.unwrap()[0].reference(), &reference("B-6"));
}

/// Every order allocates a unit of every batch of every SKU.
fn world_with_allocations(database: TestDatabase) -> (World, Vec<AllocationRow>) {
    let world = World::new(database);
    for name in NAMES {
        for number in 0..2 {
            world.add(name, &format!("{name}-{number}"), 6, Eta::InStock);
        }
    }
    world.insert_lines(
        "INSERT INTO order_lines (sku, order_id, quantity)
         SELECT p.sku, o.sku, 2 FROM products p CROSS JOIN products o;
         INSERT INTO line_parts (sku, order_id, reference, quantity, precedence, placed_at)
         SELECT l.sku, l.order_id, b.reference, 1, l.precedence, l.placed_at FROM order_lines l JOIN batches b ON b.sku = l.sku;
         UPDATE batches SET allocated_quantity = 6",
    );
    let mut rows = Vec::new();
    for name in NAMES {
        for order_id in NAMES {
            for number in 0..2 {
                rows.push(AllocationRow {
                    order_id: order(order_id),
                    sku: sku(name),
                    quantity: crate::world::quantity(1),
                    reference: reference(&format!("{name}-{number}")),
                    priority: 0,
                    placed_at: DateTime::UNIX_EPOCH,
                });
            }
        }
    }
    (world, rows)
}

pub fn allocations_are_listed_by_bytes(database: TestDatabase) {
    let (world, expected) = world_with_allocations(database);
    for page in [1, 7, 72, 1000] {
        assert_eq!(world.allocations(&AllocationFilter::default(), page), expected, "pages of {page}");
    }
}

fn every_filter() -> impl Iterator<Item = AllocationFilter> {
    let names = || [None].into_iter().chain(["a", "Ä", "none"].map(Some));
    let references = || [None].into_iter().chain(["a-0", "Ä-1", "none"].map(Some));
    names().flat_map(move |name| {
        names().flat_map(move |order_id| {
            references().map(move |batch| AllocationFilter {
                sku: name.map(sku),
                order_id: order_id.map(order),
                reference: batch.map(reference),
            })
        })
    })
}

fn fits(filter: &AllocationFilter, row: &AllocationRow) -> bool {
    filter.sku.as_ref().is_none_or(|sku| *sku == row.sku)
        && filter.order_id.as_ref().is_none_or(|order_id| *order_id == row.order_id)
        && filter.reference.as_ref().is_none_or(|reference| *reference == row.reference)
}

pub fn every_filter_of_allocations_returns_exactly_the_matching_rows(database: TestDatabase) {
    let (world, all) = world_with_allocations(database);
    for filter in every_filter() {
        let expected: Vec<_> = all.iter().filter(|row| fits(&filter, row)).cloned().collect();
        for page in [1, 5, 100] {
            assert_eq!(world.allocations(&filter, page), expected, "{filter:?} in pages of {page}");
        }
    }
}

pub fn a_cursor_between_rows_or_of_another_list_cuts_at_its_place(database: TestDatabase) {
    let (world, all) = world_with_allocations(database);
    let place = |row: &AllocationRow| (row.sku.clone(), row.order_id.clone(), row.reference.clone());
    let cursors = ["A", "Z", "a", "Ä", "~"].map(|text| AllocationCursor {
        sku: sku(text),
        order_id: order(text),
        reference: reference(&format!("{text}-0")),
        priority: 0,
        placed_at: DateTime::UNIX_EPOCH,
    });
    for filter in every_filter() {
        for cursor in &cursors {
            let after = (cursor.sku.clone(), cursor.order_id.clone(), cursor.reference.clone());
            let expected: Vec<_> = all.iter().filter(|row| fits(&filter, row) && place(row) > after).cloned().collect();
            let rows = world.store.allocations(&filter, Some(cursor.clone()), PageSize::default(), instant(0)).unwrap();
            assert_eq!(rows, expected, "{filter:?} after {cursor:?}");
        }
    }
}

pub fn an_unknown_batch_or_one_of_another_sku_has_no_allocations(database: TestDatabase) {
    let (world, _) = world_with_allocations(database);
    let of_batch = |name: &str, batch: &str| AllocationFilter {
        sku: Some(sku(name)),
        reference: Some(reference(batch)),
        order_id: None,
    };
    assert!(world.allocations(&of_batch("a", "b-0"), 100).is_empty());
    assert!(world.allocations(&of_batch("a", "none"), 100).is_empty());
    assert_eq!(world.allocations(&of_batch("a", "a-0"), 100).len(), 6);
}

pub fn overdue_batches_are_listed_the_longest_overdue_first(database: TestDatabase) {
    let world = World::new(database);
    let today: chrono::NaiveDate = "2027-01-15".parse().unwrap();
    for (name, batch, eta) in [
        ("LAMP", "L-STOCK", Eta::InStock),
        ("LAMP", "L-TODAY", due("2027-01-15")),
        ("LAMP", "L-YESTERDAY", due("2027-01-14")),
        ("SOFA", "S-YESTERDAY", due("2027-01-14")),
        ("SOFA", "S-ANCIENT", due("0001-01-01")),
        ("LAMP", "L-LATER", due("2027-03-01")),
        ("LAMP", "L-OLD", due("2026-12-31")),
    ] {
        world.add(name, batch, 5, eta);
    }
    let listed = |filter: &BatchFilter, size: u16| {
        let mut rows: Vec<Batch> = Vec::new();
        loop {
            let after = rows.last().map(OverdueCursor::from);
            let page = PageSize::new(size).unwrap();
            let more = world.store.overdue_batches(filter, today, after, page, instant(0)).unwrap();
            let last = more.len() < usize::from(size);
            rows.extend(more);
            if last {
                return rows.iter().map(|batch| batch.reference().to_string()).collect::<Vec<_>>();
            }
        }
    };
    for size in [1, 2, 3, 100] {
        let all = ["S-ANCIENT", "L-OLD", "L-YESTERDAY", "S-YESTERDAY"];
        assert_eq!(listed(&BatchFilter::default(), size), all, "pages of {size}");
        let lamps = BatchFilter { sku: Some(sku("LAMP")) };
        assert_eq!(listed(&lamps, size), ["L-OLD", "L-YESTERDAY"], "pages of {size}");
    }
    // A received batch is not overdue; nor is one that was postponed.
    world.database.execute("UPDATE batches SET eta = NULL WHERE reference = 'L-OLD'");
    world.database.execute("UPDATE batches SET eta = '2027-02-01' WHERE reference = 'S-ANCIENT'");
    assert_eq!(listed(&BatchFilter::default(), 100), ["L-YESTERDAY", "S-YESTERDAY"]);
}

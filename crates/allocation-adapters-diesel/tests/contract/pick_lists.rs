//! Pick lists: their candidates, and their stored lines.

use crate::database::TestDatabase;
use crate::picking::list_id;
use crate::world::{World, due, held, instant, new_order, order, quantity, reference, sku, to_allocate, waits};
use allocation_domain::{
    Eta, NewBatch, NewPickList, OrderTerms, PickCriteria, PickLineId, PickList, PickListStatus, PickStatus, Products,
    Units,
};
use allocation_ports::{
    EventContexts, LockRequest, PageSize, PickCandidates, PickListFilter, PickListQueries, StoreError, UnitOfWork,
};

/// The candidates of a list of some lines, as `SKU order`.
fn found(world: &World, criteria: PickCriteria, most: usize) -> Vec<String> {
    let found = world.store.pickable(&criteria, most).unwrap();
    assert!(found.complete);
    found.lines.iter().map(|(name, order_id)| format!("{name} {order_id}")).collect()
}

fn lock(unit: &mut dyn UnitOfWork, lines: &[(&str, &str)]) -> Products {
    let wanted: Vec<_> = lines
        .iter()
        .map(|(name, order_id)| LockRequest { order_ids: vec![order(order_id)], ..LockRequest::product(sku(name)) })
        .collect();
    unit.products().lock(&wanted).unwrap().into_iter().collect()
}

fn save(mut unit: Box<dyn UnitOfWork>, products: Products) {
    unit.products().save(&products.into_iter().collect::<Vec<_>>(), &EventContexts::default()).unwrap();
    unit.commit().unwrap();
}

/// Puts lines, each of another SKU, on a list.
fn make(world: &World, name: &str, lines: &[(&str, &str)]) -> PickList {
    let mut unit = world.begin();
    let mut products = lock(&mut *unit, lines);
    let asked = NewPickList::new(list_id(name), PickCriteria::default());
    let list = products.make_pick_list(&asked).unwrap();
    unit.pick_lists().add(&asked, instant(50)).unwrap();
    save(unit, products);
    list
}

fn pick(world: &World, list: &str, line: u32, units: u32) {
    let id = PickLineId { list: list_id(list), line };
    let mut unit = world.begin();
    let before = unit.pick_lists().find_lines(std::slice::from_ref(&id)).unwrap().remove(&id).unwrap();
    let mut products = lock(&mut *unit, &[(before.sku.as_str(), before.order_id.as_str())]);
    let product = products.get_mut(&before.sku).unwrap();
    assert_eq!(product.pick_line(&id), Some(&before), "it comes with its order line");
    product.pick(&id, Units::new(units).unwrap(), instant(0)).unwrap();
    save(unit, products);
}

pub fn a_list_takes_firm_units_in_stock_that_are_on_no_list(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.add("LAMP", "B-2", 15, due("2027-01-01"));
    world.add("SOFA", "A-1", 100, Eta::InStock);
    world.allocate("LAMP", "FIRM", 3).unwrap();
    world.place(&new_order("HELD", &[("LAMP", 1)], held(600)), world.now());
    world.allocate("LAMP", "LATE", 9).unwrap();
    world.allocate("SOFA", "LISTED", 2).unwrap();
    world.allocate("SOFA", "PICKED", 2).unwrap();
    world.allocate("SOFA", "FIRM", 2).unwrap();
    assert_eq!(make(&world, "P-1", &[("SOFA", "LISTED")]).lines.len(), 1);
    make(&world, "P-2", &[("SOFA", "PICKED")]);
    pick(&world, "P-2", 1, 2);
    let split = new_order("SPLIT", &[("LAMP", 7)], OrderTerms::default());
    world.place(&split, world.now());
    // One of its seven units is in stock.
    assert_eq!(found(&world, PickCriteria::default(), 9), ["LAMP FIRM", "LAMP SPLIT", "SOFA FIRM"]);
    let of_orders = |names: &[&str]| PickCriteria {
        order_ids: Some(names.iter().map(|name| order(name)).collect()),
        ..PickCriteria::default()
    };
    assert_eq!(found(&world, of_orders(&["FIRM", "HELD", "LISTED"]), 9), ["LAMP FIRM", "SOFA FIRM"]);
    let batches = Some(["A-1", "B-2", "NONE"].map(reference).into());
    assert_eq!(found(&world, PickCriteria { references: batches, ..PickCriteria::default() }, 9), ["SOFA FIRM"]);
    let skus = Some(["LAMP", "NONE"].map(sku).into());
    assert_eq!(found(&world, PickCriteria { skus, ..PickCriteria::default() }, 9), ["LAMP FIRM", "LAMP SPLIT"]);
    let none = PickCriteria { skus: Some([].into()), ..PickCriteria::default() };
    assert_eq!(found(&world, none, 9), [""; 0]);
}

pub fn the_first_lines_of_the_first_batches_are_found(database: TestDatabase) {
    let world = World::new(database);
    for (name, batch) in [("RUG", "B-3"), ("LAMP", "B-1"), ("SOFA", "B-2")] {
        world.add(name, batch, 100, Eta::InStock);
        for (number, priority) in [(1, 0), (2, 7), (3, -1), (4, 7)] {
            world.place(&new_order(&format!("{name}-{number}"), &[(name, 1)], waits(priority)), world.now());
        }
    }
    let first = |most| found(&world, PickCriteria::default(), most);
    assert_eq!(first(3), ["LAMP LAMP-1", "LAMP LAMP-2", "LAMP LAMP-4"]);
    assert_eq!(first(5), ["LAMP LAMP-1", "LAMP LAMP-2", "LAMP LAMP-3", "LAMP LAMP-4", "SOFA SOFA-2"]);
    assert_eq!(first(12).len(), 12);
    let skus = Some(["RUG", "SOFA"].map(sku).into());
    assert_eq!(found(&world, PickCriteria { skus, ..PickCriteria::default() }, 1), ["SOFA SOFA-2"]);
}

pub fn a_thousand_batches_are_passed_over_for_the_one_in_stock(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "Z", 1, Eta::InStock);
    world.allocate("LAMP", "LAST", 1).unwrap();
    world
        .change(LockRequest { open_batches: true, ..LockRequest::product(sku("LAMP")) }, |product| {
            for number in 0..300 {
                let batch = reference(&format!("B-{number:03}"));
                let eta = if number % 2 == 0 { due("2027-01-01") } else { Eta::InStock };
                product.add_batch(NewBatch::new(batch, quantity(1), eta), instant(9)).unwrap();
            }
            for number in 0..300 {
                product.allocate(&order(&format!("O-{number:03}")), quantity(1), instant(9)).unwrap();
            }
        })
        .unwrap();
    assert_eq!(found(&world, PickCriteria::default(), 1_000).len(), 151);
    assert_eq!(found(&world, PickCriteria::default(), 7).len(), 7);
}

/// Adds a batch in stock with lines of one unit, placed one after the other, the greatest id first. The
/// first of them are on a list, or on hold.
fn add_crowded_batch(world: &World, batch: &str, lines: u32, listed: u32, held: u32) {
    world.add("LAMP", batch, lines, Eta::InStock);
    world.database.execute(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {lines})
         INSERT INTO order_lines
             (sku, order_id, quantity, reference, allocated, placed_at, precedence, listed, expires_at)
         SELECT 'LAMP', '{batch}-' || (9000000 - n), 1, '{batch}', 1, n, CASE WHEN n = {lines} THEN -8 ELSE -1 END,
                CASE WHEN n <= {listed} THEN 1 ELSE 0 END,
                CASE WHEN n <= {held} THEN 4000000000000000 END
         FROM numbers"
    ));
    world.database.execute(&format!(
        "INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity)
         SELECT 'L-{batch}', placed_at, sku, order_id, '{batch}', 1 FROM order_lines
         WHERE order_id LIKE '{batch}-%' AND listed = 1"
    ));
    world.database.execute(&format!("UPDATE batches SET allocated_quantity = {lines} WHERE reference = '{batch}'"));
}

pub fn the_first_lines_of_a_crowded_batch_are_found_in_the_order_in_which_they_are_served(database: TestDatabase) {
    let world = World::new(database);
    add_crowded_batch(&world, "B", 20_000, 5_000, 0);
    // The last has priority; the first 5,000 are on a list, which is more than one page.
    assert_eq!(found(&world, PickCriteria::default(), 3), ["LAMP B-8980000", "LAMP B-8994998", "LAMP B-8994999"]);
}

pub fn a_search_ends_at_its_bound_with_what_it_has_found(database: TestDatabase) {
    let world = World::new(database);
    add_crowded_batch(&world, "B", 1_010_000, 0, 1_000_000);
    let search = |criteria: PickCriteria| world.store.pickable(&criteria, 1_000).unwrap();
    let of_batch = PickCriteria { references: Some([reference("B")].into()), ..PickCriteria::default() };
    for criteria in [PickCriteria::default(), of_batch] {
        let found = search(criteria);
        assert!(!found.complete && found.lines.len() == 1, "only the one with priority: {found:?}");
    }
    let order_ids = Some(["B-8880000", "B-8800000", "B-8880001"].map(order).into());
    let found = search(PickCriteria { order_ids, ..PickCriteria::default() });
    assert_eq!((found.complete, found.lines.len()), (true, 0), "these are on hold");
}

/// Places an order of lamps and rugs that ships complete.
fn place_complete(world: &World, name: &str, lamps: u32, rugs: u32) {
    let terms = OrderTerms { ship_complete: true, ..waits(0) };
    let placed = new_order(name, &[("LAMP", lamps), ("RUG", rugs)], terms);
    let mut unit = world.begin();
    let wanted = ["LAMP", "RUG"].map(|of| to_allocate(of, &[name]));
    let mut products: Products = unit.products().lock(&wanted).unwrap().into_iter().collect();
    products.place(&placed, world.now()).unwrap();
    save(unit, products);
}

pub fn orders_that_ship_complete_are_found_once_all_of_them_is_in_stock(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "L-1", 20, Eta::InStock);
    world.add("RUG", "R-1", 4, Eta::InStock);
    place_complete(&world, "WHOLE", 2, 3);
    place_complete(&world, "WAITS", 2, 3);
    world.allocate("LAMP", "PARTS", 1).unwrap();
    let search = |criteria: PickCriteria| {
        let found = world.store.pickable(&criteria, 9).unwrap();
        let lines: Vec<_> = found.lines.iter().map(|(name, order_id)| format!("{name} {order_id}")).collect();
        (lines, found.ship_complete.into_iter().map(|it| it.to_string()).collect::<Vec<_>>())
    };
    let of_orders = |names: &[&str]| PickCriteria {
        order_ids: Some(names.iter().map(|name| order(name)).collect()),
        ..PickCriteria::default()
    };
    let all = || search(PickCriteria::default());
    let lines = |text: &[&str]| text.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert_eq!(all(), (lines(&["LAMP PARTS", "LAMP WHOLE", "RUG WHOLE"]), lines(&["WHOLE"])));
    assert_eq!(search(of_orders(&["WAITS"])), (Vec::new(), Vec::new()));
    assert_eq!(search(of_orders(&["PARTS", "WHOLE"])), all());
    let lamps = PickCriteria { skus: Some([sku("LAMP")].into()), ..PickCriteria::default() };
    assert_eq!(search(lamps), (lines(&["LAMP PARTS", "LAMP WHOLE"]), lines(&["WHOLE"])));
    world.add("RUG", "R-2", 9, due("2027-01-01"));
    assert_eq!(all().1, ["WHOLE"], "its rugs are on their way");
    world.add("RUG", "R-3", 9, Eta::InStock);
    assert_eq!(all().1, ["WAITS", "WHOLE"], "its rugs move to stock");
    world.deallocate("RUG", "WHOLE", "R-1").unwrap();
    let left = lines(&["LAMP PARTS", "LAMP WAITS", "RUG WAITS"]);
    assert_eq!(all(), (left, lines(&["WAITS"])), "a released unit is no longer allocated");
}

pub fn a_list_is_added_once_and_found_with_its_lines(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.allocate("LAMP", "O", 3).unwrap();
    let made = make(&world, "P", &[("LAMP", "O")]);
    let again = world.begin().pick_lists().add(&NewPickList::new(list_id("P"), PickCriteria::default()), instant(0));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let stored = world.begin().pick_lists().find(&list_id("P")).unwrap().unwrap();
    assert_eq!((&stored.list, stored.created_at), (&made, instant(50)));
    assert_eq!(world.store.pick_list(&list_id("P")).unwrap(), Some(stored));
    assert_eq!(world.store.pick_list(&list_id("NONE")).unwrap(), None);
    let ids = [0, 1, 2, u32::MAX].map(|line| PickLineId { list: list_id("P"), line });
    let found = world.begin().pick_lists().find_lines(&ids).unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(ids[1].clone(), made.lines[&1].clone())]);
}

pub fn the_criteria_of_a_list_are_stored(database: TestDatabase) {
    let world = World::new(database);
    let all = NewPickList::new(list_id("ALL"), PickCriteria::default());
    let criteria = PickCriteria {
        references: Some(["B \"1\"", "\\"].map(reference).into()),
        skus: Some(["字", "LAMP"].map(sku).into()),
        order_ids: Some([].into()),
    };
    let some = NewPickList::new(list_id("SOME"), criteria).with_max_lines(7).unwrap();
    for list in [&all, &some] {
        let mut unit = world.begin();
        unit.pick_lists().add(list, instant(0)).unwrap();
        unit.commit().unwrap();
    }
    for list in [&all, &some] {
        assert_eq!(world.begin().pick_lists().request(list.list_id()).unwrap().as_ref(), Some(list));
    }
    assert_eq!(world.begin().pick_lists().request(&list_id("NONE")).unwrap(), None);
}

pub fn pick_lines_outlive_their_order_line_and_their_batch(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.allocate("LAMP", "O", 3).unwrap();
    make(&world, "P", &[("LAMP", "O")]);
    world.deallocate("LAMP", "O", "B-1").unwrap();
    world.remove_batch("LAMP", "B-1");
    assert_eq!(world.database.count("SELECT count(*) FROM order_lines"), 0);
    let list = world.store.pick_list(&list_id("P")).unwrap().unwrap().list;
    assert_eq!((list.status(), list.lines[&1].status), (PickListStatus::Withdrawn, PickStatus::Withdrawn));
    world.assert_counters_equal_sums();
}

pub fn a_page_of_lists_looks_through_a_bounded_number_of_them(database: TestDatabase) {
    let world = World::new(database);
    let numbers = "SELECT 1000 * a.n + 100 * b.n + 10 * c.n + d.n AS n FROM digits a, digits b, digits c, digits d";
    world.database.execute(&format!(
        "WITH digits (n) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))
         INSERT INTO pick_lists (list_id, created_at, request)
         SELECT 'P-' || (10000 + n), 0, '[null,null,null,1000]' FROM ({numbers}) AS t WHERE n < 2500",
    ));
    world.database.execute(
        "INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity, picked, status)
         VALUES ('P-12400', 1, 'LAMP', 'O', 'B', 1, 1, 'shipped')",
    );
    let filter = PickListFilter { status: Some(PickListStatus::Shipped) };
    let (mut pages, mut after, mut lists) = (0, None, Vec::new());
    loop {
        let page = world.store.pick_lists(&filter, after, PageSize::new(1).unwrap()).unwrap();
        lists.extend(page.lists);
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((lists.len(), pages), (1, 4), "two pages without any before it, and one after it");
}

//! Shipments, and pick lines of which a part is shipped.

use crate::database::TestDatabase;
use crate::picking::list_id;
use crate::world::{World, instant, order, quantity, reference, sku};
use allocation_domain::{
    Carrier, ListedUnits, NewPickList, NewShipment, PickCriteria, PickLineId, PickStatus, Products, ShipmentId,
    ShipmentLine, Tracking, Units,
};
use allocation_ports::{
    EventContexts, LockRequest, PageSize, PickListQueries, Recorded, RecordedShipment, ShipmentQueries, ShipmentRecord,
    StockDocument, StockDocumentId, StoreError, UnitOfWork,
};

fn shipment_id(text: &str) -> ShipmentId {
    ShipmentId::restore(text).unwrap()
}

/// A shipment of lines of lists: the list, the line, the order and the units, which are named if the line is odd.
fn recorded(id: &str, lines: &[(&str, u32, &str, u32)]) -> RecordedShipment {
    let units = |(list, line, of, units): &(&str, u32, &str, u32)| ListedUnits {
        order_id: order(of),
        sku: sku("字"),
        reference: reference("B \\"),
        list: list_id(list),
        line: *line,
        quantity: quantity(*units),
    };
    let outcome: Vec<_> = lines.iter().map(units).collect();
    let line = |units: &ListedUnits| ShipmentLine {
        id: units.id(),
        quantity: (units.line % 2 == 1).then_some(units.quantity),
    };
    let request = NewShipment::new(shipment_id(id), outcome.iter().map(line)).unwrap();
    Recorded { request, outcome, recorded_at: instant(7) }
}

fn add(world: &World, recorded: &RecordedShipment) -> Result<(), StoreError> {
    world.begin_and(|unit| unit.documents().add(&StockDocument::Shipment(recorded.clone())))
}

pub fn a_shipment_is_added_once_and_found_as_it_was(database: TestDatabase) {
    let world = World::new(database);
    let plain = recorded("S-1", &[("P", 2, "O", 3)]);
    let most = i32::MAX.unsigned_abs();
    let mut full = recorded("S \"2\" 字", &[("P", 1, "O", most), ("P", 4, "N", 1), ("Q", most, "O", 2)]);
    full.request = full.request.sent_by(Carrier::restore("ACME 字").ok(), Tracking::restore("1Z \\").ok());
    for shipment in [&plain, &full] {
        add(&world, shipment).unwrap();
    }
    for shipment in [&plain, &full] {
        let id = shipment.request.shipment_id().clone();
        let found = world.begin().documents().find(&StockDocumentId::Shipment(id.clone())).unwrap();
        assert_eq!(found, Some(StockDocument::Shipment(shipment.clone())));
        assert_eq!(world.store.shipment(&id).unwrap(), Some(ShipmentRecord::from(shipment.clone())));
    }
    let again = add(&world, &recorded("S-1", &[("R", 1, "O", 1)]));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    assert_eq!(world.store.shipment(&shipment_id("S-3")).unwrap(), None);
    let none = StockDocumentId::Shipment(shipment_id("S-3"));
    assert_eq!(world.begin().documents().find(&none).unwrap(), None);
}

/// Returns all shipments in pages, each as its id and its numbers of units; and the sizes of the pages.
fn listed(world: &World, of_order: Option<&str>, size: u16) -> (Vec<String>, Vec<usize>) {
    let (mut shown, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    let of_order = of_order.map(order);
    loop {
        let page = world.store.shipments(of_order.as_ref(), after, PageSize::new(size).unwrap()).unwrap();
        sizes.push(page.shipments.len());
        shown.extend(page.shipments.iter().map(|shipment| {
            let units: Vec<_> = shipment.lines.iter().map(|units| units.quantity.get()).collect();
            format!("{} {units:?}", shipment.shipment_id)
        }));
        after = page.next;
        if after.is_none() {
            return (shown, sizes);
        }
    }
}

pub fn shipments_are_listed_in_pages_of_all_and_of_an_order(database: TestDatabase) {
    let world = World::new(database);
    for shipment in [
        recorded("S-2", &[("P", 3, "O", 4), ("P", 4, "N", 5)]),
        recorded("S-10", &[("P", 5, "O", 6), ("Q", 1, "O", 7)]),
        recorded("a", &[("P", 6, "N", 8)]),
    ] {
        add(&world, &shipment).unwrap();
    }
    let all = ["S-10 [6, 7]", "S-2 [4, 5]", "a [8]"];
    for size in [1, 2, 3, 1_000] {
        let (shown, sizes) = listed(&world, None, size);
        assert_eq!(shown, all);
        assert!(sizes.iter().all(|found| (1..=usize::from(size)).contains(found)), "{sizes:?}");
        assert_eq!(listed(&world, Some("O"), size).0, ["S-10 [6, 7]", "S-2 [4]"]);
    }
    assert_eq!(listed(&world, Some("N"), 1), (vec!["S-2 [5]".to_owned(), "a [8]".to_owned()], vec![1, 1]));
    assert_eq!(listed(&world, Some("NONE"), 1), (Vec::new(), vec![0]));
}

/// Shipments of a thousand lines are listed one by one, however many a page may have.
pub fn a_page_has_no_more_lines_than_the_largest_shipment(database: TestDatabase) {
    let world = World::new(database);
    for (id, first, count) in
        [("A", 1, 999), ("B", 1_001, 1), ("C", 2_001, 1_000), ("D", 3_001, 1), ("E", 4_001, 1_000)]
    {
        let lines: Vec<_> = (first..first + count).map(|line| ("P", line, "O", 1)).collect();
        add(&world, &recorded(id, &lines)).unwrap();
    }
    for of_order in [None, Some("O")] {
        let (shown, sizes) = listed(&world, of_order, 1_000);
        let of_each: Vec<_> = shown.iter().map(|shown| shown.matches('1').count()).collect();
        assert_eq!((of_each, sizes), (vec![999, 1, 1_000, 1, 1_000], vec![2, 1, 1, 1]));
    }
}

fn lock(unit: &mut dyn UnitOfWork) -> Products {
    let wanted =
        LockRequest { order_ids: vec![order("O")], batches: vec![reference("B")], ..LockRequest::product(sku("LAMP")) };
    unit.products().lock(&[wanted]).unwrap().into_iter().collect()
}

/// Changes the lamps with the lines of order O.
fn change(world: &World, change: impl FnOnce(&mut Products)) {
    let mut unit = world.begin();
    let mut products = lock(&mut *unit);
    change(&mut products);
    unit.products().save(&products.into_iter().collect::<Vec<_>>(), &EventContexts::default()).unwrap();
    unit.commit().unwrap();
}

pub fn first_line() -> PickLineId {
    PickLineId { list: list_id("P"), line: 1 }
}

/// Five picked lamps, of which two are shipped.
pub fn partly_shipped(database: TestDatabase) -> World {
    let world = World::new(database);
    world.add("LAMP", "B", 9, allocation_domain::Eta::InStock);
    world.allocate("LAMP", "O", 5).unwrap();
    let list = NewPickList::new(list_id("P"), PickCriteria::default());
    change(&world, |products| drop(products.make_pick_list(&list).unwrap()));
    world.begin_and(|unit| unit.pick_lists().add(&list, instant(1))).unwrap();
    change(&world, |products| drop(products.pick(&first_line(), Units::new(5).unwrap(), instant(2)).unwrap()));
    let line = ShipmentLine { id: first_line(), quantity: Some(quantity(2)) };
    let shipment = NewShipment::new(shipment_id("S"), [line]).unwrap();
    change(&world, |products| drop(products.create_shipment(&shipment).unwrap()));
    world
}

pub fn shown(world: &World) -> (PickStatus, u32, u32) {
    let line = world.store.pick_list(&list_id("P")).unwrap().unwrap().list.lines[&1].clone();
    (line.status, line.picked, line.shipped)
}

pub fn a_partly_shipped_pick_line_is_stored(database: TestDatabase) {
    let world = partly_shipped(database);
    assert_eq!(shown(&world), (PickStatus::Picked, 5, 2));
    world.assert_counters_equal_sums();
    change(&world, |products| drop(products.put_back(&first_line(), quantity(3), None, instant(3)).unwrap()));
    assert_eq!(shown(&world), (PickStatus::Shipped, 2, 2));
    world.assert_counters_equal_sums();
}

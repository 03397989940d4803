//! Documents that change stock, and batches that they have changed.

use crate::database::TestDatabase;
use crate::world::{World, instant, order, quantity, reference, sku};
use allocation_domain::{
    Adjusted, AdjustedLine, Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, Affected, Batch, BatchChange,
    Displaced, Disposition, Eta, GoodsReturn, MAX_MOVED_LINES, ReturnId, ReturnLine, Returned, ReturnedLine,
    UnitChange, Units,
};
use allocation_ports::{LockRequest, MovingBatches, Recorded, StockDocument, StockDocumentId, StoreError};

fn adjustment_id(text: &str) -> AdjustmentId {
    AdjustmentId::restore(text).unwrap()
}

fn adjustment(id: &str, lines: &[(&str, i32)]) -> Adjustment {
    let line = |(name, change): &(&str, i32)| AdjustmentLine {
        reference: reference(name),
        change: UnitChange::new(*change).unwrap(),
        expected: Units::new(7).ok().filter(|_| *change > 0),
    };
    Adjustment::new(adjustment_id(id), AdjustmentReason::restore("\"lost\" 字").unwrap(), lines.iter().map(line))
        .unwrap()
}

fn recorded(id: &str, lines: &[(&str, i32)], outcome: Adjusted) -> StockDocument {
    StockDocument::Adjustment(Recorded { request: adjustment(id, lines), outcome, recorded_at: instant(7) })
}

pub fn a_document_is_added_once_and_found_as_it_was(database: TestDatabase) {
    let world = World::new(database);
    let line =
        AdjustedLine {
            reference: reference("B \\"), sku: sku("字"), change: UnitChange::new(-2).unwrap(), on_hand: 0
        };
    let affected = Affected {
        order_id: order("O"),
        sku: sku("字"),
        reference: reference("B-2"),
        quantity: quantity(2),
        old_eta: Eta::InStock,
        new_eta: Eta::Due("2027-01-15".parse().unwrap()),
    };
    let displaced = Displaced { order_id: order("P"), sku: sku("字"), quantity: quantity(1), short: true };
    let outcome = Adjusted { lines: vec![line], affected: vec![affected], displaced: vec![displaced] };
    let (full, empty) =
        (recorded("A-1", &[("B \\", -2), ("C", 1)], outcome), recorded("A-2", &[("C", 1)], Adjusted::default()));
    for document in [&full, &empty] {
        world.begin_and(|unit| unit.documents().add(document)).unwrap();
    }
    for document in [&full, &empty] {
        assert_eq!(world.begin().documents().find(&document.id()).unwrap().as_ref(), Some(document));
    }
    let again = world.begin_and(|unit| unit.documents().add(&recorded("A-1", &[("D", 1)], Adjusted::default())));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let none = StockDocumentId::Adjustment(adjustment_id("A-3"));
    assert_eq!(world.begin().documents().find(&none).unwrap(), None);
}

pub fn a_return_is_found_as_it_was_and_shares_no_id_with_other_documents(database: TestDatabase) {
    let world = World::new(database);
    let line = |disposition| ReturnLine { sku: sku("字"), quantity: quantity(2), disposition };
    let lines = [line(Disposition::Scrap), line(Disposition::Restock)];
    let request = GoodsReturn::new(ReturnId::restore("A-1").unwrap(), order("O \\"), lines).unwrap();
    let returned = ReturnedLine {
        sku: sku("字"),
        quantity: quantity(2),
        disposition: Disposition::Restock,
        reference: Some(reference("A-1")),
    };
    let outcome = Returned { lines: vec![returned] };
    let document = StockDocument::Return(Recorded { request, outcome, recorded_at: instant(9) });
    let other = recorded("A-1", &[("C", 1)], Adjusted::default());
    for document in [&document, &other] {
        world.begin_and(|unit| unit.documents().add(document)).unwrap();
        assert_eq!(world.begin().documents().find(&document.id()).unwrap().as_ref(), Some(document));
    }
    let again = world.begin_and(|unit| unit.documents().add(&document));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

/// Adjusts a batch of lamps.
fn adjust(world: &World, change: i32) {
    let (now, adjustment) = (world.now(), {
        let line =
            AdjustmentLine { reference: reference("B-1"), change: UnitChange::new(change).unwrap(), expected: None };
        Adjustment::new(adjustment_id("A"), AdjustmentReason::restore("lost").unwrap(), [line]).unwrap()
    });
    world
        .decide(lamps(), now, |product| world.with_order(product, |products| products.adjust(&adjustment, now)))
        .unwrap();
}

fn lamps() -> LockRequest {
    LockRequest { batches: vec![reference("B-1")], ..LockRequest::product(sku("LAMP")) }
}

/// Purchased units, adjustments, allocated and free units of the batch.
fn books(batch: &Batch) -> (u32, i32, u32, u32) {
    (batch.purchased().get(), batch.adjustments(), batch.allocated(), batch.available())
}

pub fn adjusted_batches_round_trip(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 10, Eta::InStock);
    world.allocate("LAMP", "O", 6).unwrap();
    adjust(&world, -3);
    let shown = || books(&world.batch("B-1").unwrap());
    assert_eq!((shown(), world.batch("B-1").unwrap().revision()), ((10, -3, 6, 1), 2));
    adjust(&world, -3);
    assert_eq!(shown(), (10, -6, 4, 0));
    adjust(&world, 9);
    assert_eq!(shown(), (10, 3, 6, 7));
    let now = world.now();
    let change = BatchChange { purchased: Units::new(5).ok(), ..BatchChange::default() };
    world.decide(lamps(), now, |product| product.change_batch(&reference("B-1"), &change, now)).unwrap();
    assert_eq!(shown(), (5, 3, 6, 2));
    let mut unit = world.begin();
    let locked = unit.products().lock(&[lamps()]).unwrap().remove(0);
    assert_eq!(books(locked.batch(&reference("B-1")).unwrap()), shown());
    drop(unit);
    let found = world.begin().products().find_batch(&reference("B-1")).unwrap().unwrap();
    assert_eq!((books(&found.batch), found.added_quantity.get()), (shown(), 10));
}

pub fn an_adjustment_of_a_crowded_batch_is_counted_as_its_lines_leave(database: TestDatabase) {
    let world = World::new(database);
    let lines = u32::try_from(MAX_MOVED_LINES).unwrap() + 300;
    world.add("LAMP", "B-1", lines, Eta::InStock);
    for first in [0, 1_000] {
        let now = world.now();
        let names: Vec<_> = (first..lines.min(first + 1_000)).map(|number| order(&format!("O-{number:04}"))).collect();
        let wanted = LockRequest { standalone: names.clone(), open_batches: true, ..lamps() };
        world
            .decide(wanted, now, |product| {
                names.iter().try_for_each(|name| product.allocate(name, quantity(1), now).map(drop))
            })
            .unwrap();
    }
    adjust(&world, -1_200);
    let shown = || books(&world.batch("B-1").unwrap());
    assert_eq!((shown(), world.batch("B-1").unwrap().moving_units()), ((lines, 0, lines, 0), 1_200));
    while let Some(batch) = world.batch("B-1").filter(|batch| batch.moving().is_some()) {
        let looks = batch.moving().is_some_and(|moving| moving.after.is_none());
        let first =
            looks.then(|| world.store.first_to_leave(&reference("B-1"), batch.moving_units()).unwrap()).flatten();
        let order_ids = first.iter().map(|first| first.position.order_id().clone()).collect();
        let now = world.now();
        world
            .decide(LockRequest { order_ids, ..lamps() }, now, |product| {
                product.move_lines(&reference("B-1"), first.as_ref(), now)
            })
            .unwrap();
    }
    assert_eq!(shown(), (lines, -1_200, 100, 0));
}

pub fn the_products_of_many_batches_are_found(database: TestDatabase) {
    let world = World::new(database);
    for (name, batch) in [("LAMP", "B-1"), ("SOFA", "B-2"), ("LAMP", "B-3")] {
        world.add(name, batch, 1, Eta::InStock);
    }
    let mut unit = world.begin();
    let named = ["B-3", "NONE", "B-1", "B-2"].map(reference);
    let found = unit.products().skus_of_batches(&named).unwrap();
    let found: Vec<_> = found.iter().map(|(reference, sku)| (reference.as_str(), sku.as_str())).collect();
    assert_eq!(found, [("B-1", "LAMP"), ("B-2", "SOFA"), ("B-3", "LAMP")]);
    assert!(unit.products().skus_of_batches(&[]).unwrap().is_empty());
}

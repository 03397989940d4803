//! Movements of a product in many blocks, and in blocks of earlier programs.

use crate::database::TestDatabase;
use crate::world::{World, decide, lock_one, order, quantity, reference, sku, to_allocate};
use allocation_domain::{
    Adjusting, Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, Eta, NewBatch, Products, UnitChange,
};
use allocation_ports::{EventContexts, HistoryQueries, PageSize};

/// The number of blocks that a page scans.
const SCANNED: usize = 1_000;

/// Writes a block of several events, of which the last one is a movement.
fn release_allocate_and_add(world: &World, number: usize) {
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O-1"]));
    let now = world.now();
    decide(&mut *unit, &mut product, |product| product.deallocate(&order("O-1"), &reference("B-0"), now).map(drop))
        .unwrap();
    decide(&mut *unit, &mut product, |product| product.allocate(&order("O-1"), quantity(1), now).map(drop)).unwrap();
    let batch = NewBatch::new(reference(&format!("B-{number}")), quantity(1), Eta::InStock);
    decide(&mut *unit, &mut product, |product| product.add_batch(batch.clone(), now).map(drop)).unwrap();
    unit.products().save(&[product], &EventContexts::default()).unwrap();
    unit.commit().unwrap();
}

pub fn a_page_that_ends_where_its_scan_does_repeats_no_movement(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-0", 9, Eta::InStock);
    world.allocate("LAMP", "O-1", 1).unwrap();
    (1..=SCANNED).for_each(|number| release_allocate_and_add(&world, number));
    world.sequence_all();
    let (mut listed, mut after) = (Vec::new(), Some(0));
    while let Some(start) = after {
        let page = world.store.movements(&sku("LAMP"), start, PageSize::new(1_000).unwrap()).unwrap();
        listed.extend(page.movements.into_iter().map(|(position, _)| position));
        after = page.next;
    }
    assert_eq!(listed.len(), SCANNED + 1);
    assert!(listed.is_sorted_by(|one, next| one < next), "each once, in order");
    let beyond = world.store.movements(&sku("LAMP"), i64::MAX.unsigned_abs(), PageSize::ONE).unwrap();
    assert_eq!((beyond.movements.len(), beyond.next), (0, None));
}

/// Programs of different versions share blocks, because the sequencer merges small ones.
pub fn an_adjustment_of_an_earlier_program_is_no_movement(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 9, Eta::InStock);
    let line = AdjustmentLine { reference: reference("B-1"), change: UnitChange::new(-1).unwrap(), expected: None };
    let (id, reason) = (AdjustmentId::parse("A-1").unwrap(), AdjustmentReason::parse("damaged").unwrap());
    let adjustment = Adjustment::new(id, reason, [line]).unwrap();
    let mut unit = world.begin();
    let mut products: Products = [lock_one(&mut *unit, to_allocate("LAMP", &[]))].into_iter().collect();
    let now = world.now();
    let adjusted = Adjusting::of(&adjustment, &mut products, now).unwrap().resume(&adjustment, &mut products, now);
    adjusted.unwrap();
    unit.products().save(&products.into_iter().collect::<Vec<_>>(), &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    let (old, none) = (r#""old_purchased_quantity":9,"old_adjustments":0,"#, "");
    world.database.execute(&format!("UPDATE outbox_blocks SET events = replace(events, '{old}', '{none}')"));
    world.sequence_all();
    let page = world.store.movements(&sku("LAMP"), 0, PageSize::default()).unwrap();
    let names: Vec<_> = page.movements.iter().map(|(_, recorded)| recorded.event.name()).collect();
    assert_eq!((names, page.next), (vec!["batch_added"], None));
    assert_eq!(
        world
            .store
            .history(&allocation_ports::Subject::Batch(reference("B-1")), None, PageSize::default())
            .unwrap()
            .len(),
        2
    );
}

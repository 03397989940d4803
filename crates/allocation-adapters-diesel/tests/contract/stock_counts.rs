//! Counts of stock.

use crate::database::TestDatabase;
use crate::world::{World, instant, reference, sku};
use allocation_domain::{
    Adjusted, AdjustedLine, ClosedCount, CountEntry, CountId, CountScope, CountedUnits, Eta, NewStockCount, StockCount,
    UnitChange, Units,
};
use allocation_ports::{CountQueries, CountSummary, LockWait, PageSize, StockCounts, StoreError, UnitOfWorkFactory};

pub fn count_id(text: &str) -> CountId {
    CountId::restore(text).unwrap()
}

/// A count of numbered batches.
fn opened(id: &str, batches: u32, blind: bool) -> StockCount {
    let scope = CountScope::Skus([sku("字 \\")].into());
    let batches = (0..batches).map(|number| (sku("字 \\"), reference(&format!("{id} \"{number:03}\""))));
    StockCount::open(NewStockCount { count_id: count_id(id), scope, blind }, batches, instant(7)).unwrap()
}

fn entry(counted: u32) -> CountEntry {
    let counted = Units::new(counted).unwrap();
    let entered = CountedUnits { counted, picked_counted: Some(false), recount: Units::new(2).unwrap() };
    CountEntry {
        entered,
        expected: Units::new(i32::MAX.unsigned_abs()).unwrap(),
        added_at: instant(3),
        missing: 0,
        reported: 0,
    }
}

pub fn add(world: &World, count: &StockCount) -> Result<(), StoreError> {
    world.begin_and(|unit| unit.counts().add(count))
}

pub fn a_count_is_opened_once_and_found_as_it_was(database: TestDatabase) {
    let world = World::new(database);
    for count in [opened("C \"1\" 字", 1, true), opened("C-2", 500, false)] {
        add(&world, &count).unwrap();
        assert_eq!(world.begin().counts().find(count.count_id()).unwrap().as_ref(), Some(&count));
        assert_eq!(world.store.count(count.count_id()).unwrap().as_ref(), Some(&count));
    }
    let again = add(&world, &opened("C-2", 1, false));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    assert_eq!(world.store.count(&count_id("C-3")).unwrap(), None);
    assert_eq!(world.begin().counts().lock(&count_id("C-3")).unwrap(), None);
}

pub fn a_saved_and_a_removed_count_are_read_as_they_are(database: TestDatabase) {
    let world = World::new(database);
    let mut count = opened("C", 3, true);
    add(&world, &count).unwrap();
    count.lines[1].entry = Some(entry(0));
    let save = |count: &StockCount| {
        world
            .begin_and(|unit| {
                assert!(unit.counts().lock(count.count_id())?.is_some());
                unit.counts().save(count)
            })
            .unwrap();
        assert_eq!(world.store.count(count.count_id()).unwrap().as_ref(), Some(count));
        assert_eq!(world.store.counts(None, PageSize::LARGEST).unwrap().counts, [CountSummary::from(count)]);
    };
    save(&count);
    let line = AdjustedLine {
        reference: reference("B"),
        sku: sku("字"),
        change: UnitChange::new(-i32::MAX).unwrap(),
        on_hand: 0,
    };
    let adjusted = Adjusted { lines: vec![line], ..Adjusted::default() };
    count.closed = Some(ClosedCount { closed_at: instant(9), adjusted });
    save(&count);
    let mut unit = world.begin();
    unit.counts().lock(count.count_id()).unwrap();
    unit.counts().remove(count.count_id()).unwrap();
    assert_eq!(unit.counts().find(count.count_id()).unwrap(), None);
    drop(unit);
    assert!(world.store.count(count.count_id()).unwrap().is_some(), "the unit was rolled back");
    world
        .begin_and(|unit| {
            unit.counts().lock(count.count_id())?;
            unit.counts().remove(count.count_id())
        })
        .unwrap();
    assert_eq!(world.store.count(count.count_id()).unwrap(), None);
    add(&world, &opened("C", 1, false)).unwrap();
}

pub fn the_batches_to_count_are_in_stock(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 5, Eta::InStock);
    world.add("LAMP", "B-2", 5, Eta::Due("2027-01-15".parse().unwrap()));
    world.add("RUG", "B-3", 5, Eta::InStock);
    world.add("SOFA", "B-4", 5, Eta::InStock);
    world.allocate("LAMP", "O", 5).unwrap();
    let names = |scope: CountScope, limit| {
        let mut found = world.begin().counts().countable(&scope, limit).unwrap();
        found.sort_unstable();
        found.into_iter().map(|(sku, reference)| format!("{sku} {reference}")).collect::<Vec<_>>()
    };
    let skus = || CountScope::Skus([sku("LAMP"), sku("SOFA"), sku("NONE")].into());
    assert_eq!(names(skus(), 500), ["LAMP B-1", "SOFA B-4"], "allocated units are on hand");
    assert_eq!(names(skus(), 1).len(), 1);
    let references = ["B-1", "B-2", "B-3", "NONE"].map(reference);
    assert_eq!(names(CountScope::References(references.into()), 500), ["LAMP B-1", "RUG B-3"]);
}

/// A count of batches by their names.
pub fn of(id: &str, names: &[&str]) -> StockCount {
    let scope = CountScope::References(names.iter().map(|name| reference(name)).collect());
    let batches = names.iter().map(|name| (sku("LAMP"), reference(name)));
    StockCount::open(NewStockCount { count_id: count_id(id), scope, blind: false }, batches, instant(7)).unwrap()
}

/// Returns one of the batches that an open count has, and that count.
pub fn counted(world: &World, names: &[&str]) -> Option<String> {
    let references: Vec<_> = names.iter().map(|name| reference(name)).collect();
    let found = world.begin().counts().counted(&references).unwrap();
    found.map(|(reference, count_id)| format!("{reference} {count_id}"))
}

pub fn a_batch_is_in_at_most_one_open_count(database: TestDatabase) {
    let world = World::new(database);
    let counted = || counted(&world, &["B-0", "B-2"]);
    let end = |id: &str, end: &dyn Fn(&mut dyn StockCounts, StockCount) -> Result<(), StoreError>| {
        world.begin_and(|unit| {
            let locked = unit.counts().lock(&count_id(id))?.unwrap();
            end(unit.counts(), locked)
        })
    };
    add(&world, &of("C", &["B-1", "B-2"])).unwrap();
    assert_eq!(counted().unwrap(), "B-2 C");
    let second = add(&world, &of("D", &["B-2", "B-3"]));
    assert!(matches!(second, Err(StoreError::Conflict(_))), "{second:?}");
    end("C", &|counts, mut count| {
        count.lines[0].entry = Some(entry(1));
        counts.save(&count)
    })
    .unwrap();
    assert_eq!(counted().unwrap(), "B-2 C", "an entry does not close it");
    let closed = ClosedCount { closed_at: instant(9), adjusted: Adjusted::default() };
    end("C", &|counts, count| counts.save(&StockCount { closed: Some(closed.clone()), ..count })).unwrap();
    assert_eq!(counted(), None);
    add(&world, &of("D", &["B-2", "B-3"])).unwrap();
    assert_eq!(counted().unwrap(), "B-2 D");
    end("D", &|counts, count| counts.remove(count.count_id())).unwrap();
    assert_eq!(counted(), None, "an abandoned count releases its batches");
}

pub fn counts_are_listed_in_pages(database: TestDatabase) {
    let world = World::new(database);
    for id in ["C-2", "a", "C-10"] {
        add(&world, &opened(id, 1, false)).unwrap();
    }
    for size in [1, 2, 3, 1_000] {
        let (mut shown, mut after) = (Vec::new(), None);
        loop {
            let page = world.store.counts(after, PageSize::new(size).unwrap()).unwrap();
            assert!((1..=usize::from(size)).contains(&page.counts.len()));
            shown.extend(page.counts.into_iter().map(|count| count.count_id.to_string()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(shown, ["C-10", "C-2", "a"]);
    }
}

/// A database with one writer has the second unit wait for its beginning.
pub fn a_locked_count_waits_for_its_unit(database: TestDatabase) {
    let world = World::new(database);
    add(&world, &opened("C", 1, false)).unwrap();
    let mut first = world.begin();
    first.counts().lock(&count_id("C")).unwrap();
    let second = world.store.begin(LockWait::Short).and_then(|mut unit| unit.counts().lock(&count_id("C")));
    assert!(matches!(second, Err(StoreError::Busy(_))), "{second:?}");
    drop(first);
    assert!(world.begin().counts().lock(&count_id("C")).unwrap().is_some());
}

//! The rows of counts across an upgrade.

use crate::database::TestDatabase;
use crate::stock_counts::{add, count_id, counted, of};
use crate::world::{World, instant};
use allocation_domain::{Adjusted, ClosedCount, StockCount};

pub fn an_upgrade_claims_the_batches_of_open_counts(database: TestDatabase) {
    let world = World::new(database);
    for count in [of("closed", &["B-4"]), of("first", &["B \"字", "B-2"]), of("later", &["B-2", "B-3"])] {
        add(&world, &count).unwrap();
        // The program before the upgrade claims no batches.
        world.database.execute("DELETE FROM counted_batches");
    }
    let closed = ClosedCount { closed_at: instant(9), adjusted: Adjusted::default() };
    world
        .begin_and(|unit| {
            let count = unit.counts().lock(&count_id("closed"))?.unwrap();
            unit.counts().save(&StockCount { closed: Some(closed), ..count })
        })
        .unwrap();
    let migrations = world.store.migrations();
    let all = migrations.status().unwrap().migrations;
    let claiming = all.iter().position(|(name, _)| name.ends_with("_counted_batches")).unwrap();
    migrations.down(all.len() - claiming).unwrap();
    migrations.up().unwrap();
    let found = ["B \"字", "B-2", "B-3", "B-4"].map(|name| counted(&world, &[name]));
    assert_eq!(
        found.each_ref().map(Option::as_deref),
        [Some("B \"字 first"), Some("B-2 first"), Some("B-3 later"), None]
    );
}

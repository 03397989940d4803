//! The rows of shipped pick lines, as other programs write them.

use crate::database::TestDatabase;
use crate::shipments::{first_line, partly_shipped, shown};
use allocation_domain::HoldDuration;
use allocation_domain::PickStatus;

/// A program from before shipments ships a line as a whole and leaves its column.
pub fn a_line_that_an_older_program_has_shipped_is_shipped(database: TestDatabase) {
    let world = partly_shipped(database);
    world.database.execute(
        "UPDATE pick_list_lines SET shipped = 0, status = 'shipped';
         UPDATE order_lines SET picked = 0, shipped = 5;
         UPDATE batches SET picked_quantity = 0, shipped_quantity = 5;
         UPDATE products SET picked = 0, in_stock = in_stock - 3",
    );
    assert_eq!(shown(&world), (PickStatus::Shipped, 5, 5));
    let mut unit = world.begin();
    let found = unit.pick_lists().find_lines(&[first_line()]).unwrap();
    assert_eq!(found[&first_line()].shipped, 5);
    drop(unit);
    world.assert_counters_equal_sums();
    assert!(world.store.inspect(HoldDuration::DAY).unwrap().findings.is_empty());
}

/// A program from before shipments takes all picked units of a line for units to ship, to put back or to correct.
pub fn an_older_program_cannot_ship_or_correct_a_partly_shipped_line(database: TestDatabase) {
    let world = partly_shipped(database);
    for sql in [
        // It ships the list, or finds none of its units.
        "UPDATE batches SET picked_quantity = picked_quantity - 5, shipped_quantity = shipped_quantity + 5",
        "UPDATE order_lines SET picked = picked - 5, shipped = shipped + 5",
        // It ships the list, of whose batch and order line other units are picked as well.
        "UPDATE pick_list_lines SET status = 'shipped'",
        // It corrects the pick to fewer units than are shipped, or to as many.
        "UPDATE pick_list_lines SET picked = 1",
        "UPDATE pick_list_lines SET picked = 2",
        "UPDATE pick_list_lines SET picked = 0, status = 'missing'",
        "UPDATE pick_list_lines SET shipped = -1",
    ] {
        assert!(world.database.try_execute(sql).is_err(), "{sql}");
    }
    world.database.execute("UPDATE pick_list_lines SET picked = 4, quantity = 5");
    let found: Vec<_> =
        world.store.inspect(HoldDuration::DAY).unwrap().findings.into_iter().map(|finding| finding.what).collect();
    let differ = [
        "batches whose picked and shipped units differ from their pick lines",
        "lines whose listed, picked and shipped units differ from their pick lines",
    ];
    assert_eq!(found, differ, "a line whose units do not add up is found");
}

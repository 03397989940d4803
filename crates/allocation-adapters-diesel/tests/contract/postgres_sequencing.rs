//! The steps of sequencing that only PostgreSQL commits separately.

use crate::database::TestDatabase;
use crate::event_log::{LONG, lease};
use crate::world::World;
use allocation_domain::Eta;
use allocation_ports::{Leases, LogSequencer};

#[test]
fn events_get_their_positions_though_the_index_cannot_be_written() {
    let world = World::new(TestDatabase::postgres());
    assert!(world.store.take(&lease("me"), LONG).unwrap());
    // The next event fills the first segment.
    world.database.execute("UPDATE event_log SET last_position = 32767, oldest_position = 32768");
    let add_and_sequence = |batch| {
        world.add("LAMP", batch, 5, Eta::InStock);
        let sequenced = world.store.sequence(&lease("me"), LONG, 10).unwrap();
        (sequenced.events, sequenced.last)
    };
    let indexed = || world.database.count("SELECT indexed_position FROM event_log");
    world.database.execute("ALTER TABLE event_keys RENAME TO hidden");
    assert_eq!((add_and_sequence("B-1"), indexed()), ((1, 32_768), 0));
    world.database.execute("ALTER TABLE hidden RENAME TO event_keys");
    assert_eq!((add_and_sequence("B-2"), indexed()), ((1, 32_769), 32_768), "the next step tries again");
    assert!(world.database.count("SELECT count(*) FROM event_keys") > 0);
}

//! Events as units of work write them.

use crate::database::TestDatabase;
use crate::world::{World, due, instant, order, quantity, reference, to_allocate};
use allocation_domain::{Eta, Event};
use allocation_ports::LockRequest;

pub fn events_are_written_to_the_outbox(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 2, Eta::InStock);
    world.add("LAMP", "B-2", 2, due("2027-01-15"));
    let mut events = world
        .change(to_allocate("LAMP", &["O"]), |product| {
            product.allocate(&order("O"), quantity(4), instant(0)).unwrap();
            assert_eq!(product.version(), 3);
            product.events().to_vec()
        })
        .unwrap();
    assert!(matches!(events[..], [Event::Allocated { .. }, Event::Allocated { .. }, Event::OutOfStock { .. }]));
    let wanted = LockRequest { batches: vec![reference("B-2")], ..to_allocate("LAMP", &["O"]) };
    let more = world.change(wanted, |product| {
        product.load_in_transit([]);
        product.deallocate(&order("O"), &reference("B-2"), instant(0)).unwrap();
        product.remove_batch(&reference("B-2"), instant(0)).unwrap();
        product.events().to_vec()
    });
    events.extend(more.unwrap());

    let stored = world.database.texts("SELECT payload FROM outbox WHERE version >= 3 ORDER BY version, ordinal");
    let expected: Vec<_> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    assert_eq!(stored, expected);
    let keys = world.database.texts(
        "SELECT sku || ' ' || version || ' ' || ordinal || ' ' || type || ' ' || coalesce(order_id, '-')
         FROM outbox ORDER BY version, ordinal",
    );
    assert_eq!(
        keys,
        [
            "LAMP 1 0 batch_added -",
            "LAMP 2 0 batch_added -",
            "LAMP 3 0 allocated O",
            "LAMP 3 1 allocated O",
            "LAMP 3 2 out_of_stock -",
            "LAMP 4 0 deallocated O",
            "LAMP 4 1 back_in_stock -",
            "LAMP 4 2 batch_removed -",
        ]
    );
    let at = world.database.count("SELECT max(occurred_at) - min(occurred_at) FROM outbox");
    assert!((1..100).contains(&at), "microseconds of the test's clock: {at}");
}

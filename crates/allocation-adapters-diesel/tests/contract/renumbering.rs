//! New positions for all events, after a restore.

use crate::database::TestDatabase;
use crate::world::{World, instant, lock_one, order, quantity, reference, sku, to_allocate};
use allocation_adapters_diesel::BackupError;
use allocation_domain::Eta;
use allocation_ports::{
    CausationId, CommandEffects, EventContext, EventContexts, EventFilter, EventLog, Lease, Leases, LogSequencer,
    LoggedEvent, PageSize, ParkedEvent, ReadLogError, RelayProgress, RelayStore, Subject,
};
use chrono::{DateTime, Utc};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(30);

fn lease(name: &'static str) -> Lease {
    Lease { name, holder: "me".to_owned() }
}

/// Allocates a unit, by a command with an id.
fn allocate(world: &World, order_id: &str, cause: &str) {
    let mut unit = world.begin();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &[order_id]));
    product.allocate(&order(order_id), quantity(1), instant(0)).unwrap();
    let mut contexts = EventContexts::default();
    let context = EventContext { causation_id: CausationId::parse(cause), ..EventContext::default() };
    contexts.add(&sku("LAMP"), 0..product.events().len(), &context);
    unit.products().save(&[product], &contexts).unwrap();
    unit.commit().unwrap();
}

fn positions(events: &[LoggedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}

pub fn renumbered_events_have_new_positions_and_are_found_as_before(database: TestDatabase) {
    let world = World::new(database);
    let page = |rows| PageSize::new(rows).unwrap();
    let read = |after, filter: &EventFilter| world.store.read(after, filter, page(10));
    for batch in ["B-1", "B-2", "B-3"] {
        world.add("LAMP", batch, 10, Eta::InStock);
    }
    allocate(&world, "O-1", "C-1");
    world.sequence_all();
    world.add("LAMP", "B-4", 1, Eta::InStock);
    assert!(world.store.take(&lease("relay"), TIME).unwrap());
    let parked = ParkedEvent { position: 2, reason: "x".to_owned(), parked_at: instant(1), retry: false };
    let progress = RelayProgress { checkpoint: 3, parked: vec![parked], delivered: Vec::new() };
    world.store.record(&lease("relay"), TIME, &progress).unwrap();
    let refused = world.store.renumber_events();
    assert!(matches!(&refused, Err(BackupError::InUse(leases)) if leases == &["events", "relay"]), "{refused:?}");
    for name in ["relay", "events"] {
        world.store.release(&lease(name)).unwrap();
    }
    let before = read(0, &EventFilter::default()).unwrap().events;

    let bounds = world.store.renumber_events().unwrap();
    assert_eq!(world.store.bounds().unwrap(), bounds);
    let oldest = bounds.oldest;
    assert!(oldest > 1_000_000_000_000_000 && bounds.last == oldest + 3, "{bounds:?}");
    for old in [0, 3, 4, 5, 1_000_000] {
        let gone = read(old, &EventFilter::default());
        assert!(matches!(gone, Err(ReadLogError::Gone { oldest: first }) if first == oldest), "{old}: {gone:?}");
    }
    world.sequence_all();
    let after = read(oldest - 1, &EventFilter::default()).unwrap().events;
    assert_eq!(positions(&after), (oldest..oldest + 5).collect::<Vec<_>>());
    let content = |event: &LoggedEvent| (event.json.clone(), event.occurred_at);
    assert_eq!(after.iter().take(4).map(content).collect::<Vec<_>>(), before.iter().map(content).collect::<Vec<_>>());
    let of_batch = EventFilter { subject: Some(Subject::Batch(reference("B-2"))), ..EventFilter::default() };
    assert_eq!(positions(&read(oldest - 1, &of_batch).unwrap().events), [oldest + 1]);
    let cause = CausationId::parse("C-1").unwrap();
    assert_eq!(world.store.caused_by(&[(cause, "allocated")]).unwrap().len(), 1);
    assert_eq!(world.store.checkpoint().unwrap(), oldest + 2);
    world.store.retry_all().unwrap();
    assert_eq!(positions(&world.store.to_retry(page(9)).unwrap()), [oldest + 1]);
    world.store.prune(&lease("events"), TIME, DateTime::<Utc>::MAX_UTC, 2).unwrap();
    assert!(world.store.bounds().unwrap().oldest > oldest);
}

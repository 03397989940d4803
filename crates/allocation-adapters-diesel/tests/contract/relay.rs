//! The relay's checkpoint, parked events, and what commands have caused.

use crate::database::TestDatabase;
use crate::world::{World, instant, lock_one, order, quantity, reference, sku, to_allocate};
use allocation_domain::{Eta, Event};
use allocation_ports::{
    Actor, CausationId, CommandEffects, EventBacklog, EventContext, EventContexts, EventFilter, EventLog, Lease,
    Leases, LogSequencer, PageSize, ParkedEvent, RecordError, RelayProgress, RelayStore, StoreMonitor, Subject,
};
use chrono::{DateTime, Utc};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(60);

fn lease(holder: &str) -> Lease {
    Lease { name: "relay", holder: holder.to_owned() }
}

/// A database whose relay is `me`.
fn relaying(database: TestDatabase) -> World {
    let world = World::new(database);
    assert!(world.store.take(&lease("me"), TIME).unwrap());
    world
}

fn parked(position: u64, reason: &str) -> ParkedEvent {
    ParkedEvent { position, reason: reason.to_owned(), parked_at: instant(1), retry: false }
}

fn progress(checkpoint: u64, parked: Vec<ParkedEvent>, delivered: &[u64]) -> RelayProgress {
    RelayProgress { checkpoint, parked, delivered: delivered.to_vec() }
}

fn page(rows: u16) -> PageSize {
    PageSize::new(rows).unwrap()
}

pub fn progress_is_atomic_and_the_checkpoint_never_decreases(database: TestDatabase) {
    let world = relaying(database);
    assert_eq!(world.store.checkpoint().unwrap(), 0);
    let (three, five) = (parked(3, "NO_ROUTE ✗"), parked(5, "it's too large"));
    world.store.record(&lease("me"), TIME, &progress(7, vec![three.clone(), five.clone()], &[])).unwrap();
    assert_eq!(world.store.checkpoint().unwrap(), 7);
    assert_eq!(world.store.parked(0, page(10)).unwrap(), [three.clone(), five.clone()]);
    assert_eq!(world.store.parked(3, page(10)).unwrap(), [five]);
    assert_eq!(world.store.parked(0, page(1)).unwrap(), [three]);

    let again = ParkedEvent { parked_at: instant(9), ..parked(5, "still too large") };
    world.store.record(&lease("me"), TIME, &progress(4, vec![again.clone()], &[3])).unwrap();
    assert_eq!(world.store.checkpoint().unwrap(), 7);
    assert_eq!(world.store.parked(0, page(10)).unwrap(), [again]);
    assert_eq!(world.store.parked_count().unwrap(), 1);
}

pub fn a_relay_without_the_lease_writes_nothing(database: TestDatabase) {
    let world = relaying(database);
    let written = world.store.record(&lease("other"), TIME, &progress(7, vec![parked(3, "x")], &[]));
    assert!(matches!(written, Err(RecordError::LeaseLost)), "{written:?}");
    assert_eq!((world.store.checkpoint().unwrap(), world.store.parked_count().unwrap()), (0, 0));
    world.store.release(&lease("me")).unwrap();
    let written = world.store.record(&lease("me"), TIME, &progress(7, Vec::new(), &[]));
    assert!(matches!(written, Err(RecordError::LeaseLost)), "{written:?}");
}

pub fn writing_renews_the_lease(database: TestDatabase) {
    let world = relaying(database);
    let ends = || world.database.count("SELECT expires_at FROM leases WHERE name = 'relay'");
    let before = ends();
    world.store.record(&lease("me"), TIME * 10, &progress(1, Vec::new(), &[])).unwrap();
    assert!(ends() > before + 400_000_000);
}

/// The positions of events that are marked for republication.
fn to_retry(world: &World, most: u16) -> Vec<u64> {
    world.store.to_retry(page(most)).unwrap().iter().map(|event| event.position).collect()
}

pub fn parked_events_are_marked_to_be_sent_again(database: TestDatabase) {
    let world = relaying(database);
    for number in 1..=6 {
        world.add("LAMP", &format!("B-{number}"), 1, Eta::InStock);
    }
    number_all(&world);
    let all = (1..=6).map(|position| parked(position, "x")).collect();
    world.store.record(&lease("me"), TIME, &progress(6, all, &[])).unwrap();
    assert!(to_retry(&world, 10).is_empty());
    assert_eq!(world.store.retry(&[2, 5, 9, u64::MAX]).unwrap(), 2);
    assert_eq!(to_retry(&world, 10), [2, 5]);
    let two = &world.store.to_retry(page(1)).unwrap()[0];
    assert_eq!((&*two.name, &two.subject), ("batch_added", &Subject::Batch(reference("B-2"))));
    // Republished, and parked again.
    world.store.record(&lease("me"), TIME, &progress(0, vec![parked(5, "y")], &[2])).unwrap();
    assert!(to_retry(&world, 10).is_empty());
    assert_eq!(world.store.retry_all().unwrap(), 5);
    assert_eq!(to_retry(&world, 3), [1, 3, 4]);
    assert_eq!(world.store.checkpoint().unwrap(), 6);
}

pub fn an_event_of_a_later_version_is_read_as_it_is_stored(database: TestDatabase) {
    let world = relaying(database);
    for number in 1..=3 {
        world.add("LAMP", &format!("B-{number}"), 1, Eta::InStock);
    }
    number_all(&world);
    let json = r#"{"of": ["the", "future"]}"#;
    let event = format!("[[\"LAMP\",2,0,0,\"of_the_future\",null,\"B-2\",null,null,{json},\"robot:7\",{{\"of\":1}}]]");
    world.database.execute(&format!("UPDATE event_blocks SET events = '{event}' WHERE first_position = 2"));
    let events = world.store.read(0, &EventFilter::default(), page(10)).unwrap().events;
    assert_eq!(
        events.iter().map(|event| &*event.name).collect::<Vec<_>>(),
        ["batch_added", "of_the_future", "batch_added"]
    );
    assert_eq!((&*events[1].json, &events[1].subject), (json, &Subject::Batch(reference("B-2"))));
    assert_eq!(events[1].context.actor, Actor::Unknown, "a kind of a later version");
    world.store.record(&lease("me"), TIME, &progress(2, vec![parked(2, "x")], &[])).unwrap();
    world.store.retry_all().unwrap();
    assert_eq!(world.store.to_retry(page(10)).unwrap(), [events[1].clone()]);
}

pub fn the_author_of_an_event_from_before_authors_were_recorded_is_unknown(database: TestDatabase) {
    let world = relaying(database);
    world.add("LAMP", "B-1", 1, Eta::InStock);
    number_all(&world);
    let event = r#"[["LAMP",1,0,0,"batch_removed",null,"B-1",null,null,{"type":"batch_removed"}]]"#;
    world.database.execute(&format!("UPDATE event_blocks SET events = '{event}'"));
    let page = world.store.read(0, &EventFilter::default(), page(1)).unwrap();
    assert_eq!(page.events[0].context, EventContext { actor: Actor::Unknown, ..EventContext::default() });
    assert_eq!(world.database.texts("SELECT coalesce(actor, 'null') FROM all_events"), ["null"]);
}

/// Sequences all events, each as a block of its own.
fn number_all(world: &World) {
    let keeper = Lease { name: "log", holder: "me".to_owned() };
    assert!(world.store.take(&keeper, TIME).unwrap());
    while world.store.sequence(&keeper, TIME, 1).unwrap().events > 0 {}
}

pub fn parked_events_beyond_the_retention_are_removed(database: TestDatabase) {
    let world = relaying(database);
    for batch in ["B-1", "B-2", "B-3"] {
        world.add("LAMP", batch, 1, Eta::InStock);
    }
    assert_eq!(world.store.unsequenced_count().unwrap(), 3);
    number_all(&world);
    assert_eq!(world.store.unsequenced_count().unwrap(), 0);
    world.store.record(&lease("me"), TIME, &progress(3, vec![parked(1, "x"), parked(3, "x")], &[])).unwrap();
    let keeper = Lease { name: "log", holder: "me".to_owned() };
    world.store.prune(&keeper, TIME, DateTime::<Utc>::MAX_UTC, 2).unwrap();
    world.store.retry_all().unwrap();
    assert_eq!(to_retry(&world, 9), [3]);
    assert_eq!(world.store.record(&lease("me"), TIME, &progress(0, Vec::new(), &[])).unwrap(), 1);
    let positions: Vec<_> = world.store.parked(0, page(9)).unwrap().iter().map(|parked| parked.position).collect();
    assert_eq!(positions, [3]);
}

pub fn the_backlog_has_the_events_before_and_after_sequencing(database: TestDatabase) {
    let world = relaying(database);
    assert_eq!(world.store.backlog().unwrap(), EventBacklog::default());
    for batch in ["B-1", "B-2", "B-3"] {
        world.add("LAMP", batch, 1, Eta::InStock);
    }
    let before = world.store.backlog().unwrap();
    assert_eq!((before.last, before.unsequenced, before.unrelayed(), before.oldest_unrelayed), (0, 3, 0, None));
    let oldest = before.oldest_unsequenced.unwrap();
    number_all(&world);
    world.store.record(&lease("me"), TIME, &progress(1, vec![parked(1, "x")], &[])).unwrap();
    let after = world.store.backlog().unwrap();
    assert_eq!((after.last, after.unsequenced, after.oldest_unsequenced), (3, 0, None));
    assert_eq!((after.checkpoint, after.unrelayed(), after.parked), (1, 2, 1));
    assert!(after.oldest_unrelayed.unwrap() >= oldest);
    world.store.record(&lease("me"), TIME, &progress(3, Vec::new(), &[])).unwrap();
    assert_eq!(world.store.backlog().unwrap().oldest_unrelayed, None);
}

/// Allocates one unit, by a command with that id.
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

pub fn effects_of_commands_are_found_before_and_after_sequencing(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 10, Eta::InStock);
    allocate(&world, "O-1", "C-1");
    number_all(&world);
    allocate(&world, "O-2", "C-2");
    // Another sender uses the same id.
    allocate(&world, "O-3", "C-1");
    let id = |text| CausationId::parse(text).unwrap();
    let asked =
        [(id("C-1"), "allocated"), (id("C-2"), "allocated"), (id("C-2"), "deallocated"), (id("C-3"), "allocated")];
    let mut caused: Vec<_> = world
        .store
        .caused_by(&asked)
        .unwrap()
        .into_iter()
        .map(|(id, event)| {
            assert!(matches!(&event, Event::Allocated { reference: batch, .. } if *batch == reference("B-1")));
            (id.to_string(), event.order_id().unwrap().to_string())
        })
        .collect();
    caused.sort();
    let expected = [("C-1", "O-1"), ("C-1", "O-3"), ("C-2", "O-2")];
    assert_eq!(caused, expected.map(|(id, order)| (id.to_owned(), order.to_owned())));
    assert!(world.store.caused_by(&[]).unwrap().is_empty());
}

use crate::database::TestDatabase;
use crate::world::{World, instant, lock_one, new_order, order, quantity, sku, to_allocate, waits};
use allocation_domain::Eta;
use allocation_ports::{
    Actor, CausationId, EventContext, EventContexts, EventCursor, EventFilter, EventLog, EventPage, HistoryQueries,
    Lease, Leases, LockWait, LogBounds, LogSequencer, PageSize, ReadLogError, SequenceError, StoreError, Subject,
    TraceParent, UnitOfWorkFactory,
};
use chrono::{TimeDelta, Utc};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

pub const LONG: Duration = Duration::from_secs(600);

pub fn lease(holder: &str) -> Lease {
    Lease { name: "events", holder: holder.to_owned() }
}

/// Sequences all events in chunks of this size.
fn number_all(world: &World, most: u16) -> u64 {
    assert!(world.store.take(&lease("me"), LONG).unwrap());
    let mut all = 0;
    loop {
        match world.store.sequence(&lease("me"), LONG, most).unwrap().events {
            0 => return all,
            some => all += some,
        }
    }
}

fn read(world: &World, after: u64, filter: &EventFilter, page: u16) -> EventPage {
    world.store.read(after, filter, PageSize::new(page).unwrap()).unwrap()
}

/// Returns events as `position name order-or-dash`, from a position on, page by page.
fn read_all(world: &World, filter: &EventFilter, page: u16) -> Vec<String> {
    let (mut after, mut texts) = (0, Vec::new());
    loop {
        let page = read(world, after, filter, page);
        texts.extend(page.events.iter().map(|logged| {
            let order_id = match &logged.subject {
                Subject::Order(order_id) => order_id.as_str(),
                Subject::Batch(_) | Subject::Product(_) => "-",
            };
            format!("{} {} {order_id}", logged.position, logged.name)
        }));
        if page.next == after {
            return texts;
        }
        after = page.next;
    }
}

/// The keys of all events in the order of their positions.
fn keys(world: &World) -> Vec<(String, i64, i64)> {
    let rows = world.database.texts(
        "SELECT sku || ' ' || CAST(version AS text) || ' ' || CAST(ordinal AS text) FROM events ORDER BY position",
    );
    let key = |row: String| {
        let parts: Vec<_> = row.split(' ').collect();
        (parts[0].to_owned(), parts[1].parse().unwrap(), parts[2].parse().unwrap())
    };
    rows.into_iter().map(key).collect()
}

/// Allocates lines of several products in units of mixed length.
fn write(world: &World, writer: usize) {
    for round in 0..40 {
        let mut unit = world.begin();
        let order_id = format!("O-{writer}-{round}");
        let count = 1 + (writer + round) % 4;
        let wanted: Vec<_> =
            (0..count).map(|n| to_allocate(&format!("SKU-{}", (writer + n) % 5), &[&order_id])).collect();
        let mut products = unit.products().lock(&wanted).unwrap();
        for product in &mut products {
            product.allocate(&order(&order_id), quantity(1), instant(0)).unwrap();
        }
        unit.products().save(&products, &EventContexts::default()).unwrap();
        if round % 10 == writer {
            thread::sleep(Duration::from_millis(20));
        }
        unit.commit().unwrap();
    }
}

pub fn all_readers_see_one_order_without_gaps_beside_writers(database: TestDatabase) {
    let world = World::new(database);
    for number in 0..5 {
        world.add(&format!("SKU-{number}"), &format!("B-{number}"), 1_000_000, Eta::InStock);
    }
    let (written, sequenced) = (AtomicBool::new(false), AtomicBool::new(false));
    let (world, written, sequenced) = (&world, &written, &sequenced);
    let seen: Vec<Vec<(u64, String)>> = thread::scope(|scope| {
        let keeper = scope.spawn(move || {
            while !written.load(Ordering::SeqCst) {
                number_all(world, 7);
            }
            number_all(world, 7);
            sequenced.store(true, Ordering::SeqCst);
        });
        let readers: Vec<_> = (1..=3)
            .map(|reader| {
                scope.spawn(move || {
                    let (mut after, mut seen) = (0, Vec::new());
                    loop {
                        let done = sequenced.load(Ordering::SeqCst);
                        let page = read(world, after, &EventFilter::default(), reader * 10);
                        if page.events.is_empty() && done {
                            return seen;
                        }
                        after = page.next;
                        seen.extend(page.events.into_iter().map(|logged| (logged.position, logged.json)));
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || write(world, writer))).collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        written.store(true, Ordering::SeqCst);
        keeper.join().unwrap();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    assert_eq!(world.database.count("SELECT count(*) FROM outbox"), 0);
    let count = u64::try_from(world.database.count("SELECT count(*) FROM allocations")).unwrap() + 5;
    assert_eq!(world.store.bounds().unwrap(), LogBounds { oldest: 1, last: count });
    for seen in &seen {
        assert!(seen.iter().map(|(position, _)| *position).eq(1..=count), "no gap, none twice");
    }
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "the same for all");
    assert_products_in_order(world);
}

/// The events of each product are in the order of their versions and ordinals.
fn assert_products_in_order(world: &World) {
    let keys = keys(world);
    let mut sorted = keys.clone();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    let by_sku: Vec<_> = sorted.chunk_by(|one, other| one.0 == other.0).collect();
    for events in by_sku {
        assert!(events.is_sorted_by(|one, other| one < other), "{events:?}");
    }
}

pub fn events_are_sequenced_in_chunks_that_begin_with_the_oldest(database: TestDatabase) {
    let world = World::new(database);
    for name in ["A", "B", "C"] {
        world.add(name, name, 100, Eta::InStock);
        (0..10).for_each(|number| drop(world.allocate(name, &format!("O-{number}"), 1).unwrap()));
    }
    assert!(world.store.has_unsequenced().unwrap());
    assert!(world.store.take(&lease("me"), LONG).unwrap());
    let first = world.store.sequence(&lease("me"), LONG, 4).unwrap();
    assert_eq!((first.events, first.last), (4, 4));
    world.add("D", "D", 100, Eta::InStock);
    let second = world.store.sequence(&lease("me"), LONG, 4).unwrap();
    assert_eq!((second.events, second.last), (4, 8));
    assert!(keys(&world).iter().all(|(sku, ..)| sku == "A"), "the oldest");
    assert_eq!(number_all(&world, 9), 26);
    assert!(!world.store.has_unsequenced().unwrap());
    assert_products_in_order(&world);
    world.store.vacuum().unwrap();
    assert_eq!(world.store.sequence(&lease("me"), LONG, 9).unwrap().events, 0);
    assert_eq!(world.store.bounds().unwrap(), LogBounds { oldest: 1, last: 34 });
}

pub fn a_lease_has_one_holder_until_it_expires(database: TestDatabase) {
    let world = World::new(database);
    let take = |holder: &str, time| world.store.take(&lease(holder), time).unwrap();
    assert!(take("one", LONG) && !take("two", LONG));
    assert!(take("one", LONG), "it is renewed");
    assert!(world.store.take(&Lease { name: "other", holder: "two".to_owned() }, LONG).unwrap());
    world.store.release(&lease("two")).unwrap();
    assert!(!take("two", LONG), "only the holder gives it back");
    world.store.release(&lease("one")).unwrap();
    assert!(take("two", Duration::from_millis(100)));
    while !take("one", LONG) {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!take("two", LONG));
}

pub fn a_lease_ends_though_the_clock_was_set_back(database: TestDatabase) {
    let world = World::new(database);
    let take = |holder: &str| world.store.take(&lease(holder), LONG).unwrap();
    assert!(take("one"));
    world.database.execute("UPDATE leases SET expires_at = expires_at + 600000000 - 5000000");
    assert!(!take("two"), "it may have been taken for longer");
    world.database.execute("UPDATE leases SET expires_at = expires_at + 10000000");
    assert!(take("two"), "it was taken before the clock was set back");
    assert!(!take("one"));
}

pub fn a_holder_that_has_lost_its_lease_writes_nothing(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    let refused = |holder: &str| {
        let sequenced = world.store.sequence(&lease(holder), LONG, 10);
        assert!(matches!(sequenced, Err(SequenceError::LeaseLost)), "{sequenced:?}");
        let forgotten = world.store.prune(&lease(holder), LONG, world.now() + TimeDelta::days(1), 10);
        assert!(matches!(forgotten, Err(SequenceError::LeaseLost)), "{forgotten:?}");
    };
    refused("one");
    assert!(world.store.take(&lease("one"), Duration::ZERO).unwrap());
    thread::sleep(Duration::from_millis(5));
    assert_eq!(
        world.store.sequence(&lease("one"), Duration::ZERO, 10).unwrap().events,
        1,
        "no other process has taken the lease"
    );
    thread::sleep(Duration::from_millis(5));
    assert!(world.store.take(&lease("two"), LONG).unwrap());
    world.add("LAMP", "B-2", 5, Eta::InStock);
    refused("one");
    assert_eq!(world.store.bounds().unwrap(), LogBounds { oldest: 1, last: 1 });
    assert_eq!(world.store.sequence(&lease("two"), LONG, 10).unwrap().last, 2);
}

pub fn old_events_are_pruned_from_the_start_and_reported_to_readers(database: TestDatabase) {
    let world = World::new(database);
    for number in 0..10 {
        let at = instant(number) + TimeDelta::days(number);
        world.add_at("LAMP", &format!("B-{number}"), 1, Eta::InStock, at);
    }
    // Each in a block of its own: a block is pruned as a whole.
    number_all(&world, 1);
    let prune = |days, most| {
        let before = instant(0) + TimeDelta::days(days);
        let gone = world.store.prune(&lease("me"), LONG, before, most).unwrap();
        (gone, world.store.bounds().unwrap().oldest)
    };
    assert_eq!(prune(5, 3), (3, 4), "at most three events a call");
    assert_eq!(prune(5, 3), (2, 6), "and not the one that is young enough");
    assert_eq!(prune(5, 3), (0, 6));
    let any = EventFilter::default();
    for after in 0..5 {
        let result = world.store.read(after, &any, PageSize::default());
        assert!(matches!(result, Err(ReadLogError::Gone { oldest: 6 })), "{after}: {result:?}");
    }
    let positions = |after| read(&world, after, &any, 100).events.iter().map(|e| e.position).collect::<Vec<_>>();
    assert_eq!(positions(5), [6, 7, 8, 9, 10]);
    assert_eq!(prune(100, 1_000), (5, 11), "all of them");
    assert_eq!(read(&world, 10, &any, 9), EventPage { events: Vec::new(), next: 10 });
    world.add("LAMP", "B-10", 1, Eta::InStock);
    number_all(&world, 100);
    assert_eq!(positions(10), [11]);
    assert_eq!(world.database.count("SELECT count(*) FROM all_events"), 1);
}

pub fn a_cursor_beyond_the_log_is_reported(database: TestDatabase) {
    let world = World::new(database);
    let read = |after| world.store.read(after, &EventFilter::default(), PageSize::default());
    assert!(matches!(read(1), Err(ReadLogError::Gone { oldest: 1 })));
    world.add("LAMP", "B", 1, Eta::InStock);
    number_all(&world, 100);
    assert_eq!((read(0).unwrap().next, read(1).unwrap().next), (1, 1));
    // As after a restored backup: the next event differs from the one that was read.
    assert!(matches!(read(2), Err(ReadLogError::Gone { oldest: 1 })));
}

pub fn a_filter_scans_a_bounded_number_of_events(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 3, Eta::InStock);
    world.add("RUG", "B-2", 3, Eta::InStock);
    world.allocate("LAMP", "O-1", 1).unwrap();
    world.allocate("LAMP", "B-1", 2).unwrap();
    world.remove_batch("RUG", "B-2");
    number_all(&world, 1);
    let all = read_all(&world, &EventFilter::default(), 100);
    assert_eq!(all.len(), 6);
    let fitting = |types: &[&'static str], subject: &str| {
        let filter = EventFilter { types: types.to_vec(), subject: Subject::parse(subject).ok() };
        let found = read_all(&world, &filter, 1);
        assert!(found.iter().all(|text| all.contains(text)));
        assert_eq!(found, read_all(&world, &filter, 100));
        found.into_iter().map(|text| text.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fitting(&["allocated"], ""), ["allocated O-1", "allocated B-1"]);
    assert_eq!(fitting(&["allocated", "batch_removed"], "").len(), 3);
    assert_eq!(fitting(&[], "orders/O-1"), ["allocated O-1"]);
    assert_eq!(fitting(&[], "batches/B-2"), ["batch_added -", "batch_removed -"]);
    assert_eq!(fitting(&["batch_added"], "batches/B-1"), ["batch_added -"]);
    assert_eq!(fitting(&[], "products/LAMP"), ["out_of_stock -"]);
    assert_eq!(fitting(&["allocated"], "batches/B-1"), Vec::<String>::new());
    write_many(&world, 25_000);
    assert_eq!(number_all(&world, 30_000), 25_000);
    let filter = EventFilter { types: vec!["hold_expired"], subject: None };
    let nexts = [0, 10_000, 20_000, 25_006].map(|after| read(&world, after, &filter, 5).next);
    assert_eq!(nexts, [10_000, 20_000, 25_006, 25_006]);
    // The index on subjects finds an event at once, however many lie between.
    world.add("SOFA", "B-3", 1, Eta::InStock);
    world.allocate("SOFA", "O-3", 1).unwrap();
    number_all(&world, 100);
    for (subject, position) in [("batches/B-3", 25_007), ("orders/O-3", 25_008), ("products/SOFA", 25_009)] {
        for types in [&[][..], &["batch_added", "allocated", "out_of_stock"]] {
            let page =
                read(&world, 1, &EventFilter { types: types.to_vec(), subject: Subject::parse(subject).ok() }, 5);
            let found: Vec<_> = page.events.iter().map(|event| event.position).collect();
            assert_eq!((found, page.next), (vec![position], 25_009), "{subject}");
        }
    }
}

/// Adds blocks of one event each about order `X` to the outbox.
fn write_many(world: &World, count: u32) {
    write_with_keys(world, count, if world.is_postgres() { "'{1}'::integer[]" } else { "'[1]'" });
}

/// Writes units of work of one event of order `X`, with keys given as SQL.
fn write_with_keys(world: &World, count: u32, keys: &str) {
    world.database.execute(&format!(
        "INSERT INTO outbox_blocks (event_count, occurred_at, types, keys, events)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         SELECT 1, 1, 'line_cancelled', {keys}, '[[\"LAMP\",' || (9 + i) || ',0,0,\"line_cancelled\",\"X\",null,null,null,'
                || '{{\"type\":\"line_cancelled\",\"order_id\":\"X\",\"sku\":\"LAMP\"}}]]'
         FROM n"
    ));
}

/// Writes and sequences units of work about order `X`: one with an allocation, and many of one event.
fn write_many_of_one_order(world: &World, count: u32) {
    world.add("LAMP", "B-1", 1, Eta::InStock);
    number_all(world, 100);
    world.allocate("LAMP", "X", 1).unwrap();
    number_all(world, 100);
    let of_order = world.store.bounds().unwrap().last;
    let keys = format!(
        "(SELECT b.keys FROM event_blocks AS b WHERE b.first_position <= {of_order}
        ORDER BY b.first_position DESC LIMIT 1)"
    );
    write_with_keys(world, count, &keys);
    number_all(world, 60_000);
}

pub fn a_search_for_a_subject_stops_after_some_blocks_and_continues(database: TestDatabase) {
    let world = World::new(database);
    write_many_of_one_order(&world, 40_000);
    let of_order = |types: &'static [&'static str]| EventFilter {
        types: types.to_vec(),
        subject: Subject::parse("orders/X").ok(),
    };
    let last = world.store.bounds().unwrap().last;
    let page = read(&world, 0, &of_order(&["batch_removed"]), 5);
    assert!(page.events.is_empty() && (1..last).contains(&page.next), "{} of {last}", page.next);
    assert_eq!(read_all(&world, &of_order(&["batch_removed"]), 5), [""; 0]);
    assert_eq!(read_all(&world, &of_order(&["line_cancelled"]), 1_000).len(), 40_000);
}

pub fn a_long_history_is_paged_in_its_order(database: TestDatabase) {
    let world = World::new(database);
    write_many_of_one_order(&world, 2_500);
    // Without a position.
    write_with_keys(&world, 120, "(SELECT b.keys FROM event_blocks AS b ORDER BY b.first_position DESC LIMIT 1)");
    world.database.execute("UPDATE outbox_blocks SET occurred_at = 2");
    let (mut after, mut versions) = (None, Vec::new());
    loop {
        let page =
            world.store.history(&Subject::Order(order("X")), after.clone(), PageSize::new(999).unwrap()).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(EventCursor::from(last));
        versions.extend(page.iter().map(|event| event.version));
    }
    let cancelled: Vec<u64> = (10..2_510).chain(10..130).collect();
    assert_eq!(versions[..2_620], cancelled);
    assert!(versions.len() > 2_620, "the allocation follows: it has the current time");
}

pub fn a_subject_is_found_beyond_many_pruned_blocks(database: TestDatabase) {
    let world = World::new(database);
    let filter = EventFilter { types: Vec::new(), subject: Subject::parse("orders/O-1").ok() };
    world.add("LAMP", "B-1", 1, Eta::InStock);
    for _ in 0..90 {
        world.allocate("LAMP", "O-1", 1).unwrap();
        number_all(&world, 100);
        world.deallocate("LAMP", "O-1", "B-1").unwrap();
        number_all(&world, 100);
    }
    write_many(&world, 33_000);
    number_all(&world, 60_000);
    let before = world.now() + TimeDelta::days(1);
    world.store.prune(&lease("me"), LONG, before, 120).unwrap();
    let oldest = world.store.bounds().unwrap().oldest;
    let left =
        world.database.count(&format!("SELECT count(*) FROM events WHERE order_id = 'O-1' AND position >= {oldest}"));
    assert!(left > 50, "{left}");
    assert_eq!(read(&world, oldest - 1, &filter, 1_000).events.len(), usize::try_from(left).unwrap());
}

pub fn subjects_are_found_across_segments_of_the_index(database: TestDatabase) {
    let world = World::new(database);
    let found = |subject: &str| {
        let filter = EventFilter { types: Vec::new(), subject: Subject::parse(subject).ok() };
        read_all(&world, &filter, 1)
    };
    for round in 0..3 {
        world.add("LAMP", &format!("B-{round}"), 1, Eta::InStock);
        world.add("RUG", &format!("R-{round}"), 2, Eta::InStock);
        // One merged block has the order twice.
        world.allocate("LAMP", &format!("O-{round}"), 1).unwrap();
        world.allocate("RUG", &format!("O-{round}"), 1).unwrap();
        number_all(&world, 100);
        write_many(&world, 30_000);
        number_all(&world, 60_000);
    }
    let stock = "SELECT count(*) FROM events WHERE type IN ('out_of_stock', 'back_in_stock')";
    let (stock, found_stock) = (world.database.count(stock), found("products/LAMP").len());
    assert!(stock > 0 && found_stock == usize::try_from(stock).unwrap(), "{found_stock} of {stock}");
    for round in 0..3 {
        assert_eq!(found(&format!("batches/B-{round}")).len(), 1);
        assert_eq!(found(&format!("orders/O-{round}")).len(), 2);
        let history =
            world.store.history(&Subject::Order(order(&format!("O-{round}"))), None, PageSize::default()).unwrap();
        assert_eq!(history.len(), 2);
    }
    // A pruned segment leaves the index, too.
    let before = world.now() + TimeDelta::days(1);
    let pruned = world.store.prune(&lease("me"), LONG, before, 60_000).unwrap();
    assert!((60_000..60_256).contains(&pruned), "{pruned}");
    let oldest = world.store.bounds().unwrap().oldest;
    let stale = if world.is_postgres() {
        format!("SELECT count(*) FROM event_keys WHERE (segment + 1) * 32768 < {oldest}")
    } else {
        format!("SELECT count(*) FROM event_keys WHERE first_position < {oldest}")
    };
    assert_eq!(world.database.count(&stale), 0);
    let filter = EventFilter { types: Vec::new(), subject: Subject::parse("batches/B-2").ok() };
    assert_eq!(read(&world, oldest - 1, &filter, 5).events.len(), 1);
    if world.is_postgres() {
        // An earlier segment that was added late leaves it with the next.
        world.database.execute("INSERT INTO event_keys SELECT bucket, 0, keys, positions FROM event_keys LIMIT 1");
        assert_eq!(world.database.count(&stale), 1);
        assert!(world.store.prune(&lease("me"), LONG, before, 10_000).unwrap() >= 10_000);
        assert_eq!(world.database.count(&stale), 0);
    }
}

/// Writes units of work of one event, of several, of many and from the future.
fn write_units_of_all_sizes(world: &World) {
    for number in 0..70 {
        world.add("LAMP", &format!("B-{number}"), 1, Eta::InStock);
    }
    world.allocate("LAMP", "O-1", 1).unwrap();
    world.place(&new_order("O-2", &[("LAMP", 12)], waits(0)), world.now());
    world.add("RUG", "R-1", 1, Eta::InStock);
    world.add("SOFA", "S-1", 1, Eta::InStock);
    world.add("RUG", "R-2", 1, Eta::InStock);
    let ahead = (Utc::now() + TimeDelta::days(3)).timestamp_micros();
    let future = format!("UPDATE outbox_blocks SET occurred_at = {ahead} WHERE events LIKE '%SOFA%'");
    world.database.execute(&future);
}

pub fn small_blocks_become_one_and_their_events_stay_the_same(database: TestDatabase) {
    let world = World::new(database);
    write_units_of_all_sizes(&world);
    let texts = |view, order| {
        world.database.texts(&format!(
            "SELECT sku || ' ' || CAST(version AS text) || ' ' || CAST(ordinal AS text) || ' ' || CAST(occurred_at AS text)
                    || ' ' || type || ' ' || coalesce(order_id, '-') || ' ' || coalesce(reference, '-') || ' ' || payload
             FROM {view} ORDER BY {order}"
        ))
    };
    let written = texts("outbox", "id, ordinal");
    let units = world.database.count("SELECT count(*) FROM outbox_blocks");
    number_all(&world, 1_000);
    assert_eq!(texts("events", "position"), written);
    let read = read(&world, 0, &EventFilter::default(), 1_000).events;
    let json = world.database.texts("SELECT payload FROM events ORDER BY position");
    assert!(read.iter().map(|event| &event.json).eq(&json));
    assert!(read.iter().map(|event| event.position).eq(1..=u64::try_from(written.len()).unwrap()));
    assert_eq!(world.database.count("SELECT count(*) FROM event_blocks WHERE event_count > 256"), 0);
    if world.is_postgres() {
        assert!(world.database.count("SELECT count(*) FROM event_blocks") < units / 5);
        let future = "SELECT sum(event_count) FROM event_blocks WHERE events LIKE '%SOFA%'";
        assert_eq!(world.database.count(future), 1, "one from the future stays alone");
    }
}

pub fn an_event_records_the_context_of_its_command(database: TestDatabase) {
    const ORDERS: [&str; 4] = ["O-1", "O-2", "O-3", "O-4"];
    let world = World::new(database);
    world.add("LAMP", "B", 9, Eta::InStock);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let context = EventContext {
        actor: Actor::parse("broker:\"erp\""),
        traceparent: TraceParent::parse(trace),
        causation_id: CausationId::parse("command '1'"),
    };
    let unknown = EventContext { actor: Actor::Unknown, ..EventContext::default() };
    let mut unit = world.store.begin(LockWait::Usual).unwrap();
    let mut product = lock_one(&mut *unit, to_allocate("LAMP", &ORDERS));
    for order_id in ORDERS {
        product.allocate(&order(order_id), quantity(1), instant(0)).unwrap();
    }
    let mut contexts = EventContexts::default();
    contexts.add(&sku("LAMP"), 0..1, &EventContext::SYSTEM);
    contexts.add(&sku("LAMP"), 2..3, &context);
    contexts.add(&sku("LAMP"), 3..4, &unknown);
    unit.products().save(&[product], &contexts).unwrap();
    unit.commit().unwrap();
    if world.is_postgres() {
        let mixed = "SELECT count(*) FROM outbox_blocks WHERE keys && causes";
        assert_eq!(world.database.count(mixed), 0, "causes have a table of their own");
    }
    number_all(&world, 100);
    let page = read(&world, 1, &EventFilter::default(), 10);
    let contexts: Vec<_> = page.events.into_iter().map(|logged| logged.context).collect();
    assert_eq!(contexts[..], [EventContext::SYSTEM, EventContext::default(), context, unknown]);
    let actors = ORDERS.map(|order_id| {
        world.store.history(&Subject::Order(order(order_id)), None, PageSize::ONE).unwrap()[0].actor.clone()
    });
    assert!(actors.iter().eq(contexts.iter().map(|context| &context.actor)), "{actors:?}");
    let stored =
        world.database.texts("SELECT coalesce(actor, 'null') FROM events WHERE type = 'allocated' ORDER BY position");
    assert_eq!(stored, ["system", "anonymous", "broker:\"erp\"", "null"]);
    assert_products_in_order(&world);
}

pub fn a_history_is_unavailable_while_too_many_events_have_no_position(database: TestDatabase) {
    let world = World::new(database);
    let (columns, keys) =
        ("event_count, occurred_at, types, keys, events", if world.is_postgres() { "{1}" } else { "[1]" });
    let add = |blocks: u32| {
        world.database.execute(&format!(
            "INSERT INTO outbox_blocks ({columns})
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {blocks})
             SELECT 1, 1, 'line_cancelled', '{keys}', '[]' FROM n"
        ));
    };
    let history = || world.store.history(&Subject::Order(order("O")), None, PageSize::default());
    add(20_000);
    assert_eq!(history().unwrap(), []);
    add(1);
    assert!(matches!(history(), Err(StoreError::Unavailable(_))));
}

pub fn a_history_is_the_same_before_and_after_sequencing(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B-1", 9, Eta::InStock);
    world.add("RUG", "B-2", 9, Eta::InStock);
    world.allocate("LAMP", "O", 1).unwrap();
    world.allocate("RUG", "O", 2).unwrap();
    let history = || {
        let (mut after, mut events) = (None, Vec::new());
        loop {
            let page = world.store.history(&Subject::Order(order("O")), after, PageSize::new(1).unwrap()).unwrap();
            let Some(last) = page.last() else { return events };
            after = Some(last.into());
            events.extend(page);
        }
    };
    assert_eq!(history().len(), 2);
    number_all(&world, 2);
    // The line is forgotten, but not what became of it, sequenced or not.
    world.deallocate("RUG", "O", "B-2").unwrap();
    assert_eq!(world.database.count("SELECT count(*) FROM order_lines"), 1);
    let before = history();
    assert_eq!(
        before.iter().map(|row| row.event.name()).collect::<Vec<_>>(),
        ["allocated", "allocated", "deallocated"]
    );
    number_all(&world, 100);
    assert_eq!(history(), before);
}

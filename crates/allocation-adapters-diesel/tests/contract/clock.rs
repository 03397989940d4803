//! The effects of a wrong clock, and the rows that it leaves behind.

use crate::database::connect;
use crate::world::{World, decide, held, lock_one, new_order, order, sku, to_allocate, waits};
use allocation_adapters_diesel::{ClockWatch, Mended, Store};
use allocation_domain::{Eta, HoldDuration, NewPickList, OrderTerms, PickCriteria, PickListId};
use allocation_ports::{
    BackorderFilter, BackorderQueries, Clock, DatabaseProbe, EventContexts, EventFilter, EventLog, Lease, Leases,
    LockRequest, LockWait, LogSequencer, PageSize, ParkedEvent, ProgramTooOld, RecordError, RelayProgress, RelayStore,
    SequenceError, StoreError, UnitOfWorkFactory,
};
use allocation_test_support::TestDatabase;
use chrono::{DateTime, TimeDelta, Utc};
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(600);

fn lease() -> Lease {
    Lease { name: "events", holder: "me".to_owned() }
}

/// Sequences all events under the lease, each as a block of its own.
fn number_all(world: &World) {
    assert!(world.store.take(&lease(), LONG).unwrap());
    while world.store.sequence(&lease(), LONG, 1).unwrap().events > 0 {}
}

/// Returns the time of the clock that decides, unless the test has stopped it.
fn database_now(world: &World) -> i64 {
    if world.is_postgres() {
        world.database.count("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    } else {
        world.store.clock().now().timestamp_micros()
    }
}

pub fn the_time_of_retention_follows_the_clock_no_faster_than_time_passes(database: TestDatabase) {
    let world = World::new(database);
    world.set_time(Utc::now());
    let keep = |passed| world.store.retention_time(&lease(), LONG, passed).unwrap();
    world.add_at("LAMP", "B", 1, Eta::InStock, Utc::now() - TimeDelta::days(100));
    number_all(&world);
    world.set_time(Utc::now());
    let newest = world.store.read(0, &EventFilter::default(), PageSize::default()).unwrap().events[0].occurred_at;
    let start = keep(Duration::ZERO);
    assert_eq!(start.trusted, newest, "it begins at the newest event");
    assert!(start.now - start.trusted > TimeDelta::days(99));
    assert_eq!(keep(Duration::ZERO).trusted, newest, "no time has passed");
    assert_eq!(keep(Duration::from_secs(10)).trusted, newest + TimeDelta::seconds(20), "it catches up");
    let late = keep(Duration::from_secs(1_000 * 86_400));
    assert!(
        late.trusted <= late.now && late.now - late.trusted < TimeDelta::seconds(1),
        "never past the clock: {late:?}"
    );
    let other = Lease { holder: "other".to_owned(), ..lease() };
    assert!(matches!(world.store.retention_time(&other, LONG, LONG), Err(SequenceError::LeaseLost)));
    // The retention time does not follow a clock that jumps ahead, but follows one that is set back.
    if !world.is_postgres() {
        let before = keep(Duration::ZERO).trusted;
        world.set_time(before + TimeDelta::days(3_650));
        assert_eq!(keep(Duration::from_secs(5)).trusted, before + TimeDelta::seconds(10));
        world.set_time(before - TimeDelta::days(1));
        assert_eq!(keep(Duration::from_secs(5)).trusted, before - TimeDelta::days(1));
    }
}

pub fn events_from_the_future_go_with_old_ones_behind_them_and_stay_without(database: TestDatabase) {
    let world = World::new(database);
    let now = Utc::now();
    world.set_time(now);
    for number in 0..9 {
        world.add("LAMP", &format!("B-{number}"), 1, Eta::InStock);
    }
    number_all(&world);
    let stamp = |position: u32, days: i64| {
        let at = (now + TimeDelta::days(days)).timestamp_micros();
        world
            .database
            .execute(&format!("UPDATE event_blocks SET occurred_at = {at} WHERE first_position = {position}"));
    };
    // Old, from the future twice, old, from the future, young, old, from the future twice.
    for (position, days) in (1..).zip([-40, 3_650, 31, -35, 1, -2, -40, 31, 31]) {
        stamp(position, days);
    }
    world.set_time(now);
    let prune = |most| {
        let gone = world.store.prune(&lease(), LONG, now - TimeDelta::days(30), most).unwrap();
        (gone, world.store.bounds().unwrap().oldest)
    };
    assert_eq!(prune(2), (2, 3), "at most two events a call");
    assert_eq!(prune(10), (2, 5), "those from the future with the old one behind them");
    assert_eq!(prune(10), (0, 5), "one from the future in front of a young one stays");
    stamp(6, -31);
    assert_eq!(prune(10), (3, 8));
    assert_eq!(prune(10), (0, 8), "no later event bounds their age");
}

/// Stores rows of every kind at a time that is `days` days ahead.
fn ahead(world: &World, days: i64) {
    let future = Utc::now() + TimeDelta::days(days);
    world.add_at("LAMP", "B-2", 5, Eta::InStock, future);
    world.add_at("LAMP", "B-1", 5, Eta::InStock, future);
    for name in ["Z", "Y", "X"] {
        world.place(&new_order(name, &[("LAMP", 20)], waits(0)), future);
    }
    world.place(&new_order("CART", &[("RUG", 1)], held(20)), future);
    let mut unit = world.begin();
    let list = NewPickList::new(PickListId::parse("P").unwrap(), PickCriteria::default());
    unit.orders().add(&[new_order("CART", &[("RUG", 1)], held(20))], future).unwrap();
    unit.pick_lists().add(&list, future).unwrap();
    unit.commit().unwrap();
    number_all(world);
    let parked = ParkedEvent { position: 1, reason: "no queue".to_owned(), parked_at: future, retry: false };
    let progress = RelayProgress { parked: vec![parked], ..RelayProgress::default() };
    world.store.record(&lease(), LONG, &progress).unwrap();
    let later = future.timestamp_micros();
    world.database.execute(&format!("INSERT INTO leases VALUES ('relay', 'gone', {later})"));
}

fn queue(world: &World, store: &Store) -> Vec<String> {
    let filter = BackorderFilter { sku: Some(sku("LAMP")) };
    let now = DateTime::from_timestamp_micros(database_now(world)).unwrap();
    let rows = store.backorders(&filter, None, PageSize::default(), now).unwrap();
    rows.iter().map(|row| row.queued.order_id().to_string()).collect()
}

/// An order may have requested more than is allowed by now.
pub fn holds_that_are_longer_than_allowed_are_shortened_once(database: TestDatabase) {
    let world = World::new(database);
    let now = Utc::now() - TimeDelta::seconds(1);
    world.add_at("RUG", "R", 5, Eta::InStock, now);
    let cart = new_order("CART", &[("RUG", 1)], OrderTerms { hold: Some(HoldDuration::LONGEST), ..held(20) });
    world.place(&cart, now);
    let mut unit = world.begin();
    unit.orders().add(&[cart], now).unwrap();
    unit.commit().unwrap();
    let store = connect(&world.database, 2);
    let found = |limit| store.inspect(limit).unwrap().findings.len();
    assert_eq!((found(HoldDuration::LONGEST), found(HoldDuration::DAY)), (0, 1));
    assert_eq!(store.mend_instants(HoldDuration::DAY).unwrap().holds, 1);
    assert_eq!((found(HoldDuration::DAY), store.mend_instants(HoldDuration::DAY).unwrap().holds), (0, 0));
}

pub fn instants_from_the_future_are_found_and_mended(database: TestDatabase) {
    let world = World::new(database);
    world.set_time(Utc::now() - TimeDelta::hours(1));
    world.add_at("RUG", "R", 5, Eta::InStock, Utc::now() - TimeDelta::hours(1));
    let store = connect(&world.database, 2);
    assert_eq!(store.inspect(HoldDuration::DAY).unwrap().findings, []);
    ahead(&world, 10);
    let found = store.inspect(HoldDuration::DAY).unwrap().findings;
    let descriptions: Vec<_> = found.iter().map(|finding| finding.what.split(" (").next().unwrap()).collect();
    assert_eq!(
        descriptions,
        [
            "products decided on in the future",
            "lines placed in the future",
            "holds longer than any request can ask for",
            "batches added in the future",
            "orders placed in the future",
            "pick lists made in the future",
            "events of the log from the future",
            "events parked in the future",
            "leases taken in the future",
        ]
    );
    assert!(found.iter().all(|finding| finding.rows > 0 && finding.latest.unwrap() > Utc::now() + TimeDelta::days(9)));

    let mended = store.mend_instants(HoldDuration::DAY).unwrap();
    let Mended { products, lines, holds, batches, others } = mended;
    assert_eq!((products, lines, holds, batches), (2, 4, 1, 2), "{mended:?}");
    assert!(others >= 9, "{mended:?}");
    assert_eq!(store.inspect(HoldDuration::DAY).unwrap().findings, []);
    assert_eq!(store.mend_instants(HoldDuration::DAY).unwrap(), Mended::default(), "again it finds nothing to do");
    assert_eq!(queue(&world, &store), ["Z", "Y", "X"], "who came first is first");
    let batches = world.database.texts("SELECT reference FROM batches WHERE sku = 'LAMP' ORDER BY added_at");
    assert_eq!(batches, ["B-2", "B-1"]);
    let now = database_now(&world);
    let left = world.database.count("SELECT expires_at FROM order_lines WHERE order_id = 'CART'") - now;
    assert!(left <= 20_000_000, "no longer than was asked for: {left} microseconds");

    // Later decisions have later instants, holds have their usual duration, and nothing of the jump remains.
    let mut unit = store.begin(LockWait::Usual).unwrap();
    let wanted = LockRequest { order_ids: vec![order("W")], open_batches: true, ..LockRequest::product(sku("LAMP")) };
    let mut product = unit.products().lock(&[wanted]).unwrap().remove(0);
    let lock = product.lock_time().unwrap();
    assert!((lock.decided_at - lock.now).abs() < TimeDelta::seconds(5), "{lock:?}");
    let placed = new_order("W", &[("LAMP", 20)], waits(0));
    decide(&mut *unit, &mut product, |product| {
        world.with_order(product, |products| products.place(&placed, lock.now).map(drop))
    })
    .unwrap();
    unit.products().save(&[product], &EventContexts::default()).unwrap();
    unit.commit().unwrap();
    assert_eq!(queue(&world, &store), ["Z", "Y", "X", "W"]);
    world.assert_counters_equal_sums();
}

/// Returns the SQL that puts the lamp's events into the future as a clock that is ahead leaves them: a clock that
/// dates the events and their sequencing merges them with others.
fn put_ahead(world: &World, future: i64) -> Vec<String> {
    if !world.is_postgres() {
        return vec![format!("UPDATE event_blocks SET occurred_at = {future} WHERE events LIKE '%LAMP%'")];
    }
    let lines = format!("events = regexp_replace(events, '^\\d+(?=\\[\\[\"LAMP\")', '{future}', 'gn')");
    vec![
        format!("UPDATE event_blocks SET occurred_at = {future}, {lines}"),
        // A repair of the column alone has left it so.
        format!("UPDATE event_blocks SET {lines}"),
        // More blocks than one step repairs.
        format!(
            "UPDATE event_blocks SET occurred_at = {future}, {lines};
             INSERT INTO event_blocks
             SELECT first_position + 10 * i, event_count, occurred_at, types, keys, causes, events
             FROM event_blocks CROSS JOIN generate_series(1, 1200) AS i"
        ),
    ]
}

pub fn events_sequenced_by_a_wrong_clock_are_found_and_mended(database: TestDatabase) {
    let world = World::new(database);
    let past = Utc::now() - TimeDelta::hours(1);
    for (name, batch) in [("RUG", "R-1"), ("LAMP", "B-1"), ("SOFA", "S-1"), ("LAMP", "B-2")] {
        world.add_at(name, batch, 5, Eta::InStock, past);
    }
    assert!(world.store.take(&lease(), LONG).unwrap());
    assert_eq!(world.store.sequence(&lease(), LONG, 100).unwrap().events, 4);
    world.store.release(&lease()).unwrap();
    let feed = || world.store.read(0, &EventFilter::default(), PageSize::default()).unwrap().events;
    let written = feed();
    let future = (Utc::now() + TimeDelta::days(1)).timestamp_micros();
    // The copies of a block have no place among the positions of the log, which another finding says.
    let found_ahead = || -> Vec<_> {
        world
            .store
            .inspect(HoldDuration::DAY)
            .unwrap()
            .findings
            .into_iter()
            .filter(|finding| finding.latest.is_some())
            .collect()
    };
    for sql in put_ahead(&world, future) {
        world.database.execute(&sql);
        let ahead = format!("SELECT count(*) FROM events WHERE occurred_at > {}", future - 1_000_000);
        assert!(world.database.count(&ahead) >= 2);
        let found = found_ahead();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.starts_with("events of the log from the future"), "{found:?}");
        assert_eq!(found[0].latest.unwrap().timestamp_micros(), future);
        assert_eq!(
            world.store.mend_instants(HoldDuration::DAY).unwrap(),
            Mended { others: found[0].rows, ..Mended::default() }
        );

        assert_eq!(world.database.count(&ahead), 0);
        assert_eq!(found_ahead(), []);
        assert_eq!(
            world.store.mend_instants(HoldDuration::DAY).unwrap(),
            Mended::default(),
            "again it finds nothing to do"
        );
        let wrong = "SELECT count(*) FROM event_blocks AS b WHERE first_position < 50 AND occurred_at <> (
                         SELECT max(e.occurred_at) FROM events AS e
                         WHERE e.position BETWEEN b.first_position AND b.first_position + b.event_count - 1
                     )";
        assert_eq!(world.database.count(wrong), 0, "a block has the instant of its latest events");
        let now = DateTime::from_timestamp_micros(database_now(&world)).unwrap();
        for (before, mended) in written.iter().zip(feed()) {
            assert_eq!((before.position, &before.json), (mended.position, &mended.json));
            if before.json.contains("LAMP") {
                assert!((now - mended.occurred_at).abs() < TimeDelta::minutes(1), "{mended:?}");
            } else {
                assert_eq!(before.occurred_at, mended.occurred_at, "the neighbours of an event stay as they were");
            }
        }
    }
}

pub fn a_thousand_rows_are_mended_at_a_time_and_servers_go_on(database: TestDatabase) {
    let world = World::new(database);
    world.set_time(Utc::now());
    world.add_at("LAMP", "B", 1, Eta::InStock, Utc::now());
    let future = (Utc::now() + TimeDelta::days(40)).timestamp_micros();
    world.database.execute(&format!(
        "INSERT INTO order_lines (sku, order_id, quantity, placed_at, backorders, waiting)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         SELECT 'LAMP', 'O-' || (20000 - i), 1, {future} + i, {yes}, 1 FROM n;
         UPDATE products SET last_at = {future} + 20000, waiting_lines = 10000, backordered = 10000
         WHERE sku = 'LAMP'",
        yes = if world.is_postgres() { "true" } else { "1" },
    ));
    let store = connect(&world.database, 3);
    let placed = thread::scope(|scope| {
        let mends = scope.spawn(|| connect(&world.database, 1).mend_instants(HoldDuration::DAY).unwrap());
        // Meanwhile other units of work place lines of the same product.
        let mut placed = Vec::new();
        while !mends.is_finished() || placed.is_empty() {
            let name = format!("NEW-{}", 1_000 - placed.len());
            let Ok(mut unit) = store.begin(LockWait::Usual) else { continue };
            let Ok(mut products) = unit.products().lock(&[to_allocate("LAMP", &[&name])]) else { continue };
            let (mut product, order_of_one) = (products.remove(0), new_order(&name, &[("LAMP", 1)], waits(0)));
            let now = product.lock_time().unwrap().now;
            decide(&mut *unit, &mut product, |product| {
                world.with_order(product, |products| products.place(&order_of_one, now).map(drop))
            })
            .unwrap();
            unit.products().save(&[product], &EventContexts::default()).unwrap();
            unit.commit().unwrap();
            placed.push(name);
            thread::sleep(Duration::from_millis(20));
        }
        let mended = mends.join().unwrap();
        assert!(mended.lines >= 10_000 && mended.products == 1, "{mended:?}");
        placed
    });
    // The events of the new lines are repaired once they have positions.
    number_all(&world);
    assert_eq!(store.mend_instants(HoldDuration::DAY).unwrap().lines, 0);
    assert_eq!(store.inspect(HoldDuration::DAY).unwrap().findings, []);
    let mut expected: Vec<_> = (1..=10_000).map(|number| format!("O-{}", 20_000 - number)).collect();
    expected.extend(placed);
    let queue = world.database.texts("SELECT order_id FROM order_lines ORDER BY precedence, placed_at, order_id");
    assert!(queue == expected, "the order of arrival is not kept");
}

pub fn a_counter_that_is_wrong_is_found(database: TestDatabase) {
    let world = World::new(database);
    world.set_time(Utc::now());
    world.add_at("LAMP", "B", 9, Eta::InStock, Utc::now());
    world.allocate_at("LAMP", "O", 3, Utc::now());
    assert_eq!(world.store.inspect(HoldDuration::DAY).unwrap().findings, []);
    world.database.execute("UPDATE batches SET allocated_quantity = 4; UPDATE products SET held_lines = 1");
    let found: Vec<_> =
        world.store.inspect(HoldDuration::DAY).unwrap().findings.iter().map(|it| (it.rows, it.latest)).collect();
    assert_eq!(found, [(1, None), (1, None)]);
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(&result, Err(StoreError::Unavailable(cause)) if cause.is::<ProgramTooOld>()), "{result:?}");
}

pub fn a_program_that_is_shut_out_writes_nothing(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 9, Eta::InStock);
    number_all(&world);
    let rows = |table: &str| world.database.count(&format!("SELECT count(*) FROM {table}"));
    let counted = || ["products", "batches", "order_lines", "outbox", "events", "orders", "pick_lists"].map(rows);
    let (before, version) = (counted(), world.database.count("SELECT version FROM products"));
    // A newer program has run its migrations. Prepared statements must notice it, too.
    world.database.execute("UPDATE schema_generation SET generation = 99");
    for create in [true, false] {
        for name in ["LAMP", "NEW"] {
            let mut unit = world.begin();
            let locked = unit.products().lock(&[LockRequest { create, ..to_allocate(name, &["O"]) }]);
            // A product that neither exists nor is to be created needs no write.
            if name == "LAMP" || create {
                refused(locked);
                assert!(unit.commit().is_err());
            } else {
                assert!(locked.unwrap().is_empty());
            }
        }
    }
    assert!(!world.store.take(&lease(), LONG).unwrap(), "no lease is given");
    let other = Lease { holder: "other".to_owned(), name: "relay" };
    assert!(!world.store.take(&other, LONG).unwrap());
    assert!(matches!(world.store.sequence(&lease(), LONG, 10), Err(SequenceError::LeaseLost)));
    let forgotten = world.store.prune(&lease(), LONG, Utc::now() + TimeDelta::days(1), 10);
    assert!(matches!(forgotten, Err(SequenceError::LeaseLost)), "{forgotten:?}");
    let recorded = world.store.record(&lease(), LONG, &RelayProgress { checkpoint: 1, ..RelayProgress::default() });
    assert!(matches!(recorded, Err(RecordError::LeaseLost)), "{recorded:?}");
    world.database.execute(&format!("UPDATE products SET last_at = {}", i64::MAX / 4));
    refused(world.store.mend_instants(HoldDuration::DAY));
    world.database.execute("UPDATE products SET last_at = 1");
    // Rows of each kind that no product's lock protects.
    let ahead = i64::MAX / 4;
    world.database.execute(&format!("UPDATE event_blocks SET occurred_at = {ahead}"));
    refused(world.store.mend_instants(HoldDuration::DAY));
    world.database.execute("UPDATE event_blocks SET occurred_at = 1");
    world.database.execute(&format!("INSERT INTO leases (name, holder, expires_at) VALUES ('old', 'other', {ahead})"));
    refused(world.store.mend_instants(HoldDuration::DAY));
    assert_eq!(rows("leases WHERE name = 'old'"), 1);
    world.database.execute("DELETE FROM leases WHERE name = 'old'");
    world
        .database
        .execute("INSERT INTO parked_events (position, reason, parked_at, retry) VALUES (1, 'full', 1, false)");
    refused(world.store.retry(&[1]));
    refused(world.store.retry_all());
    assert_eq!(rows("parked_events WHERE retry"), 0);
    world.database.execute("DELETE FROM parked_events");
    assert_eq!((counted(), world.database.count("SELECT version FROM products")), (before, version));

    // Once the schema is rolled back, the program writes again.
    world.database.execute("UPDATE schema_generation SET generation = 1");
    world.allocate("LAMP", "O", 1).unwrap();
    assert!(world.store.take(&lease(), LONG).unwrap());
}

pub fn the_clock_of_a_store_follows_the_database(database: TestDatabase) {
    let store = connect(&database, 2);
    store.migrations().up().unwrap();
    let world = World::new(database);
    store.clock().shift(TimeDelta::hours(-2));
    let mut watch = ClockWatch::new(store.clone());
    watch.read();
    let close = |one: i64, other: i64| (one - other).abs() < 20_000_000;
    if world.is_postgres() {
        assert!(close(store.clock().now().timestamp_micros(), database_now(&world)));
        while store.clock_ahead() > TimeDelta::minutes(-119) {
            watch.read();
        }
        store.clock().shift(TimeDelta::zero());
        while store.clock_ahead() != TimeDelta::zero() {
            watch.read();
        }
    } else {
        assert!(close(store.clock().now().timestamp_micros(), (Utc::now() - TimeDelta::hours(2)).timestamp_micros()));
        assert_eq!(store.clock_ahead(), TimeDelta::zero(), "it is the clock that decides");
    }
}

pub fn without_a_test_the_clock_is_that_of_the_database(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", 9, Eta::InStock);
    let store = connect(&world.database, 2);
    store.clock().shift(TimeDelta::hours(1));
    let before = Utc::now();
    let mut unit = store.begin(LockWait::Usual).unwrap();
    let lock = lock_one(&mut *unit, to_allocate("LAMP", &[])).lock_time().unwrap();
    let ahead = if world.is_postgres() { TimeDelta::zero() } else { TimeDelta::hours(1) };
    let (from, to) = (before + ahead - TimeDelta::seconds(1), Utc::now() + ahead + TimeDelta::seconds(1));
    assert!(from <= lock.decided_at && lock.decided_at <= lock.now && lock.now <= to, "{lock:?}");
}

pub fn a_decision_behind_a_lock_has_the_time_of_the_lock(database: TestDatabase) {
    let world = World::new(database);
    if !world.is_postgres() {
        return;
    }
    world.add("LAMP", "B", 9, Eta::InStock);
    for commits in [true, false] {
        let store = connect(&world.database, 2);
        let mut first = store.begin(LockWait::Usual).unwrap();
        let held = lock_one(&mut *first, to_allocate("LAMP", &[])).lock_time().unwrap();
        let second = thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let mut unit = store.begin(LockWait::Usual).unwrap();
                lock_one(&mut *unit, to_allocate("LAMP", &[])).lock_time().unwrap()
            });
            thread::sleep(Duration::from_millis(300));
            let released = lock_time_of_server(&world);
            if commits {
                first.commit().unwrap()
            } else {
                drop(first)
            }
            let second = waits.join().unwrap();
            assert!(second.now >= released, "{second:?} is before {released}, committed: {commits}");
            second
        });
        assert!(!commits || second.decided_at > held.decided_at);
    }
}

/// The time of the database server.
fn lock_time_of_server(world: &World) -> DateTime<Utc> {
    let micros = world.database.count("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    DateTime::from_timestamp_micros(micros).unwrap()
}

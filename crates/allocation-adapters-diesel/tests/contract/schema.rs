use crate::database::connect;
use crate::world::{World, instant, reference};
use allocation_adapters_diesel::{DatabaseUrl, Dialect, MigrateError, Store};
use allocation_domain::Eta;
use allocation_domain::HoldDuration;
use allocation_ports::{BatchQueries, DatabaseProbe, LockWait, Probed, SchemaState, StoreError, UnitOfWorkFactory};
use allocation_test_support::TestDatabase;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

pub fn a_store_that_only_reads_runs_no_migrations(database: TestDatabase) {
    database.execute("SELECT 1");
    let url = DatabaseUrl::parse(database.url()).unwrap();
    let reader = Store::connect_read_only(&url, 2).unwrap();
    assert!(reader.migrations().up().is_err());
    let pending = |store: &Store| store.migrations().status().unwrap().migrations.iter().all(|(_, applied)| !applied);
    assert!(pending(&reader));
    let writer = connect(&database, 2);
    writer.migrations().up().unwrap();
    assert!(!pending(&reader));
    assert_eq!(reader.inspect(HoldDuration::DAY).unwrap().findings, []);
    for failed in [reader.migrations().down(1).is_err(), reader.mend_instants(HoldDuration::DAY).is_err()] {
        assert!(failed);
    }
    assert!(!pending(&writer));
}

/// All that the database knows of its tables, as text.
fn dump(store: &Store, database: &TestDatabase) -> Vec<String> {
    match store.dialect() {
        Dialect::Sqlite => database.texts(
            "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1",
        ),
        Dialect::Postgres => database.texts(
            "SELECT format('%s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                           a.attnotnull, collname, pg_get_expr(d.adbin, d.adrelid)) AS line
             FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
             LEFT JOIN pg_collation l ON l.oid = a.attcollation
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
             UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index
             WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
             UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace
             UNION ALL SELECT relname || ' ' || reloptions::text FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
             ORDER BY line",
        ),
    }
}

fn names(store: &Store) -> Vec<String> {
    store.migrations().status().unwrap().migrations.into_iter().map(|(name, _)| name).collect()
}

pub fn migrations_up_down_and_up_again_give_the_same_schema(database: TestDatabase) {
    let store = connect(&database, 2);
    let migrations = store.migrations();
    let all = migrations.up().unwrap();
    let first = dump(&store, &database);
    assert!(first.len() > 10, "{first:?}");
    let undone = migrations.down(all.len()).unwrap();
    let empty = dump(&store, &database);
    assert!(empty.iter().all(|line| line.contains("__diesel_schema_migrations")), "{empty:?}");
    assert_eq!(undone.iter().rev().cloned().collect::<Vec<_>>(), all);
    migrations.up().unwrap();
    assert_eq!(dump(&store, &database), first);
}

pub fn up_returns_the_migrations_that_it_ran_and_is_idempotent(database: TestDatabase) {
    let store = connect(&database, 2);
    let all = names(&store);
    assert!(all[0].ends_with("_baseline"), "{all:?}");
    assert_eq!(store.migrations().up().unwrap(), all);
    assert!(store.migrations().up().unwrap().is_empty());
}

pub fn down_undoes_as_many_steps_as_there_are(database: TestDatabase) {
    let store = connect(&database, 2);
    assert!(store.migrations().down(1).unwrap().is_empty());
    store.migrations().up().unwrap();
    assert!(store.migrations().down(0).unwrap().is_empty());
    assert_eq!(store.migrations().down(100).unwrap().len(), names(&store).len());
    assert_eq!(store.schema().unwrap(), SchemaState::Older);
}

/// Waits until a call waits for a lock, or has returned.
fn wait_for_lock<T>(world: &World, call: &thread::ScopedJoinHandle<'_, T>) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    if world.is_postgres() {
        while !call.is_finished() && world.database.count(waiting) == 0 {
            thread::sleep(Duration::from_millis(10));
        }
    } else {
        // SQLite shows no waiting.
        thread::sleep(Duration::from_millis(200));
    }
}

pub fn down_waits_for_servers_and_then_looks_for_their_leases(database: TestDatabase) {
    let world = World::new(database);
    let lease = "INSERT INTO leases (name, holder, expires_at) VALUES ('events', 'server',";
    let later = if world.is_postgres() {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 30000000)"
    } else {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER) + 30000000)"
    };
    // A unit of work of a server that has no lease yet, and a lease that is being taken.
    for (held, is_refused) in [
        ("INSERT INTO products (sku, version, last_at) VALUES ('LAMP', 1, 1)".to_owned(), false),
        (format!("{lease} {later}"), true),
    ] {
        let held = world.database.hold(&held);
        let migrations = world.store.migrations();
        thread::scope(|scope| {
            let down = scope.spawn(|| migrations.down(1));
            wait_for_lock(&world, &down);
            assert!(!down.is_finished(), "it waits");
            held.commit();
            let outcome = down.join().unwrap();
            match &outcome {
                Ok(reverted) => assert!(!is_refused && reverted.len() == 1, "{outcome:?}"),
                Err(error) => assert!(is_refused && matches!(error, MigrateError::InUse(_)), "{outcome:?}"),
            }
        });
        migrations.up().unwrap();
    }
    assert_eq!(world.store.schema().unwrap(), SchemaState::Current);
}

pub fn concurrent_ups_run_each_migration_once(database: TestDatabase) {
    let barrier = Barrier::new(4);
    let ran: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    connect(&database, 2).migrations().up().unwrap().len()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let store = connect(&database, 2);
    assert_eq!(ran, names(&store).len());
    assert_eq!(store.schema().unwrap(), SchemaState::Current);
}

/// The version of a migration of a later program.
const LATER: &str = "99990101000000";

/// Applies a migration that the program does not know.
fn expand(world: &World) {
    world.database.execute(&format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{LATER}')"));
}

fn is_of_later(result: &Result<Vec<String>, MigrateError>) -> bool {
    matches!(result, Err(MigrateError::SchemaNewer(unknown)) if unknown == &[LATER])
}

pub fn a_program_goes_on_where_a_later_one_has_expanded_the_schema(database: TestDatabase) {
    let world = World::new(database);
    expand(&world);
    assert_eq!(world.store.schema().unwrap(), SchemaState::Current);
    assert!(matches!(world.store.probe().unwrap(), Probed::Written { .. }));
    let migrations = world.store.migrations();
    assert!(migrations.up().unwrap().is_empty(), "it starts");
    assert!(is_of_later(&migrations.down(1)), "it cannot revert what it does not know");
    let status = migrations.status().unwrap();
    assert_eq!(status.unknown, [LATER]);
    assert!(status.migrations.iter().all(|(_, applied)| *applied));
    world.add("LAMP", "B", 1, Eta::InStock);
}

pub fn a_program_is_shut_out_where_a_later_one_has_contracted_the_schema(database: TestDatabase) {
    let world = World::new(database);
    expand(&world);
    world.database.execute("UPDATE schema_generation SET generation = 99");
    assert_eq!(world.store.schema().unwrap(), SchemaState::Newer);
    assert_eq!(world.store.probe().unwrap(), Probed::Schema(SchemaState::Newer));
    let up = world.store.migrations().up();
    assert!(matches!(&up, Err(MigrateError::ShutOut(too_old)) if too_old.oldest == 99), "{up:?}");
}

pub fn a_program_does_not_migrate_a_schema_with_later_migrations(database: TestDatabase) {
    let world = World::new(database);
    expand(&world);
    let last = names(&world.store).pop().unwrap();
    let version = last.split('_').next().unwrap();
    world.database.execute(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"));
    assert_eq!(world.store.schema().unwrap(), SchemaState::Newer);
    let before = dump(&world.store, &world.database);
    assert!(is_of_later(&world.store.migrations().up()));
    assert_eq!(dump(&world.store, &world.database), before);
}

pub fn a_database_from_before_the_baseline_is_rejected_and_unchanged(database: TestDatabase) {
    let store = connect(&database, 2);
    database.execute(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
                                                  run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
         INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000000001'), ('00000000000002');
         CREATE TABLE products (sku text PRIMARY KEY);",
    );
    let before = dump(&store, &database);
    let migrations = store.migrations();
    for result in [migrations.up(), migrations.down(1)] {
        assert!(matches!(&result, Err(MigrateError::BeforeBaseline)), "{result:?}");
    }
    assert_eq!(store.schema().unwrap(), SchemaState::Older);
    assert_eq!(dump(&store, &database), before);
}

pub fn readiness_and_status_report_the_state_and_change_nothing(database: TestDatabase) {
    let store = connect(&database, 2);
    assert_eq!(store.schema().unwrap(), SchemaState::Older);
    let status = store.migrations().status().unwrap();
    assert!(status.migrations.iter().all(|(_, applied)| !applied));
    assert!(dump(&store, &database).is_empty());
    store.migrations().up().unwrap();
    assert_eq!(store.schema().unwrap(), SchemaState::Current);
    let status = store.migrations().status().unwrap();
    assert!(status.unknown.is_empty() && status.migrations.iter().all(|(_, applied)| *applied));
    database.execute("DELETE FROM __diesel_schema_migrations");
    assert_eq!(store.schema().unwrap(), SchemaState::Older);
}

pub fn a_database_without_its_tables_fails_without_a_panic(database: TestDatabase) {
    let store = connect(&database, 2);
    assert!(matches!(store.batch(&reference("B"), instant(0)), Err(StoreError::Failed(_))));
    let mut unit = store.begin(LockWait::Usual).unwrap();
    assert!(matches!(unit.products().sku_of(&reference("B")), Err(StoreError::Failed(_))));
}

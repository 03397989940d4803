use crate::database::connect;
use crate::world::{World, instant, reference};
use allocation_adapters_diesel::{DatabaseUrl, Dialect, Store};
use allocation_domain::Eta;
use allocation_ports::{BatchQueries, DatabaseProbe, EventContexts, LockWait, StoreError, UnitOfWorkFactory};
use allocation_test_support::TestDatabase;
use std::error::Error;
use std::time::{Duration, Instant};

pub fn an_unreachable_database_is_reported_at_once(database: TestDatabase) {
    let url = match connect(&database, 1).dialect() {
        Dialect::Sqlite => "sqlite:///no/such/folder/stock.db",
        Dialect::Postgres => "postgres://clerk:hunter2@127.0.0.1:1/stock",
    };
    let started = Instant::now();
    let error = Store::connect(&DatabaseUrl::parse(url).unwrap(), 4).map(drop).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    let chain = format!("{error}: {}", error.source().unwrap());
    assert!(!chain.contains("hunter2"), "{chain}");
    assert!(chain.contains("127.0.0.1") || chain.contains("/no/such/folder"), "{chain}");
}

mod postgres {
    use super::*;
    use crate::world::{lock_one, order, quantity, to_allocate};

    /// Ends all sessions of the store.
    fn end_sessions(world: &World) {
        world.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    #[test]
    fn connections_that_the_server_closed_are_replaced() {
        let world = World::with_pool(TestDatabase::postgres(), 4);
        world.add("LAMP", "B", 10, Eta::InStock);
        let units: Vec<_> = (0..4).map(|_| world.begin()).collect();
        drop(units);
        end_sessions(&world);
        world.allocate("LAMP", "O", 1).unwrap();
        end_sessions(&world);
        assert!(world.store.batch(&reference("B"), instant(0)).unwrap().is_some());
    }

    #[test]
    fn a_commit_whose_connection_is_lost_has_an_unknown_outcome() {
        let world = World::new(TestDatabase::postgres());
        world.add("LAMP", "B", 10, Eta::InStock);
        let mut unit = world.begin();
        let mut product = lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
        product.allocate(&order("O"), quantity(3), instant(0)).unwrap();
        unit.products().save(&[product], &EventContexts::default()).unwrap();
        end_sessions(&world);
        assert!(matches!(unit.commit(), Err(StoreError::OutcomeUnknown(_))));
        assert_eq!(world.allocated("B"), 0);
    }

    #[test]
    fn after_a_statement_loses_its_connection_nothing_follows() {
        let world = World::new(TestDatabase::postgres());
        world.add("LAMP", "B", 10, Eta::InStock);
        let mut unit = world.begin();
        lock_one(&mut *unit, to_allocate("LAMP", &["O"]));
        end_sessions(&world);
        assert!(matches!(unit.products().sku_of(&reference("B")), Err(StoreError::ConnectionLost(_))));
        assert!(matches!(unit.commit(), Err(StoreError::Failed(_))));
        world.allocate("LAMP", "O", 1).unwrap();
    }

    #[test]
    fn a_lost_database_is_unavailable_soon() {
        let world = World::new(TestDatabase::postgres());
        world.add("LAMP", "B", 10, Eta::InStock);
        let name = world.database.texts("SELECT current_database()::text").remove(0);
        let other = TestDatabase::postgres();
        other.execute(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"));
        other.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
        let started = Instant::now();
        assert!(matches!(world.store.begin(LockWait::Usual).map(drop), Err(StoreError::Unavailable(_))));
        assert!(matches!(world.store.schema(), Err(StoreError::Unavailable(_))));
        assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    }

    #[test]
    fn a_lock_that_times_out_is_busy() {
        let world = World::new(TestDatabase::postgres());
        world.add("LAMP", "B", 10, Eta::InStock);
        let mut first = world.begin();
        lock_one(&mut *first, to_allocate("LAMP", &[]));
        let mut second = world.begin();
        let started = Instant::now();
        let result = second.products().lock(&[to_allocate("LAMP", &[])]);
        assert!(matches!(result, Err(StoreError::Busy(_))), "{result:?}");
        assert!(started.elapsed() < Duration::from_secs(8));
    }
}

mod sqlite {
    use super::*;
    use allocation_test_support::TestDatabase;
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};

    #[test]
    fn a_file_that_another_process_writes_is_busy_and_then_free() {
        let world = World::new(TestDatabase::sqlite());
        let file = world.database.url().trim_start_matches("sqlite://").to_owned();
        let mut other = SqliteConnection::establish(&file).unwrap();
        other.batch_execute("BEGIN IMMEDIATE").unwrap();
        assert!(matches!(world.store.begin(LockWait::Usual).map(drop), Err(StoreError::Busy(_))));
        other.batch_execute("ROLLBACK").unwrap();
        world.add("LAMP", "B", 10, Eta::InStock);
    }
}

//! The cost of an allocation does not depend on unrelated rows.

use crate::world::{World, instant, order, quantity, reference, sku, to_allocate};
use allocation_domain::{Eta, NewBatch, PickCriteria, PickListStatus};
use allocation_ports::{EventContexts, LockRequest, PageSize, PickCandidates, PickListFilter, PickListQueries};
use allocation_test_support::TestDatabase;

/// Many products, each with used-up batches, open batches and allocations. `LAMP` has the most.
fn grow(world: &World) {
    world.database.execute(
        "INSERT INTO products (sku, version) SELECT 'SKU-' || i, 0 FROM generate_series(1, 2000) AS i;
         INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, added_at)
         SELECT 'SKU-' || i, 'SKU-' || i, 10, 5, i FROM generate_series(1, 2000) AS i;
         INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, added_at)
         SELECT 'LAMP', 'USED-UP-' || i, 1, 1, i FROM generate_series(1, 10000) AS i;
         INSERT INTO batches (sku, reference, purchased_quantity, eta, added_at)
         SELECT 'LAMP', 'OPEN-' || i, 1, DATE '2030-01-01' + i % 7, i FROM generate_series(1, 1000) AS i;
         INSERT INTO batch_references (sku, reference, purchased_quantity)
         SELECT sku, reference, purchased_quantity FROM batches ON CONFLICT DO NOTHING;
         INSERT INTO order_lines (sku, order_id, quantity, reference, allocated)
         SELECT 'LAMP', 'OLD-' || i, 1, 'USED-UP-' || i, 1 FROM generate_series(1, 10000) AS i;",
    );
}

/// Runs every kind of unit of work once.
fn one_of_each(world: &World, name: &str) {
    world.add("LAMP", name, 9, Eta::InStock);
    world.allocate("LAMP", name, 2).unwrap();
    world.allocate("LAMP", name, 2).unwrap();
    world.deallocate("LAMP", name, name).unwrap();
    world.remove_batch("LAMP", name);
}

mod postgres {
    use super::*;
    use std::thread;
    use std::time::Duration;

    /// Waits until sessions have ended, because only then are their statistics complete.
    fn wait_for_end_of(database: &TestDatabase, sessions: &str) {
        let others = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND {sessions}"
        );
        while database.count(&others) > 0 {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Index entries and table rows read by sessions that have ended.
    fn rows_read(database: &TestDatabase) -> i64 {
        database.count(
            "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)
                  + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)",
        )
    }

    /// Returns the number of rows that some work reads.
    fn cost(world: World, work: impl FnOnce(&World)) -> i64 {
        wait_for_end_of(&world.database, "application_name <> 'allocation'");
        let before = rows_read(&world.database);
        work(&world);
        let World { store, database, .. } = world;
        drop(store);
        wait_for_end_of(&database, "application_name = 'allocation'");
        rows_read(&database) - before
    }

    #[track_caller]
    fn assert_cheap(world: World) {
        let rows = cost(world, |world| one_of_each(world, "SECOND"));
        assert!((10..400).contains(&rows), "{rows} rows read");
    }

    #[test]
    fn plans_made_for_new_tables_stay_right_while_they_grow() {
        let world = World::with_pool(TestDatabase::postgres(), 1);
        one_of_each(&world, "FIRST");
        grow(&world);
        assert_cheap(world);
    }

    #[test]
    fn plans_made_for_tables_known_to_be_empty_stay_right_while_they_grow() {
        let world = World::with_pool(TestDatabase::postgres(), 1);
        world.database.execute("ANALYZE");
        one_of_each(&world, "FIRST");
        grow(&world);
        assert_cheap(world);
    }

    #[test]
    fn plans_made_for_large_tables_are_right() {
        let world = World::with_pool(TestDatabase::postgres(), 1);
        world.add("LAMP", "B", 1, Eta::InStock);
        grow(&world);
        world.database.execute("ANALYZE");
        assert_cheap(world);
    }

    #[test]
    fn holds_that_have_not_expired_are_not_read() {
        for setup in ["SELECT 1", "ANALYZE"] {
            let world = World::with_pool(TestDatabase::postgres(), 1);
            world.add("LAMP", "B", 1, Eta::InStock);
            grow(&world);
            world.database.execute(
                "INSERT INTO order_lines (sku, order_id, quantity, of_order, expires_at)
                 SELECT 'LAMP', 'HELD-' || i, 1, true, 9000000000000000 + i FROM generate_series(1, 10000) AS i;
                 UPDATE products SET held_lines = 10000 WHERE sku = 'LAMP'",
            );
            world.database.execute(setup);
            assert_cheap(world);
        }
    }

    #[test]
    fn many_products_together_cost_no_more_than_each() {
        let world = World::with_pool(TestDatabase::postgres(), 1);
        world.add("LAMP", "B", 1, Eta::InStock);
        grow(&world);
        let rows = cost(world, |world| {
            let mut unit = world.begin();
            let wanted: Vec<_> = (1..=500).map(|i| to_allocate(&format!("SKU-{i}"), &["O"])).collect();
            let mut products = unit.products().lock(&wanted).unwrap();
            for product in &mut products {
                product.allocate(&order("O"), quantity(1), instant(0)).unwrap();
            }
            unit.products().save(&products, &EventContexts::default()).unwrap();
            unit.commit().unwrap();
        });
        assert!((500..6_000).contains(&rows), "{rows} rows read for 500 products");
    }

    /// Ten thousand shipped lines, and ten thousand on a batch in transit.
    fn grow_the_past_and_the_future(world: &World) {
        world.database.execute(
            "INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)
             VALUES ('LAMP', 'COMING', 10000, 10000, DATE '2030-01-01', 0);
             INSERT INTO batch_references (sku, reference, purchased_quantity, eta)
             VALUES ('LAMP', 'COMING', 10000, DATE '2030-01-01');
             INSERT INTO order_lines (sku, order_id, quantity, reference, allocated)
             SELECT 'LAMP', 'LATE-' || i, 1, 'COMING', 1 FROM generate_series(1, 10000) AS i;
             INSERT INTO order_lines (sku, order_id, quantity, shipped)
             SELECT 'LAMP', 'PAST-' || i, 1, 1 FROM generate_series(1, 10000) AS i;
             INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity, picked, status)
             SELECT 'PAST-' || i % 50, i, 'LAMP', 'PAST-' || i, 'B', 1, 1, 'shipped' FROM generate_series(1, 10000) AS i;",
        );
    }

    #[test]
    fn a_pick_list_reads_no_shipped_and_no_inbound_units() {
        for setup in ["SELECT 1", "ANALYZE"] {
            let world = World::with_pool(TestDatabase::postgres(), 1);
            world.add("LAMP", "B", 10, Eta::InStock);
            world.allocate("LAMP", "NEW", 1).unwrap();
            grow_the_past_and_the_future(&world);
            world.database.execute(setup);
            let rows = cost(world, |world| {
                let of_sku = PickCriteria { skus: Some([sku("LAMP")].into()), ..PickCriteria::default() };
                let of_batches =
                    PickCriteria { references: Some(["B", "COMING"].map(reference).into()), ..PickCriteria::default() };
                for criteria in [PickCriteria::default(), of_sku, of_batches] {
                    assert_eq!(world.store.pickable(&criteria, 1_000).unwrap().lines.len(), 1);
                }
                let open = PickListFilter { status: Some(PickListStatus::Open) };
                assert!(world.store.pick_lists(&open, None, PageSize::default()).unwrap().lists.is_empty());
            });
            assert!((1..200).contains(&rows), "{rows} rows read");
        }
    }

    #[test]
    fn incrementing_a_counter_touches_no_index() {
        let world = World::with_pool(TestDatabase::postgres(), 1);
        world.add("LAMP", "B", 1_000, Eta::InStock);
        for number in 0..100 {
            world.allocate("LAMP", &format!("O-{number}"), 1).unwrap();
        }
        let World { store, database, .. } = world;
        drop(store);
        wait_for_end_of(&database, "application_name = 'allocation'");
        let heap_only = |table: &str| {
            database.count(&format!("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '{table}'"))
        };
        assert!(heap_only("products") >= 95, "{}", heap_only("products"));
        let updates = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'products'";
        assert_eq!(database.count(updates), 102, "one for each unit, and one for the purchase");
        assert!(heap_only("batches") >= 95, "{}", heap_only("batches"));
    }

    #[test]
    fn texts_compare_by_their_bytes() {
        let world = World::new(TestDatabase::postgres());
        let others = world.database.count(
            "SELECT count(*) FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
               AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
        );
        assert_eq!(others, 0);
    }
}

mod sqlite {
    use super::*;

    #[test]
    fn of_many_batches_only_the_first_open_ones_are_loaded() {
        let world = World::new(TestDatabase::sqlite());
        let wanted = LockRequest { create: true, ..LockRequest::product(sku("LAMP")) };
        world
            .change(wanted, |product| {
                for number in 0..11_000 {
                    let name = reference(&format!("B-{number}"));
                    product.add_batch(NewBatch::new(name, quantity(1), Eta::InStock), world.now()).unwrap();
                }
            })
            .unwrap();
        world
            .database
            .execute("UPDATE batches SET allocated_quantity = 1 WHERE CAST(substr(reference, 3) AS INTEGER) % 11 <> 0");
        let mut unit = world.begin();
        let products = unit.products().lock(&[to_allocate("LAMP", &["O"])]).unwrap();
        assert_eq!(products[0].batches().len(), 32);
        assert!(products[0].batches().iter().all(|batch| batch.available() == 1));
    }
}

//! Units of work on PostgreSQL look rows up by the intended index, even with a plan that was made for empty
//! tables.

use super::explain::{connect, connect_to_postgres, executed_on_postgres, migrate, plan, plan_on_postgres};
use crate::any_connection::AnyConnection;
use crate::archive::{DateBackOnPostgres, DateBackOnSqlite, DateOnPostgres, DateOnSqlite};
use crate::order_row::OrderRow;
use crate::part_row::{PartKey, PartValues};
use crate::postgres::LoadColumns;
use crate::postgres::statements::{
    AddOrders, ArchiveLines, ArchiveOrders, ArchivePickLines, ChangeLines, FindOrders, JoinOrders, LoadLines,
    LoadOrders, LoadPickLines, LockAnchor, LockArchived, LockProducts, OrdersWithLines, Remove, RestoreLines,
    RestoreOrders, RestorePickLines,
};
use crate::reads::pick_lists::Lines;
use allocation_domain::{BatchReference, NewOrder, OrderId, OrderTerms, Quantity, Sku};
use allocation_ports::LockRequest;
use allocation_test_support::TestDatabase;

fn migrated() -> TestDatabase {
    let database = TestDatabase::postgres();
    migrate(&database);
    database
}

/// This plan alone prevents deadlocks: the index returns products in the order of their SKUs. Any other
/// plan would return them in the order of the table or of the request.
#[test]
fn products_are_locked_in_the_order_of_the_index_on_postgres() {
    let database = migrated();
    for setup in [
        "SELECT 1",
        "ANALYZE",
        "INSERT INTO products SELECT 'A', 0",
        "ANALYZE",
        "INSERT INTO products SELECT 'SKU-' || i, 0 FROM generate_series(1, 5000) AS i",
        "ANALYZE",
    ] {
        database.execute(setup);
        let mut connection = connect_to_postgres(&database);
        for number in [1, 2, 500, 5000] {
            let skus: Vec<_> = (0..number).map(|number| format!("SKU-{number}")).collect();
            let skus: Vec<_> = skus.iter().map(String::as_str).collect();
            let plan = plan_on_postgres(&mut connection, LockProducts { set_time: &None, skus: &skus, time: &None });
            assert!(plan.contains("->  Index Scan using products_pkey on products"), "{setup}\n{plan}");
            assert!(plan.contains("Index Cond: (sku = ANY"), "{setup}\n{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("Join"), "{setup}\n{plan}");
        }
    }
}

#[test]
fn loaded_rows_are_found_by_their_index_on_postgres() {
    let database = migrated();
    let wanted = [LockRequest {
        open_batches: true,
        batches: vec![BatchReference::parse("B").unwrap()],
        order_ids: vec![OrderId::parse("O").unwrap()],
        standalone: vec![OrderId::parse("P").unwrap()],
        ..LockRequest::product(Sku::parse("LAMP").unwrap())
    }];
    let columns = LoadColumns::new(&wanted, |_| true, 0).unwrap();
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let plan = plan_on_postgres(&mut connect_to_postgres(&database), columns.statement());
        for index in ["batches_open on", "batches_pkey on", "order_lines_expiring on", "order_lines_by_order on"] {
            assert!(plan.contains(index), "{setup}\n{plan}");
        }
        // Two look for an archived order by its id, and two for the first of all.
        assert_eq!(plan.matches("archived_orders_pkey on archived_orders").count(), 4, "{setup}\n{plan}");
        assert_eq!(plan.matches(" using ").count(), 9, "{setup}\n{plan}");
        assert_eq!(plan.matches("Index Cond").count(), 7, "{setup}\n{plan}");
    }
}

#[test]
fn lines_are_found_by_their_index_on_postgres() {
    let database = migrated();
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let mut connection = connect_to_postgres(&database);
        let by_order = plan_on_postgres(&mut connection, LoadOrders { order_ids: &vec!["O"] });
        assert!(by_order.contains("order_lines_by_order on"), "{setup}\n{by_order}");
        let by_key =
            plan_on_postgres(&mut connection, LoadLines { index: &vec![0], sku: &vec!["LAMP"], order_id: &vec!["O"] });
        assert!(by_order.contains("archived_lines_pkey on"), "{setup}\n{by_order}");
        for (plan, steps) in [(by_order, 4), (by_key, 3)] {
            for index in ["line_parts_pkey on", "batches_pkey on"] {
                assert!(plan.contains(index), "{setup}\n{plan}");
            }
            assert_eq!(plan.matches("Index Cond").count(), steps, "{setup}\n{plan}");
            assert!(!plan.contains("Sort"), "{setup}\n{plan}");
        }
    }
}

#[test]
fn pick_lines_are_found_by_their_index_on_postgres() {
    let database = migrated();
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let plan = plan_on_postgres(
            &mut connect_to_postgres(&database),
            LoadPickLines { sku: &vec!["LAMP"], order_id: &vec!["O"] },
        );
        assert!(plan.contains("pick_list_lines_by_line on"), "{setup}\n{plan}");
        assert_eq!(plan.matches("Index Cond").count(), 1, "{setup}\n{plan}");
        assert!(!plan.contains("Sort"), "{setup}\n{plan}");
    }
}

#[test]
fn the_named_pick_lines_are_looked_up_one_by_one() {
    let database = migrated();
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let statement = Lines { list_id: &vec!["P"], line: &vec![7] };
        let plan = plan_on_postgres(&mut connect_to_postgres(&database), statement);
        for index in ["pick_list_lines_pkey on", "archived_pick_lines_pkey on"] {
            assert!(plan.contains(index), "{setup}\n{plan}");
        }
        assert_eq!(plan.matches("Index Cond").count(), 2, "{setup}\n{plan}");
    }
}

/// The index by batch would scan all lines of a batch.
#[test]
fn parts_are_removed_and_changed_by_their_key_on_postgres() {
    let database = migrated();
    let keys = [PartKey { sku: "A", order_id: "A", reference: "A" }];
    let values = [PartValues { quantity: 1, precedence: 1, placed_at: 1 }];
    let (parts, part_values) = (&keys.iter().collect(), &values.iter().collect());
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let mut connection = connect_to_postgres(&database);
        let (lines, batches) = (&Default::default(), &Default::default());
        let removed = Remove { parts, lines, batches, references: batches };
        let (line_values, wholes) = (&Default::default(), &Default::default());
        let changed = ChangeLines { lines, line_values, wholes, parts, part_values };
        for plan in [plan_on_postgres(&mut connection, removed), plan_on_postgres(&mut connection, changed)] {
            assert!(plan.contains("Index Scan using line_parts_pkey on"), "{setup}\n{plan}");
            assert!(plan.contains("Tid Scan on line_parts"), "{setup}\n{plan}");
            assert!(!plan.contains("line_parts_by_batch"), "{setup}\n{plan}");
        }
    }
}

#[test]
fn anchors_are_found_by_their_slot_and_locked_in_the_order_of_the_orders_on_postgres() {
    let database = migrated();
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let mut connection = connect_to_postgres(&database);
        let joined = plan_on_postgres(&mut connection, JoinOrders { order_ids: &vec!["O", "P"] });
        let locked = plan_on_postgres(&mut connection, LockAnchor { order_id: "O", skus: &vec!["LAMP"] });
        for plan in [&joined, &locked] {
            assert!(plan.contains("order_lines_by_order on"), "{setup}\n{plan}");
            assert!(plan.contains("AND (order_slot = ''"), "{setup}\n{plan}");
        }
        assert!(joined.contains("Nested Loop") && !joined.contains("Sort"), "{setup}\n{joined}");
    }
}

#[test]
fn standalone_lines_of_an_order_are_looked_for_by_the_order_on_postgres() {
    let database = migrated();
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let terms = OrderTerms::default();
        let line = (Sku::parse("LAMP").unwrap(), Quantity::new(1).unwrap());
        let order = NewOrder::new(OrderId::parse("O").unwrap(), [line], terms).unwrap();
        let rows = [OrderRow::of(&order).unwrap()];
        let statement = AddOrders { placed_at: &1, orders: &rows.iter().collect() };
        let plan = plan_on_postgres(&mut connect_to_postgres(&database), statement);
        assert!(plan.contains("order_lines_by_order on"), "{setup}\n{plan}");
        assert!(plan.contains("Index Cond: (order_id = w.order_id)"), "{setup}\n{plan}");
    }
}

/// While nothing is archived, no name is looked up in the archive, however many a group has.
#[test]
fn an_empty_archive_costs_a_group_one_look_on_postgres() {
    let database = migrated();
    let orders = |from: u32| (from..from + 50).map(|number| OrderId::parse(format!("O-{number}")).unwrap()).collect();
    let lamp = LockRequest::product(Sku::parse("LAMP").unwrap());
    let wanted = [LockRequest { order_ids: orders(0), standalone: orders(50), ..lamp }];
    let columns = LoadColumns::new(&wanted, |_| false, 0).unwrap();
    let ids: Vec<_> = wanted[0].order_ids.iter().map(OrderId::as_str).collect();
    let looks_up = |line: &&str| ["a", "a_1"].iter().any(|name| line.contains(&format!(" on archived_orders {name} ")));
    for (archived, never) in [("SELECT 1", 2), ("INSERT INTO archived_orders (order_id) VALUES ('O-7'), ('O-77')", 0)] {
        database.execute(archived);
        let mut connection = connect_to_postgres(&database);
        let loaded = executed_on_postgres(&mut connection, columns.statement());
        let found: Vec<_> = loaded.lines().filter(looks_up).collect();
        assert_eq!(found.len(), 2, "{loaded}");
        assert_eq!(found.iter().filter(|line| line.contains("never executed")).count(), never, "{loaded}");
        let found = executed_on_postgres(&mut connection, FindOrders { order_ids: &ids, archived: &ids });
        let with_lines = executed_on_postgres(&mut connection, OrdersWithLines { order_ids: &ids, archived: &ids });
        for plan in [found, with_lines] {
            let looks: Vec<_> = plan.lines().filter(|line| line.contains("on archived_orders")).collect();
            assert_eq!(looks.len(), 2, "{plan}");
            assert_eq!(looks.iter().filter(|line| line.contains("never executed")).count(), never / 2, "{plan}");
        }
    }
}

#[test]
fn orders_are_archived_and_restored_by_their_indexes_on_postgres() {
    let database = migrated();
    let (sku, order_ids) = (&vec!["LAMP", "RUG"], &vec!["O", "P"]);
    let order_id = order_ids;
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        let connection = &mut connect_to_postgres(&database);
        let plans = [
            ("pick_list_lines_by_line on", plan_on_postgres(connection, ArchivePickLines { sku, order_id })),
            ("orders_pkey on", plan_on_postgres(connection, ArchiveOrders { removed: order_ids, order_ids })),
            ("order_lines_by_order on", plan_on_postgres(connection, ArchiveLines { order_ids })),
            ("archived_orders_pkey on", plan_on_postgres(connection, LockArchived { order_ids })),
            ("archived_orders_pkey on", plan_on_postgres(connection, RestoreOrders { order_ids })),
            ("archived_lines_pkey on", plan_on_postgres(connection, RestoreLines { order_ids })),
            ("archived_pick_lines_by_line on", plan_on_postgres(connection, RestorePickLines { sku, order_id })),
        ];
        for (index, plan) in plans {
            assert!(plan.contains(index) && plan.contains("Index Cond"), "{setup}\n{plan}");
            assert!(!plan.contains("Seq Scan"), "{setup}\n{plan}");
            // A pick line is found by its whole key: a filter would read all those of its SKU.
            let filters = plan.matches("  Filter:").count();
            assert_eq!(
                filters,
                usize::from(plan.contains("completed_at + 0")) + usize::from(plan.contains("lines IS NOT NULL")),
                "{setup}\n{plan}"
            );
        }
    }
}

/// The search must not walk through the lines that are not complete.
#[test]
fn complete_lines_without_a_date_are_found_by_their_index() {
    let (now, limit) = (&7, &100);
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        migrate(&database);
        for setup in ["SELECT 1", "ANALYZE"] {
            database.execute(setup);
            let mut connection = connect(&database);
            let plans = match connection {
                AnyConnection::Sqlite(_) => [
                    plan(&mut connection, DateOnSqlite { now, limit }),
                    plan(&mut connection, DateBackOnSqlite { now, future: now, limit }),
                ],
                AnyConnection::Postgres(_) => [
                    plan(&mut connection, DateOnPostgres { now, limit }),
                    plan(&mut connection, DateBackOnPostgres { now, future: now, limit }),
                ],
            };
            for plan in plans {
                assert!(plan.contains("order_lines_complete") && !plan.contains("Sort"), "{setup}\n{plan}");
            }
        }
    }
}

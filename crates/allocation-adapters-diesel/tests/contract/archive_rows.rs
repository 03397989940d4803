//! The rows of the archive.

use crate::database::TestDatabase;
use crate::world::{World, instant, order, sku, to_allocate};
use allocation_domain::{Eta, HoldDuration, Sku};
use allocation_ports::{StoreError, UnitOfWork};

/// Every column of a line, an order and a pick line has a value of its own.
const AN_ORDER: &str = "
    INSERT INTO orders (order_id, lines, priority, backorders, allow_split, hold_seconds, placed_at)
    VALUES ('O', '[[\"LAMP\",2],[\"RUG\",3]]', 7, TRUE, FALSE, 60, 11);
    INSERT INTO order_lines (sku, order_id, quantity, placed_at, of_order, precedence, backorders, allow_split, ended,
                             closed, shipped, completed_at, returned)
    VALUES ('LAMP', 'O', 2, 12, TRUE, -8, TRUE, FALSE, NULL, TRUE, 1, 13, 1);
    INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity, picked, status)
    VALUES ('P', 4, 'LAMP', 'O', 'B-LAMP', 1, 1, 'shipped'), ('P', 5, 'LAMP', 'O', 'B-LAMP', 3, 0, 'withdrawn'),
           ('P', 6, 'LAMP', 'ANOTHER', 'B-LAMP', 3, 0, 'withdrawn');
";
const ANOTHER_LINE: &str = "
    INSERT INTO order_lines (sku, order_id, quantity, placed_at, of_order, precedence, backorders, allow_split, ended,
                             closed, shipped, completed_at, order_slot)
    VALUES ('RUG', 'O', 3, 12, TRUE, -8, TRUE, FALSE, 'cancelled', FALSE, 0, 14, 'RUG');
";

/// A world with an order of two lines that are complete.
fn world(database: TestDatabase) -> World {
    let world = World::new(database);
    for name in ["LAMP", "RUG"] {
        world.add(name, &format!("B-{name}"), 10, Eta::InStock);
    }
    world.database.execute("UPDATE batches SET shipped_quantity = 1 WHERE sku = 'LAMP'");
    world.database.execute("UPDATE products SET in_stock = 9 WHERE sku = 'LAMP'");
    world.database.execute(AN_ORDER);
    let line = if world.is_postgres() {
        ANOTHER_LINE.to_owned()
    } else {
        ANOTHER_LINE.replace(", order_slot", "").replace(", 'RUG');", ");")
    };
    world.database.execute(&line);
    world.begin_and(|unit| unit.orders().prepare_archive(instant(0), 100)).unwrap();
    world
}

fn archive(unit: &mut dyn UnitOfWork, order_id: &str, skus: &[Sku]) -> Result<u64, StoreError> {
    let wanted: Vec<_> = skus.iter().map(|name| to_allocate(name.as_str(), &[order_id])).collect();
    unit.products().lock(&wanted)?;
    unit.orders().lock_lines(&order(order_id), skus)?;
    unit.orders().archive(&[(order(order_id), skus.to_vec())])
}

/// Returns the rows of current orders, with all columns.
fn current_rows(world: &World) -> Vec<String> {
    let row = |columns: &[&str], table: &str| {
        let columns: Vec<_> = columns.iter().map(|column| format!("coalesce(CAST({column} AS text), '-')")).collect();
        let order = if table == "pick_list_lines" { "line" } else { "order_id" };
        format!("SELECT {} FROM {table} ORDER BY {order}", columns.join(" || ' ' || "))
    };
    let lines = [
        "sku",
        "order_id",
        "quantity",
        "placed_at",
        "of_order",
        "precedence",
        "backorders",
        "allow_split",
        "stable",
        "waiting",
        "expires_at",
        "ended",
        "closed",
        "listed",
        "picked",
        "shipped",
        "reference",
        "allocated",
        "completed_at",
        "returned",
    ];
    let orders = ["order_id", "lines", "priority", "backorders", "allow_split", "hold_seconds", "stable", "placed_at"];
    let picks = ["list_id", "line", "sku", "order_id", "reference", "quantity", "picked", "status"];
    let mut rows = world.database.texts(&row(&lines, "order_lines"));
    rows.sort();
    rows.extend(world.database.texts(&row(&orders, "orders")));
    rows.extend(world.database.texts(&row(&picks, "pick_list_lines")));
    rows
}

pub fn every_row_of_an_order_moves_to_the_archive_and_back(database: TestDatabase) {
    let world = world(database);
    let before = current_rows(&world);
    assert_eq!(before.len(), 6, "{before:?}");
    let skus = ["LAMP", "RUG"].map(sku);
    assert_eq!(world.begin_and(|unit| archive(unit, "O", &skus)).unwrap(), 2);
    assert_eq!(current_rows(&world), ["P 6 LAMP ANOTHER B-LAMP 3 0 withdrawn"], "nothing of another order is moved");
    let count = |table: &str| world.database.count(&format!("SELECT count(*) FROM {table}"));
    assert_eq!(["archived_orders", "archived_lines", "archived_pick_lines"].map(count), [1, 2, 2]);
    assert_eq!(world.store.inspect(HoldDuration::DAY).unwrap().findings, []);
    world.begin_and(|unit| unit.products().lock(&[to_allocate("LAMP", &["O"])]).map(drop)).unwrap();
    assert_eq!(current_rows(&world), before);
    assert_eq!(["archived_orders", "archived_lines", "archived_pick_lines"].map(count), [0, 0, 0]);
    if world.is_postgres() {
        assert_eq!(world.database.texts("SELECT order_slot FROM order_lines ORDER BY sku"), ["", "RUG"]);
    }
}

pub fn the_archive_is_prepared_in_steps(database: TestDatabase) {
    let world = world(database);
    // As if a program from before had completed them, or one whose clock was wrong.
    world.database.execute("UPDATE order_lines SET completed_at = NULL WHERE sku = 'LAMP'");
    world.database.execute("UPDATE order_lines SET completed_at = 9000000000000000 WHERE sku = 'RUG'");
    world.allocate("RUG", "NOT-COMPLETE", 1).unwrap();
    let prepare = || world.begin_and(|unit| unit.orders().prepare_archive(instant(0), 1)).unwrap();
    assert_eq!([prepare(), prepare(), prepare()], [1, 1, 0]);
    let now = instant(0).timestamp_micros();
    let dated = format!("SELECT count(*) FROM order_lines WHERE completed_at = {now} AND order_id = 'O'");
    assert_eq!(world.database.count(&dated), 2);
    assert_eq!(world.database.count("SELECT count(*) FROM order_lines WHERE completed_at IS NULL"), 1);
}

pub fn nothing_is_archived_before_programs_that_do_not_look_into_it_are_shut_out(database: TestDatabase) {
    let world = world(database);
    assert_eq!(world.database.count("SELECT generation FROM schema_generation"), 3);
    let skus = ["LAMP", "RUG"].map(sku);
    world.database.execute("UPDATE schema_generation SET generation = 2");
    let refused = world.begin_and(|unit| archive(unit, "O", &skus));
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    // A program that is shut out itself does not archive either.
    world.database.execute("UPDATE schema_generation SET generation = 9");
    let refused = world.begin_and(|unit| unit.orders().prepare_archive(instant(0), 1));
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(world.database.count("SELECT generation FROM schema_generation"), 9);
}

pub fn faults_in_the_archive_are_found(database: TestDatabase) {
    let world = world(database);
    let skus = ["LAMP", "RUG"].map(sku);
    world.begin_and(|unit| archive(unit, "O", &skus)).unwrap();
    let findings = || {
        let found = world.store.inspect(HoldDuration::DAY).unwrap().findings;
        found.into_iter().map(|finding| finding.what).collect::<Vec<_>>()
    };
    assert!(findings().is_empty());
    world.database.execute("UPDATE archived_pick_lines SET picked = 2 WHERE line = 4");
    assert_eq!(
        findings(),
        [
            "batches whose picked and shipped units differ from their pick lines",
            "archived lines whose shipped units differ from their pick lines"
        ]
    );
    world.database.execute("UPDATE archived_pick_lines SET picked = 1 WHERE line = 4");
    world
        .database
        .execute("INSERT INTO order_lines (sku, order_id, quantity, ended) VALUES ('RUG', 'O', 1, 'cancelled')");
    assert_eq!(findings(), ["lines of archived orders that are not archived"]);
}

pub fn the_first_return_shuts_out_programs_that_lose_what_came_back(database: TestDatabase) {
    let world = world(database);
    let generation = || world.database.count("SELECT generation FROM schema_generation");
    assert_eq!(generation(), 3);
    for _ in 0..2 {
        world.begin_and(|unit| unit.documents().prepare_returns()).unwrap();
        assert_eq!(generation(), 4);
    }
    world.database.execute("UPDATE schema_generation SET generation = 9");
    let refused = world.begin_and(|unit| unit.documents().prepare_returns());
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(generation(), 9);
}

pub fn no_more_units_come_back_than_were_shipped(database: TestDatabase) {
    let world = world(database);
    let refused = |sql: &str| {
        let error = world.database.try_execute(sql).unwrap_err().to_string();
        assert!(error.contains("_returned"), "{error}");
    };
    refused("UPDATE order_lines SET returned = 2 WHERE sku = 'LAMP'");
    let skus = ["LAMP", "RUG"].map(sku);
    world.begin_and(|unit| archive(unit, "O", &skus)).unwrap();
    refused("UPDATE archived_lines SET returned = 2 WHERE sku = 'LAMP'");
    let findings = || {
        let found = world.store.inspect(HoldDuration::DAY).unwrap().findings;
        found.into_iter().map(|finding| finding.what).collect::<Vec<_>>()
    };
    let restock = "UPDATE batches SET return_id = 'R', return_order_id = 'O' WHERE sku = 'RUG'";
    world.database.execute(restock);
    assert_eq!(findings(), ["lines with more restocked units than were returned"]);
}

pub fn the_archive_survives_a_migration_down(database: TestDatabase) {
    let world = world(database);
    // The migration down forgets what came back.
    world.database.execute("UPDATE order_lines SET completed_at = NULL, returned = 0");
    let before = current_rows(&world);
    world.begin_and(|unit| unit.orders().prepare_archive(instant(0), 100)).unwrap();
    let skus = ["LAMP", "RUG"].map(sku);
    world.begin_and(|unit| archive(unit, "O", &skus)).unwrap();
    // The archive's migration may not be the last one.
    let applied = world.database.texts("SELECT version FROM __diesel_schema_migrations ORDER BY version DESC");
    let steps = applied.iter().position(|version| version.contains("20261129030000")).unwrap() + 1;
    let migrations = world.store.migrations();
    migrations.down(u32::try_from(steps).unwrap().try_into().unwrap()).unwrap();
    assert_eq!(world.database.count("SELECT generation FROM schema_generation"), 2);
    assert_eq!(world.database.count("SELECT count(*) FROM order_lines"), 2);
    migrations.up().unwrap();
    assert_eq!(current_rows(&world), before);
}

use crate::world::{World, instant, lock_one, reference, to_allocate};
use allocation_domain::Eta;
use allocation_ports::{BatchQueries, StoreError};
use allocation_test_support::TestDatabase;

/// A lamp of which three of five units are allocated.
fn world(database: TestDatabase) -> World {
    let world = World::new(database);
    world.add("LAMP", "B", 5, Eta::InStock);
    world.allocate("LAMP", "O", 3).unwrap();
    world
}

#[track_caller]
fn assert_refused(world: &World, sql: &str) {
    assert!(world.database.try_execute(sql).is_err(), "{sql}");
}

pub fn an_oversold_batch_is_refused(database: TestDatabase) {
    let world = world(database);
    assert_refused(&world, "UPDATE batches SET allocated_quantity = 6");
    assert_refused(&world, "UPDATE batches SET allocated_quantity = -1");
    assert_refused(&world, "UPDATE batches SET purchased_quantity = 2");
    for counter in ["picked", "shipped", "missing"] {
        assert_refused(&world, &format!("UPDATE batches SET {counter}_quantity = 3"));
        assert_refused(&world, &format!("UPDATE batches SET {counter}_quantity = -1"));
    }
    world.database.execute("UPDATE batches SET picked_quantity = 1, missing_quantity = 1");
    assert_eq!(world.database.count("SELECT count(*) FROM batches WHERE is_open"), 0);
    world.database.execute("UPDATE batches SET picked_quantity = 0, missing_quantity = 0");
    world.database.execute("UPDATE batches SET allocated_quantity = 5");
}

pub fn a_second_allocation_of_a_line_is_refused(database: TestDatabase) {
    let world = world(database);
    assert_refused(&world, "INSERT INTO order_lines (sku, order_id, quantity) VALUES ('LAMP', 'O', 3)");
    let part = "INSERT INTO line_parts (sku, order_id, reference, quantity, precedence, placed_at)
                VALUES ('LAMP', 'O', 'C', 1, -1, 1)";
    world.database.execute(part);
    assert_refused(&world, part);
}

pub fn a_batch_without_its_product_is_refused(database: TestDatabase) {
    let world = world(database);
    assert_refused(
        &world,
        "INSERT INTO batches (sku, reference, purchased_quantity, added_at) VALUES ('CHAIR', 'C', 1, 0)",
    );
}

pub fn a_batch_with_allocations_cannot_be_deleted(database: TestDatabase) {
    let world = world(database);
    assert_refused(&world, "DELETE FROM batches");
    assert_refused(&world, "DELETE FROM products");
    world.database.execute(
        "UPDATE order_lines SET reference = NULL, allocated = 0;
         INSERT INTO line_parts VALUES ('LAMP', 'O', 'B', 1, -1, 1)",
    );
    assert_refused(&world, "DELETE FROM batches");
    world.database.execute("DELETE FROM line_parts; DELETE FROM batches");
}

pub fn quantities_out_of_range_are_refused(database: TestDatabase) {
    let world = world(database);
    world.database.execute(
        "INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity)
         VALUES ('P', 1, 'LAMP', 'O', 'B', 1)",
    );
    for sql in [
        "UPDATE order_lines SET quantity = 0",
        "UPDATE order_lines SET quantity = 2147483648",
        "UPDATE order_lines SET allocated = 0",
        "UPDATE order_lines SET allocated = 4",
        "UPDATE order_lines SET reference = NULL",
        "UPDATE order_lines SET waiting = 1",
        "UPDATE order_lines SET picked = 1",
        "INSERT INTO line_parts VALUES ('LAMP', 'O', 'B', 0, -1, 1)",
        "INSERT INTO line_parts VALUES ('LAMP', 'O', 'B', 2147483648, -1, 1)",
        "UPDATE batches SET purchased_quantity = 2147483648",
        "UPDATE batches SET purchased_quantity = -1, allocated_quantity = -1",
        "UPDATE batches SET revision = 0",
        "UPDATE batches SET purchased_quantity = NULL",
        "UPDATE products SET version = -1",
        "UPDATE products SET in_stock = -1",
        "UPDATE products SET on_its_way = -1",
        "UPDATE products SET picked = -1",
        "UPDATE order_lines SET listed = -1",
        "UPDATE order_lines SET picked = 2, shipped = 2",
        "INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity) VALUES ('P', 0, 'LAMP', 'O', 'B', 1)",
        "UPDATE pick_list_lines SET quantity = 0",
        "UPDATE pick_list_lines SET picked = 2, status = 'picked'",
        "UPDATE pick_list_lines SET status = 'picked'",
        "UPDATE pick_list_lines SET status = 'lost'",
        "UPDATE pick_list_lines SET shipped = 1",
        "UPDATE pick_list_lines SET picked = 1, shipped = 1, status = 'picked'",
        "UPDATE pick_list_lines SET picked = 1, shipped = 2, status = 'shipped'",
        "INSERT INTO shipment_lines VALUES ('S', 'P', 1, 'O', 'LAMP', 'B', 0, FALSE)",
        "UPDATE products SET held = -1",
        "UPDATE products SET backordered = -1",
        "UPDATE products SET held_lines = -1",
        "UPDATE products SET waiting_lines = -1",
        "UPDATE order_lines SET waiting = 4",
        "UPDATE order_lines SET waiting = -1",
        "UPDATE order_lines SET precedence = 2147483648",
        "UPDATE order_lines SET ended = 'lost'",
        "UPDATE order_lines SET ended = 'expired', waiting = 1",
        "UPDATE order_lines SET ended = 'cancelled', expires_at = 1",
        "INSERT INTO batch_references (reference, sku, purchased_quantity) VALUES ('B', 'CHAIR', 5)",
    ] {
        assert_refused(&world, sql);
    }
}

pub fn a_row_that_no_domain_type_can_hold_is_an_error(database: TestDatabase) {
    let world = world(database);
    world.database.execute("UPDATE batches SET added_at = 9223372036854775807");
    assert!(matches!(world.store.batch(&reference("B"), instant(0)), Err(StoreError::Failed(_))));
    let mut unit = world.begin();
    assert!(matches!(unit.products().lock(&[to_allocate("LAMP", &["O"])]), Err(StoreError::Failed(_))));
    drop(unit);
    world.database.execute(
        "UPDATE batches SET added_at = 0;
         INSERT INTO products (sku, version) VALUES (' ', 0);
         INSERT INTO batches (sku, reference, purchased_quantity, added_at) VALUES (' ', ' ', 1, 0);
         INSERT INTO batch_references (sku, reference, purchased_quantity) VALUES (' ', ' ', 1)",
    );
    let page = allocation_ports::PageSize::default();
    assert!(matches!(world.store.batches(&Default::default(), None, page, instant(0)), Err(StoreError::Failed(_))));
    let mut unit = world.begin();
    assert_eq!(lock_one(&mut *unit, to_allocate("LAMP", &["O"])).available(), 2, "others are not touched by it");
}

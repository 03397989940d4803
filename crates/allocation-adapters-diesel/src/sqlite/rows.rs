//! Statements that change one row.
//!
//! The schema rejects a counter outside its range.

use crate::generation::generation_of_database;
use crate::line::LineSqlTypes;
use crate::pick_line::{PickLineColumns, pick_line_columns};
use crate::row::BatchSqlTypes;
use crate::statement::statement;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

statement! {
    /// Inserts a product if it does not exist.
    InsertMissing<'a>(sku: Text => str) on Sqlite,
    "INSERT INTO products (sku, version) VALUES (?, 0) ON CONFLICT (sku) DO NOTHING"
}

statement! {
    /// Increments the version of a product for a new unit of work.
    ///
    /// Returns the version, the instant of its decisions, the number of held lines, and the number of
    /// waiting lines. Also returns whether lines may wait although units are free, and the generation of
    /// the schema.
    CountUp<'a>(now: BigInt => i64, sku: Text => str) on Sqlite
        -> (BigInt, BigInt, BigInt, BigInt, Bool, BigInt),
    concat!(
        "UPDATE products SET version = version + 1, last_at = max(last_at + 1, ?) WHERE sku = ?
         RETURNING version, last_at, held_lines, waiting_lines, unserved, ", generation_of_database!()
    )
}

statement! {
    /// Stores whether lines of a product may wait although units are free.
    MarkUnserved<'a>(unserved: Bool => bool, sku: Text => str) on Sqlite,
    "UPDATE products SET unserved = ? WHERE sku = ?"
}

statement! {
    RemoveAllocation<'a>(sku: Text => str, order_id: Text => str, reference: Text => str) on Sqlite,
    "DELETE FROM allocations WHERE sku = ? AND order_id = ? AND reference = ?"
}

statement! {
    RemoveLine<'a>(sku: Text => str, order_id: Text => str) on Sqlite,
    "DELETE FROM order_lines WHERE sku = ? AND order_id = ?"
}

statement! {
    RemoveBatch<'a>(sku: Text => str, reference: Text => str) on Sqlite,
    "DELETE FROM batches WHERE sku = ? AND reference = ?"
}

statement! {
    RemoveReference<'a>(sku: Text => str, reference: Text => str) on Sqlite,
    "DELETE FROM batch_references WHERE sku = ? AND reference = ?"
}

statement! {
    /// Inserts the reference of a new batch, with the quantity and ETA that the batch was added with.
    AddReference<'a>(
        sku: Text => str,
        reference: Text => str,
        purchased_quantity: Integer => i32,
        eta: Nullable<Date> => Option<chrono::NaiveDate>,
    ) on Sqlite,
    "INSERT INTO batch_references (sku, reference, purchased_quantity, eta) VALUES (?, ?, ?, ?)"
}

statement! {
    AddBatch<'a>(
        sku: Text => str,
        reference: Text => str,
        purchased_quantity: Integer => i32,
        allocated_quantity: Integer => i32,
        eta: Nullable<Date> => Option<chrono::NaiveDate>,
        added_at: BigInt => i64,
        revision: Integer => i32,
        picked_quantity: Integer => i32,
        shipped_quantity: Integer => i32,
        missing_quantity: Integer => i32,
    ) on Sqlite,
    "INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at, revision,
                          picked_quantity, shipped_quantity, missing_quantity)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    /// Adds to the allocated quantity of a batch.
    ChangeCounter<'a>(delta: Integer => i32, sku: Text => str, reference: Text => str) on Sqlite,
    "UPDATE batches SET allocated_quantity = allocated_quantity + ? WHERE sku = ? AND reference = ?"
}

statement! {
    /// Stores a correction of a batch.
    ChangeBatch<'a>(
        purchased_quantity: Integer => i32,
        eta: Nullable<Date> => Option<chrono::NaiveDate>,
        revision: Integer => i32,
        moving: Nullable<Text> => Option<&'a str>,
        allocated: Integer => i32,
        picked: Integer => i32,
        shipped: Integer => i32,
        missing: Integer => i32,
        sku: Text => str,
        reference: Text => str,
    ) on Sqlite,
    "UPDATE batches
     SET purchased_quantity = ?, eta = ?, revision = ?, moving = ?, allocated_quantity = allocated_quantity + ?,
         picked_quantity = picked_quantity + ?, shipped_quantity = shipped_quantity + ?,
         missing_quantity = missing_quantity + ?
     WHERE sku = ? AND reference = ?"
}

statement! {
    /// Adds to all counters of a batch.
    CountBatch<'a>(
        allocated: Integer => i32,
        picked: Integer => i32,
        shipped: Integer => i32,
        missing: Integer => i32,
        sku: Text => str,
        reference: Text => str,
    ) on Sqlite,
    "UPDATE batches
     SET allocated_quantity = allocated_quantity + ?, picked_quantity = picked_quantity + ?,
         shipped_quantity = shipped_quantity + ?, missing_quantity = missing_quantity + ?
     WHERE sku = ? AND reference = ?"
}

statement! {
    /// Adds to the totals of a product.
    ChangeProduct<'a>(
        in_stock: BigInt => i64,
        on_its_way: BigInt => i64,
        held: BigInt => i64,
        backordered: BigInt => i64,
        held_lines: BigInt => i64,
        waiting_lines: BigInt => i64,
        picked: BigInt => i64,
        sku: Text => str,
    ) on Sqlite,
    "UPDATE products SET in_stock = in_stock + ?, on_its_way = on_its_way + ?, held = held + ?,
                         backordered = backordered + ?, held_lines = held_lines + ?,
                         waiting_lines = waiting_lines + ?, picked = picked + ?
     WHERE sku = ?"
}

statement! {
    ChangeLine<'a>(
        quantity: Integer => i32,
        placed_at: BigInt => i64,
        of_order: Bool => bool,
        priority: Integer => i32,
        backorders: Bool => bool,
        allow_split: Bool => bool,
        waiting: Integer => i32,
        expires_at: Nullable<BigInt> => Option<i64>,
        ended: Nullable<Text> => Option<&'a str>,
        listed: Integer => i32,
        picked: Integer => i32,
        shipped: Integer => i32,
        sku: Text => str,
        order_id: Text => str,
    ) on Sqlite,
    "UPDATE order_lines
     SET quantity = ?, placed_at = ?, of_order = ?, priority = ?, backorders = ?, allow_split = ?, waiting = ?,
         expires_at = ?, ended = ?, listed = ?, picked = ?, shipped = ?
     WHERE sku = ? AND order_id = ?"
}

statement! {
    ChangeAllocation<'a>(
        quantity: Integer => i32,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        sku: Text => str,
        order_id: Text => str,
        reference: Text => str,
    ) on Sqlite,
    "UPDATE allocations SET quantity = ?, precedence = ?, placed_at = ? WHERE sku = ? AND order_id = ? AND reference = ?"
}

statement! {
    AddPlainLine<'a>(
        sku: Text => str,
        order_id: Text => str,
        quantity: Integer => i32,
        placed_at: BigInt => i64,
    ) on Sqlite,
    "INSERT INTO order_lines (sku, order_id, quantity, placed_at) VALUES (?, ?, ?, ?)"
}

statement! {
    AddLine<'a>(
        sku: Text => str,
        order_id: Text => str,
        quantity: Integer => i32,
        placed_at: BigInt => i64,
        of_order: Bool => bool,
        priority: Integer => i32,
        backorders: Bool => bool,
        allow_split: Bool => bool,
        waiting: Integer => i32,
        expires_at: Nullable<BigInt> => Option<i64>,
        ended: Nullable<Text> => Option<&'a str>,
        listed: Integer => i32,
        picked: Integer => i32,
        shipped: Integer => i32,
    ) on Sqlite,
    "INSERT INTO order_lines (sku, order_id, quantity, placed_at, of_order, priority, backorders, allow_split,
                              waiting, expires_at, ended, listed, picked, shipped)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    AddAllocation<'a>(
        sku: Text => str,
        order_id: Text => str,
        reference: Text => str,
        quantity: Integer => i32,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
    ) on Sqlite,
    "INSERT INTO allocations (sku, order_id, reference, quantity, precedence, placed_at) VALUES (?, ?, ?, ?, ?, ?)"
}

statement! {
    AddEvent<'a>(
        sku: Text => str,
        version: BigInt => i64,
        ordinal: Integer => i32,
        event_type: Text => str,
        order_id: Nullable<Text> => Option<&'a str>,
        payload: Text => str,
        occurred_at: BigInt => i64,
        traceparent: Nullable<Text> => Option<&'a str>,
        causation_id: Nullable<Text> => Option<&'a str>,
    ) on Sqlite,
    "INSERT INTO outbox (sku, version, ordinal, type, order_id, payload, occurred_at, traceparent, causation_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    FindOrder<'a>(order_id: Text => str) on Sqlite -> (Text, Text, Integer, Bool, Bool, Nullable<Integer>),
    "SELECT order_id, lines, priority, backorders, allow_split, hold_seconds FROM orders WHERE order_id = ?"
}

statement! {
    HasLines<'a>(order_id: Text => str) on Sqlite -> Bool,
    "SELECT EXISTS (SELECT 1 FROM order_lines WHERE order_id = ?)"
}

statement! {
    /// Loads an order's line of a product, and its ended lines of other products. They are adjacent,
    /// because the primary key begins with the order id.
    LineOrEnds<'a>(order_id: Text => str, sku: Text => str, now: BigInt => i64) on Sqlite -> (Text, Nullable<Text>),
    "SELECT sku, ended FROM order_lines WHERE order_id = ? AND (sku = ? OR ended IS NOT NULL OR expires_at <= ?)"
}

statement! {
    AddOrder<'a>(
        order_id: Text => str,
        lines: Text => str,
        priority: Integer => i32,
        backorders: Bool => bool,
        allow_split: Bool => bool,
        hold_seconds: Nullable<Integer> => Option<i32>,
        placed_at: BigInt => i64,
    ) on Sqlite,
    "INSERT INTO orders (order_id, lines, priority, backorders, allow_split, hold_seconds, placed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    /// Loads the lines of an order: one row for each batch with units of the line, or one row without a
    /// batch.
    LoadOrder<'a>(order_id: Text => str) on Sqlite -> (
        Text,
        Text,
        LineSqlTypes,
        Nullable<(Integer, BatchSqlTypes)>,
    ),
    "SELECT l.order_id, l.sku, l.quantity, l.placed_at, l.of_order, l.priority, l.backorders, l.allow_split,
            l.waiting, l.expires_at, l.ended, l.listed, l.picked, l.shipped,
            a.quantity, b.reference, b.purchased_quantity, b.allocated_quantity, b.eta, b.added_at, b.revision,
            b.picked_quantity, b.shipped_quantity, b.missing_quantity, b.moving
     FROM order_lines AS l
     LEFT JOIN allocations AS a ON a.sku = l.sku AND a.order_id = l.order_id
     LEFT JOIN batches AS b ON b.sku = a.sku AND b.reference = a.reference
     WHERE l.order_id = ?"
}

statement! {
    /// Loads the pick lines of an order line, except withdrawn and short-picked ones.
    LoadPickLines<'a>(sku: Text => str, order_id: Text => str) on Sqlite -> PickLineColumns,
    concat!(
        "SELECT ",
        pick_line_columns!(),
        " FROM pick_list_lines WHERE sku = ? AND order_id = ? AND status NOT IN ('withdrawn', 'missing')"
    )
}

statement! {
    AddPickLine<'a>(
        list_id: Text => str,
        line: Integer => i32,
        sku: Text => str,
        order_id: Text => str,
        reference: Text => str,
        quantity: Integer => i32,
        picked: Integer => i32,
        status: Text => str,
    ) on Sqlite,
    "INSERT INTO pick_list_lines (list_id, line, sku, order_id, reference, quantity, picked, status)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    ChangePickLine<'a>(
        quantity: Integer => i32,
        picked: Integer => i32,
        status: Text => str,
        list_id: Text => str,
        line: Integer => i32,
    ) on Sqlite,
    "UPDATE pick_list_lines SET quantity = ?, picked = ?, status = ? WHERE list_id = ? AND line = ?"
}

//! Statements that change one row.

use crate::statement::statement;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

statement! {
    /// Makes a product when there is none.
    InsertMissing<'a>(sku: Text => str) on Sqlite,
    "INSERT INTO products (sku, version) VALUES (?, 0) ON CONFLICT (sku) DO NOTHING"
}

statement! {
    /// Counts a unit of work.
    CountUp<'a>(sku: Text => str) on Sqlite,
    "UPDATE products SET version = version + 1 WHERE sku = ?"
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
    AddReference<'a>(sku: Text => str, reference: Text => str) on Sqlite,
    "INSERT INTO batch_references (sku, reference) VALUES (?, ?)"
}

statement! {
    AddBatch<'a>(
        sku: Text => str,
        reference: Text => str,
        purchased_quantity: Integer => i32,
        allocated_quantity: Integer => i32,
        eta: Nullable<Date> => Option<chrono::NaiveDate>,
        added_at: BigInt => i64,
    ) on Sqlite,
    "INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)
     VALUES (?, ?, ?, ?, ?, ?)"
}

statement! {
    /// Adds to the allocated quantity of a batch; the schema refuses what is out of range.
    ChangeCounter<'a>(delta: Integer => i32, sku: Text => str, reference: Text => str) on Sqlite,
    "UPDATE batches SET allocated_quantity = allocated_quantity + ? WHERE sku = ? AND reference = ?"
}

statement! {
    ChangeLine<'a>(quantity: Integer => i32, sku: Text => str, order_id: Text => str) on Sqlite,
    "UPDATE order_lines SET quantity = ? WHERE sku = ? AND order_id = ?"
}

statement! {
    ChangeAllocation<'a>(
        quantity: Integer => i32,
        sku: Text => str,
        order_id: Text => str,
        reference: Text => str,
    ) on Sqlite,
    "UPDATE allocations SET quantity = ? WHERE sku = ? AND order_id = ? AND reference = ?"
}

statement! {
    AddLine<'a>(sku: Text => str, order_id: Text => str, quantity: Integer => i32) on Sqlite,
    "INSERT INTO order_lines (sku, order_id, quantity) VALUES (?, ?, ?)"
}

statement! {
    AddAllocation<'a>(
        sku: Text => str,
        order_id: Text => str,
        reference: Text => str,
        quantity: Integer => i32,
    ) on Sqlite,
    "INSERT INTO allocations (sku, order_id, reference, quantity) VALUES (?, ?, ?, ?)"
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
    ) on Sqlite,
    "INSERT INTO outbox (sku, version, ordinal, type, order_id, payload, occurred_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)"
}

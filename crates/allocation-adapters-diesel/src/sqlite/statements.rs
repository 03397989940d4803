//! Statements that work on one row.
//!
//! The schema rejects a counter outside its range.

use crate::archived_row::{AS_CURRENT_LINE, LINE as ARCHIVED_LINE};
use crate::batch_row::{AddedWith, BATCH, BatchKey, BatchSql, BatchValues};
use crate::columns::{Columns, Sql};
use crate::event_block::OutboxBlock;
use crate::generation::OLDEST_GENERATION;
use crate::line_row::{IS_CLOSED, LineKey, LineValues, OrderLineSql, PartSql, PlainLineValues, WholeValues};
use crate::order_row::OrderRow;
use crate::part_row::{PartKey, PartValues};
use crate::pick_line_row::PickLineRow;
use crate::planner::LIMIT;
use crate::statement::statement;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
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
    /// waiting lines. Also returns whether lines may wait although units are free, whether lines keep their
    /// promises, whether the product is sold out, whether units are in transit, and the oldest generation of programs
    /// that may write.
    CountUp<'a>(now: BigInt => i64, sku: Text => str) on Sqlite
        -> (BigInt, BigInt, BigInt, BigInt, Bool, Bool, Bool, Bool, BigInt),
    "UPDATE products SET version = version + 1, last_at = max(last_at + 1, ?) WHERE sku = ?
     RETURNING version, last_at, held_lines, waiting_lines, unserved, stable, sold_out, on_its_way > 0, ", OLDEST_GENERATION
}

statement! {
    /// Stores the flags of a product: whether lines may wait although units are free, whether lines keep their
    /// promises, and whether it is sold out.
    SetFlags<'a>(unserved: Bool => bool, stable: Bool => bool, sold_out: Bool => bool, sku: Text => str) on Sqlite,
    "UPDATE products SET unserved = ?, stable = ?, sold_out = ? WHERE sku = ?"
}

statement! {
    RemovePart<'a>(sku: Text => str, order_id: Text => str, reference: Text => str) on Sqlite,
    "DELETE FROM line_parts WHERE sku = ? AND order_id = ? AND reference = ?"
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
    AddReference<'a>(batch: BatchKey<'a>, added_with: AddedWith) on Sqlite,
    "INSERT INTO batch_references (", BatchKey::COLUMNS, ", ", AddedWith::COLUMNS, ") VALUES (?, ?)"
}

statement! {
    AddBatch<'a>(batch: BatchKey<'a>, values: BatchValues) on Sqlite,
    "INSERT INTO batches (", BatchKey::COLUMNS, ", ", BatchValues::COLUMNS, ") VALUES (?, ?)"
}

statement! {
    /// Adds to the allocated quantity of a batch.
    ChangeCounter<'a>(delta: Integer => i32, sku: Text => str, reference: Text => str) on Sqlite,
    "UPDATE batches SET allocated_quantity = allocated_quantity + ? WHERE sku = ? AND reference = ?"
}

statement! {
    /// Stores a batch of which more than the allocated quantity has changed.
    ChangeBatch<'a>(values: BatchValues, sku: Text => str, reference: Text => str) on Sqlite,
    "UPDATE batches SET (", BatchValues::COLUMNS, ") = (?) WHERE sku = ? AND reference = ?"
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
    ChangeLine<'a>(values: LineValues, whole: WholeValues<'a>, sku: Text => str, order_id: Text => str) on Sqlite,
    "UPDATE order_lines SET (", LineValues::COLUMNS, ", ", WholeValues::COLUMNS, ") = (?, ?) WHERE sku = ? AND order_id = ?"
}

statement! {
    ChangePart<'a>(values: PartValues, sku: Text => str, order_id: Text => str, reference: Text => str) on Sqlite,
    "UPDATE line_parts SET (", PartValues::COLUMNS, ") = (?) WHERE sku = ? AND order_id = ? AND reference = ?"
}

statement! {
    AddPlainLine<'a>(line: LineKey<'a>, values: PlainLineValues, whole: WholeValues<'a>) on Sqlite,
    "INSERT INTO order_lines (", LineKey::COLUMNS, ", ", PlainLineValues::COLUMNS, ", ", WholeValues::COLUMNS, ")
     VALUES (?, ?, ?)"
}

statement! {
    AddLine<'a>(line: LineKey<'a>, values: LineValues, whole: WholeValues<'a>) on Sqlite,
    "INSERT INTO order_lines (", LineKey::COLUMNS, ", ", LineValues::COLUMNS, ", ", WholeValues::COLUMNS, ")
     VALUES (?, ?, ?)"
}

statement! {
    AddPart<'a>(part: PartKey<'a>, values: PartValues) on Sqlite,
    "INSERT INTO line_parts (", PartKey::COLUMNS, ", ", PartValues::COLUMNS, ") VALUES (?, ?)"
}

statement! {
    AddBlock<'a>(block: OutboxBlock) on Sqlite,
    "INSERT INTO outbox_blocks (", OutboxBlock::COLUMNS, ") VALUES (?)"
}

statement! {
    /// Loads the most preferred batches with free units.
    OpenBatches<'a>(sku: Text => str, limit: BigInt => i64) on Sqlite -> BatchSql,
    "SELECT ", BATCH, " FROM batches WHERE sku = ? AND is_open ORDER BY eta, added_at, reference", LIMIT
}

statement! {
    FindBatch<'a>(sku: Text => str, reference: Text => str) on Sqlite -> BatchSql,
    "SELECT ", BATCH, " FROM batches WHERE sku = ? AND reference = ?"
}

statement! {
    FindLine<'a>(sku: Text => str, order_id: Text => str) on Sqlite -> Sql<LineValues>,
    "SELECT ", LineValues::COLUMNS, " FROM order_lines WHERE sku = ? AND order_id = ?"
}

statement! {
    /// Loads the allocations of a line with their batches.
    LoadParts<'a>(sku: Text => str, order_id: Text => str) on Sqlite -> PartSql,
    "SELECT coalesce(p.quantity, l.allocated), b.", BATCH, " FROM order_lines AS l
     LEFT JOIN line_parts AS p ON p.sku = l.sku AND p.order_id = l.order_id AND l.reference IS NULL
     CROSS JOIN batches AS b ON b.sku = l.sku AND b.reference = coalesce(l.reference, p.reference)
     WHERE l.sku = ? AND l.order_id = ?"
}

statement! {
    /// Returns the first orders whose hold on a product has expired.
    Expired<'a>(sku: Text => str, now: BigInt => i64, limit: BigInt => i64) on Sqlite -> Text,
    "SELECT order_id FROM order_lines WHERE sku = ? AND expires_at <= ? ORDER BY expires_at, order_id", LIMIT
}

statement! {
    FindOrder<'a>(order_id: Text => str) on Sqlite -> Sql<OrderRow<'static>>,
    "SELECT ", OrderRow::COLUMNS, " FROM orders WHERE order_id = ?"
}

statement! {
    FindArchivedOrder<'a>(order_id: Text => str) on Sqlite -> Sql<OrderRow<'static>>,
    "SELECT ", OrderRow::COLUMNS, " FROM archived_orders WHERE order_id = ? AND lines IS NOT NULL"
}

statement! {
    HasLines<'a>(order_id: Text => str) on Sqlite -> Bool,
    "SELECT EXISTS (SELECT 1 FROM order_lines WHERE order_id = ?)"
}

statement! {
    /// Returns whether an order with this id or a later one is archived.
    AnyArchived<'a>(from: Text => str) on Sqlite -> Bool,
    "SELECT EXISTS (SELECT 1 FROM archived_orders WHERE order_id >= ?)"
}

statement! {
    FindArchived<'a>(order_id: Text => str) on Sqlite -> Bool,
    "SELECT EXISTS (SELECT 1 FROM archived_orders WHERE order_id = ?)"
}

statement! {
    /// Adds an order to the archive as it was sent, or without that if it has only standalone lines.
    ArchiveOrder<'a>(order_id: Text => str) on Sqlite,
    "INSERT INTO archived_orders (", OrderRow::COLUMNS, ", placed_at)
     SELECT ", OrderRow::COLUMNS, ", placed_at FROM (SELECT ? AS order_id) LEFT JOIN orders USING (order_id)"
}

statement! {
    RemoveOrder<'a>(order_id: Text => str) on Sqlite,
    "DELETE FROM orders WHERE order_id = ?"
}

statement! {
    ArchivePickLines<'a>(order_id: Text => str, of: Text => str) on Sqlite,
    "INSERT INTO archived_pick_lines (", PickLineRow::COLUMNS, ")
     SELECT ", PickLineRow::COLUMNS, " FROM pick_list_lines
     WHERE order_id = ? AND sku IN (SELECT sku FROM order_lines WHERE order_id = ?)"
}

statement! {
    RemovePickLines<'a>(order_id: Text => str, of: Text => str) on Sqlite,
    "DELETE FROM pick_list_lines WHERE order_id = ? AND sku IN (SELECT sku FROM order_lines WHERE order_id = ?)"
}

statement! {
    /// Adds the lines of an order to the archive whose completion is recorded.
    ArchiveLines<'a>(order_id: Text => str) on Sqlite,
    "INSERT INTO archived_lines (", ARCHIVED_LINE, ")
     SELECT ", ARCHIVED_LINE, " FROM order_lines WHERE order_id = ? AND completed_at IS NOT NULL"
}

statement! {
    RemoveCompleteLines<'a>(order_id: Text => str) on Sqlite,
    "DELETE FROM order_lines WHERE order_id = ? AND completed_at IS NOT NULL"
}

statement! {
    RestoreOrder<'a>(order_id: Text => str) on Sqlite,
    "INSERT INTO orders (", OrderRow::COLUMNS, ", placed_at)
     SELECT ", OrderRow::COLUMNS, ", placed_at FROM archived_orders WHERE order_id = ? AND lines IS NOT NULL"
}

statement! {
    RemoveArchivedOrder<'a>(order_id: Text => str) on Sqlite,
    "DELETE FROM archived_orders WHERE order_id = ?"
}

statement! {
    RestorePickLines<'a>(order_id: Text => str, of: Text => str) on Sqlite,
    "INSERT INTO pick_list_lines (", PickLineRow::COLUMNS, ")
     SELECT ", PickLineRow::COLUMNS, " FROM archived_pick_lines
     WHERE order_id = ? AND sku IN (SELECT sku FROM archived_lines WHERE order_id = ?)"
}

statement! {
    RemoveArchivedPickLines<'a>(order_id: Text => str, of: Text => str) on Sqlite,
    "DELETE FROM archived_pick_lines WHERE order_id = ? AND sku IN (SELECT sku FROM archived_lines WHERE order_id = ?)"
}

statement! {
    RestoreLines<'a>(order_id: Text => str) on Sqlite,
    "INSERT INTO order_lines (", ARCHIVED_LINE, ") SELECT ", ARCHIVED_LINE, " FROM archived_lines WHERE order_id = ?"
}

statement! {
    RemoveArchivedLines<'a>(order_id: Text => str) on Sqlite,
    "DELETE FROM archived_lines WHERE order_id = ?"
}

statement! {
    /// Loads an order's line of a product, and its ended lines of other products. They are adjacent,
    /// because the primary key begins with the order id.
    LineOrEnds<'a>(order_id: Text => str, sku: Text => str, now: BigInt => i64)
        on Sqlite -> (Text, Nullable<Text>, Bool),
    "SELECT sku, ended, ", IS_CLOSED, " FROM order_lines
     WHERE order_id = ? AND (sku = ? OR ended IS NOT NULL OR ", IS_CLOSED, " OR expires_at <= ?)"
}

statement! {
    AddOrder<'a>(order: OrderRow<'a>, placed_at: BigInt => i64) on Sqlite,
    "INSERT INTO orders (", OrderRow::COLUMNS, ", placed_at) VALUES (?, ?)"
}

statement! {
    /// Loads the lines of an order, archived or not: one row for each batch with units of the line, or one row
    /// without a batch.
    LoadOrder<'a>(order_id: Text => str, archived: Text => str) on Sqlite -> OrderLineSql,
    "SELECT w.order_id, w.sku, ", LineValues::OF_W, ",
            CASE WHEN b.reference IS NOT NULL THEN coalesce(p.quantity, w.allocated) END, b.", BATCH, "
     FROM order_lines AS w
     LEFT JOIN line_parts AS p ON p.sku = w.sku AND p.order_id = w.order_id AND w.reference IS NULL
     LEFT JOIN batches AS b ON b.sku = w.sku AND b.reference = coalesce(w.reference, p.reference)
     WHERE w.order_id = ?
     UNION ALL
     SELECT w.order_id, w.sku, ", LineValues::OF_W, ", NULL, NULL, ", BatchValues::NULLS, "
     FROM (SELECT ", AS_CURRENT_LINE, " FROM archived_lines WHERE order_id = ?) AS w"
}

statement! {
    /// Loads the pick lines of an order line, except withdrawn and short-picked ones.
    LoadPickLines<'a>(sku: Text => str, order_id: Text => str) on Sqlite -> Sql<PickLineRow<'static>>,
    "SELECT ", PickLineRow::COLUMNS, " FROM pick_list_lines
     WHERE sku = ? AND order_id = ? AND status NOT IN ('withdrawn', 'missing')"
}

statement! {
    AddPickLine<'a>(line: PickLineRow<'a>) on Sqlite,
    "INSERT INTO pick_list_lines (", PickLineRow::COLUMNS, ") VALUES (?)"
}

statement! {
    ChangePickLine<'a>(
        quantity: Integer => i32,
        picked: Integer => i32,
        shipped: Integer => i32,
        put_back: Integer => i32,
        status: Text => str,
        list_id: Text => str,
        line: Integer => i32,
    ) on Sqlite,
    "UPDATE pick_list_lines SET quantity = ?, picked = ?, shipped = ?, put_back = ?, status = ?
     WHERE list_id = ? AND line = ?"
}

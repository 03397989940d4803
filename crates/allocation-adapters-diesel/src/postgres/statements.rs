//! Statements that take sets of rows as arrays, one array per column.

use super::sequencing::NOW;
use crate::archived_row::{ANY_ARCHIVED, AS_CURRENT_LINE, LINE as ARCHIVED_LINE};
use crate::batch_row::{AddedWith, AddedWithSet, BATCH, BatchKey, BatchKeys, BatchSql, BatchValues, BatchValuesSet};
use crate::columns::{Columns, Sql};
use crate::event_block::{OutboxBlock, OutboxBlocks};
use crate::generation::OLDEST_GENERATION;
use crate::line_row::{
    IS_CLOSED, LineKey, LineKeys, LineValues, LineValuesSet, OrderLineSql, PlainLineValues, PlainLineValuesSet,
    WholeValues, WholeValuesSet,
};
use crate::order_row::{OrderRow, OrderRows};
use crate::part_row::{PartKey, PartKeys, PartValues, PartValuesSet};
use crate::pick_line_row::{PickLineRow, PickLineRows};
use crate::planner::{AS_MANY, NOT_INDEXED, SEPARATE, is};
use crate::product_row::{TotalsValues, TotalsValuesSet};
use crate::statement::{joined, statement};
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};

statement! {
    /// Inserts the products that do not exist, in the order of their SKUs.
    InsertMissing<'a>(skus: Array<Text> => Vec<&'a str>) on Pg,
    r#"INSERT INTO products (sku, version)
       SELECT w.sku, 0 FROM unnest(?) AS w (sku) ORDER BY w.sku COLLATE "C"
       ON CONFLICT (sku) DO NOTHING"#
}

statement! {
    /// Locks products in the order of their SKUs, which is the order of the index, and increments their
    /// versions.
    ///
    /// Returns for each product:
    /// - the version, and the instant of its decisions;
    /// - the number of held lines, and the number of waiting lines;
    /// - whether lines may wait although units are free;
    /// - whether lines keep their promises, whether the product is sold out, and whether units are in transit;
    /// - the time when the product was locked;
    /// - the oldest generation of programs that may write.
    ///
    /// The time is the server's, read for each row, unless a test passes one. If a concurrent writer of the
    /// row rolls back, PostgreSQL keeps the `SET` values from before the wait. It always evaluates
    /// `RETURNING` after the wait.
    LockProducts<'a>(
        set_time: Nullable<BigInt> => Option<i64>,
        skus: Array<Text> => Vec<&'a str>,
        time: Nullable<BigInt> => Option<i64>,
    ) on Pg -> (Text, (BigInt, BigInt, BigInt, BigInt, Bool, Bool, Bool, Bool, BigInt, BigInt)),
    "UPDATE products SET version = version + 1, last_at = greatest(last_at + 1, coalesce(?, ", NOW, "))
     WHERE sku = ANY (?)
     RETURNING sku, version, last_at, held_lines, waiting_lines, unserved, stable, sold_out, on_its_way > 0, coalesce(?, ",
    NOW, "), ",
    OLDEST_GENERATION
}

statement! {
    /// Locks the free products of a list without waiting, and returns them with `true`. Also returns every
    /// existing product of the list with `false`.
    ///
    /// One statement does both, so that both parts see the same state. The locked row is the newest
    /// version, as with an `UPDATE`.
    LockUnlocked<'a>(to_lock: Array<Text> => Vec<&'a str>, known: Array<Text> => Vec<&'a str>) on Pg -> (Text, Bool),
    "WITH unlocked AS MATERIALIZED (SELECT sku FROM products WHERE sku = ANY (?) FOR NO KEY UPDATE SKIP LOCKED)
     SELECT sku, true FROM unlocked UNION ALL SELECT sku, false FROM products WHERE sku = ANY (?)"
}

statement! {
    /// Loads the requested data of locked products in one round trip.
    ///
    /// It loads the most preferred batches with free units, named batches, and the order ids of existing
    /// lines: the requested lines, and lines whose hold has expired. An archived order is to be restored first.
    ///
    /// For the order of a standalone line, it also loads lines of other products that have ended, and the
    /// anchor (`joined`). They show that the order has ended or begun. Lines of an order are adjacent in
    /// the index, and there are almost never any.
    ///
    /// `index` is the index of the row's product; a row has an order id or a batch. A LATERAL subquery with a
    /// LIMIT runs once per row of the parameters, whatever size the planner expects the tables to have. The
    /// first expired lines come from the index that orders them. A name is compared as a range so that the
    /// query can order by it, which only one index supports.
    Load<'a>(
        open_index: Array<Integer> => Vec<i32>,
        open_sku: Array<Text> => Vec<&'a str>,
        limit: BigInt => i64,
        named_index: Array<Integer> => Vec<i32>,
        named_sku: Array<Text> => Vec<&'a str>,
        named_reference: Array<Text> => Vec<&'a str>,
        line_index: Array<Integer> => Vec<i32>,
        line_sku: Array<Text> => Vec<&'a str>,
        line_order_id: Array<Text> => Vec<&'a str>,
        standalone_index: Array<Integer> => Vec<i32>,
        alone_sku: Array<Text> => Vec<&'a str>,
        alone_order_id: Array<Text> => Vec<&'a str>,
        has_expired_by: BigInt => i64,
        ended_by: BigInt => i64,
        expiring_index: Array<Integer> => Vec<i32>,
        expiring_sku: Array<Text> => Vec<&'a str>,
        now: BigInt => i64,
        most_expired: BigInt => i64,
    ) on Pg -> (Integer, Text, Nullable<Text>, Nullable<BatchSql>),
    "SELECT w.index, 'open', NULL, b.*
     FROM unnest(?, ?) AS w (index, sku)
     CROSS JOIN LATERAL (
         SELECT ", BATCH, " FROM batches WHERE batches.sku = w.sku AND is_open
         ORDER BY eta NULLS FIRST, added_at, reference LIMIT ?
     ) AS b
     UNION ALL
     SELECT w.index, 'named', NULL, b.*
     FROM unnest(?, ?, ?) AS w (index, sku, reference)
     CROSS JOIN LATERAL (
         SELECT ", BATCH, " FROM batches
         WHERE batches.sku = w.sku AND ", is!("batches.reference", "w.reference"), "
         ORDER BY reference LIMIT 1
     ) AS b
     UNION ALL
     SELECT w.index, l.kind, l.order_id, ", NO_BATCH, "
     FROM unnest(?, ?, ?) AS w (index, sku, order_id)
     CROSS JOIN LATERAL (
         (SELECT 'line' AS kind, order_id
          FROM order_lines WHERE order_lines.sku = w.sku AND order_lines.order_id = w.order_id LIMIT 1)", OR_ARCHIVED, "
     ) AS l
     UNION ALL
     SELECT w.index, l.kind, l.order_id, ", NO_BATCH, "
     FROM unnest(?, ?, ?) AS w (index, sku, order_id)
     CROSS JOIN LATERAL (
         (SELECT CASE WHEN order_lines.sku = w.sku THEN 'line' WHEN ended = 'cancelled' THEN 'cancelled'
                      WHEN ended = 'expired' OR expires_at", NOT_INDEXED, " <= ? THEN 'expired'
                      WHEN ", IS_CLOSED, " THEN 'closed' ELSE 'joined' END AS kind, order_id
          FROM order_lines WHERE ", is!("order_lines.order_id", "w.order_id"), "
          AND (order_lines.sku = w.sku OR ended IS NOT NULL OR closed OR expires_at", NOT_INDEXED, " <= ? OR order_slot = '')
          ORDER BY order_id, order_slot", SEPARATE, ")", OR_ARCHIVED, "
     ) AS l
     UNION ALL
     SELECT w.index, 'due', l.order_id, ", NO_BATCH, "
     FROM unnest(?, ?) AS w (index, sku)
     CROSS JOIN LATERAL (
         SELECT order_id
         FROM order_lines WHERE order_lines.sku = w.sku AND expires_at <= ? ORDER BY expires_at, order_id LIMIT ?
     ) AS l"
}

/// Also finds an archived order `w`. Without any, PostgreSQL looks none up.
const OR_ARCHIVED: &str = joined!(
    "
         UNION ALL
         (SELECT 'archived', a.order_id FROM archived_orders AS a WHERE ",
    ANY_ARCHIVED,
    " AND a.order_id = w.order_id LIMIT 1)"
);

/// The columns of a batch in a row without one.
const NO_BATCH: &str = joined!("NULL, ", BatchValues::NULLS);

/// Joins the allocations of lines `w`, with their batches: the one in the line itself, or its parts. Rows are
/// looked up by their keys, one after another, whatever size the planner expects the tables to have.
const WITH_ALLOCATIONS: &str = joined!(
    " LEFT JOIN LATERAL (
         SELECT reference, quantity FROM line_parts
         WHERE line_parts.sku = w.sku AND ",
    is!("line_parts.order_id", "w.order_id"),
    " AND w.reference IS NULL
         ORDER BY order_id, reference",
    SEPARATE,
    "
     ) AS p ON true
     LEFT JOIN LATERAL (
         SELECT coalesce(p.quantity, w.allocated), ",
    BATCH,
    " FROM batches
         WHERE batches.sku = w.sku AND ",
    is!("batches.reference", "coalesce(w.reference, p.reference)"),
    "
         ORDER BY reference LIMIT 1
     ) AS a ON true"
);

/// The columns of a line with its key, and of its allocation in one batch.
const LINE: &str = joined!(LineKey::COLUMNS, ", ", LineValues::COLUMNS, ", ", WholeValues::COLUMNS);

statement! {
    /// Loads existing lines: one row for each batch with units of the line, or one row without a batch. The
    /// order by primary key rules out every other index.
    LoadLines<'a>(
        index: Array<Integer> => Vec<i32>,
        sku: Array<Text> => Vec<&'a str>,
        order_id: Array<Text> => Vec<&'a str>,
    ) on Pg -> (Integer, OrderLineSql),
    "SELECT k.index, w.order_id, w.sku, ", LineValues::OF_W, ", a.*
     FROM unnest(?, ?, ?) AS k (index, sku, order_id)
     CROSS JOIN LATERAL (
         SELECT ", LINE, "
         FROM order_lines WHERE order_lines.sku = k.sku AND order_lines.order_id = k.order_id LIMIT 1
     ) AS w", WITH_ALLOCATIONS
}

statement! {
    /// Loads the lines of orders, archived or not: one row for each batch with units of the line, or one row
    /// without a batch.
    LoadOrders<'a>(order_ids: Array<Text> => Vec<&'a str>) on Pg -> OrderLineSql,
    "SELECT w.order_id, w.sku, ", LineValues::OF_W, ", a.*
     FROM unnest(?) AS k (order_id)
     CROSS JOIN LATERAL (
         (SELECT ", LINE, "
          FROM order_lines WHERE order_lines.order_id = k.order_id ORDER BY order_slot", SEPARATE, ")
         UNION ALL
         (SELECT ", AS_CURRENT_LINE, " FROM archived_lines WHERE archived_lines.order_id = k.order_id)
     ) AS w", WITH_ALLOCATIONS
}

statement! {
    /// Locks the anchors of orders against removal, and against units of work that lock the orders' lines.
    ///
    /// It locks them in the order of the parameter. After a wait for such a unit of work, it sees the
    /// changes to the anchor.
    JoinOrders<'a>(order_ids: Array<Text> => Vec<&'a str>) on Pg -> (Text, Nullable<Text>, Bool, Nullable<BigInt>),
    "SELECT w.order_id, l.ended, l.closed, l.expires_at
     FROM unnest(?) AS w (order_id)
     CROSS JOIN LATERAL (
         SELECT ended, ", IS_CLOSED, " AS closed, expires_at FROM order_lines
         WHERE order_lines.order_id = w.order_id AND order_slot = '' LIMIT 1 FOR KEY SHARE
     ) AS l"
}

statement! {
    /// Locks the anchor of an order against units of work that join the order, if it is a line of one of
    /// the given products.
    LockAnchor<'a>(order_id: Text => str, skus: Array<Text> => Vec<&'a str>) on Pg -> Text,
    "SELECT sku FROM order_lines WHERE order_id = ? AND order_slot = '' AND sku = ANY (?) FOR UPDATE"
}

statement! {
    /// Makes a line the anchor of its order.
    SetAnchor<'a>(sku: Text => str, order_id: Text => str) on Pg,
    "UPDATE order_lines SET order_slot = '' WHERE sku = ? AND order_id = ?"
}

statement! {
    /// Returns the SKUs of the lines of an order.
    SkusOf<'a>(order_id: Text => str) on Pg -> Text,
    "SELECT sku FROM order_lines WHERE order_id = ?"
}

/// Looks up parts `w` by their primary key, the only index with the order of the subquery.
///
/// With statistics of empty tables, the index by batch would seem as good. It would later scan all lines of the
/// batch. No other unit of work moves the row, because the product is locked.
const FOUND: &str = joined!(
    " CROSS JOIN LATERAL (
     SELECT line_parts.ctid AS place FROM line_parts
     WHERE line_parts.sku = w.sku AND ",
    is!("line_parts.order_id", "w.order_id"),
    "
       AND ",
    is!("line_parts.reference", "w.reference"),
    "
     ORDER BY order_id, reference LIMIT 1
 ) AS found WHERE t.ctid = found.place"
);

statement! {
    /// Removes parts, lines and batches with their references, and returns the number of each.
    Remove<'a>(
        parts: PartKeys<'a>,
        lines: LineKeys<'a>,
        batches: BatchKeys<'a>,
        references: BatchKeys<'a>,
    ) on Pg -> (BigInt, BigInt, BigInt, BigInt),
    "WITH a AS (
         DELETE FROM line_parts AS t USING unnest(?) AS w (", PartKey::COLUMNS, ")", FOUND, " RETURNING 1
     ), l AS (
         DELETE FROM order_lines AS t USING unnest(?) AS w (", LineKey::COLUMNS, ")
         WHERE (t.sku, t.order_id) = (w.sku, w.order_id) RETURNING 1
     ), b AS (
         DELETE FROM batches AS t USING unnest(?) AS w (", BatchKey::COLUMNS, ")
         WHERE (t.sku, t.reference) = (w.sku, w.reference) RETURNING 1
     ), r AS (
         DELETE FROM batch_references AS t USING unnest(?) AS w (", BatchKey::COLUMNS, ")
         WHERE (t.sku, t.reference) = (w.sku, w.reference) RETURNING 1
     )
     SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM l), (SELECT count(*) FROM b), (SELECT count(*) FROM r)"
}

/// The columns of a batch with its key.
const KEYED_BATCH: &str = joined!(BatchKey::COLUMNS, ", ", BatchValues::COLUMNS);

/// The columns of a part with its key.
const KEYED_PART: &str = joined!(PartKey::COLUMNS, ", ", PartValues::COLUMNS);

statement! {
    /// Inserts the references of new batches in their order, with the quantities and ETAs that the batches
    /// were added with.
    AddReferences<'a>(batches: BatchKeys<'a>, added_with: AddedWithSet<'a>) on Pg,
    "INSERT INTO batch_references (", BatchKey::COLUMNS, ", ", AddedWith::COLUMNS, ")
     SELECT w.* FROM unnest(?, ?) AS w (", BatchKey::COLUMNS, ", ", AddedWith::COLUMNS, ")
     ORDER BY w.reference COLLATE \"C\""
}

statement! {
    AddBatches<'a>(batches: BatchKeys<'a>, values: BatchValuesSet<'a>) on Pg,
    "INSERT INTO batches (", KEYED_BATCH, ") SELECT * FROM unnest(?, ?)"
}

statement! {
    /// Stores batches of which more than the allocated quantity has changed. The LIMIT is as in
    /// [`WriteGroup`].
    ChangeBatches<'a>(batches: BatchKeys<'a>, values: BatchValuesSet<'a>, count: BigInt => i64) on Pg,
    "UPDATE batches AS t SET (", BatchValues::COLUMNS, ") = ROW(", BatchValues::OF_W, ")
     FROM (SELECT * FROM unnest(?, ?)", AS_MANY, ") AS w (", KEYED_BATCH, ")
     WHERE (t.sku, t.reference) = (w.sku, w.reference)"
}

statement! {
    /// Adds to the totals of products.
    ChangeProducts<'a>(
        sku: Array<Text> => Vec<&'a str>,
        totals: TotalsValuesSet<'a>,
        products: BigInt => i64,
    ) on Pg,
    "UPDATE products AS t
     SET in_stock = t.in_stock + w.in_stock, on_its_way = t.on_its_way + w.on_its_way, held = t.held + w.held,
         backordered = t.backordered + w.backordered, held_lines = t.held_lines + w.held_lines,
         waiting_lines = t.waiting_lines + w.waiting_lines, picked = t.picked + w.picked
     FROM (SELECT * FROM unnest(?, ?)", AS_MANY, ") AS w (sku, ", TotalsValues::COLUMNS, ")
     WHERE t.sku = w.sku"
}

statement! {
    /// Stores the flags of a product: whether lines may wait although units are free, whether lines keep their
    /// promises, and whether it is sold out.
    SetFlags<'a>(unserved: Bool => bool, stable: Bool => bool, sold_out: Bool => bool, sku: Text => str) on Pg,
    "UPDATE products SET unserved = ?, stable = ?, sold_out = ? WHERE sku = ?"
}

statement! {
    /// Adds lines with all their values.
    AddLines<'a>(
        lines: LineKeys<'a>,
        values: LineValuesSet<'a>,
        wholes: WholeValuesSet<'a>,
        slots: Array<Text> => Vec<&'a str>,
    ) on Pg,
    "INSERT INTO order_lines (", LINE, ", order_slot) SELECT * FROM unnest(?, ?, ?, ?)"
}

statement! {
    /// Changes lines and parts, and returns the number of each.
    ChangeLines<'a>(
        lines: LineKeys<'a>,
        line_values: LineValuesSet<'a>,
        wholes: WholeValuesSet<'a>,
        parts: PartKeys<'a>,
        part_values: PartValuesSet<'a>,
    ) on Pg -> (BigInt, BigInt),
    "WITH l AS (
         UPDATE order_lines AS t
         SET (", LineValues::COLUMNS, ", ", WholeValues::COLUMNS, ")
           = ROW(", LineValues::OF_W, ", ", WholeValues::OF_W, ")
         FROM unnest(?, ?, ?) AS w (", LINE, ")
         WHERE (t.sku, t.order_id) = (w.sku, w.order_id) RETURNING 1
     ), a AS (
         UPDATE line_parts AS t SET (", PartValues::COLUMNS, ") = ROW(", PartValues::OF_W, ")
         FROM unnest(?, ?) AS w (", KEYED_PART, ")", FOUND, " RETURNING 1
     )
     SELECT (SELECT count(*) FROM l), (SELECT count(*) FROM a)"
}

statement! {
    /// Writes the result of a group of allocations: new plain lines, parts of split lines, events, and the
    /// counters of batches. Returns the number of changed counters.
    ///
    /// The number of counters is also their LIMIT. The planner then expects few of them, and looks up each
    /// batch instead of scanning the table.
    WriteGroup<'a>(
        lines: LineKeys<'a>,
        line_values: PlainLineValuesSet<'a>,
        wholes: WholeValuesSet<'a>,
        parts: PartKeys<'a>,
        part_values: PartValuesSet<'a>,
        blocks: OutboxBlocks<'a>,
        batches: BatchKeys<'a>,
        deltas: Array<Integer> => Vec<i32>,
        counters: BigInt => i64,
    ) on Pg,
    "WITH l AS (
         INSERT INTO order_lines (", LineKey::COLUMNS, ", ", PlainLineValues::COLUMNS, ", ", WholeValues::COLUMNS, ")
         SELECT * FROM unnest(?, ?, ?)
     ), a AS (
         INSERT INTO line_parts (", KEYED_PART, ") SELECT * FROM unnest(?, ?)
     ), e AS (
         INSERT INTO outbox_blocks (", OutboxBlock::COLUMNS, ")
         SELECT event_count, occurred_at, types, translate(keys, '[]', '{}')::integer[],
                translate(causes, '[]', '{}')::integer[], events
         FROM unnest(?) AS w (", OutboxBlock::COLUMNS, ")
     )
     UPDATE batches AS t SET allocated_quantity = t.allocated_quantity + w.delta
     FROM (SELECT * FROM unnest(?, ?)", AS_MANY, ") AS w (", BatchKey::COLUMNS, ", delta)
     WHERE (t.sku, t.reference) = (w.sku, w.reference)"
}

statement! {
    /// Loads the orders that were placed as orders, not as standalone lines.
    ///
    /// One statement looks for current and archived ones: the lock of the products does not keep an order with lines of
    /// other products from being archived.
    FindOrders<'a>(order_ids: Array<Text> => Vec<&'a str>, archived: Array<Text> => Vec<&'a str>)
        on Pg -> Sql<OrderRow<'static>>,
    "SELECT ", OrderRow::COLUMNS, " FROM orders WHERE order_id = ANY (?)
     UNION ALL
     SELECT ", OrderRow::COLUMNS, " FROM archived_orders
     WHERE ", ANY_ARCHIVED, " AND order_id = ANY (?) AND lines IS NOT NULL"
}

statement! {
    /// Returns the ids of orders that have lines, once per line, and those of archived orders.
    OrdersWithLines<'a>(order_ids: Array<Text> => Vec<&'a str>, archived: Array<Text> => Vec<&'a str>) on Pg -> Text,
    "SELECT order_id FROM order_lines WHERE order_id = ANY (?)
     UNION ALL
     SELECT order_id FROM archived_orders WHERE ", ANY_ARCHIVED, " AND order_id = ANY (?)"
}

/// Looks up pick lines of order lines `w`, one order line after another. A condition on two arrays would read all pick
/// lines of the SKUs. No other unit of work moves the rows: their products, or their archived orders, are locked.
const OF_LINE: &str =
    joined!(" WHERE p.sku = w.sku AND ", is!("p.order_id", "w.order_id"), " ORDER BY order_id", SEPARATE);

statement! {
    /// Moves the pick lines of lines to the archive.
    ArchivePickLines<'a>(sku: Array<Text> => Vec<&'a str>, order_id: Array<Text> => Vec<&'a str>) on Pg,
    "WITH moved AS (
         DELETE FROM pick_list_lines AS t WHERE t.ctid = ANY (ARRAY(
             SELECT found.place FROM unnest(?, ?) AS w (sku, order_id)
             CROSS JOIN LATERAL (SELECT p.ctid AS place FROM pick_list_lines AS p", OF_LINE, ") AS found
         )) RETURNING *
     )
     INSERT INTO archived_pick_lines (", PickLineRow::COLUMNS, ") SELECT ", PickLineRow::COLUMNS, " FROM moved"
}

statement! {
    /// Moves orders to the archive, and adds those that have only standalone lines.
    ArchiveOrders<'a>(removed: Array<Text> => Vec<&'a str>, order_ids: Array<Text> => Vec<&'a str>) on Pg,
    "WITH moved AS (DELETE FROM orders WHERE order_id = ANY (?) RETURNING *)
     INSERT INTO archived_orders (", OrderRow::COLUMNS, ", placed_at)
     SELECT ", OrderRow::COLUMNS, ", placed_at
     FROM unnest(?) AS w (order_id)
     LEFT JOIN moved USING (order_id)"
}

statement! {
    /// Moves the lines of orders to the archive whose completion is recorded.
    ArchiveLines<'a>(order_ids: Array<Text> => Vec<&'a str>) on Pg,
    "WITH moved AS (
         DELETE FROM order_lines WHERE order_id = ANY (?) AND completed_at", NOT_INDEXED, " IS NOT NULL RETURNING *
     )
     INSERT INTO archived_lines (", ARCHIVED_LINE, ") SELECT ", ARCHIVED_LINE, " FROM moved"
}

statement! {
    /// Locks archived orders in the order of their ids, and returns those that are still archived.
    LockArchived<'a>(order_ids: Array<Text> => Vec<&'a str>) on Pg -> Text,
    "SELECT order_id FROM archived_orders WHERE order_id = ANY (?) ORDER BY order_id FOR UPDATE"
}

statement! {
    RestoreOrders<'a>(order_ids: Array<Text> => Vec<&'a str>) on Pg,
    "WITH moved AS (DELETE FROM archived_orders WHERE order_id = ANY (?) RETURNING *)
     INSERT INTO orders (", OrderRow::COLUMNS, ", placed_at)
     SELECT ", OrderRow::COLUMNS, ", placed_at FROM moved WHERE lines IS NOT NULL"
}

statement! {
    /// Moves the lines of archived orders back, the first of each as its anchor, and returns their keys.
    RestoreLines<'a>(order_ids: Array<Text> => Vec<&'a str>) on Pg -> (Text, Text),
    "WITH moved AS (DELETE FROM archived_lines WHERE order_id = ANY (?) RETURNING *)
     INSERT INTO order_lines (", ARCHIVED_LINE, ", order_slot)
     SELECT ", ARCHIVED_LINE, ", CASE WHEN row_number() OVER (PARTITION BY order_id ORDER BY sku) = 1 THEN '' ELSE sku END
     FROM moved
     RETURNING sku, order_id"
}

statement! {
    /// Moves the pick lines of archived lines back.
    RestorePickLines<'a>(sku: Array<Text> => Vec<&'a str>, order_id: Array<Text> => Vec<&'a str>) on Pg,
    "WITH moved AS (
         DELETE FROM archived_pick_lines AS t WHERE t.ctid = ANY (ARRAY(
             SELECT found.place FROM unnest(?, ?) AS w (sku, order_id)
             CROSS JOIN LATERAL (SELECT p.ctid AS place FROM archived_pick_lines AS p", OF_LINE, ") AS found
         )) RETURNING *
     )
     INSERT INTO pick_list_lines (", PickLineRow::COLUMNS, ") SELECT ", PickLineRow::COLUMNS, " FROM moved"
}

statement! {
    /// Adds orders in the order of their ids, except orders with a standalone line. The orders' own lines
    /// are written before, so this statement sees every standalone line committed by then.
    AddOrders<'a>(placed_at: BigInt => i64, orders: OrderRows<'a>) on Pg,
    "INSERT INTO orders (", OrderRow::COLUMNS, ", placed_at)
     SELECT w.*, ? FROM unnest(?) AS w (", OrderRow::COLUMNS, ")
     WHERE (SELECT count(*) FROM order_lines WHERE order_lines.order_id = w.order_id AND NOT of_order) = 0
     ORDER BY w.order_id COLLATE \"C\""
}

statement! {
    /// Loads the pick lines of order lines, except withdrawn and short-picked ones. Each order line is
    /// looked up separately, by the index with the order of the subquery.
    LoadPickLines<'a>(sku: Array<Text> => Vec<&'a str>, order_id: Array<Text> => Vec<&'a str>)
        on Pg -> Sql<PickLineRow<'static>>,
    "SELECT p.* FROM unnest(?, ?) AS w (sku, order_id)
     CROSS JOIN LATERAL (
         SELECT ", PickLineRow::COLUMNS, " FROM pick_list_lines
         WHERE pick_list_lines.sku = w.sku AND ", is!("pick_list_lines.order_id", "w.order_id"), "
           AND status NOT IN ('withdrawn', 'missing')
         ORDER BY order_id", SEPARATE, "
     ) AS p"
}

statement! {
    AddPickLines<'a>(lines: PickLineRows<'a>) on Pg,
    "INSERT INTO pick_list_lines (", PickLineRow::COLUMNS, ") SELECT * FROM unnest(?)"
}

statement! {
    ChangePickLines<'a>(lines: PickLineRows<'a>, count: BigInt => i64) on Pg,
    "UPDATE pick_list_lines AS t
     SET quantity = w.quantity, picked = w.picked, shipped = w.shipped, put_back = w.put_back, status = w.status
     FROM (SELECT * FROM unnest(?)", AS_MANY, ") AS w (", PickLineRow::COLUMNS, ")
     WHERE (t.list_id, t.line) = (w.list_id, w.line)"
}

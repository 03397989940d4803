//! Statements that take sets of rows as arrays, one array for each column.

use crate::statement::statement;
use chrono::NaiveDate;
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text};

statement! {
    /// Makes the products that do not exist, in the order of their SKUs.
    InsertMissing<'a>(skus: Array<Text> => Vec<&'a str>) on Pg,
    r#"INSERT INTO products (sku, version)
       SELECT w.sku, 0 FROM unnest(?) AS w (sku) ORDER BY w.sku COLLATE "C"
       ON CONFLICT (sku) DO NOTHING"#
}

statement! {
    /// Locks products in the order of their SKUs, which is that of the index, and counts a unit of
    /// work.
    LockProducts<'a>(skus: Array<Text> => Vec<&'a str>) on Pg -> (Text, BigInt),
    "UPDATE products SET version = version + 1 WHERE sku = ANY (?) RETURNING sku, version"
}

statement! {
    /// Loads what is wanted of locked products in one go: the most preferred batches with free
    /// units, named batches, and lines.
    ///
    /// `place` says which product a row belongs to, and a line has a quantity and nothing else of
    /// its own. What is LATERAL with a LIMIT is looked up for one row of the parameters after the
    /// other, whatever the planner takes the tables for.
    Load<'a>(
        open_place: Array<Integer> => Vec<i32>,
        open_sku: Array<Text> => Vec<&'a str>,
        limit: BigInt => i64,
        named_place: Array<Integer> => Vec<i32>,
        named_sku: Array<Text> => Vec<&'a str>,
        named_reference: Array<Text> => Vec<&'a str>,
        line_place: Array<Integer> => Vec<i32>,
        line_sku: Array<Text> => Vec<&'a str>,
        line_order_id: Array<Text> => Vec<&'a str>,
    ) on Pg -> (Integer, Text, Text, Integer, Nullable<Integer>, Nullable<Date>, Nullable<BigInt>),
    "SELECT w.place, 'open', b.*
     FROM unnest(?, ?) AS w (place, sku)
     CROSS JOIN LATERAL (
         SELECT reference, purchased_quantity, allocated_quantity, eta, added_at
         FROM batches WHERE batches.sku = w.sku AND is_open
         ORDER BY eta NULLS FIRST, added_at, reference LIMIT ?
     ) AS b
     UNION ALL
     SELECT w.place, 'named', b.*
     FROM unnest(?, ?, ?) AS w (place, sku, reference)
     CROSS JOIN LATERAL (
         SELECT reference, purchased_quantity, allocated_quantity, eta, added_at
         FROM batches WHERE batches.sku = w.sku AND batches.reference = w.reference LIMIT 1
     ) AS b
     UNION ALL
     SELECT w.place, 'line', l.order_id, l.quantity, NULL, NULL, NULL
     FROM unnest(?, ?, ?) AS w (place, sku, order_id)
     CROSS JOIN LATERAL (
         SELECT order_id, quantity
         FROM order_lines WHERE order_lines.sku = w.sku AND order_lines.order_id = w.order_id LIMIT 1
     ) AS l"
}

statement! {
    /// Loads the allocations of lines that exist.
    LoadAllocations<'a>(
        place: Array<Integer> => Vec<i32>,
        sku: Array<Text> => Vec<&'a str>,
        order_id: Array<Text> => Vec<&'a str>,
    ) on Pg -> (Integer, Text, (Text, Integer, Nullable<Date>, BigInt)),
    "SELECT w.place, w.order_id, a.reference, a.quantity, b.eta, b.added_at
     FROM unnest(?, ?, ?) AS w (place, sku, order_id)
     CROSS JOIN LATERAL (
         SELECT reference, quantity
         FROM allocations WHERE allocations.sku = w.sku AND allocations.order_id = w.order_id OFFSET 0
     ) AS a
     CROSS JOIN LATERAL (
         SELECT eta, added_at
         FROM batches WHERE batches.sku = w.sku AND batches.reference = a.reference LIMIT 1
     ) AS b"
}

statement! {
    /// Removes allocations, lines and batches. Answers how many of each.
    Remove<'a>(
        allocation_sku: Array<Text> => Vec<&'a str>,
        allocation_order_id: Array<Text> => Vec<&'a str>,
        allocation_reference: Array<Text> => Vec<&'a str>,
        line_sku: Array<Text> => Vec<&'a str>,
        line_order_id: Array<Text> => Vec<&'a str>,
        batch_sku: Array<Text> => Vec<&'a str>,
        batch_reference: Array<Text> => Vec<&'a str>,
        named_sku: Array<Text> => Vec<&'a str>,
        named_reference: Array<Text> => Vec<&'a str>,
    ) on Pg -> (BigInt, BigInt, BigInt, BigInt),
    "WITH a AS (
         DELETE FROM allocations AS t USING unnest(?, ?, ?) AS w (sku, order_id, reference)
         WHERE (t.sku, t.order_id, t.reference) = (w.sku, w.order_id, w.reference) RETURNING 1
     ), l AS (
         DELETE FROM order_lines AS t USING unnest(?, ?) AS w (sku, order_id)
         WHERE (t.sku, t.order_id) = (w.sku, w.order_id) RETURNING 1
     ), b AS (
         DELETE FROM batches AS t USING unnest(?, ?) AS w (sku, reference)
         WHERE (t.sku, t.reference) = (w.sku, w.reference) RETURNING 1
     ), r AS (
         DELETE FROM batch_references AS t USING unnest(?, ?) AS w (sku, reference)
         WHERE (t.sku, t.reference) = (w.sku, w.reference) RETURNING 1
     )
     SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM l), (SELECT count(*) FROM b), (SELECT count(*) FROM r)"
}

statement! {
    /// Takes the names of new batches, in the order of the names.
    AddReferences<'a>(sku: Array<Text> => Vec<&'a str>, reference: Array<Text> => Vec<&'a str>) on Pg,
    r#"INSERT INTO batch_references (sku, reference)
       SELECT w.sku, w.reference FROM unnest(?, ?) AS w (sku, reference) ORDER BY w.reference COLLATE "C""#
}

statement! {
    AddBatches<'a>(
        sku: Array<Text> => Vec<&'a str>,
        reference: Array<Text> => Vec<&'a str>,
        purchased_quantity: Array<Integer> => Vec<i32>,
        allocated_quantity: Array<Integer> => Vec<i32>,
        eta: Array<Nullable<Date>> => Vec<Option<NaiveDate>>,
        added_at: Array<BigInt> => Vec<i64>,
    ) on Pg,
    "INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?)"
}

statement! {
    /// Changes the quantities of lines and allocations. Answers how many of each.
    ChangeQuantities<'a>(
        line_sku: Array<Text> => Vec<&'a str>,
        line_order_id: Array<Text> => Vec<&'a str>,
        line_quantity: Array<Integer> => Vec<i32>,
        allocation_sku: Array<Text> => Vec<&'a str>,
        allocation_order_id: Array<Text> => Vec<&'a str>,
        allocation_reference: Array<Text> => Vec<&'a str>,
        allocation_quantity: Array<Integer> => Vec<i32>,
    ) on Pg -> (BigInt, BigInt),
    "WITH l AS (
         UPDATE order_lines AS t SET quantity = w.quantity
         FROM unnest(?, ?, ?) AS w (sku, order_id, quantity)
         WHERE (t.sku, t.order_id) = (w.sku, w.order_id) RETURNING 1
     ), a AS (
         UPDATE allocations AS t SET quantity = w.quantity
         FROM unnest(?, ?, ?, ?) AS w (sku, order_id, reference, quantity)
         WHERE (t.sku, t.order_id, t.reference) = (w.sku, w.order_id, w.reference) RETURNING 1
     )
     SELECT (SELECT count(*) FROM l), (SELECT count(*) FROM a)"
}

statement! {
    /// Writes what a group of allocations comes to: new lines and allocations, events, and the
    /// counters of batches. Answers how many counters were changed.
    ///
    /// The counters come with their number as LIMIT, so that the planner takes them for few, and
    /// looks up each batch instead of walking the table.
    Record<'a>(
        line_sku: Array<Text> => Vec<&'a str>,
        line_order_id: Array<Text> => Vec<&'a str>,
        line_quantity: Array<Integer> => Vec<i32>,
        allocation_sku: Array<Text> => Vec<&'a str>,
        allocation_order_id: Array<Text> => Vec<&'a str>,
        allocation_reference: Array<Text> => Vec<&'a str>,
        allocation_quantity: Array<Integer> => Vec<i32>,
        occurred_at: BigInt => i64,
        event_sku: Array<Text> => Vec<&'a str>,
        event_version: Array<BigInt> => Vec<i64>,
        event_ordinal: Array<Integer> => Vec<i32>,
        event_type: Array<Text> => Vec<&'a str>,
        event_order_id: Array<Nullable<Text>> => Vec<Option<&'a str>>,
        event_payload: Array<Text> => Vec<&'a str>,
        counter_sku: Array<Text> => Vec<&'a str>,
        counter_reference: Array<Text> => Vec<&'a str>,
        counter_delta: Array<Integer> => Vec<i32>,
        counters: BigInt => i64,
    ) on Pg,
    "WITH l AS (
         INSERT INTO order_lines (sku, order_id, quantity) SELECT * FROM unnest(?, ?, ?)
     ), a AS (
         INSERT INTO allocations (sku, order_id, reference, quantity) SELECT * FROM unnest(?, ?, ?, ?)
     ), e AS (
         INSERT INTO outbox (occurred_at, sku, version, ordinal, type, order_id, payload)
         SELECT ?, * FROM unnest(?, ?, ?, ?, ?, ?)
     )
     UPDATE batches AS t SET allocated_quantity = t.allocated_quantity + w.delta
     FROM (SELECT * FROM unnest(?, ?, ?) LIMIT ?) AS w (sku, reference, delta)
     WHERE (t.sku, t.reference) = (w.sku, w.reference)"
}

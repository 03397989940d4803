//! Invariants between rows, checked for some products at a time.

use super::count;
use crate::any_connection::AnyConnection;
use crate::error::{corrupt, store_error};
use allocation_ports::{BrokenInvariant, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use std::time::{Duration, Instant};

/// The maximum number of products that a statement reads.
const MAX_STEP: i64 = 100;
/// The duration of a step after which the next one has fewer products: a statement holds a snapshot. The rows of one
/// product are compared in one statement, however many there are, because its counters belong to one state.
const LONG_STEP: Duration = Duration::from_millis(500);

/// Invariants of products, each with a query that counts the rows that break it. A query reads one state, and the rows
/// of a product change in one transaction. `{of x}` limits the rows of `x` to some products.
const OF_PRODUCTS: [(&str, &str); 18] = [
    (
        "batches whose allocated quantity is not the sum of their allocations",
        "SELECT count(*) FROM batches AS b WHERE {of b} AND allocated_quantity <> (
             SELECT coalesce(sum(l.allocated), 0) FROM order_lines AS l
             WHERE l.reference = b.reference AND l.sku = b.sku
         ) + (
             SELECT coalesce(sum(p.quantity), 0) FROM line_parts AS p
             WHERE p.reference = b.reference AND p.sku = b.sku
         )",
    ),
    (
        "batches with more units in use than they have",
        "SELECT count(*) FROM batches AS b WHERE {of b}
         AND allocated_quantity + picked_quantity + shipped_quantity + missing_quantity > purchased_quantity",
    ),
    (
        "batches with more adjusted units than they have",
        "SELECT count(*) FROM batches AS b WHERE {of b} AND adjusted_quantity > purchased_quantity",
    ),
    (
        "batches whose picked and shipped units differ from their pick lines",
        "SELECT count(*) FROM batches AS b WHERE {of b} AND (picked_quantity, shipped_quantity) <> (
             SELECT coalesce(sum(CASE WHEN k.status = 'picked' THEN k.picked - k.shipped END), 0),
                    coalesce(sum(CASE WHEN k.status = 'shipped' THEN k.picked ELSE k.shipped END), 0)
             FROM (
                 SELECT status, picked, shipped FROM pick_list_lines AS c
                 WHERE c.sku = b.sku AND c.reference = b.reference
                 UNION ALL
                 SELECT status, picked, shipped FROM archived_pick_lines AS a
                 WHERE a.sku = b.sku AND a.reference = b.reference
             ) AS k
         )",
    ),
    (
        "references of batches that do not exist",
        "SELECT count(*) FROM batch_references AS r WHERE {of r} AND NOT EXISTS (
             SELECT 1 FROM batches AS b WHERE b.sku = r.sku AND b.reference = r.reference
         )",
    ),
    (
        "lines with more units than they ordered",
        "SELECT count(*) FROM order_lines AS l WHERE {of l} AND waiting + picked + shipped + (
             SELECT coalesce(sum(a.quantity), 0) FROM allocations AS a WHERE a.sku = l.sku AND a.order_id = l.order_id
         ) > quantity",
    ),
    (
        "lines that have ended and still have or wait for units",
        "SELECT count(*) FROM order_lines AS l WHERE {of l} AND ended IS NOT NULL AND (waiting > 0 OR EXISTS (
             SELECT 1 FROM allocations AS a WHERE a.sku = l.sku AND a.order_id = l.order_id
         ))",
    ),
    (
        "lines whose listed, picked and shipped units differ from their pick lines",
        "SELECT count(*) FROM order_lines AS l WHERE {of l} AND (listed, picked, shipped) <> (
             SELECT coalesce(sum(CASE WHEN k.status = 'open' THEN k.quantity END), 0),
                    coalesce(sum(CASE WHEN k.status = 'picked' THEN k.picked - k.shipped END), 0),
                    coalesce(sum(CASE WHEN k.status = 'shipped' THEN k.picked ELSE k.shipped END), 0)
             FROM pick_list_lines AS k WHERE k.sku = l.sku AND k.order_id = l.order_id
         )",
    ),
    (
        "archived lines whose shipped units differ from their pick lines",
        "SELECT count(*) FROM (
             SELECT k.sku, k.order_id, coalesce(sum(CASE WHEN k.status = 'shipped' THEN k.picked END), 0) AS shipped
             FROM archived_pick_lines AS k WHERE {of k} GROUP BY k.sku, k.order_id
         ) AS k LEFT JOIN archived_lines AS l ON l.order_id = k.order_id AND l.sku = k.sku
         WHERE l.shipped IS NULL OR l.shipped <> k.shipped",
    ),
    (
        "lines with more returned units than were shipped",
        "SELECT count(*) FROM (
             SELECT l.returned, l.shipped FROM order_lines AS l WHERE {of l}
             UNION ALL SELECT l.returned, l.shipped FROM archived_lines AS l WHERE {of l}
         ) AS l WHERE returned > shipped",
    ),
    (
        "lines with more restocked units than were returned",
        "SELECT count(*) FROM (
             SELECT b.sku, b.return_order_id AS order_id, sum(r.purchased_quantity) AS restocked FROM batches AS b
             JOIN batch_references AS r ON r.reference = b.reference
             WHERE {of b} AND b.return_order_id IS NOT NULL GROUP BY b.sku, b.return_order_id
         ) AS b
         LEFT JOIN order_lines AS l ON l.sku = b.sku AND l.order_id = b.order_id
         LEFT JOIN archived_lines AS a ON a.order_id = b.order_id AND a.sku = b.sku
         WHERE b.restocked > coalesce(l.returned, a.returned, 0)",
    ),
    (
        "lines of archived orders that are not archived",
        "SELECT count(*) FROM order_lines AS l WHERE {of l} AND EXISTS (
             SELECT 1 FROM archived_orders AS a WHERE a.order_id = l.order_id
         )",
    ),
    (
        "parts of lines that do not exist",
        "SELECT count(*) FROM line_parts AS p WHERE {of p} AND NOT EXISTS (
             SELECT 1 FROM order_lines AS l WHERE l.sku = p.sku AND l.order_id = p.order_id
         )",
    ),
    (
        "units on open pick lists that are not allocated, or are on two lists",
        "SELECT count(*) FROM (
             SELECT k.sku, k.order_id, k.reference, sum(k.quantity) AS listed FROM pick_list_lines AS k
             WHERE {of k} AND k.status = 'open' GROUP BY k.sku, k.order_id, k.reference
         ) AS k LEFT JOIN allocations AS a ON a.sku = k.sku AND a.order_id = k.order_id AND a.reference = k.reference
         WHERE a.quantity IS NULL OR a.quantity < k.listed",
    ),
    (
        "products whose line counters differ from their lines",
        "SELECT count(*) FROM products AS p WHERE {of p} AND (held_lines, waiting_lines, backordered) <> (
             SELECT count(l.expires_at), coalesce(sum(CASE WHEN l.waiting > 0 THEN 1 ELSE 0 END), 0),
                    coalesce(sum(l.waiting), 0)
             FROM order_lines AS l WHERE l.sku = p.sku
         )",
    ),
    (
        "products whose stock differs from their batches",
        "SELECT count(*) FROM products AS p WHERE {of p} AND (in_stock, on_its_way, picked) <> (
             SELECT coalesce(sum(CASE WHEN eta IS NULL THEN purchased_quantity - shipped_quantity - missing_quantity END), 0),
                    coalesce(sum(CASE WHEN eta IS NOT NULL THEN purchased_quantity - shipped_quantity - missing_quantity END), 0),
                    coalesce(sum(picked_quantity), 0)
             FROM batches AS b WHERE b.sku = p.sku
         )",
    ),
    (
        "products whose held units differ from their holds",
        "SELECT count(*) FROM products AS p WHERE {of p} AND held <> (
             SELECT coalesce(sum(a.quantity), 0) FROM order_lines AS l
             JOIN allocations AS a ON a.sku = l.sku AND a.order_id = l.order_id
             WHERE l.sku = p.sku AND l.expires_at IS NOT NULL
         )",
    ),
    (
        "lines that wait although units are free for them",
        "SELECT count(*) FROM (
             SELECT p.sku, (
                 SELECT sum(purchased_quantity - allocated_quantity - picked_quantity - shipped_quantity - missing_quantity)
                 FROM batches AS b WHERE b.sku = p.sku
             ) AS free
             FROM products AS p WHERE {of p} AND p.waiting_lines > 0 AND NOT p.unserved
               AND NOT EXISTS (SELECT 1 FROM batches AS b WHERE b.sku = p.sku AND b.moving IS NOT NULL)
         ) AS p JOIN order_lines AS l ON l.sku = p.sku
         WHERE l.waiting > 0 AND p.free >= CASE WHEN l.allow_split THEN 1 ELSE l.waiting END",
    ),
];

/// The invariant of the log, whose positions have no gaps.
const OF_LOG: (&str, &str) = (
    "logs whose number of events differs from their positions",
    "SELECT count(*) FROM event_log
     WHERE last_position - oldest_position + 1 <> (SELECT coalesce(sum(event_count), 0) FROM event_blocks)",
);

/// Returns the invariants that are broken, and the number of products that were checked; `None` if `may_continue`
/// returned false before a step.
pub(super) fn broken(
    connection: &mut AnyConnection,
    may_continue: &mut dyn FnMut() -> bool,
) -> Result<Option<(Vec<BrokenInvariant>, u64)>, StoreError> {
    let mut rows = [0; OF_PRODUCTS.len()];
    let (mut from, mut products, mut step) = (String::new(), 0, MAX_STEP);
    while let Some((until, found)) = next_products(connection, &from, step)? {
        if !may_continue() {
            return Ok(None);
        }
        let begun = Instant::now();
        for ((_, query), rows) in OF_PRODUCTS.iter().zip(&mut rows) {
            *rows += count_within(connection, query, (&from, &until))?;
        }
        step = next_step(step, begun.elapsed());
        products += found;
        from = until;
    }
    let found = OF_PRODUCTS.iter().map(|(what, _)| *what).zip(rows);
    let found = found.chain([(OF_LOG.0, count(connection, OF_LOG.1)?)]);
    let broken = found.filter(|(_, rows)| *rows > 0).map(|(what, rows)| BrokenInvariant { what, rows });
    Ok(Some((broken.collect(), products)))
}

/// Returns the number of products for the next step.
fn next_step(step: i64, took: Duration) -> i64 {
    if took > LONG_STEP { (step / 2).max(1) } else { (step * 2).min(MAX_STEP) }
}

#[derive(QueryableByName)]
struct Products {
    #[diesel(sql_type = Nullable<Text>)]
    last: Option<String>,
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// Returns the last of the next products after a SKU, and their number.
fn next_products(connection: &mut AnyConnection, from: &str, step: i64) -> Result<Option<(String, u64)>, StoreError> {
    let query = format!(
        "SELECT max(sku) AS last, count(*) AS found
         FROM (SELECT sku FROM products WHERE sku > {} ORDER BY sku LIMIT {step}) AS next",
        parameters(connection).0
    );
    let next: Products = diesel::sql_query(query).bind::<Text, _>(from).get_result(connection).map_err(store_error)?;
    let found = u64::try_from(next.found).map_err(corrupt)?;
    Ok(next.last.map(|last| (last, found)))
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Returns the result of a query for the products between two SKUs, without the first.
fn count_within(connection: &mut AnyConnection, query: &str, (from, until): (&str, &str)) -> Result<u64, StoreError> {
    let query = within(query, parameters(connection));
    let query = diesel::sql_query(query).bind::<Text, _>(from).bind::<Text, _>(until);
    let counted: Counted = query.get_result(connection).map_err(store_error)?;
    u64::try_from(counted.count).map_err(corrupt)
}

/// Returns the names of the first two parameters.
const fn parameters(connection: &AnyConnection) -> (&'static str, &'static str) {
    match connection {
        AnyConnection::Sqlite(_) => ("?1", "?2"),
        AnyConnection::Postgres(_) => ("$1", "$2"),
    }
}

/// Replaces `{of x}` by the limits of the SKUs, and names the result.
fn within(query: &str, (from, until): (&str, &str)) -> String {
    let mut limited = query.replacen("count(*)", "count(*) AS count", 1);
    for alias in ["b", "k", "l", "p", "r"] {
        limited =
            limited.replace(&format!("{{of {alias}}}"), &format!("{alias}.sku > {from} AND {alias}.sku <= {until}"));
    }
    limited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_steps_are_shortened_to_one_product_and_short_ones_grow() {
        let mut steps = vec![MAX_STEP];
        for took in [1_000; 8].into_iter().chain([1; 8]).map(Duration::from_millis) {
            steps.push(next_step(*steps.last().unwrap(), took));
        }
        assert_eq!(steps, [100, 50, 25, 12, 6, 3, 1, 1, 1, 2, 4, 8, 16, 32, 64, 100, 100]);
    }

    #[test]
    fn every_query_is_limited_to_some_products() {
        for (what, query) in OF_PRODUCTS {
            let limited = within(query, ("?1", "?2"));
            assert!(limited.contains(".sku > ?1 AND") && !limited.contains('{'), "{what}: {limited}");
        }
    }
}

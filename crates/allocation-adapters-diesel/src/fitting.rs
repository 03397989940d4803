//! Lines on batches in transit that may move to an earlier batch, because they fit into its free units.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::planner::LIMIT;
use crate::row;
use crate::statement::statement;
use allocation_domain::{BatchReference, MAX_PASSED_OVER, OrderId, QueuePosition};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

/// The number of lines that a statement looks at.
const SCAN_LIMIT: i64 = 10_000;
const _: () = assert!(MAX_PASSED_OVER == 10_000, "the limit of the statement");

/// The precedence of a line, the instant at which it was placed, and its order id.
type Row = (i32, i64, String);

statement! {
    /// The lines on a batch after a position that have at most a number of its units, lack none, and do not keep their
    /// promises. It looks at a limited number of lines, in the order of the index. No other index than the primary key
    /// serves the comparison of pairs, whatever size the planner expects the tables to have.
    FittingAfter<'a>(
        reference: Text => str,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        order_id: Text => str,
        scan_limit: BigInt => i64,
        units: Integer => i32,
        limit: BigInt => i64,
    ) on MultiBackend -> (Integer, BigInt, Text),
    "SELECT precedence, placed_at, order_id
     FROM (
         SELECT sku, order_id, precedence, placed_at, quantity FROM allocations
         WHERE reference = ? AND (precedence, placed_at, order_id) > (?, ?, ?)
         ORDER BY precedence, placed_at, order_id", LIMIT, "
     ) AS a
     WHERE quantity <= ? AND (
         SELECT NOT l.stable AND l.quantity = l.waiting + l.picked + l.shipped + l.allocated + coalesce((
             SELECT sum(p.quantity) FROM line_parts AS p
             WHERE (p.sku, p.order_id) >= (l.sku, l.order_id) AND (p.sku, p.order_id) <= (l.sku, l.order_id)
               AND l.reference IS NULL
         ), 0)
         FROM order_lines AS l WHERE l.sku = a.sku AND l.order_id = a.order_id
     )
     ORDER BY precedence, placed_at, order_id", LIMIT
}

/// Returns the order ids of the next lines on batches after a position that fit into a number of units, in the order in
/// which lines are served, and whether there are more.
pub(crate) fn next(
    connection: &mut AnyConnection,
    references: &[BatchReference],
    after: Option<&QueuePosition>,
    units: u32,
    limit: usize,
) -> Result<(Vec<OrderId>, bool), StoreError> {
    let page_plus_one = &i64::try_from(limit.saturating_add(1)).map_err(corrupt)?;
    let units = &i32::try_from(units).unwrap_or(i32::MAX);
    let (mut found, mut more) = (Vec::new(), false);
    for reference in references {
        let statement = FittingAfter {
            reference: reference.as_str(),
            precedence: &after.map_or(i32::MIN, |after| !after.priority()),
            placed_at: &after.map_or(i64::MIN, |after| after.placed_at().timestamp_micros()),
            order_id: after.map_or("", |after| after.order_id().as_str()),
            scan_limit: &SCAN_LIMIT,
            units,
            limit: page_plus_one,
        };
        let rows: Vec<Row> = statement.load(connection).map_err(store_error)?;
        found.extend(rows);
    }
    // Whatever the limit of each batch leaves out comes after that many others.
    found.sort_unstable();
    found.dedup();
    if found.len() > limit {
        found.truncate(limit);
        more = true;
    }
    let order_ids = found.into_iter().map(|(.., order_id)| row::order_id(order_id));
    Ok((order_ids.collect::<Result<_, _>>()?, more))
}

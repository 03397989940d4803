//! Order lines that a new pick list can include.
//!
//! The lines of a batch are scanned in the order in which they are served, page by page, until there are
//! enough. Picked units are no longer allocations, and an inbound batch is skipped in one step.

mod scan;

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::planner::{SEPARATE, is};
use crate::statement::{joined, statement};
use crate::{row, stored_batches};
use allocation_domain::{BatchReference, Eta, OrderId, PickCriteria, QueuePosition, Sku};
use allocation_ports::{PickableLines, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use scan::Scan;
use std::collections::BTreeSet;

/// The number of batches, or lines of a batch, that one statement scans.
const PAGE: i64 = 2_000;

/// The next batch with allocated units after `held.reference`, one step away in each index.
const NEXT_HELD: &str = "(
         SELECT min(next.reference) FROM (
             SELECT (
                 SELECT l.reference FROM order_lines AS l WHERE l.reference > held.reference
                 ORDER BY l.reference, l.precedence, l.placed_at, l.order_id LIMIT 1
             ) AS reference
             UNION ALL
             SELECT (
                 SELECT p.reference FROM line_parts AS p WHERE p.reference > held.reference
                 ORDER BY p.reference, p.precedence, p.placed_at, p.order_id LIMIT 1
             )
         ) AS next
     )";

statement! {
    /// Batches with allocated units after a reference, and whether they are in stock, whatever the number of
    /// allocations.
    Allocated<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> (Text, Bool),
    "WITH RECURSIVE held (reference) AS (
         SELECT ", NEXT_HELD, " FROM (SELECT ? AS reference) AS held
         UNION ALL
         SELECT ", NEXT_HELD, " FROM held WHERE held.reference IS NOT NULL
     )
     SELECT reference, coalesce((
         SELECT b.eta IS NULL FROM batches AS b
         WHERE b.sku = (SELECT r.sku FROM batch_references AS r WHERE r.reference = held.reference)
           AND ", is!("b.reference", "held.reference"), " ORDER BY b.reference LIMIT 1
     ), false)
     FROM held WHERE reference IS NOT NULL LIMIT ?"
}

statement! {
    /// Batches of a SKU after a reference, and whether they are in stock with allocated units.
    BatchesOf<'a>(sku: Text => str, after: Text => str, limit: BigInt => i64) on MultiBackend -> (Text, Bool),
    "SELECT reference, eta IS NULL AND allocated_quantity > 0 FROM batches
     WHERE sku = ? AND reference > ? ORDER BY sku, reference LIMIT ?"
}

/// The condition that an allocation `a`, with columns of its line, is firm and not completely on pick lists.
const IS_PICKABLE: &str = "a.expires_at IS NULL AND a.ended IS NULL
     AND (a.listed = 0 OR a.quantity > (
         SELECT coalesce(sum(p.quantity), 0) FROM pick_list_lines AS p
         WHERE p.sku = a.sku AND p.order_id = a.order_id AND p.reference = a.reference
           AND p.status NOT IN ('picked', 'missing', 'shipped', 'withdrawn')
     ))";

/// The condition that the batch of an allocation `a` is in stock.
const IS_IN_STOCK: &str = joined!(
    "(
         SELECT b.eta IS NULL FROM batches AS b
         WHERE b.sku = a.sku AND ",
    is!("b.reference", "a.reference"),
    " ORDER BY b.reference LIMIT 1
     )"
);

/// Selects the columns of an allocation in front of the condition that a pick list can include it.
const SELECT: &str = "SELECT a.sku, a.order_id, a.reference, a.precedence, a.placed_at, a.ship_complete, ";

/// Selects a page of the allocations of a batch.
const PAGE_OF_BATCH: &str = "(
         SELECT sku, order_id, reference, quantity, precedence, placed_at FROM allocations
         WHERE reference = ? AND (precedence, placed_at, order_id) > (?, ?, ?)
         ORDER BY reference, precedence, placed_at, order_id LIMIT ?
     )";

type Columns = (Text, Text, Text, Integer, BigInt, Bool, Bool);

/// The SKU, the order id, the batch, the precedence of the line, the time when it was placed, whether it ships
/// complete, and whether a pick list can include it if its order may ship.
type Row = (String, String, String, i32, i64, bool, bool);

statement! {
    /// A page of the lines on a batch, including lines that no pick list can include.
    OfBatchOnSqlite<'a>(
        reference: Text => str,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        order_id: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    SELECT, IS_PICKABLE, " FROM (SELECT h.*, l.expires_at, l.ended, l.listed, l.ship_complete FROM ", PAGE_OF_BATCH,
        // SQLite keeps the order of the tables in a CROSS JOIN.
        " AS h CROSS JOIN order_lines AS l ON l.sku = h.sku AND l.order_id = h.order_id) AS a"
}

statement! {
    /// The same on PostgreSQL, one line after another, whatever size the planner expects the tables to have.
    OfBatchOnPostgres<'a>(
        reference: Text => str,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        order_id: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    SELECT, IS_PICKABLE, " FROM (SELECT h.*, l.expires_at, l.ended, l.listed, l.ship_complete FROM ", PAGE_OF_BATCH, " AS h
     CROSS JOIN LATERAL (
         SELECT expires_at, ended, listed, ship_complete FROM order_lines
         WHERE order_lines.sku = h.sku AND order_lines.order_id = h.order_id LIMIT 1
     ) AS l) AS a"
}

/// Selects the allocations of lines `l` with their parts `p`.
const OF_LINES: &str = "(
         SELECT l.sku, l.order_id, coalesce(l.reference, p.reference) AS reference,
                coalesce(p.quantity, l.allocated) AS quantity, l.precedence, l.placed_at, l.expires_at, l.ended, l.listed,
                l.ship_complete
         FROM ";

statement! {
    /// The lines of an order, including lines that no pick list can include.
    OfOrderOnSqlite<'a>(order_id: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    SELECT, IS_IN_STOCK, " AND ", IS_PICKABLE, " FROM ", OF_LINES,
        "(SELECT * FROM order_lines WHERE order_id = ? ORDER BY order_id, sku LIMIT ?) AS l
         LEFT JOIN line_parts AS p ON p.sku = l.sku AND p.order_id = l.order_id AND l.reference IS NULL
     ) AS a WHERE a.reference IS NOT NULL"
}

statement! {
    OfOrderOnPostgres<'a>(order_id: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    SELECT, IS_IN_STOCK, " AND ", IS_PICKABLE, " FROM ", OF_LINES,
        "(SELECT * FROM order_lines WHERE order_lines.order_id = ? ORDER BY order_id, order_slot LIMIT ?) AS l
         LEFT JOIN LATERAL (
             SELECT reference, quantity FROM line_parts
             WHERE line_parts.sku = l.sku AND ", is!("line_parts.order_id", "l.order_id"), " AND l.reference IS NULL
             ORDER BY order_id, reference", SEPARATE, "
         ) AS p ON true
     ) AS a WHERE a.reference IS NOT NULL"
}

/// The units of a line in a batch, ordered by their place in a pick list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pickable {
    reference: BatchReference,
    position: QueuePosition,
    sku: Sku,
    ships_complete: bool,
}

/// Returns the first order lines that a new pick list can include, each once.
pub(crate) fn pickable(
    connection: &mut AnyConnection,
    criteria: &PickCriteria,
    most: usize,
) -> Result<PickableLines, StoreError> {
    let mut scan = Scan::new(most);
    if let Some(order_ids) = &criteria.order_ids {
        of_orders(connection, order_ids, criteria, &mut scan)?;
    } else if criteria.references.is_none() && criteria.skus.is_none() {
        of_all_batches(connection, &mut scan)?;
    } else {
        let references = in_stock(connection, criteria, &mut scan)?;
        of_batches(connection, references.iter().map(String::as_str), &mut scan)?;
    }
    Ok(scan.finish())
}

/// Scans the lines of orders.
fn of_orders(
    connection: &mut AnyConnection,
    order_ids: &BTreeSet<OrderId>,
    criteria: &PickCriteria,
    scan: &mut Scan,
) -> Result<(), StoreError> {
    for order_id in order_ids {
        if !scan.continues() {
            break;
        }
        let (order_id, limit) = (order_id.as_str(), &scan.left());
        let rows: QueryResult<Vec<Row>> = match connection {
            AnyConnection::Sqlite(_) => OfOrderOnSqlite { order_id, limit }.load(connection),
            AnyConnection::Postgres(_) => OfOrderOnPostgres { order_id, limit }.load(connection),
        };
        let fits = |it: &Pickable| criteria.takes(&it.reference, &it.sku, it.position.order_id());
        scan.add(connection, rows.map_err(store_error)?, fits)?;
        scan.retain_first();
    }
    Ok(())
}

/// Returns the batches in stock that match the named batches, the SKUs, or both, in order.
fn in_stock(
    connection: &mut AnyConnection,
    criteria: &PickCriteria,
    scan: &mut Scan,
) -> Result<BTreeSet<String>, StoreError> {
    let mut references = BTreeSet::new();
    if let Some(named) = &criteria.references {
        for reference in named {
            let found = stored_batches::find_batch(connection, reference)?.map(|found| found.batch);
            let of_sku = |sku: &Sku| criteria.skus.as_ref().is_none_or(|skus| skus.contains(sku));
            let fits =
                found.filter(|batch| of_sku(batch.sku()) && batch.eta() == Eta::InStock && batch.allocated() > 0);
            references.extend(fits.map(|batch| batch.reference().to_string()));
        }
        return Ok(references);
    }
    for sku in criteria.skus.iter().flatten() {
        let mut after = super::FIRST.to_owned();
        while scan.continues() {
            let page = BatchesOf { sku: sku.as_str(), after: &after, limit: &PAGE };
            let page: Vec<(String, bool)> = page.load(connection).map_err(store_error)?;
            scan.count_batches(page.len());
            let Some((last, _)) = page.last() else { break };
            after.clone_from(last);
            references.extend(page.into_iter().filter(|(_, fits)| *fits).map(|(reference, _)| reference));
        }
    }
    Ok(references)
}

/// Scans the lines of all batches in stock.
fn of_all_batches(connection: &mut AnyConnection, scan: &mut Scan) -> Result<(), StoreError> {
    let (mut after, mut page_size) = (super::FIRST.to_owned(), 100);
    while scan.continues() {
        let page = Allocated { after: &after, limit: &page_size };
        let page: Vec<(String, bool)> = page.load(connection).map_err(store_error)?;
        scan.count_batches(page.len());
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        let references = page.iter().filter(|(_, in_stock)| *in_stock).map(|(reference, _)| reference.as_str());
        of_batches(connection, references, scan)?;
        // The first batches nearly always have enough lines.
        page_size = PAGE;
    }
    Ok(())
}

/// Scans the lines of sorted batches until there are enough.
fn of_batches<'a>(
    connection: &mut AnyConnection,
    references: impl Iterator<Item = &'a str>,
    scan: &mut Scan,
) -> Result<(), StoreError> {
    for reference in references {
        let (mut precedence, mut placed_at, mut order_id) = (i32::MIN, i64::MIN, super::FIRST.to_owned());
        while scan.continues() {
            let page = page_of(connection, reference, (precedence, placed_at, &order_id))?;
            let Some(last) = page.iter().max_by_key(|row| (row.3, row.4, &row.1)) else { break };
            (precedence, placed_at) = (last.3, last.4);
            order_id.clone_from(&last.1);
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            scan.add(connection, page, |_| true)?;
            if is_last {
                break;
            }
        }
    }
    Ok(())
}

fn page_of(
    connection: &mut AnyConnection,
    reference: &str,
    (precedence, placed_at, order_id): (i32, i64, &str),
) -> Result<Vec<Row>, StoreError> {
    let (precedence, placed_at, limit) = (&precedence, &placed_at, &PAGE);
    let rows = match connection {
        AnyConnection::Sqlite(_) => {
            OfBatchOnSqlite { reference, precedence, placed_at, order_id, limit }.load(connection)
        }
        AnyConnection::Postgres(_) => {
            OfBatchOnPostgres { reference, precedence, placed_at, order_id, limit }.load(connection)
        }
    };
    rows.map_err(store_error)
}

/// Converts a row; `None` if no pick list can include it.
fn parse(row: Row) -> Result<Option<Pickable>, StoreError> {
    let (sku, order_id, reference, precedence, placed_at, ships_complete, fits) = row;
    if !fits {
        return Ok(None);
    }
    let position = QueuePosition::new(row::order_id(order_id)?, !precedence, row::instant(placed_at)?);
    Ok(Some(Pickable { reference: row::reference(reference)?, position, sku: row::sku(sku)?, ships_complete }))
}

//! Order lines that a new pick list can take.
//!
//! What was picked is not among the allocations any more, and batches on their way are passed over
//! as a whole: what is looked through is what waits for the warehouse or lies on open lists.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::row;
use crate::statement::statement;
use allocation_domain::{BatchReference, NewPickList, OrderId, QueuePosition, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use std::collections::BTreeSet;

/// How many batches are looked up at a time.
const PAGE: i64 = 100;

statement! {
    /// Batches in stock of which units are allocated, after a place. From one to the next it is one
    /// step in the index, however many allocations they have.
    InStock<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "WITH RECURSIVE held (reference) AS (
         SELECT * FROM (SELECT reference FROM allocations WHERE reference > ? ORDER BY reference, order_id LIMIT 1) AS first
         UNION ALL
         SELECT (
             SELECT a.reference FROM allocations AS a
             WHERE a.reference > held.reference ORDER BY a.reference, a.order_id LIMIT 1
         )
         FROM held WHERE held.reference IS NOT NULL
     )
     SELECT reference FROM held
     WHERE reference IS NOT NULL AND (
         SELECT b.eta IS NULL FROM batches AS b
         WHERE b.sku = (SELECT r.sku FROM batch_references AS r WHERE r.reference = held.reference)
           AND b.reference BETWEEN held.reference AND held.reference ORDER BY b.reference LIMIT 1
     )
     LIMIT ?"
}

/// Of allocations `a` of lines `l`, those that are firm, in stock and not all on lists, in the order
/// of a pick list.
macro_rules! pickable {
    () => {
        "WHERE l.expires_at IS NULL AND l.ended IS NULL
           AND (
               SELECT b.eta IS NULL FROM batches AS b
               WHERE b.sku = a.sku AND b.reference BETWEEN a.reference AND a.reference ORDER BY b.reference LIMIT 1
           )
           AND (l.listed = 0 OR a.quantity > (
               SELECT coalesce(sum(p.quantity), 0) FROM pick_list_lines AS p
               WHERE p.sku = a.sku AND p.order_id = a.order_id AND p.reference = a.reference
                 AND p.status NOT IN ('picked', 'missing', 'shipped', 'withdrawn')
           ))
         ORDER BY a.reference, l.priority DESC, l.placed_at, a.order_id LIMIT ?"
    };
}

/// The statement on SQLite, which takes the tables of a CROSS JOIN in their order.
macro_rules! in_turn_on_sqlite {
    ($tables:literal) => {
        concat!("SELECT a.sku, a.order_id, a.reference, l.priority, l.placed_at FROM ", $tables, " ", pickable!())
    };
}

/// The statement on PostgreSQL, which is told to look at one line after the other, whatever it takes
/// the tables for.
macro_rules! in_turn_on_postgres {
    ($allocations:literal) => {
        concat!(
            "SELECT a.sku, a.order_id, a.reference, l.priority, l.placed_at FROM (",
            $allocations,
            ") AS a
             CROSS JOIN LATERAL (
                 SELECT priority, placed_at, expires_at, ended, listed FROM order_lines
                 WHERE order_lines.sku = a.sku AND order_lines.order_id = a.order_id LIMIT 1
             ) AS l ",
            pickable!()
        )
    };
}

type Columns = (Text, Text, Text, Integer, BigInt);

/// The SKU, the order, the batch, the priority of the line, and when it was placed.
type Row = (String, String, String, i32, i64);

statement! {
    OfBatchOnSqlite<'a>(reference: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    in_turn_on_sqlite!(
        "(SELECT * FROM allocations WHERE reference = ?) AS a
         CROSS JOIN order_lines AS l ON l.sku = a.sku AND l.order_id = a.order_id"
    )
}

statement! {
    OfBatchOnPostgres<'a>(reference: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    in_turn_on_postgres!(
        "SELECT sku, order_id, reference, quantity FROM allocations
         WHERE allocations.reference = ? ORDER BY reference, order_id OFFSET 0"
    )
}

statement! {
    OfSkuOnSqlite<'a>(sku: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    in_turn_on_sqlite!(
        "(SELECT * FROM allocations WHERE sku = ?) AS a
         CROSS JOIN order_lines AS l ON l.sku = a.sku AND l.order_id = a.order_id"
    )
}

statement! {
    OfSkuOnPostgres<'a>(sku: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    in_turn_on_postgres!(
        "SELECT sku, order_id, reference, quantity FROM allocations
         WHERE allocations.sku = ? ORDER BY order_id, reference OFFSET 0"
    )
}

statement! {
    OfOrderOnSqlite<'a>(order_id: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    in_turn_on_sqlite!(
        "(SELECT * FROM order_lines WHERE order_id = ?) AS l
         CROSS JOIN allocations AS a ON a.sku = l.sku AND a.order_id = l.order_id"
    )
}

statement! {
    OfOrderOnPostgres<'a>(order_id: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    in_turn_on_postgres!(
        "SELECT h.* FROM (
             SELECT sku, order_id FROM order_lines WHERE order_lines.order_id = ? ORDER BY order_id, sku OFFSET 0
         ) AS o
         CROSS JOIN LATERAL (
             SELECT sku, order_id, reference, quantity FROM allocations
             WHERE allocations.sku = o.sku AND allocations.order_id BETWEEN o.order_id AND o.order_id
             ORDER BY order_id, reference OFFSET 0
         ) AS h"
    )
}

/// Where to look for lines.
#[derive(Debug, Clone, Copy)]
enum Among<'a> {
    Batch(&'a str),
    Sku(&'a str),
    Order(&'a str),
}

/// Units of a line in a batch, by their place in a list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pickable {
    reference: BatchReference,
    position: QueuePosition,
    sku: Sku,
}

/// The order lines that a new list can take, those that come first in it, each once.
pub(crate) fn candidates(
    connection: &mut AnyConnection,
    list: &NewPickList,
) -> Result<Vec<(Sku, OrderId)>, StoreError> {
    let criteria = list.criteria();
    let mut found = if let Some(order_ids) = &criteria.order_ids {
        let orders = order_ids.iter().map(|order_id| Among::Order(order_id.as_str()));
        load(connection, orders, i64::MAX)?
    } else if let Some(references) = &criteria.references {
        first_of(connection, references.iter().map(BatchReference::as_str), list)?
    } else if let Some(skus) = &criteria.skus {
        load(connection, skus.iter().map(|sku| Among::Sku(sku.as_str())), limit(list.max_lines())?)?
    } else {
        first_of_all(connection, list)?
    };
    found.retain(|it| criteria.takes(&it.reference, &it.sku, it.position.order_id()));
    found.sort();
    found.truncate(list.max_lines());
    let lines: BTreeSet<_> = found.into_iter().map(|it| (it.sku, it.position.order_id().clone())).collect();
    Ok(lines.into_iter().collect())
}

/// The first lines of all batches in stock.
fn first_of_all(connection: &mut AnyConnection, list: &NewPickList) -> Result<Vec<Pickable>, StoreError> {
    let (mut found, mut place) = (Vec::new(), super::FIRST.to_owned());
    loop {
        let page: Vec<String> = InStock { after: &place, limit: &PAGE }.load(connection).map_err(store_error)?;
        let Some(last) = page.iter().max() else { return Ok(found) };
        place.clone_from(last);
        found.extend(first_of(connection, page.iter().map(String::as_str), list)?);
        if found.len() >= list.max_lines() {
            return Ok(found);
        }
    }
}

/// The first lines of batches that are sorted.
fn first_of<'a>(
    connection: &mut AnyConnection,
    references: impl Iterator<Item = &'a str>,
    list: &NewPickList,
) -> Result<Vec<Pickable>, StoreError> {
    let mut found = Vec::new();
    for reference in references {
        let missing = limit(list.max_lines().saturating_sub(found.len()))?;
        if missing == 0 {
            break;
        }
        let of_batch = load(connection, [Among::Batch(reference)], missing)?;
        let takes = |it: &Pickable| list.criteria().takes(&it.reference, &it.sku, it.position.order_id());
        found.extend(of_batch.into_iter().filter(takes));
    }
    Ok(found)
}

/// The first lines of each.
fn load<'a>(
    connection: &mut AnyConnection,
    among: impl IntoIterator<Item = Among<'a>>,
    limit: i64,
) -> Result<Vec<Pickable>, StoreError> {
    let (mut found, limit) = (Vec::new(), &limit);
    for among in among {
        let rows: QueryResult<Vec<Row>> = match (&mut *connection, among) {
            (AnyConnection::Sqlite(_), Among::Batch(reference)) => {
                OfBatchOnSqlite { reference, limit }.load(connection)
            }
            (AnyConnection::Sqlite(_), Among::Sku(sku)) => OfSkuOnSqlite { sku, limit }.load(connection),
            (AnyConnection::Sqlite(_), Among::Order(order_id)) => OfOrderOnSqlite { order_id, limit }.load(connection),
            (AnyConnection::Postgres(_), Among::Batch(reference)) => {
                OfBatchOnPostgres { reference, limit }.load(connection)
            }
            (AnyConnection::Postgres(_), Among::Sku(sku)) => OfSkuOnPostgres { sku, limit }.load(connection),
            (AnyConnection::Postgres(_), Among::Order(order_id)) => {
                OfOrderOnPostgres { order_id, limit }.load(connection)
            }
        };
        for (sku, order_id, reference, priority, placed_at) in rows.map_err(store_error)? {
            let position = QueuePosition::new(row::order_id(order_id)?, priority, row::instant(placed_at)?);
            found.push(Pickable { reference: row::reference(reference)?, position, sku: row::sku(sku)? });
        }
    }
    Ok(found)
}

fn limit(lines: usize) -> Result<i64, StoreError> {
    i64::try_from(lines).map_err(corrupt)
}

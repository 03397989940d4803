//! Order lines that a new pick list can take.
//!
//! What was picked is not among the allocations any more, and batches on their way are passed over
//! as a whole: what is looked through is what waits for the warehouse or lies on open lists, batch by
//! batch until there is enough.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::row;
use crate::statement::statement;
use allocation_domain::{Batch, BatchReference, Eta, OrderId, PickCriteria, QueuePosition, Sku};
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

statement! {
    /// Batches of a SKU in stock of which units are allocated.
    InStockOf<'a>(sku: Text => str) on MultiBackend -> Text,
    "SELECT reference FROM batches
     WHERE sku = ? AND eta IS NULL AND allocated_quantity > 0 ORDER BY sku, reference"
}

/// Of allocations `a` of lines `l`, those that are firm and not all on lists, in the order of a pick
/// list. Another condition may go first.
macro_rules! pickable {
    ($condition:literal) => {
        concat!(
            "WHERE ",
            $condition,
            "l.expires_at IS NULL AND l.ended IS NULL
           AND (l.listed = 0 OR a.quantity > (
               SELECT coalesce(sum(p.quantity), 0) FROM pick_list_lines AS p
               WHERE p.sku = a.sku AND p.order_id = a.order_id AND p.reference = a.reference
                 AND p.status NOT IN ('picked', 'missing', 'shipped', 'withdrawn')
           ))
         ORDER BY a.reference, l.priority DESC, l.placed_at, a.order_id LIMIT ?"
        )
    };
}

/// Those of an order, whose batches are in stock or not.
macro_rules! pickable_of_order {
    () => {
        pickable!(
            "(
                SELECT b.eta IS NULL FROM batches AS b
                WHERE b.sku = a.sku AND b.reference BETWEEN a.reference AND a.reference ORDER BY b.reference LIMIT 1
            ) AND "
        )
    };
}

/// The statement on SQLite, which takes the tables of a CROSS JOIN in their order.
macro_rules! in_turn_on_sqlite {
    ($tables:literal) => {
        concat!("SELECT a.sku, a.order_id, a.reference, l.priority, l.placed_at FROM ", $tables, " ")
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
             ) AS l "
        )
    };
}

type Columns = (Text, Text, Text, Integer, BigInt);

/// The SKU, the order, the batch, the priority of the line, and when it was placed.
type Row = (String, String, String, i32, i64);

statement! {
    OfBatchOnSqlite<'a>(reference: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    concat!(
        in_turn_on_sqlite!(
            "(SELECT * FROM allocations WHERE reference = ?) AS a
             CROSS JOIN order_lines AS l ON l.sku = a.sku AND l.order_id = a.order_id"
        ),
        pickable!("")
    )
}

statement! {
    OfBatchOnPostgres<'a>(reference: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    concat!(
        in_turn_on_postgres!(
            "SELECT sku, order_id, reference, quantity FROM allocations
             WHERE allocations.reference = ? ORDER BY reference, order_id OFFSET 0"
        ),
        pickable!("")
    )
}

statement! {
    OfOrderOnSqlite<'a>(order_id: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    concat!(
        in_turn_on_sqlite!(
            "(SELECT * FROM order_lines WHERE order_id = ?) AS l
             CROSS JOIN allocations AS a ON a.sku = l.sku AND a.order_id = l.order_id"
        ),
        pickable_of_order!()
    )
}

statement! {
    OfOrderOnPostgres<'a>(order_id: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    concat!(
        in_turn_on_postgres!(
            "SELECT h.* FROM (
                 SELECT sku, order_id FROM order_lines WHERE order_lines.order_id = ? ORDER BY order_id, order_slot OFFSET 0
             ) AS o
             CROSS JOIN LATERAL (
                 SELECT sku, order_id, reference, quantity FROM allocations
                 WHERE allocations.sku = o.sku AND allocations.order_id BETWEEN o.order_id AND o.order_id
                 ORDER BY order_id, reference OFFSET 0
             ) AS h"
        ),
        pickable_of_order!()
    )
}

/// Where to look for lines.
#[derive(Debug, Clone, Copy)]
enum Among<'a> {
    Batch(&'a str),
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
pub(crate) fn pickable(
    connection: &mut AnyConnection,
    criteria: &PickCriteria,
    most: usize,
) -> Result<Vec<(Sku, OrderId)>, StoreError> {
    let mut found = if let Some(order_ids) = &criteria.order_ids {
        of_orders(connection, order_ids, criteria)?
    } else {
        let mut found = Vec::new();
        if criteria.references.is_none() && criteria.skus.is_none() {
            of_all_batches(connection, most, &mut found)?;
        } else {
            let references = in_stock(connection, criteria)?;
            of_batches(connection, references.iter().map(String::as_str), most, &mut found)?;
        }
        found
    };
    found.sort();
    found.truncate(most);
    let lines: BTreeSet<_> = found.into_iter().map(|it| (it.sku, it.position.order_id().clone())).collect();
    Ok(lines.into_iter().collect())
}

/// The lines of orders.
fn of_orders(
    connection: &mut AnyConnection,
    order_ids: &BTreeSet<OrderId>,
    criteria: &PickCriteria,
) -> Result<Vec<Pickable>, StoreError> {
    let mut found = Vec::new();
    for order_id in order_ids {
        found.extend(load(connection, Among::Order(order_id.as_str()), i64::MAX)?);
    }
    found.retain(|it| criteria.takes(&it.reference, &it.sku, it.position.order_id()));
    Ok(found)
}

/// The batches in stock among those that are named, or of SKUs that are, or both; sorted.
fn in_stock(connection: &mut AnyConnection, criteria: &PickCriteria) -> Result<BTreeSet<String>, StoreError> {
    let mut references = BTreeSet::new();
    if let Some(named) = &criteria.references {
        for reference in named {
            let found = super::find_batch(connection, reference)?.map(|found| found.batch);
            let fits = |batch: &Batch| {
                let of_sku = criteria.skus.as_ref().is_none_or(|skus| skus.contains(batch.sku()));
                of_sku && batch.eta() == Eta::InStock && batch.allocated() > 0
            };
            references.extend(found.filter(fits).map(|batch| batch.reference().to_string()));
        }
    } else {
        for sku in criteria.skus.iter().flatten() {
            let of_sku: Vec<String> = InStockOf { sku: sku.as_str() }.load(connection).map_err(store_error)?;
            references.extend(of_sku);
        }
    }
    Ok(references)
}

/// Adds the first lines of all batches in stock.
fn of_all_batches(connection: &mut AnyConnection, most: usize, found: &mut Vec<Pickable>) -> Result<(), StoreError> {
    let mut place = super::FIRST.to_owned();
    while found.len() < most {
        let page: Vec<String> = InStock { after: &place, limit: &PAGE }.load(connection).map_err(store_error)?;
        let Some(last) = page.iter().max() else { break };
        place.clone_from(last);
        of_batches(connection, page.iter().map(String::as_str), most, found)?;
    }
    Ok(())
}

/// Adds the first lines of batches that are sorted.
fn of_batches<'a>(
    connection: &mut AnyConnection,
    references: impl Iterator<Item = &'a str>,
    most: usize,
    found: &mut Vec<Pickable>,
) -> Result<(), StoreError> {
    for reference in references {
        let missing = most.saturating_sub(found.len());
        if missing == 0 {
            break;
        }
        let limit = i64::try_from(missing).map_err(corrupt)?;
        found.extend(load(connection, Among::Batch(reference), limit)?);
    }
    Ok(())
}

/// The first lines.
fn load(connection: &mut AnyConnection, among: Among<'_>, limit: i64) -> Result<Vec<Pickable>, StoreError> {
    let limit = &limit;
    let rows: QueryResult<Vec<Row>> = match (&mut *connection, among) {
        (AnyConnection::Sqlite(_), Among::Batch(reference)) => OfBatchOnSqlite { reference, limit }.load(connection),
        (AnyConnection::Sqlite(_), Among::Order(order_id)) => OfOrderOnSqlite { order_id, limit }.load(connection),
        (AnyConnection::Postgres(_), Among::Batch(reference)) => {
            OfBatchOnPostgres { reference, limit }.load(connection)
        }
        (AnyConnection::Postgres(_), Among::Order(order_id)) => OfOrderOnPostgres { order_id, limit }.load(connection),
    };
    let pickable = |(sku, order_id, reference, priority, placed_at): Row| {
        let position = QueuePosition::new(row::order_id(order_id)?, priority, row::instant(placed_at)?);
        Ok(Pickable { reference: row::reference(reference)?, position, sku: row::sku(sku)? })
    };
    rows.map_err(store_error)?.into_iter().map(pickable).collect()
}

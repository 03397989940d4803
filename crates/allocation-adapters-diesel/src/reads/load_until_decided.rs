//! Products as they are at an instant, for reads.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::batch_row::{BATCH, BatchRow, BatchSql};
use crate::error::store_error;
use crate::planner::{SEPARATE, is};
use crate::statement::statement;
use crate::{loading, stored_batches};
use allocation_domain::{Batch, DataRequest, Product, ProductState, Promises, Sku};
use allocation_ports::{StoreError, load_until_decided};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::HashMap;

statement! {
    /// The batches of a product with units of expired holds, and the number of these units. The database
    /// sums them up, whatever the number of lines.
    ExpiredUnits<'a>(expired_sku: Text => str, now: BigInt => i64, sku: Text => str) on MultiBackend
        -> (BigInt, BatchSql),
    "SELECT e.units, b.", BATCH, "
     FROM (
         SELECT coalesce(d.reference, p.reference) AS reference, sum(coalesce(p.quantity, d.allocated)) AS units
         FROM (
             SELECT l.sku, l.order_id, l.reference, l.allocated FROM order_lines AS l
             WHERE l.sku = ? AND l.expires_at <= ? ORDER BY l.expires_at, l.order_id
         ) AS d
         LEFT JOIN line_parts AS p ON p.sku = d.sku AND p.order_id = d.order_id AND d.reference IS NULL
         GROUP BY 1
     ) AS e
     CROSS JOIN batches AS b
     WHERE b.sku = ? AND b.reference = e.reference"
}

statement! {
    /// The same on PostgreSQL. The query looks up one line after another, whatever size the planner expects
    /// the tables to have.
    ExpiredUnitsInTurn<'a>(expired_sku: Text => str, now: BigInt => i64, sku: Text => str) on MultiBackend
        -> (BigInt, BatchSql),
    "SELECT e.units, b.*
     FROM (
         SELECT coalesce(d.reference, p.reference) AS reference,
                CAST(sum(coalesce(p.quantity, d.allocated)) AS bigint) AS units
         FROM (
             SELECT l.sku, l.order_id, l.reference, l.allocated FROM order_lines AS l
             WHERE l.sku = ? AND l.expires_at <= ? ORDER BY l.expires_at, l.order_id", SEPARATE, "
         ) AS d
         LEFT JOIN LATERAL (
             SELECT reference, quantity FROM line_parts
             WHERE line_parts.sku = d.sku AND ", is!("line_parts.order_id", "d.order_id"), " AND d.reference IS NULL
             ORDER BY order_id, reference", SEPARATE, "
         ) AS p ON true
         GROUP BY 1", SEPARATE, "
     ) AS e
     CROSS JOIN LATERAL (
         SELECT ", BATCH, " FROM batches
         WHERE batches.sku = ? AND ", is!("batches.reference", "e.reference"), "
         ORDER BY reference LIMIT 1
     ) AS b"
}

/// The state of a product that a read needs to restore it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) sku: Sku,
    pub(super) has_waiting: bool,
    pub(super) has_expired: bool,
    /// Whether lines may wait although units are free.
    pub(super) unserved: bool,
}

/// Restores a product as the next decision finds it, with all batches that have free units then.
///
/// Units of expired lines are free. They are allocated to waiting lines, within the bound of one unit of work.
pub(super) fn restore(
    connection: &mut AnyConnection,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Result<Product, StoreError> {
    let mut state = ProductState::new(standing.sku.clone(), 0);
    state.open_batches = stored_batches::open_batches(connection, &standing.sku)?;
    if standing.has_expired {
        free_expired(connection, &standing.sku, &mut state.open_batches, now)?;
    }
    state.more_waiting = standing.has_waiting;
    // Only where the free units are would change, by lines that a read does not load.
    state.flags.promises = Promises::Stable;
    state.flags.unserved = standing.has_waiting && (standing.has_expired || standing.unserved);
    let mut product = Product::restore(state);
    let load = |product: &mut Product, request: &DataRequest| load(connection, product, request, now);
    let Ok(_) = load_until_decided(&mut product, load, |product| product.release_expired(now))?;
    Ok(product)
}

/// Loads the requested data. Lines whose hold has expired no longer wait.
fn load(
    connection: &mut AnyConnection,
    product: &mut Product,
    request: &DataRequest,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    match request {
        DataRequest::WaitingLines { after, free, limit } => {
            loading::load_waiting(connection, product, after.as_ref(), *free, *limit, now.timestamp_micros())
        }
        request => loading::load(connection, product, request),
    }
}

/// Subtracts the units of expired lines from the allocated quantities of batches.
fn free_expired(
    connection: &mut AnyConnection,
    sku: &Sku,
    batches: &mut Vec<Batch>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (expired_sku, now) = (sku.as_str(), &now.timestamp_micros());
    let rows: QueryResult<Vec<(i64, BatchRow)>> = match connection {
        AnyConnection::Sqlite(_) => ExpiredUnits { expired_sku, now, sku: expired_sku }.load(connection),
        AnyConnection::Postgres(_) => ExpiredUnitsInTurn { expired_sku, now, sku: expired_sku }.load(connection),
    };
    let rows = rows.map_err(store_error)?;
    let mut freed = HashMap::with_capacity(rows.len());
    for (units, mut row) in rows {
        let allocated = &mut row.values.allocated_quantity;
        *allocated = allocated.saturating_sub(i32::try_from(units).unwrap_or(i32::MAX));
        let batch = row.batch(sku.clone())?.with_free_units_absorbed();
        freed.insert(batch.reference().clone(), batch);
    }
    batches.retain(|batch| !freed.contains_key(batch.reference()));
    batches.extend(freed.into_values());
    batches.sort_by_cached_key(Batch::preference);
    Ok(())
}

//! Batches as they are at an instant.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::batch_row::{BATCH, BatchRow, BatchSql};
use crate::error::store_error;
use crate::planner::{LIMIT, is};
use crate::row;
use crate::statement::{joined, statement};
use allocation_domain::{Batch, BatchReference, Eta, Sku};
use allocation_ports::{BatchCursor, BatchFilter, OverdueCursor, PageSize, StoreError};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Text};

/// Selects batches at an instant, each with its units of expired lines, which are no longer allocated. The
/// few expired lines lead to them, so the query does not scan all allocations of the batch.
const SELECT_AT: &str = joined!(
    "SELECT sku, ",
    BATCH,
    ",
            CAST(coalesce((
                SELECT sum(CASE WHEN e.reference = b.reference THEN e.allocated WHEN e.reference IS NULL THEN (
                    SELECT p.quantity FROM line_parts AS p
                    WHERE p.sku = e.sku AND ",
    is!("p.order_id", "e.order_id"),
    "
                      AND ",
    is!("p.reference", "b.reference"),
    "
                    ORDER BY p.order_id, p.reference LIMIT 1
                ) END)
                FROM (
                    SELECT l.sku, l.order_id, l.reference, l.allocated FROM order_lines AS l
                    WHERE l.sku = b.sku AND l.expires_at <= ? ORDER BY l.expires_at, l.order_id
                ) AS e
            ), 0) AS integer)
     FROM batches AS b "
);

/// The SQL types of a [`BatchAtInstant`].
type BatchAtInstantSql = (Text, BatchSql, Integer);

/// A batch as it is stored, with its units of expired lines.
#[derive(Debug, Queryable)]
struct BatchAtInstant {
    sku: String,
    batch: BatchRow,
    expired: i32,
}

impl BatchAtInstant {
    /// Restores the batch without the units of expired lines. While it is being lowered, it has no free ones.
    fn batch(mut self) -> Result<Batch, StoreError> {
        self.batch.values.allocated_quantity -= self.expired;
        Ok(self.batch.batch(row::sku(self.sku)?)?.with_free_units_absorbed())
    }
}

statement! {
    /// A batch by its reference, in the order that only the primary key has.
    BatchAt<'a>(now: BigInt => i64, reference: Text => str, from: Text => str, to: Text => str) on MultiBackend
        -> BatchAtInstantSql,
    SELECT_AT,
        "WHERE sku = (SELECT r.sku FROM batch_references AS r WHERE r.reference = ?)
           AND ", is!("reference", "?"), " ORDER BY reference LIMIT 1"
}

statement! {
    BatchesAt<'a>(now: BigInt => i64, added_at: BigInt => i64, reference: Text => str, limit: BigInt => i64)
        on MultiBackend -> BatchAtInstantSql,
    SELECT_AT, "WHERE (added_at, reference) > (?, ?) ORDER BY added_at, reference", LIMIT
}

statement! {
    BatchesOfSkuAt<'a>(
        now: BigInt => i64,
        sku: Text => str,
        added_at: BigInt => i64,
        reference: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> BatchAtInstantSql,
    SELECT_AT, "WHERE sku = ? AND (added_at, reference) > (?, ?) ORDER BY added_at, reference", LIMIT
}

statement! {
    /// Batches whose ETA is before a day, by ETA.
    OverdueAt<'a>(
        now: BigInt => i64,
        today: Date => NaiveDate,
        eta: Date => NaiveDate,
        added_at: BigInt => i64,
        reference: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> BatchAtInstantSql,
    SELECT_AT,
        "WHERE eta < ? AND (eta, added_at, reference) > (?, ?, ?) ORDER BY eta, added_at, reference", LIMIT
}

statement! {
    OverdueOfSkuAt<'a>(
        now: BigInt => i64,
        sku: Text => str,
        today: Date => NaiveDate,
        eta: Date => NaiveDate,
        added_at: BigInt => i64,
        reference: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> BatchAtInstantSql,
    SELECT_AT,
        "WHERE sku = ? AND eta < ? AND (eta, added_at, reference) > (?, ?, ?)
         ORDER BY eta, added_at, reference", LIMIT
}

statement! {
    /// Batches of a SKU whose lines are being moved.
    MovingOfSkuAt<'a>(now: BigInt => i64, sku: Text => str) on MultiBackend -> BatchAtInstantSql,
    SELECT_AT, "WHERE sku = ? AND moving IS NOT NULL ORDER BY sku, reference"
}

/// Finds a batch by its reference, at an instant.
pub(crate) fn batch_at(
    connection: &mut AnyConnection,
    reference: &BatchReference,
    now: DateTime<Utc>,
) -> Result<Option<Batch>, StoreError> {
    let (now, reference) = (&now.timestamp_micros(), reference.as_str());
    let found = BatchAt { now, reference, from: reference, to: reference }.get_result(connection).optional();
    found.map_err(store_error)?.map(BatchAtInstant::batch).transpose()
}

/// Returns the units that expired holds release from batches of a SKU that are being lowered, in stock and
/// in transit. The next decision removes them.
pub(crate) fn absorbed(
    connection: &mut AnyConnection,
    sku: &Sku,
    now: DateTime<Utc>,
) -> Result<(i64, i64), StoreError> {
    let statement = MovingOfSkuAt { now: &now.timestamp_micros(), sku: sku.as_str() };
    let rows: Vec<BatchAtInstant> = statement.load(connection).map_err(store_error)?;
    let (mut in_stock, mut in_transit) = (0, 0);
    for row in rows {
        let stored = i64::from(row.batch.values.purchased_quantity);
        let batch = row.batch()?;
        let sum = if batch.eta() == Eta::InStock { &mut in_stock } else { &mut in_transit };
        *sum += stored - i64::from(batch.total().get());
    }
    Ok((in_stock, in_transit))
}

/// Returns a page of batches at an instant, in the order in which they were added.
pub(crate) fn batches(
    connection: &mut AnyConnection,
    filter: &BatchFilter,
    after: Option<&BatchCursor>,
    page: PageSize,
    now: DateTime<Utc>,
) -> Result<Vec<Batch>, StoreError> {
    let (now, limit) = (&now.timestamp_micros(), &i64::from(page.get()));
    let added_at = &after.map_or(i64::MIN, |after| after.added_at.timestamp_micros());
    let reference = after.map_or(super::FIRST, |after| after.reference.as_str());
    let rows: QueryResult<Vec<BatchAtInstant>> = match &filter.sku {
        None => BatchesAt { now, added_at, reference, limit }.load(connection),
        Some(sku) => BatchesOfSkuAt { now, sku: sku.as_str(), added_at, reference, limit }.load(connection),
    };
    rows.map_err(store_error)?.into_iter().map(BatchAtInstant::batch).collect()
}

/// Returns a page of batches at an instant whose ETA is before a day, longest overdue first.
pub(crate) fn overdue_batches(
    connection: &mut AnyConnection,
    filter: &BatchFilter,
    today: NaiveDate,
    after: Option<&OverdueCursor>,
    page: PageSize,
    now: DateTime<Utc>,
) -> Result<Vec<Batch>, StoreError> {
    let (now, today, limit) = (&now.timestamp_micros(), &today, &i64::from(page.get()));
    let eta = &after.map_or(FIRST_DAY, |after| after.eta.max(FIRST_DAY));
    let added_at = &after.map_or(i64::MIN, |after| after.added_at.timestamp_micros());
    let reference = after.map_or(super::FIRST, |after| after.reference.as_str());
    let rows: QueryResult<Vec<BatchAtInstant>> = match &filter.sku {
        None => OverdueAt { now, today, eta, added_at, reference, limit }.load(connection),
        Some(sku) => OverdueOfSkuAt { now, sku: sku.as_str(), today, eta, added_at, reference, limit }.load(connection),
    };
    rows.map_err(store_error)?.into_iter().map(BatchAtInstant::batch).collect()
}

/// A day before which no date is stored, because there is no year 0.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

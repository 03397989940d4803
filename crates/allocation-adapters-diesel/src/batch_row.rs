//! Batches as rows.

use crate::columns::{Columns, Sql, columns};
use crate::error::{corrupt, failed};
use crate::row;
use crate::statement::joined;
use allocation_domain::{Batch, BatchCounts, BatchOrigin, Eta, Quantity, ReturnId, Sku, Units};
use allocation_ports::StoreError;
use chrono::{Datelike, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Text};

columns! {
    /// The key of a row of `batches`.
    #[derive(Debug, Clone, Copy)]
    struct BatchKey<'a>, set BatchKeys<'a> {
        sku: Text => &'a str,
        reference: Text => &'a str,
    }
}

columns! {
    /// A row of `batches` without its key.
    #[derive(Debug, Queryable)]
    struct BatchValues, set BatchValuesSet<'a> {
        /// The units of the batch with all adjustments, except that short-picked units still count.
        purchased_quantity: Integer => i32,
        allocated_quantity: Integer => i32,
        eta: Nullable<Date> => Option<NaiveDate>,
        added_at: BigInt => i64,
        revision: Integer => i32,
        picked_quantity: Integer => i32,
        shipped_quantity: Integer => i32,
        missing_quantity: Integer => i32,
        /// The rest of a correction whose lines are moved in steps, as JSON.
        moving: Nullable<Text> => Option<String>,
        /// The part of `purchased_quantity` that adjustments have added, negative if they have removed units.
        adjusted_quantity: Integer => i32,
        /// The return that the units came back with; null for a purchase.
        return_id: Nullable<Text> => Option<String>,
        /// The order that they were shipped for.
        return_order_id: Nullable<Text> => Option<String>,
    }
}

columns! {
    /// The quantity and ETA that a batch was added with, in `batch_references`.
    #[derive(Debug, Queryable)]
    struct AddedWith, set AddedWithSet<'a> {
        purchased_quantity: Integer => i32,
        eta: Nullable<Date> => Option<NaiveDate>,
    }
}

/// The number of batches with free units that are loaded with a product. They are enough for almost every
/// decision, and the cost of loading does not grow with the number of batches.
pub(crate) const OPEN_BATCHES: usize = 32;

/// The number of rows to request, to detect whether there are more than [`OPEN_BATCHES`].
pub(crate) const PAGE_PLUS_ONE: i64 = 33;

/// The columns of a [`BatchRow`].
pub(crate) const BATCH: &str = joined!("reference, ", BatchValues::COLUMNS);

/// The SQL types of a [`BatchRow`].
pub(crate) type BatchSql = (Text, Sql<BatchValues>);

/// A row of `batches` without its SKU.
#[derive(Debug, Queryable)]
pub(crate) struct BatchRow {
    reference: String,
    pub(crate) values: BatchValues,
}

impl BatchRow {
    /// Converts the row; fails if no batch has such values.
    pub(crate) fn batch(self, sku: Sku) -> Result<Batch, StoreError> {
        let Self { reference, values } = self;
        let total = Units::new(values.purchased_quantity).map_err(corrupt)?;
        let (purchased, adjustments) = split(total, values.adjusted_quantity);
        let added_at = row::instant(values.added_at)?;
        let batch = Batch::new(row::reference(reference)?, sku, purchased, Eta::from(values.eta), added_at);
        let counts = BatchCounts {
            allocated: row::units(values.allocated_quantity)?,
            picked: row::units(values.picked_quantity)?,
            shipped: row::units(values.shipped_quantity)?,
            missing: row::units(values.missing_quantity)?,
        };
        let moving = values.moving.map(|json| serde_json::from_str(&json)).transpose().map_err(corrupt)?;
        let batch = batch
            .with_revision(u32::try_from(values.revision).map_err(corrupt)?)
            .with_adjustments(adjustments)
            .and_then(|batch| batch.with_counts(counts))
            .map_err(|oversold| StoreError::invariant("batches_not_oversold", oversold))?;
        Ok(batch.with_moving(moving).with_origin(origin(values.return_id, values.return_order_id)?))
    }
}

fn origin(return_id: Option<String>, order_id: Option<String>) -> Result<Option<BatchOrigin>, StoreError> {
    let Some((return_id, order_id)) = return_id.zip(order_id) else { return Ok(None) };
    let return_id = ReturnId::restore(return_id).map_err(corrupt)?;
    Ok(Some(BatchOrigin { return_id, order_id: row::order_id(order_id)? }))
}

/// Splits the units of a batch into purchased units and adjustments.
///
/// A program from before adjustments corrects the units and leaves the adjustments: they are at most what makes the
/// purchased units valid.
fn split(total: Units, adjusted: i32) -> (Units, i32) {
    let (total_units, most) = (i64::from(total.get()), i64::from(Quantity::MAX));
    let adjustments = i64::from(adjusted).clamp(total_units - most, total_units);
    match (Units::new(total_units - adjustments), i32::try_from(adjustments)) {
        (Ok(purchased), Ok(adjustments)) => (purchased, adjustments),
        _ => (total, 0),
    }
}

impl BatchValues {
    /// Returns the row of a batch.
    pub(crate) fn of(batch: &Batch) -> Result<Self, StoreError> {
        let counts = batch.counts();
        Ok(Self {
            purchased_quantity: row::integer(batch.total().get())?,
            allocated_quantity: row::integer(counts.allocated)?,
            eta: date(batch.eta())?,
            added_at: batch.added_at().timestamp_micros(),
            revision: row::integer(batch.revision())?,
            picked_quantity: row::integer(counts.picked)?,
            shipped_quantity: row::integer(counts.shipped)?,
            missing_quantity: row::integer(counts.missing)?,
            moving: batch.moving().map(serde_json::to_string).transpose().map_err(failed)?,
            adjusted_quantity: batch.adjustments(),
            return_id: batch.origin().map(|origin| origin.return_id.to_string()),
            return_order_id: batch.origin().map(|origin| origin.order_id.to_string()),
        })
    }
}

impl AddedWith {
    /// Returns the columns of a quantity and an ETA.
    pub(crate) fn of(purchased: u32, eta: Eta) -> Result<Self, StoreError> {
        Ok(Self { purchased_quantity: row::integer(purchased)?, eta: date(eta)? })
    }
}

/// A year that SQLite cannot store: its dates are texts, which sort correctly only with four-digit years.
#[derive(Debug, thiserror::Error)]
#[error("the year of {0} has not four digits")]
struct YearOutOfRange(NaiveDate);

fn date(eta: Eta) -> Result<Option<NaiveDate>, StoreError> {
    match eta.date() {
        Some(date) if !(0..=9999).contains(&date.year()) => Err(failed(YearOutOfRange(date))),
        date => Ok(date),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjustments_that_an_older_program_has_overtaken_are_cut_to_the_units() {
        let split = |total, adjusted| {
            let (purchased, adjustments) = split(Units::new(total).unwrap(), adjusted);
            (purchased.get(), adjustments)
        };
        assert_eq!([split(8, -2), split(8, 3), split(8, 0)], [(10, -2), (5, 3), (8, 0)]);
        assert_eq!(split(2, 3), (0, 2), "the purchase was lowered to fewer units than were found");
        assert_eq!(split(Quantity::MAX, -5), (Quantity::MAX, 0), "the purchase was raised to the greatest number");
    }
}

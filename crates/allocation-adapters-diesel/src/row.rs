//! Conversion of database rows to domain types.

use crate::error::corrupt;
use crate::schema::batches;
use allocation_domain::{Batch, BatchCounts, BatchReference, Eta, LockTime, OrderId, PickListId, Quantity, Sku, Units};
use allocation_ports::StoreError;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Text};

/// The columns of a [`BatchRow`].
pub(crate) const BATCH_COLUMNS: BatchColumns = (
    batches::reference,
    batches::purchased_quantity,
    batches::allocated_quantity,
    batches::eta,
    batches::added_at,
    batches::revision,
    batches::picked_quantity,
    batches::shipped_quantity,
    batches::missing_quantity,
    batches::moving,
);

pub(crate) type BatchColumns = (
    batches::reference,
    batches::purchased_quantity,
    batches::allocated_quantity,
    batches::eta,
    batches::added_at,
    batches::revision,
    batches::picked_quantity,
    batches::shipped_quantity,
    batches::missing_quantity,
    batches::moving,
);

/// The types of the columns of a [`BatchRow`], for statements in SQL text.
pub(crate) type BatchSqlTypes =
    (Text, Integer, Integer, Nullable<Date>, BigInt, Integer, Integer, Integer, Integer, Nullable<Text>);

/// A row of `batches` without its SKU.
#[derive(Debug, Queryable)]
pub(crate) struct BatchRow {
    pub(crate) reference: String,
    pub(crate) purchased_quantity: i32,
    pub(crate) allocated_quantity: i32,
    pub(crate) eta: Option<NaiveDate>,
    pub(crate) added_at: i64,
    pub(crate) revision: i32,
    pub(crate) picked_quantity: i32,
    pub(crate) shipped_quantity: i32,
    pub(crate) missing_quantity: i32,
    /// The reallocation that the batch still needs, as JSON.
    pub(crate) moving: Option<String>,
}

impl BatchRow {
    /// Converts the row; fails if no batch has such values.
    pub(crate) fn batch(self, sku: Sku) -> Result<Batch, StoreError> {
        let purchased = Units::new(self.purchased_quantity).map_err(corrupt)?;
        let eta = Eta::from(self.eta);
        let batch = Batch::new(reference(self.reference)?, sku, purchased, eta, instant(self.added_at)?);
        let revision = u32::try_from(self.revision).map_err(corrupt)?;
        let units = |counted: i32| u32::try_from(counted).map_err(corrupt);
        let counts = BatchCounts {
            allocated: units(self.allocated_quantity)?,
            picked: units(self.picked_quantity)?,
            shipped: units(self.shipped_quantity)?,
            missing: units(self.missing_quantity)?,
        };
        let moving = self.moving.map(|json| serde_json::from_str(&json)).transpose().map_err(corrupt)?;
        let batch = batch
            .with_revision(revision)
            .with_counts(counts)
            .map_err(|oversold| StoreError::invariant("batches_not_oversold", oversold))?;
        Ok(batch.with_moving(moving))
    }
}

pub(crate) fn sku(text: String) -> Result<Sku, StoreError> {
    Sku::restore(text).map_err(corrupt)
}

pub(crate) fn reference(text: String) -> Result<BatchReference, StoreError> {
    BatchReference::restore(text).map_err(corrupt)
}

pub(crate) fn order_id(text: String) -> Result<OrderId, StoreError> {
    OrderId::restore(text).map_err(corrupt)
}

pub(crate) fn list_id(text: String) -> Result<PickListId, StoreError> {
    PickListId::restore(text).map_err(corrupt)
}

pub(crate) fn quantity(units: i32) -> Result<Quantity, StoreError> {
    Quantity::new(units).map_err(corrupt)
}

/// Converts microseconds since 1970 to an instant.
pub(crate) fn instant(microseconds: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(microseconds).ok_or_else(|| corrupt(NoInstant(microseconds)))
}

/// Converts the time of a lock and of its decisions from microseconds since 1970.
pub(crate) fn lock_time(now: i64, decided_at: i64) -> Result<LockTime, StoreError> {
    Ok(LockTime { now: instant(now)?, decided_at: instant(decided_at)? })
}

#[derive(Debug, thiserror::Error)]
#[error("{0} microseconds since 1970 are out of range")]
struct NoInstant(i64);

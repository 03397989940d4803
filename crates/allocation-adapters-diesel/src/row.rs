//! Conversion of column values to domain types, and back.

use crate::error::{corrupt, failed};
use allocation_domain::{
    BatchReference, Carrier, LockTime, OrderId, PickListId, Promises, Quantity, ShipmentId, Sku, Tracking,
};
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use std::error::Error;

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

pub(crate) fn shipment_id(text: String) -> Result<ShipmentId, StoreError> {
    ShipmentId::restore(text).map_err(corrupt)
}

pub(crate) fn carrier(text: Option<String>) -> Result<Option<Carrier>, StoreError> {
    text.map(Carrier::restore).transpose().map_err(corrupt)
}

pub(crate) fn tracking(text: Option<String>) -> Result<Option<Tracking>, StoreError> {
    text.map(Tracking::restore).transpose().map_err(corrupt)
}

pub(crate) fn quantity(units: i32) -> Result<Quantity, StoreError> {
    Quantity::new(units).map_err(corrupt)
}

/// Converts a number of units, which may be 0.
pub(crate) fn units(counted: i32) -> Result<u32, StoreError> {
    u32::try_from(counted).map_err(corrupt)
}

/// Converts microseconds since 1970 to an instant.
pub(crate) fn instant(microseconds: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(microseconds).ok_or_else(|| corrupt(NoInstant(microseconds)))
}

/// Converts the time of a lock and of its decisions from microseconds since 1970.
pub(crate) fn lock_time(now: i64, decided_at: i64) -> Result<LockTime, StoreError> {
    Ok(LockTime { now: instant(now)?, decided_at: instant(decided_at)? })
}

/// Converts a number to the type of its column, or fails if it is out of range.
pub(crate) fn integer<T, U>(number: T) -> Result<U, StoreError>
where
    U: TryFrom<T>,
    U::Error: Error + Send + Sync + 'static,
{
    U::try_from(number).map_err(failed)
}

#[derive(Debug, thiserror::Error)]
#[error("{0} microseconds since 1970 are out of range")]
struct NoInstant(i64);

/// Returns whether lines keep their promises, from the column `stable`.
pub(crate) const fn promises(stable: bool) -> Promises {
    if stable { Promises::Stable } else { Promises::Fair }
}

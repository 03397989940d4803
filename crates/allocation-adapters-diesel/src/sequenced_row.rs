//! The progress of sequencing as rows.

use crate::error::corrupt;
use crate::row;
use allocation_ports::{OutboxKey, Sequenced, StoreError};

/// The key of an event in `outbox`, as it is stored.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) sku: String,
    pub(crate) version: i64,
    pub(crate) ordinal: i32,
}

impl From<OutboxKey> for Place {
    fn from(place: OutboxKey) -> Self {
        Self {
            sku: place.sku.to_string(),
            // No row has a number beyond its column type, so the maximum has the same effect.
            version: i64::try_from(place.version).unwrap_or(i64::MAX),
            ordinal: i32::try_from(place.ordinal).unwrap_or(i32::MAX),
        }
    }
}

/// The result of sequencing events, as the database returns it.
#[derive(Debug)]
pub(crate) struct SequencedRow {
    pub(crate) events: i64,
    pub(crate) last: i64,
    pub(crate) place: Option<Place>,
}

impl SequencedRow {
    pub(crate) fn sequenced(self) -> Result<Sequenced, StoreError> {
        let place = self.place.map(|place| {
            Ok::<_, StoreError>(OutboxKey {
                sku: row::sku(place.sku)?,
                version: u64::try_from(place.version).map_err(corrupt)?,
                ordinal: u32::try_from(place.ordinal).map_err(corrupt)?,
            })
        });
        Ok(Sequenced {
            events: u64::try_from(self.events).map_err(corrupt)?,
            last: u64::try_from(self.last).map_err(corrupt)?,
            last_key: place.transpose()?,
        })
    }
}

/// The multiple of the prune limit that is scanned, to find an old event behind a run of events from the
/// future.
pub(crate) const LOOK_AHEAD: i64 = 5;

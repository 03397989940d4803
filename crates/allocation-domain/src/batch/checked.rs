//! Batches as they are stored: a deserialized batch has valid counters.
//!
//! The derived functions take the fields as they are; `serde(remote = "Self")` makes them inherent.

use super::Batch;
use chrono::SubsecRound;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut batch = Self::deserialize(deserializer)?;
        let (counts, moving) = (batch.counts, batch.moving.take());
        batch.added_at = batch.added_at.trunc_subsecs(6);
        batch.with_moving(moving.map(|moving| *moving)).with_counts(counts).map_err(D::Error::custom)
    }
}

//! Batches as they are deserialized: their counters are checked.

use super::{Batch, Oversold};
use crate::{BatchCounts, BatchReference, Eta, Moving, Sku, Units};
use chrono::{DateTime, Utc};

#[derive(serde::Deserialize)]
pub(super) struct StoredBatch {
    reference: BatchReference,
    sku: Sku,
    purchased: Units,
    counts: BatchCounts,
    eta: Eta,
    added_at: DateTime<Utc>,
    revision: u32,
    moving: Option<Moving>,
}

impl TryFrom<StoredBatch> for Batch {
    type Error = Oversold;

    fn try_from(stored: StoredBatch) -> Result<Self, Oversold> {
        let StoredBatch { reference, sku, purchased, counts, eta, added_at, revision, moving } = stored;
        let batch = Self::new(reference, sku, purchased, eta, added_at);
        batch.with_revision(revision).with_moving(moving).with_counts(counts)
    }
}

//! Batches that await the units of a receipt.

use allocation_domain::{Batch, BatchReference};
use allocation_ports::StoreError;

#[derive(Debug, thiserror::Error)]
#[error("batch {0} gets its units once all lines have left the batch that was received")]
struct AwaitsUnits(BatchReference);

/// Fails while a batch awaits its units: how many it has is only known once lines have left another batch.
///
/// # Errors
///
/// [`StoreError::Conflict`]: the unit runs again, and the request is busy if that takes longer than the retries.
pub(crate) fn reject_awaiting(batch: Option<&Batch>) -> Result<(), StoreError> {
    match batch.filter(|batch| batch.moving().is_some_and(|moving| moving.awaits.is_some())) {
        Some(batch) => Err(StoreError::Conflict(AwaitsUnits(batch.reference().clone()).into())),
        None => Ok(()),
    }
}

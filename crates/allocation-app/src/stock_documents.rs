//! Documents that change stock once, however often they are sent.

use crate::unit_of_work::{Attempt, UnitOutcome, UnitResult};
use allocation_domain::Outcome;
use allocation_ports::{StockDocumentId, StoreError, UnitOfWork};

#[derive(Debug, thiserror::Error)]
#[error("{0} was recorded concurrently")]
struct RecordedMeanwhile(StockDocumentId);

/// Returns the outcome of a repeat: a document that exists after an unknown commit was recorded by that commit.
pub(crate) fn repeated<T>(known: T, attempt: Attempt) -> Outcome<T> {
    if attempt.resolving { Outcome::Changed(known) } else { Outcome::Unchanged(known) }
}

/// Ends a unit of work with a refusal, unless the same document was recorded meanwhile: it may be the reason for
/// the refusal. The next run finds it.
pub(crate) fn refused<T, R>(unit: &mut dyn UnitOfWork, id: &StockDocumentId, refusal: R) -> UnitResult<T, R> {
    match unit.documents().find(id)? {
        Some(_) => Err(StoreError::Conflict(RecordedMeanwhile(id.clone()).into())),
        None => Ok(UnitOutcome::Rollback(Err(refusal))),
    }
}

use crate::awaited_units::reject_awaiting;
use crate::locking::{Locked, lock_batch, up_to_date};
use crate::saving::save_changed;
use crate::stock_documents::{refused, repeated};
use crate::unit_of_work::{Attempt, UnitOutcome, UnitResult};
use crate::{UseCaseError, UseCases};
use allocation_domain::{BatchReference, Outcome, Receipt, ReceiveError, Received};
use allocation_ports::{Recorded, StockDocument, StockDocumentId, StoreError, UnitOfWork};
use chrono::SubsecRound;

/// A receipt that was recorded.
pub type RecordedReceipt = Recorded<Receipt, Received>;

/// The number of references that are tried for the rest of a batch.
const MAX_NAMES: u32 = 1_000;

/// A batch that another unit has added since its name was looked up.
#[derive(Debug, thiserror::Error)]
#[error("batch {0} was added concurrently")]
struct NameTaken(BatchReference);

impl UseCases {
    /// Receives units of an inbound batch, which is then in stock with them. The units that have not arrived become a
    /// batch of their own, or are given up.
    ///
    /// Repeating a receipt returns its outcome and changes nothing. If many lines have to leave the batch, they leave
    /// later: see [`UseCases::change_batch`].
    ///
    /// # Isolation
    ///
    /// The batch, its lines, other batches and the backorders are read under the lock of their product. The SKU of the
    /// batch is read before the lock, and once more when the batch is missing under it. The id of the receipt is looked
    /// up before, and once more before a refusal; a new one is claimed by a unique key, and so is the reference of the
    /// rest. A unit that finds either taken conflicts and runs again.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn receive_batch(&self, receipt: &Receipt) -> Result<Outcome<RecordedReceipt>, UseCaseError<ReceiveError>> {
        self.decide("receive_batch", |unit, attempt| {
            let (Locked { products, contexts, .. }, recorded) = match made(unit, attempt, receipt)? {
                Made::Now(locked, recorded) => (*locked, *recorded),
                Made::Ended(outcome) => return Ok(*outcome),
            };
            save_changed(unit, products, contexts, &self.context)?;
            unit.documents().add(&StockDocument::Receipt(recorded.clone()))?;
            Ok(UnitOutcome::Commit(Ok(Outcome::Changed(recorded))))
        })
    }
}

type Ended = UnitOutcome<Result<Outcome<RecordedReceipt>, ReceiveError>>;

/// What a unit of work has made of a receipt.
enum Made {
    /// The product with the receipt, which is to be saved.
    Now(Box<Locked>, Box<RecordedReceipt>),
    /// The end of a unit that does not make it.
    Ended(Box<Ended>),
}

impl Made {
    fn ended(outcome: UnitResult<Outcome<RecordedReceipt>, ReceiveError>) -> Result<Self, StoreError> {
        outcome.map(|outcome| Self::Ended(Box::new(outcome)))
    }
}

fn made(unit: &mut dyn UnitOfWork, attempt: Attempt, receipt: &Receipt) -> Result<Made, StoreError> {
    let id = StockDocumentId::Receipt(receipt.receipt_id().clone());
    if let Some(StockDocument::Receipt(known)) = unit.documents().find(&id)? {
        let other = || ReceiveError::AlreadyExists(receipt.receipt_id().clone());
        let decided = if known.request == *receipt { Ok(repeated(known, attempt)) } else { Err(other()) };
        return Made::ended(Ok(UnitOutcome::Rollback(decided)));
    }
    let rest_name = match rest_name(unit, receipt)? {
        Ok(name) => name,
        Err(refusal) => return Made::ended(refused(unit, &id, refusal)),
    };
    let Some((locked, sku)) = lock_batch(unit, receipt.reference(), |batch| batch)? else {
        return Made::ended(refused(unit, &id, ReceiveError::NotFound(receipt.reference().clone())));
    };
    let Some(mut locked) = up_to_date(unit, locked)? else { return Made::ended(Ok(UnitOutcome::Step)) };
    let now = locked.now;
    let Some(product) = locked.products.get_mut(&sku) else {
        return Made::ended(refused(unit, &id, ReceiveError::NotFound(receipt.reference().clone())));
    };
    reject_awaiting(product.batch(receipt.reference()))?;
    let outcome = match unit.decide(product, |product| product.receive_batch(receipt, &rest_name, now))? {
        Ok(outcome) => outcome,
        // The caller has named none, so the next run tries another name.
        Err(ReceiveError::RestExists(name)) if !names_rest(receipt) => {
            return Err(StoreError::Conflict(NameTaken(name).into()));
        }
        Err(refusal) => return Made::ended(refused(unit, &id, refusal)),
    };
    let recorded_at = product.decided_at(now).trunc_subsecs(6);
    let recorded = Recorded { request: receipt.clone(), outcome, recorded_at };
    Ok(Made::Now(Box::new(locked), Box::new(recorded)))
}

/// Returns whether a receipt names the batch of its rest.
fn names_rest(receipt: &Receipt) -> bool {
    receipt.rest().is_some_and(|rest| rest.reference.is_some())
}

/// Returns a reference for the rest that no batch has: the one of the receipt, or that of the batch with a number.
fn rest_name(unit: &mut dyn UnitOfWork, receipt: &Receipt) -> Result<Result<BatchReference, ReceiveError>, StoreError> {
    let reference = receipt.reference();
    let Some(terms) = receipt.rest() else { return Ok(Ok(reference.clone())) };
    if let Some(name) = &terms.reference {
        let is_taken = unit.products().sku_of(name)?.is_some();
        return Ok(if is_taken { Err(ReceiveError::RestExists(name.clone())) } else { Ok(name.clone()) });
    }
    let number = |number| BatchReference::parse(format!("{reference}/{number}")).ok();
    // Few batches have more than a few rests.
    for numbers in [2..10, 10..2 + MAX_NAMES] {
        let names: Vec<_> = numbers.map_while(number).collect();
        let taken = unit.products().skus_of_batches(&names)?;
        if let Some(free) = names.into_iter().find(|name| !taken.contains_key(name)) {
            return Ok(Ok(free));
        }
    }
    Ok(Err(ReceiveError::RestWithoutName(reference.clone())))
}

#[cfg(test)]
mod tests;

use crate::locking::{Locked, lock, up_to_date};
use crate::saving::save_changed;
use crate::stock_documents::{refused, repeated};
use crate::unit_of_work::{Attempt, UnitOutcome, UnitResult};
use crate::{UseCaseError, UseCases};
use allocation_domain::{GoodsReturn, Outcome, Product, ReturnError, Returned, Returning};
use allocation_ports::{LockRequest, Recorded, StockDocument, StockDocumentId, StoreError, UnitOfWork};
use chrono::SubsecRound;

/// A return that was booked.
pub type RecordedReturn = Recorded<GoodsReturn, Returned>;

impl UseCases {
    /// Takes back shipped units of an order: all of them, or none. Restocked units are batches in stock, which are
    /// allocated to backorders.
    ///
    /// Repeating a return returns its outcome and changes nothing.
    ///
    /// # Isolation
    ///
    /// The lines of the order and the backorders are read under the locks of the products that come back; an archived
    /// order is restored by these locks. The SKUs of the order are read before: a line that it gets meanwhile has
    /// nothing shipped, and a line with shipped units is never removed. The id is looked up before, and once more
    /// before a refusal; a new one is claimed by a unique key, and so are the references of restocked units. A unit
    /// that finds either taken conflicts and runs again.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn take_back(&self, goods_return: &GoodsReturn) -> Result<Outcome<RecordedReturn>, UseCaseError<ReturnError>> {
        self.decide("take_back", |unit, attempt| {
            let (Locked { products, contexts, .. }, recorded) = match self.booked(unit, attempt, goods_return)? {
                Booked::Now(locked, recorded) => (*locked, recorded),
                Booked::Ended(outcome) => return Ok(outcome),
            };
            save_changed(unit, products, contexts, &self.context)?;
            unit.documents().add(&StockDocument::Return(recorded.clone()))?;
            Ok(UnitOutcome::Commit(Ok(Outcome::Changed(recorded))))
        })
    }

    fn booked(
        &self,
        unit: &mut dyn UnitOfWork,
        attempt: Attempt,
        goods_return: &GoodsReturn,
    ) -> Result<Booked, StoreError> {
        let id = StockDocumentId::Return(goods_return.return_id().clone());
        if let Some(StockDocument::Return(known)) = unit.documents().find(&id)? {
            let other = || ReturnError::AlreadyExists(goods_return.return_id().clone());
            let decided = if known.request == *goods_return { Ok(repeated(known, attempt)) } else { Err(other()) };
            return Ok(Booked::Ended(UnitOutcome::Rollback(decided)));
        }
        let Some(locked) = self.lock_lines(unit, goods_return)? else {
            return Booked::ended(refused(unit, &id, ReturnError::OrderNotFound(goods_return.order_id().clone())));
        };
        let Some(mut locked) = up_to_date(unit, locked)? else { return Ok(Booked::Ended(UnitOutcome::Step)) };
        let (now, products) = (locked.now, &mut locked.products);
        let mut returning = match unit.decide(products, |products| Returning::of(goods_return, products, now))? {
            Ok(returning) => returning,
            Err(refusal) => return Booked::ended(refused(unit, &id, refusal)),
        };
        let references = goods_return.references();
        let taken = unit.products().skus_of_batches(&references)?;
        if let Some((reference, _)) = taken.into_iter().next() {
            return Booked::ended(refused(unit, &id, ReturnError::BatchExists(reference)));
        }
        let Ok(outcome) = unit.decide(products, |products| returning.resume(goods_return, products, now))?;
        let decided_at = products.iter().map(|product: &Product| product.decided_at(now)).min();
        let recorded_at = decided_at.unwrap_or(now).trunc_subsecs(6);
        let recorded = Recorded { request: goods_return.clone(), outcome, recorded_at };
        Ok(Booked::Now(Box::new(locked), recorded))
    }

    /// Locks the products of a return that the order has lines of, with these lines; returns `None` for an unknown order.
    fn lock_lines(&self, unit: &mut dyn UnitOfWork, goods_return: &GoodsReturn) -> Result<Option<Locked>, StoreError> {
        let order_id = goods_return.order_id();
        let skus = unit.orders().skus_of(order_id)?;
        if skus.is_empty() {
            return Ok(None);
        }
        // Before any lock: the first return of all locks every product for a moment. A dry run does not, because it may
        // commit a step, which would shut programs out.
        if !self.units.is_dry_run() {
            unit.documents().prepare_returns()?;
        }
        let line = |sku| LockRequest { order_ids: vec![order_id.clone()], ..LockRequest::product(sku) };
        let wanted: Vec<_> = goods_return.skus().into_iter().filter(|sku| skus.contains(sku)).map(line).collect();
        lock(unit, &wanted).map(Some)
    }
}

/// What a unit of work has made of a return.
enum Booked {
    /// The products with the return, which is to be saved.
    Now(Box<Locked>, RecordedReturn),
    /// The end of a unit that does not book it.
    Ended(UnitOutcome<Result<Outcome<RecordedReturn>, ReturnError>>),
}

impl Booked {
    fn ended(outcome: UnitResult<Outcome<RecordedReturn>, ReturnError>) -> Result<Self, StoreError> {
        outcome.map(Self::Ended)
    }
}

#[cfg(test)]
mod tests;

use crate::locking::Locked;
use crate::pick_list_products::lock_pick_lines;
use crate::saving::save_changed;
use crate::stock_documents::{refused, repeated};
use crate::unit_of_work::{Attempt, UnitOutcome, UnitResult};
use crate::{UseCaseError, UseCases};
use allocation_domain::{CreateShipmentError, NewShipment, Outcome, Product};
use allocation_ports::{Recorded, RecordedShipment, StockDocument, StockDocumentId, UnitOfWork};
use chrono::SubsecRound;

impl UseCases {
    /// Ships picked units of pick lines, irrevocably: all units of a shipment, or none.
    ///
    /// Repeating a shipment returns it and changes nothing.
    ///
    /// # Isolation
    ///
    /// The pick lines are read under the locks of their products, with their order lines and batches. Their SKUs and
    /// orders are read before the locks, and never change. The id is looked up before the locks, and once more before a
    /// refusal. A recorded shipment never changes, and a new id is claimed by a unique key. Of two units that make the
    /// shipment, one conflicts, runs again and finds it.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn create_shipment(
        &self,
        shipment: &NewShipment,
    ) -> Result<Outcome<RecordedShipment>, UseCaseError<CreateShipmentError>> {
        self.decide("create_shipment", |unit, attempt| self.ship(unit, attempt, shipment))
    }

    fn ship(
        &self,
        unit: &mut dyn UnitOfWork,
        attempt: Attempt,
        shipment: &NewShipment,
    ) -> UnitResult<Outcome<RecordedShipment>, CreateShipmentError> {
        let id = StockDocumentId::Shipment(shipment.shipment_id().clone());
        if let Some(StockDocument::Shipment(known)) = unit.documents().find(&id)? {
            let other = || CreateShipmentError::AlreadyExists(shipment.shipment_id().clone());
            let decided = if known.request == *shipment { Ok(repeated(known, attempt)) } else { Err(other()) };
            return Ok(UnitOutcome::Rollback(decided));
        }
        let ids: Vec<_> = shipment.lines().iter().map(|line| line.id.clone()).collect();
        let Locked { mut products, now, contexts } = match lock_pick_lines(unit, &ids)? {
            Ok(locked) => locked,
            Err(missing) => return refused(unit, &id, CreateShipmentError::NotFound(missing)),
        };
        let outcome = match unit.decide(&mut products, |products| products.create_shipment(shipment))? {
            Ok(lines) => lines,
            Err(refusal) => return refused(unit, &id, refusal),
        };
        let decided_at = products.iter().map(|product: &Product| product.decided_at(now)).min();
        let recorded_at = decided_at.unwrap_or(now).trunc_subsecs(6);
        let recorded = Recorded { request: shipment.clone(), outcome, recorded_at };
        save_changed(unit, products, contexts, &self.context)?;
        unit.documents().add(&StockDocument::Shipment(recorded.clone()))?;
        Ok(UnitOutcome::Commit(Ok(Outcome::Changed(recorded))))
    }
}

#[cfg(test)]
mod tests;

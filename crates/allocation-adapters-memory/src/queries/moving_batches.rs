use crate::store::MemoryStore;
use allocation_domain::{BatchReference, FirstToLeave, Quantity, Sku};
use allocation_ports::{MovingBatches, StoreError};

impl MovingBatches for MemoryStore {
    fn moving_batches(
        &self,
        after: Option<(Sku, BatchReference)>,
        limit: u16,
    ) -> Result<Vec<(Sku, BatchReference)>, StoreError> {
        let database = self.database();
        let batches = database.committed().products().flat_map(|(_, rows)| rows.batches.values());
        let moving = batches.map(|row| &row.batch).filter(|batch| batch.moving().is_some());
        let moving = moving.map(|batch| (batch.sku().clone(), batch.reference().clone()));
        let next = moving.filter(|batch| after.as_ref().is_none_or(|after| batch > after));
        Ok(next.take(usize::from(limit)).collect())
    }

    fn first_to_leave(&self, reference: &BatchReference, units: u32) -> Result<Option<FirstToLeave>, StoreError> {
        let database = self.database();
        let rows = database.committed().products().find(|(_, rows)| rows.batches.contains_key(reference));
        let lines = rows.map(|(_, rows)| rows.positions_on(reference)).unwrap_or_default();
        let (mut left, mut first) = (units, None);
        for (position, quantity) in lines.into_iter().rev() {
            let Ok(part) = Quantity::new(quantity.min(left)) else { break };
            left -= part.get();
            first = Some((position, part));
        }
        Ok(first.map(|(position, part)| FirstToLeave { position, part, units: units - left }))
    }
}

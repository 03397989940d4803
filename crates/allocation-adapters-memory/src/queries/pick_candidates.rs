use crate::product_rows::ProductRows;
use crate::store::MemoryStore;
use allocation_domain::{
    Allocation, BatchReference, Eta, LineState, OrderId, PickCriteria, QueuePosition, ReservationState, Sku,
};
use allocation_ports::{PickCandidates, PickableLines, StoreError};

/// Returns whether units of an allocation are on no pick list.
fn is_unlisted(rows: &ProductRows, order_id: &OrderId, line: &LineState, part: &Allocation) -> bool {
    let open = rows.pick_lines.values().filter(|pick| pick.is_open() && pick.order_id == *order_id);
    let listed = open.filter(|pick| pick.reference == part.reference).map(|pick| pick.quantity.get());
    line.fulfilment.listed == 0 || part.quantity.get() > listed.sum()
}

/// Returns the units that a list could take, with their place in it.
fn candidates(sku: &Sku, rows: &ProductRows, criteria: &PickCriteria) -> Vec<(BatchReference, QueuePosition, Sku)> {
    let mut found = Vec::new();
    for (order_id, line) in rows.lines.iter().filter(|(_, line)| line.commitment == ReservationState::Firm) {
        for part in &line.allocations {
            let in_stock = rows.batches.get(&part.reference).is_some_and(|row| row.batch.eta() == Eta::InStock);
            if in_stock && criteria.takes(&part.reference, sku, order_id) && is_unlisted(rows, order_id, line, part) {
                found.push((part.reference.clone(), QueuePosition::of(order_id, line), sku.clone()));
            }
        }
    }
    found
}

impl PickCandidates for MemoryStore {
    fn pickable(&self, criteria: &PickCriteria, limit: usize) -> Result<PickableLines, StoreError> {
        let database = self.database();
        let products = database.committed().products();
        let mut found: Vec<_> = products.flat_map(|(sku, rows)| candidates(sku, rows, criteria)).collect();
        found.sort_unstable();
        let lines = found.into_iter().take(limit).map(|(_, position, sku)| (sku, position.order_id().clone()));
        Ok(PickableLines { lines: lines.collect(), complete: true })
    }
}

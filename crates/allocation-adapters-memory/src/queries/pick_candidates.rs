use crate::database::View;
use crate::product_rows::ProductRows;
use crate::store::MemoryStore;
use allocation_domain::{
    Allocation, BatchReference, Eta, LineState, Order, OrderId, PickCriteria, QueuePosition, ReservationState, Sku,
};
use allocation_ports::{PickCandidates, PickableLines, StoreError};

/// Returns whether units of an allocation are on no pick list.
fn is_unlisted(rows: &ProductRows, order_id: &OrderId, line: &LineState, part: &Allocation) -> bool {
    let open = rows.pick_lines.values().filter(|pick| pick.is_open() && pick.order_id == *order_id);
    let listed = open.filter(|pick| pick.reference == part.reference).map(|pick| pick.quantity.get());
    line.fulfilment.listed == 0 || part.quantity.get() > listed.sum()
}

/// Returns whether a pick list may take a line. If its order ships complete, all of the order must be in stock.
fn may_ship(view: View<'_>, order_id: &OrderId, line: &LineState) -> bool {
    let order = || Order {
        order_id: order_id.clone(),
        lines: view.lines(order_id).map(|(sku, line)| (sku.clone(), line)).collect(),
    };
    !line.terms.ship_complete || order().is_in_stock()
}

/// Returns the units that a list could take, with their place in it.
fn candidates(
    view: View<'_>,
    sku: &Sku,
    rows: &ProductRows,
    criteria: &PickCriteria,
) -> Vec<(BatchReference, QueuePosition, Sku, bool)> {
    let mut found = Vec::new();
    let firm = rows.lines.iter().filter(|(_, line)| line.commitment == ReservationState::Firm);
    for (order_id, line) in firm.filter(|(order_id, line)| may_ship(view, order_id, line)) {
        for part in &line.allocations {
            let in_stock = rows.batches.get(&part.reference).is_some_and(|row| row.batch.eta() == Eta::InStock);
            if in_stock && criteria.takes(&part.reference, sku, order_id) && is_unlisted(rows, order_id, line, part) {
                let position = QueuePosition::of(order_id, line);
                found.push((part.reference.clone(), position, sku.clone(), line.terms.ship_complete));
            }
        }
    }
    found
}

impl PickCandidates for MemoryStore {
    fn pickable(&self, criteria: &PickCriteria, limit: usize) -> Result<PickableLines, StoreError> {
        let database = self.database();
        let view = database.committed();
        let mut found: Vec<_> = view.products().flat_map(|(sku, rows)| candidates(view, sku, rows, criteria)).collect();
        found.sort_unstable();
        found.truncate(limit);
        let complete_orders = found.iter().filter(|(.., ships_complete)| *ships_complete);
        let ship_complete = complete_orders.map(|(_, position, ..)| position.order_id().clone()).collect();
        let lines = found.into_iter().map(|(_, position, sku, _)| (sku, position.order_id().clone())).collect();
        Ok(PickableLines { lines, ship_complete, complete: true })
    }
}

//! Locking for commands on pick lists and their lines.

use crate::locking::{Locked, lock};
use allocation_domain::{BatchReference, OrderId, PickLineId, PickList, PickListId, Sku};
use allocation_ports::{LockRequest, StoreError, StoredPickList, UnitOfWork};
use std::collections::{BTreeMap, BTreeSet};

/// Locks the products of a pick list and loads its lines with their order lines and batches.
///
/// Returns `None` when the list does not exist.
pub(crate) fn lock_list(
    unit: &mut dyn UnitOfWork,
    list_id: &PickListId,
) -> Result<Option<(Locked, StoredPickList)>, StoreError> {
    // The lines of a list never change, but their states are certain only under the locks.
    let Some(before) = unit.pick_lists().find(list_id)? else { return Ok(None) };
    let mut locked = lock(unit, &wanted(&before.list))?;
    let Some(stored) = unit.pick_lists().find(list_id)? else { return Ok(None) };
    for (number, line) in &stored.list.lines {
        if let Some(product) = locked.products.get_mut(&line.sku) {
            let id = PickLineId { list: list_id.clone(), line: *number };
            product.load_pick_lines([(id, line.clone())]);
        }
    }
    Ok(Some((locked, stored)))
}

/// Locks the product of a pick line and loads the line with its order line and batch.
///
/// Returns `None` when the line does not exist.
pub(crate) fn lock_line(unit: &mut dyn UnitOfWork, id: &PickLineId) -> Result<Option<Locked>, StoreError> {
    let Some(before) = unit.pick_lists().find_line(id)? else { return Ok(None) };
    let wanted = LockRequest {
        batches: vec![before.reference],
        order_ids: vec![before.order_id],
        ..LockRequest::product(before.sku.clone())
    };
    let mut locked = lock(unit, &[wanted])?;
    // The state of the line is certain only under the lock.
    let (Some(product), Some(line)) = (locked.products.get_mut(&before.sku), unit.pick_lists().find_line(id)?) else {
        return Ok(None);
    };
    product.load_pick_lines([(id.clone(), line)]);
    Ok(Some(locked))
}

/// Returns the lock requests of a list: its order lines and batches, each once.
fn wanted(list: &PickList) -> Vec<LockRequest> {
    let mut by_sku: BTreeMap<&Sku, (BTreeSet<&OrderId>, BTreeSet<&BatchReference>)> = BTreeMap::new();
    for line in list.lines.values() {
        let (order_ids, batches) = by_sku.entry(&line.sku).or_default();
        order_ids.insert(&line.order_id);
        batches.insert(&line.reference);
    }
    let wanted = |(sku, (order_ids, batches)): (&Sku, (BTreeSet<_>, BTreeSet<_>))| LockRequest {
        order_ids: order_ids.into_iter().cloned().collect(),
        batches: batches.into_iter().cloned().collect(),
        ..LockRequest::product(sku.clone())
    };
    by_sku.into_iter().map(wanted).collect()
}

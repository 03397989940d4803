//! Locking for commands on pick lists and their lines.

use crate::locking::{Locked, lock};
use allocation_domain::{BatchReference, OrderId, PickLine, PickLineId, PickListId, Sku};
use allocation_ports::{LockRequest, StoreError, StoredPickList, UnitOfWork};
use std::collections::{BTreeMap, BTreeSet};
use std::slice;

/// Locks the products of a pick list and loads its lines with their order lines and batches.
///
/// Returns `None` when the list does not exist.
pub(crate) fn lock_list(
    unit: &mut dyn UnitOfWork,
    list_id: &PickListId,
) -> Result<Option<(Locked, StoredPickList)>, StoreError> {
    // The lines of a list never change, but their states are certain only under the locks.
    let Some(before) = unit.pick_lists().find(list_id)? else { return Ok(None) };
    let mut locked = lock(unit, &wanted(before.list.lines.values()))?;
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
    Ok(lock_pick_lines(unit, slice::from_ref(id))?.ok())
}

/// Locks the products of pick lines and loads the lines with their order lines and batches.
///
/// Returns a line that does not exist instead, if there is one.
pub(crate) fn lock_pick_lines(
    unit: &mut dyn UnitOfWork,
    ids: &[PickLineId],
) -> Result<Result<Locked, PickLineId>, StoreError> {
    let before = unit.pick_lists().find_lines(ids)?;
    if let Some(missing) = ids.iter().find(|id| !before.contains_key(id)) {
        return Ok(Err(missing.clone()));
    }
    let mut locked = lock(unit, &wanted(before.values()))?;
    // The lines never leave their product or their order, but their states are certain only under the locks.
    let mut lines = unit.pick_lists().find_lines(ids)?;
    for id in ids {
        let Some(line) = lines.remove(id) else { return Ok(Err(id.clone())) };
        let Some(product) = locked.products.get_mut(&line.sku) else { return Ok(Err(id.clone())) };
        product.load_pick_lines([(id.clone(), line)]);
    }
    Ok(Ok(locked))
}

/// Returns the lock requests of pick lines: their order lines and batches, each once.
fn wanted<'a>(lines: impl IntoIterator<Item = &'a PickLine>) -> Vec<LockRequest> {
    let mut by_sku: BTreeMap<&Sku, (BTreeSet<&OrderId>, BTreeSet<&BatchReference>)> = BTreeMap::new();
    for line in lines {
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

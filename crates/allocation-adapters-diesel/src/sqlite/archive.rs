//! Archiving and restoring orders, one at a time.

use super::statements::{
    AnyArchived, ArchiveLines, ArchiveOrder, ArchivePickLines, FindArchived, RemoveArchivedLines, RemoveArchivedOrder,
    RemoveArchivedPickLines, RemoveCompleteLines, RemoveOrder, RemovePickLines, RestoreLines, RestoreOrder,
    RestorePickLines,
};
use crate::error::store_error;
use allocation_domain::{OrderId, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Moves orders to the archive, and returns the number of their lines that were moved.
pub(crate) fn archive(connection: &mut SqliteConnection, orders: &[(OrderId, Vec<Sku>)]) -> QueryResult<usize> {
    let mut lines = 0;
    for (order_id, _) in orders {
        let order_id = order_id.as_str();
        ArchiveOrder { order_id }.execute(connection)?;
        RemoveOrder { order_id }.execute(connection)?;
        ArchivePickLines { order_id, of: order_id }.execute(connection)?;
        RemovePickLines { order_id, of: order_id }.execute(connection)?;
        lines += ArchiveLines { order_id }.execute(connection)?;
        RemoveCompleteLines { order_id }.execute(connection)?;
    }
    Ok(lines)
}

/// Returns whether any order is archived: without one, a unit of work looks none up. Only the unit itself could change
/// the answer, for it is the only one that writes.
pub(super) fn any_archived(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    AnyArchived { from: "" }.get_result(connection).map_err(store_error)
}

/// Returns whether an order is archived.
pub(super) fn is_archived(connection: &mut SqliteConnection, order_id: &OrderId) -> Result<bool, StoreError> {
    FindArchived { order_id: order_id.as_str() }.get_result(connection).map_err(store_error)
}

/// Restores those of the orders that are archived. No other unit of work writes meanwhile.
pub(super) fn restore(connection: &mut SqliteConnection, order_ids: &BTreeSet<&OrderId>) -> Result<(), StoreError> {
    for order_id in order_ids {
        if is_archived(connection, order_id)? {
            restore_one(connection, order_id.as_str()).map_err(store_error)?;
        }
    }
    Ok(())
}

fn restore_one(connection: &mut SqliteConnection, order_id: &str) -> QueryResult<()> {
    RestoreOrder { order_id }.execute(connection)?;
    RemoveArchivedOrder { order_id }.execute(connection)?;
    RestorePickLines { order_id, of: order_id }.execute(connection)?;
    RemoveArchivedPickLines { order_id, of: order_id }.execute(connection)?;
    RestoreLines { order_id }.execute(connection)?;
    RemoveArchivedLines { order_id }.execute(connection)?;
    Ok(())
}

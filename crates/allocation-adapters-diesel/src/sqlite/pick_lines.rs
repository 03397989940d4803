//! Loading and storage of pick lines, one at a time.

use super::execution::{add_row, one_row};
use super::statements::{AddPickLine, ChangePickLine, LoadPickLines};
use crate::error::store_error;
use crate::pick_line_row::pick_lines;
use crate::saving::{RowChanges, exists};
use allocation_domain::{OrderId, PickLine, PickLineId, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;

/// Loads the pick lines of an order line, except withdrawn and short-picked ones.
pub(crate) fn load_pick_lines(
    connection: &mut SqliteConnection,
    sku: &Sku,
    order_id: &OrderId,
) -> Result<Vec<(PickLineId, PickLine)>, StoreError> {
    let statement = LoadPickLines { sku: sku.as_str(), order_id: order_id.as_str() };
    pick_lines(statement.load(connection).map_err(store_error)?)
}

/// Stores added and changed pick lines.
pub(super) fn save_pick_lines(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for line in &rows.added_pick_lines {
        add_row(connection, AddPickLine { line })?;
    }
    for line in &rows.changed_pick_lines {
        let statement = ChangePickLine {
            quantity: &line.quantity,
            picked: &line.picked,
            shipped: &line.shipped,
            put_back: &line.put_back,
            status: &line.status,
            list_id: &line.list_id,
            line: &line.line,
        };
        one_row(connection, exists::PICK_LINE, statement)?;
    }
    Ok(())
}

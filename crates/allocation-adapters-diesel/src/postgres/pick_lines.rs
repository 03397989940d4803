//! Loading and storage of pick lines, one set at a time.

use super::statements::{AddPickLines, ChangePickLines, LoadPickLines};
use crate::error::store_error;
use crate::pick_line_row::pick_lines;
use crate::row::integer;
use crate::saving::{RowChanges, exists, expect_rows};
use allocation_domain::{OrderId, PickLine, PickLineId, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;

/// Loads the pick lines of distinct order lines, except withdrawn and short-picked ones.
pub(crate) fn load_pick_lines<'a>(
    connection: &mut PgConnection,
    lines: impl IntoIterator<Item = (&'a Sku, &'a OrderId)>,
) -> Result<Vec<(PickLineId, PickLine)>, StoreError> {
    let (sku, order_id): (Vec<_>, Vec<_>) =
        lines.into_iter().map(|(sku, order_id)| (sku.as_str(), order_id.as_str())).unzip();
    if sku.is_empty() {
        return Ok(Vec::new());
    }
    let statement = LoadPickLines { sku: &sku, order_id: &order_id };
    pick_lines(statement.load(connection).map_err(store_error)?)
}

/// Stores added and changed pick lines.
pub(super) fn save_pick_lines(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let lines = &rows.added_pick_lines;
    if !lines.is_empty() {
        AddPickLines { lines: &lines.iter().collect() }.execute(connection).map_err(store_error)?;
    }
    let lines = &rows.changed_pick_lines;
    if lines.is_empty() {
        return Ok(());
    }
    let statement = ChangePickLines { lines: &lines.iter().collect(), count: &integer(lines.len())? };
    expect_rows(exists::PICK_LINE, lines.len(), statement.execute(connection).map_err(store_error)?)
}

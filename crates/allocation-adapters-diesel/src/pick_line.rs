//! Lines of pick lists as rows.

use crate::error::corrupt;
use crate::row;
use allocation_domain::{PickLine, PickLineId, PickStatus};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

/// Expands to the columns of a pick line.
macro_rules! pick_line_columns {
    () => {
        "list_id, line, sku, order_id, reference, quantity, picked, status"
    };
}

pub(crate) use pick_line_columns;

/// The types of the columns of a [`PickLineRow`].
pub(crate) type PickLineColumns = (Text, Integer, Text, Text, Text, Integer, Integer, Text);

/// A row of `pick_list_lines` as it is read.
#[derive(Debug, Queryable)]
pub(crate) struct PickLineRow {
    list_id: String,
    line: i32,
    sku: String,
    order_id: String,
    reference: String,
    quantity: i32,
    picked: i32,
    status: String,
}

impl PickLineRow {
    /// Converts the row to a pick line with its id; fails if no pick line has such values.
    pub(crate) fn pick_line(self) -> Result<(PickLineId, PickLine), StoreError> {
        let list = row::list_id(self.list_id)?;
        let line = PickLine {
            order_id: row::order_id(self.order_id)?,
            sku: row::sku(self.sku)?,
            reference: row::reference(self.reference)?,
            quantity: row::quantity(self.quantity)?,
            picked: u32::try_from(self.picked).map_err(corrupt)?,
            status: status(&self.status)?,
        };
        Ok((PickLineId { list, line: u32::try_from(self.line).map_err(corrupt)? }, line))
    }
}

/// Converts rows to pick lines.
pub(crate) fn pick_lines(rows: Vec<PickLineRow>) -> Result<Vec<(PickLineId, PickLine)>, StoreError> {
    rows.into_iter().map(PickLineRow::pick_line).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("no pick line is {0:?}")]
struct UnknownStatus(String);

fn status(text: &str) -> Result<PickStatus, StoreError> {
    use PickStatus::{Missing, Open, Picked, Shipped, Withdrawn};
    let known = [Open, Picked, Missing, Shipped, Withdrawn].into_iter().find(|status| status.name() == text);
    known.ok_or_else(|| corrupt(UnknownStatus(text.to_owned())))
}

//! Lines of pick lists as rows.

use crate::columns::columns;
use crate::error::corrupt;
use crate::row;
use allocation_domain::{PickLine, PickLineId, PickStatus};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use std::borrow::Cow;

columns! {
    /// A row of `pick_list_lines`, owned when it is read and borrowed when it is written.
    #[derive(Debug, Queryable)]
    struct PickLineRow<'a>, set PickLineRows<'a> {
        list_id: Text => Cow<'a, str>,
        line: Integer => i32,
        sku: Text => Cow<'a, str>,
        order_id: Text => Cow<'a, str>,
        reference: Text => Cow<'a, str>,
        quantity: Integer => i32,
        picked: Integer => i32,
        shipped: Integer => i32,
        put_back: Integer => i32,
        status: Text => Cow<'a, str>,
    }
}

impl<'a> PickLineRow<'a> {
    /// Returns the row of a pick line.
    pub(crate) fn of(id: &'a PickLineId, line: &'a PickLine) -> Result<Self, StoreError> {
        Ok(Self {
            list_id: id.list.as_str().into(),
            line: row::integer(id.line)?,
            sku: line.sku.as_str().into(),
            order_id: line.order_id.as_str().into(),
            reference: line.reference.as_str().into(),
            quantity: row::integer(line.quantity.get())?,
            picked: row::integer(line.picked)?,
            shipped: row::integer(line.shipped)?,
            put_back: row::integer(line.put_back)?,
            status: line.status.as_str().into(),
        })
    }

    /// Converts the row to a pick line with its id; fails if no pick line has such values.
    pub(crate) fn pick_line(self) -> Result<(PickLineId, PickLine), StoreError> {
        let list = row::list_id(self.list_id.into_owned())?;
        let status = status(&self.status)?;
        // Programs from before shipments leave the column 0.
        let shipped = if status == PickStatus::Shipped { self.picked } else { self.shipped };
        let line = PickLine {
            order_id: row::order_id(self.order_id.into_owned())?,
            sku: row::sku(self.sku.into_owned())?,
            reference: row::reference(self.reference.into_owned())?,
            quantity: row::quantity(self.quantity)?,
            picked: row::units(self.picked)?,
            shipped: row::units(shipped)?,
            put_back: row::units(self.put_back)?,
            status,
        };
        Ok((PickLineId { list, line: row::units(self.line)? }, line))
    }
}

/// Converts rows to pick lines.
pub(crate) fn pick_lines(rows: Vec<PickLineRow<'_>>) -> Result<Vec<(PickLineId, PickLine)>, StoreError> {
    rows.into_iter().map(PickLineRow::pick_line).collect()
}

fn status(text: &str) -> Result<PickStatus, StoreError> {
    text.parse().map_err(corrupt)
}

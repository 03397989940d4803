//! Shipments: picked units that left together.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::columns::{Columns, Sql, columns};
use crate::error::{corrupt, store_error};
use crate::row;
use crate::statement::statement;
use allocation_domain::{Carrier, ListedUnits, NewShipment, ShipmentId, ShipmentLine, ShippedLines, Tracking};
use allocation_ports::{Recorded, RecordedShipment, StoreError};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;
use std::borrow::Cow;

columns! {
    /// A row of `shipment_lines`, owned when it is read and borrowed when it is written.
    #[derive(Debug, Queryable)]
    struct ShipmentLineRow<'a>, set ShipmentLineRows<'a> {
        shipment_id: Text => Cow<'a, str>,
        list_id: Text => Cow<'a, str>,
        line: Integer => i32,
        order_id: Text => Cow<'a, str>,
        sku: Text => Cow<'a, str>,
        reference: Text => Cow<'a, str>,
        quantity: Integer => i32,
        is_named: Bool => bool,
    }
}

statement! {
    AddShipment<'a>(
        shipment_id: Text => str,
        carrier: Nullable<Text> => Option<&'a str>,
        tracking: Nullable<Text> => Option<&'a str>,
        shipped_at: BigInt => i64,
    ) on MultiBackend,
    "INSERT INTO shipments (shipment_id, carrier, tracking, shipped_at) VALUES (?, ?, ?, ?)"
}

statement! {
    AddLine<'a>(line: ShipmentLineRow<'a>) on Sqlite,
    "INSERT INTO shipment_lines (", ShipmentLineRow::COLUMNS, ") VALUES (?)"
}

statement! {
    AddLines<'a>(lines: ShipmentLineRows<'a>) on Pg,
    "INSERT INTO shipment_lines (", ShipmentLineRow::COLUMNS, ") SELECT * FROM unnest(?)"
}

/// The carrier, its number for the shipment, and the instant of a shipment.
pub(crate) type Header = (Option<String>, Option<String>, i64);

/// The SQL types of a [`Header`].
pub(crate) type HeaderSql = (Nullable<Text>, Nullable<Text>, BigInt);

statement! {
    FindShipment<'a>(shipment_id: Text => str) on MultiBackend -> HeaderSql,
    "SELECT carrier, tracking, shipped_at FROM shipments WHERE shipment_id = ?"
}

statement! {
    LinesOf<'a>(shipment_id: Text => str) on MultiBackend -> Sql<ShipmentLineRow<'static>>,
    "SELECT ", ShipmentLineRow::COLUMNS, " FROM shipment_lines WHERE shipment_id = ? ORDER BY list_id, line"
}

/// Adds a shipment, which must not exist yet.
pub(crate) fn add(connection: &mut AnyConnection, recorded: &RecordedShipment) -> Result<(), StoreError> {
    let RecordedShipment { request, outcome, recorded_at } = recorded;
    let statement = AddShipment {
        shipment_id: request.shipment_id().as_str(),
        carrier: &request.carrier().map(Carrier::as_str),
        tracking: &request.tracking().map(Tracking::as_str),
        shipped_at: &recorded_at.timestamp_micros(),
    };
    statement.execute(connection).map_err(store_error)?;
    let rows = request.lines().iter().zip(outcome);
    let rows = rows.map(|(line, units)| ShipmentLineRow::of(request.shipment_id(), line, units));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    match connection {
        AnyConnection::Sqlite(connection) => {
            for line in &rows {
                AddLine { line }.execute(connection).map_err(store_error)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            AddLines { lines: &rows.iter().collect() }.execute(connection).map_err(store_error)?;
        }
    }
    Ok(())
}

/// Returns a shipment as it was requested, with its units. Both statements see it or neither does: it never changes.
pub(crate) fn find(
    connection: &mut AnyConnection,
    shipment_id: &ShipmentId,
) -> Result<Option<RecordedShipment>, StoreError> {
    let id = shipment_id.as_str();
    let found = FindShipment { shipment_id: id }.get_result::<Header>(connection).optional().map_err(store_error)?;
    let Some((carrier, tracking, shipped_at)) = found else { return Ok(None) };
    let rows: Vec<ShipmentLineRow<'_>> = LinesOf { shipment_id: id }.load(connection).map_err(store_error)?;
    let (mut lines, mut outcome) = (Vec::with_capacity(rows.len()), ShippedLines::with_capacity(rows.len()));
    for row in rows {
        let is_named = row.is_named;
        let units = row.units()?;
        lines.push(ShipmentLine { id: units.id(), quantity: is_named.then_some(units.quantity) });
        outcome.push(units);
    }
    let request = NewShipment::new(shipment_id.clone(), lines).map_err(corrupt)?;
    let request = request.sent_by(row::carrier(carrier)?, row::tracking(tracking)?);
    Ok(Some(Recorded { request, outcome, recorded_at: row::instant(shipped_at)? }))
}

impl<'a> ShipmentLineRow<'a> {
    /// Returns the row of a requested line with the units that it took.
    fn of(shipment_id: &'a ShipmentId, line: &ShipmentLine, units: &'a ListedUnits) -> Result<Self, StoreError> {
        Ok(Self {
            shipment_id: shipment_id.as_str().into(),
            list_id: units.list.as_str().into(),
            line: row::integer(units.line)?,
            order_id: units.order_id.as_str().into(),
            sku: units.sku.as_str().into(),
            reference: units.reference.as_str().into(),
            quantity: row::integer(units.quantity.get())?,
            is_named: line.quantity.is_some(),
        })
    }

    /// Converts the row to the shipped units; fails if no pick line has such values.
    pub(crate) fn units(self) -> Result<ListedUnits, StoreError> {
        Ok(ListedUnits {
            order_id: row::order_id(self.order_id.into_owned())?,
            sku: row::sku(self.sku.into_owned())?,
            reference: row::reference(self.reference.into_owned())?,
            list: row::list_id(self.list_id.into_owned())?,
            line: row::units(self.line)?,
            quantity: row::quantity(self.quantity)?,
        })
    }
}

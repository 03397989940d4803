//! Pages of shipments.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::columns::{Columns, Sql};
use crate::error::{corrupt, store_error};
use crate::planner::LIMIT;
use crate::row;
use crate::shipments::{Header, HeaderSql, ShipmentLineRow};
use crate::statement::statement;
use allocation_domain::{NewShipment, OrderId, ShipmentId};
use allocation_ports::{PageSize, ShipmentPage, ShipmentRecord, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// Selects lines `w` of shipments, each with what its shipment has.
const LINES: &str = "SELECT (SELECT carrier FROM shipments AS s WHERE s.shipment_id = w.shipment_id),
        (SELECT tracking FROM shipments AS s WHERE s.shipment_id = w.shipment_id),
        (SELECT shipped_at FROM shipments AS s WHERE s.shipment_id = w.shipment_id), ";

/// A line of a shipment, with what the shipment has.
type LineSql = (HeaderSql, Sql<ShipmentLineRow<'static>>);

statement! {
    All<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> LineSql,
    LINES, ShipmentLineRow::OF_W, " FROM shipment_lines AS w
     WHERE w.shipment_id > ? ORDER BY w.shipment_id, w.list_id, w.line", LIMIT
}

statement! {
    OfOrder<'a>(order_id: Text => str, after: Text => str, limit: BigInt => i64) on MultiBackend -> LineSql,
    LINES, ShipmentLineRow::OF_W, " FROM shipment_lines AS w
     WHERE w.order_id = ? AND w.shipment_id > ? ORDER BY w.shipment_id, w.list_id, w.line", LIMIT
}

/// Returns a page of shipments, of all or of an order. A page has as many lines as the largest shipment at most.
pub(crate) fn shipments(
    connection: &mut AnyConnection,
    of_order: Option<&OrderId>,
    after: Option<&ShipmentId>,
    page: PageSize,
) -> Result<ShipmentPage, StoreError> {
    let after = after.map_or(super::FIRST, ShipmentId::as_str);
    // One more line shows whether there are further ones.
    let limit = &i64::try_from(NewShipment::MAX_LINES + 1).map_err(corrupt)?;
    let rows: QueryResult<Vec<(Header, ShipmentLineRow<'_>)>> = match of_order {
        None => All { after, limit }.load(connection),
        Some(order_id) => OfOrder { order_id: order_id.as_str(), after, limit }.load(connection),
    };
    let rows = rows.map_err(store_error)?;
    let mut has_more = rows.len() > NewShipment::MAX_LINES;
    let mut shipments: Vec<ShipmentRecord> = Vec::new();
    for ((carrier, tracking, shipped_at), line) in rows {
        let last = shipments.last_mut().filter(|last| last.shipment_id.as_str() == line.shipment_id);
        if let Some(last) = last {
            last.lines.push(line.units()?);
            continue;
        }
        shipments.push(ShipmentRecord {
            shipment_id: row::shipment_id(line.shipment_id.clone().into_owned())?,
            carrier: row::carrier(carrier)?,
            tracking: row::tracking(tracking)?,
            shipped_at: row::instant(shipped_at)?,
            lines: vec![line.units()?],
        });
    }
    if has_more {
        // Its lines may not be complete.
        shipments.pop();
    }
    has_more |= shipments.len() > usize::from(page.get());
    shipments.truncate(usize::from(page.get()));
    let next = shipments.last().map(|last| last.shipment_id.clone()).filter(|_| has_more);
    Ok(ShipmentPage { shipments, next })
}

//! Documents that have changed stock.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, failed, store_error};
use crate::row;
use crate::shipments;
use crate::statement::statement;
use allocation_ports::{Recorded, StockDocument, StockDocumentId, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::Serialize;
use serde::de::DeserializeOwned;

statement! {
    AddDocument<'a>(
        kind: Text => str,
        document_id: Text => str,
        recorded_at: BigInt => i64,
        request: Text => str,
        outcome: Text => str,
    ) on MultiBackend,
    "INSERT INTO stock_documents (kind, document_id, recorded_at, request, outcome) VALUES (?, ?, ?, ?, ?)"
}

statement! {
    FindDocument<'a>(kind: Text => str, document_id: Text => str) on MultiBackend -> (BigInt, Text, Text),
    "SELECT recorded_at, request, outcome FROM stock_documents WHERE kind = ? AND document_id = ?"
}

/// Adds a document, which must not exist yet.
pub(crate) fn add(connection: &mut AnyConnection, document: &StockDocument) -> Result<(), StoreError> {
    let id = document.id();
    let (request, outcome) = match document {
        StockDocument::Adjustment(recorded) => written(recorded)?,
        StockDocument::Receipt(recorded) => written(recorded)?,
        StockDocument::Return(recorded) => written(recorded)?,
        // It has rows of its own, which are also read by order.
        StockDocument::Shipment(recorded) => return shipments::add(connection, recorded),
    };
    let statement = AddDocument {
        kind: id.kind(),
        document_id: id.as_str(),
        recorded_at: &document.recorded_at().timestamp_micros(),
        request: &request,
        outcome: &outcome,
    };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

/// Returns a document.
pub(crate) fn find(connection: &mut AnyConnection, id: &StockDocumentId) -> Result<Option<StockDocument>, StoreError> {
    if let StockDocumentId::Shipment(id) = id {
        return Ok(shipments::find(connection, id)?.map(StockDocument::Shipment));
    }
    let statement = FindDocument { kind: id.kind(), document_id: id.as_str() };
    let found = statement.get_result::<Row>(connection).optional().map_err(store_error)?;
    let document = |row| match id {
        StockDocumentId::Adjustment(_) => read(row).map(StockDocument::Adjustment),
        StockDocumentId::Receipt(_) => read(row).map(StockDocument::Receipt),
        StockDocumentId::Return(_) => read(row).map(StockDocument::Return),
        StockDocumentId::Shipment(_) => read(row).map(StockDocument::Shipment),
    };
    found.map(document).transpose()
}

/// The instant, the request and the outcome of a document.
type Row = (i64, String, String);

fn written<Q: Serialize, O: Serialize>(recorded: &Recorded<Q, O>) -> Result<(String, String), StoreError> {
    let request = serde_json::to_string(&recorded.request).map_err(failed)?;
    Ok((request, serde_json::to_string(&recorded.outcome).map_err(failed)?))
}

fn read<Q: DeserializeOwned, O: DeserializeOwned>(
    (recorded_at, request, outcome): Row,
) -> Result<Recorded<Q, O>, StoreError> {
    Ok(Recorded {
        request: serde_json::from_str(&request).map_err(corrupt)?,
        outcome: serde_json::from_str(&outcome).map_err(corrupt)?,
        recorded_at: row::instant(recorded_at)?,
    })
}

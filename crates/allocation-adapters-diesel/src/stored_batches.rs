//! Batches as they are stored.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::batch_row::{AddedWith, BATCH, BatchRow, BatchSql};
use crate::columns::{Columns, Sql};
use crate::error::{corrupt, store_error};
use crate::row;
use crate::statement::statement;
use allocation_domain::{Batch, BatchReference, Eta, Sku, Units};
use allocation_ports::{FoundBatch, StoreError};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use std::collections::BTreeMap;

statement! {
    /// All batches of a SKU with free units. The order is the order of the index, which skips consumed
    /// batches.
    OpenBatches<'a>(sku: Text => str) on MultiBackend -> BatchSql,
    "SELECT ", BATCH, " FROM batches WHERE sku = ? AND is_open ORDER BY eta NULLS FIRST, added_at, reference"
}

statement! {
    /// All batches of a SKU in transit that lines have units of.
    InTransit<'a>(sku: Text => str) on MultiBackend -> BatchSql,
    "SELECT ", BATCH, " FROM batches WHERE sku = ? AND eta IS NOT NULL AND allocated_quantity > 0 ORDER BY eta, added_at, reference"
}

statement! {
    SkuOf<'a>(reference: Text => str) on MultiBackend -> Text,
    "SELECT sku FROM batch_references WHERE reference = ?"
}

statement! {
    SkusOf<'a>(references: Array<Text> => Vec<&'a str>) on Pg -> (Text, Text),
    "SELECT reference, sku FROM batch_references WHERE reference = ANY (?)"
}

statement! {
    /// A batch by its reference, as it is stored, and the quantity and ETA that it was added with.
    FindBatch<'a>(reference: Text => str) on MultiBackend -> (Sql<AddedWith>, Text, BatchSql),
    "SELECT ", AddedWith::OF_W, ", b.*
     FROM batch_references AS w
     JOIN (SELECT sku, ", BATCH, " FROM batches) AS b ON b.sku = w.sku AND b.reference = w.reference
     WHERE w.reference = ?"
}

/// Returns the SKU of a batch.
pub(crate) fn sku_of(connection: &mut AnyConnection, reference: &BatchReference) -> Result<Option<Sku>, StoreError> {
    let sku = SkuOf { reference: reference.as_str() }.get_result::<String>(connection).optional();
    sku.map_err(store_error)?.map(row::sku).transpose()
}

/// Returns the SKU of each batch that exists.
pub(crate) fn skus_of(
    connection: &mut AnyConnection,
    references: &[BatchReference],
) -> Result<BTreeMap<BatchReference, Sku>, StoreError> {
    if let AnyConnection::Postgres(connection) = connection {
        let references = &references.iter().map(BatchReference::as_str).collect();
        let rows: Vec<(String, String)> = SkusOf { references }.load(connection).map_err(store_error)?;
        return rows.into_iter().map(|(reference, sku)| Ok((row::reference(reference)?, row::sku(sku)?))).collect();
    }
    let mut skus = BTreeMap::new();
    for reference in references {
        if let Some(sku) = sku_of(connection, reference)? {
            skus.insert(reference.clone(), sku);
        }
    }
    Ok(skus)
}

/// Finds a batch by its reference, as it is stored, and as it was added.
pub(crate) fn find_batch(
    connection: &mut AnyConnection,
    reference: &BatchReference,
) -> Result<Option<FoundBatch>, StoreError> {
    let found = FindBatch { reference: reference.as_str() }.get_result::<(AddedWith, String, BatchRow)>(connection);
    let Some((added_with, sku, batch)) = found.optional().map_err(store_error)? else { return Ok(None) };
    Ok(Some(FoundBatch {
        batch: batch.batch(row::sku(sku)?)?,
        added_quantity: Units::new(added_with.purchased_quantity).map_err(corrupt)?,
        added_eta: Eta::from(added_with.eta),
    }))
}

/// Returns all batches of a SKU in transit that lines have units of, as they are stored.
pub(crate) fn in_transit(connection: &mut AnyConnection, sku: &Sku) -> Result<Vec<Batch>, StoreError> {
    let rows: Vec<BatchRow> = InTransit { sku: sku.as_str() }.load(connection).map_err(store_error)?;
    rows.into_iter().map(|batch| batch.batch(sku.clone())).collect()
}

/// Returns all batches of a SKU that have free units, as they are stored.
pub(crate) fn open_batches(connection: &mut AnyConnection, sku: &Sku) -> Result<Vec<Batch>, StoreError> {
    let rows: Vec<BatchRow> = OpenBatches { sku: sku.as_str() }.load(connection).map_err(store_error)?;
    rows.into_iter().map(|batch| batch.batch(sku.clone())).collect()
}

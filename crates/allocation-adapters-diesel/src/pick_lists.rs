//! Pick lists as they were requested.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::row;
use crate::statement::statement;
use allocation_domain::{BatchReference, NewPickList, OrderId, PickCriteria, PickListId, Sku};
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeSet;

statement! {
    AddPickList<'a>(list_id: Text => str, created_at: BigInt => i64, request: Text => str) on MultiBackend,
    "INSERT INTO pick_lists (list_id, created_at, request) VALUES (?, ?, ?)"
}

statement! {
    Asked<'a>(list_id: Text => str) on MultiBackend -> Text,
    "SELECT request FROM pick_lists WHERE list_id = ?"
}

/// The batches, SKUs and orders that a list is limited to, null for no limit, and its maximum number of
/// lines.
type Request<Name> = (Option<BTreeSet<Name>>, Option<BTreeSet<Name>>, Option<BTreeSet<Name>>, usize);

/// Adds a pick list, which must not exist yet.
pub(crate) fn add(connection: &mut AnyConnection, list: &NewPickList, at: DateTime<Utc>) -> Result<(), StoreError> {
    let PickCriteria { references, skus, order_ids } = list.criteria();
    let request: Request<&str> = (
        references.as_ref().map(|names| names.iter().map(BatchReference::as_str).collect()),
        skus.as_ref().map(|names| names.iter().map(Sku::as_str).collect()),
        order_ids.as_ref().map(|names| names.iter().map(OrderId::as_str).collect()),
        list.max_lines(),
    );
    let request = serde_json::to_string(&request).map_err(|error| StoreError::Failed(error.into()))?;
    let statement =
        AddPickList { list_id: list.list_id().as_str(), created_at: &at.timestamp_micros(), request: &request };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

/// Returns the criteria that a pick list was requested with.
pub(crate) fn request(connection: &mut AnyConnection, list_id: &PickListId) -> Result<Option<NewPickList>, StoreError> {
    let found = Asked { list_id: list_id.as_str() }.get_result::<String>(connection).optional();
    found.map_err(store_error)?.map(|request| restored(list_id, &request)).transpose()
}

fn restored(list_id: &PickListId, request: &str) -> Result<NewPickList, StoreError> {
    let (references, skus, order_ids, max_lines): Request<String> = serde_json::from_str(request).map_err(corrupt)?;
    let criteria = PickCriteria {
        references: names(references, row::reference)?,
        skus: names(skus, row::sku)?,
        order_ids: names(order_ids, row::order_id)?,
    };
    NewPickList::new(list_id.clone(), criteria).with_max_lines(max_lines).map_err(corrupt)
}

fn names<Name: Ord>(
    texts: Option<BTreeSet<String>>,
    parse: impl FnMut(String) -> Result<Name, StoreError>,
) -> Result<Option<BTreeSet<Name>>, StoreError> {
    texts.map(|texts| texts.into_iter().map(parse).collect()).transpose()
}

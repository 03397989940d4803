//! Pick lists that are made.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::statement::statement;
use allocation_domain::PickListId;
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

statement! {
    AddPickList<'a>(list_id: Text => str, created_at: BigInt => i64) on MultiBackend,
    "INSERT INTO pick_lists (list_id, created_at) VALUES (?, ?)"
}

/// Adds a list, of which there must be none of the name yet.
pub(crate) fn add(connection: &mut AnyConnection, list_id: &PickListId, at: DateTime<Utc>) -> Result<(), StoreError> {
    let statement = AddPickList { list_id: list_id.as_str(), created_at: &at.timestamp_micros() };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

//! The keys of callers, for both databases. Triggers raise their version.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::columns::{Columns, Sql};
use crate::error::{corrupt, store_error};
use crate::generation::{self, MAY_WRITE};
use crate::key_row::KeyRow;
use crate::statement::{joined, statement};
use allocation_access::{KeyDigest, KeyId, KeyRecord};
use allocation_ports::{MAX_KEYS, StoreError, StoredKeys};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Date, Nullable, Text};

/// All keys in the order of their creation.
const KEYS: &str = joined!("SELECT ", KeyRow::COLUMNS, " FROM api_keys ORDER BY created_at, id");

statement! {
    /// Adds a key unless there are too many. Only the columns of a new key are set.
    Add<'a>(
        id: Text => str,
        name: Text => str,
        scopes: Text => str,
        digest: Binary => Vec<u8>,
        rate: Nullable<Text> => Option<String>,
        created_at: BigInt => i64,
        expires_at: Nullable<BigInt> => Option<i64>,
        limit: BigInt => i64,
    ) on MultiBackend,
    "INSERT INTO api_keys (id, name, scopes, digest, rate, created_at, expires_at)
     SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM api_keys) < ? AND ", MAY_WRITE
}

statement! {
    /// Replaces a digest that is still the one of its key.
    Rotate<'a>(until: BigInt => i64, to: Binary => [u8], id: Text => str, from: Binary => [u8]) on MultiBackend,
    "UPDATE api_keys SET previous_digest = digest, previous_until = ?, digest = ?
     WHERE id = ? AND digest = ? AND revoked_at IS NULL AND ", MAY_WRITE
}

statement! {
    Revoke<'a>(at: BigInt => i64, id: Text => str) on MultiBackend,
    "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL AND ", MAY_WRITE
}

statement! {
    /// Records a day of use unless a later one is known.
    RecordUse<'a>(day: Date => NaiveDate, id: Text => str, known: Date => NaiveDate) on MultiBackend,
    "UPDATE api_keys SET last_used_on = ?
     WHERE id = ? AND (last_used_on IS NULL OR last_used_on < ?) AND ", MAY_WRITE
}

/// Returns the keys unless their version is known. The version is read first, so the keys are at least as new.
pub(crate) fn newer_than(connection: &mut AnyConnection, known: Option<u64>) -> Result<Option<StoredKeys>, StoreError> {
    let version: i64 =
        sql::<BigInt>("SELECT version FROM api_keys_version").get_result(connection).map_err(store_error)?;
    let version = u64::try_from(version).map_err(corrupt)?;
    if known == Some(version) {
        return Ok(None);
    }
    let rows: Vec<KeyRow> = sql::<Sql<KeyRow>>(KEYS).load(connection).map_err(store_error)?;
    let keys = rows.into_iter().map(KeyRow::record).collect::<Result<_, _>>()?;
    Ok(Some(StoredKeys { version, keys }))
}

pub(crate) fn add(connection: &mut AnyConnection, key: &KeyRecord) -> Result<bool, StoreError> {
    let KeyRow { id, name, scopes, digest, rate, created_at, expires_at, .. } = KeyRow::of(key);
    let (id, name, scopes) = (&*id, &*name, &*scopes);
    let add = Add {
        id,
        name,
        scopes,
        digest: &digest,
        rate: &rate,
        created_at: &created_at,
        expires_at: &expires_at,
        limit: &i64::from(MAX_KEYS),
    };
    let added = add.execute(connection);
    changed(connection, added)
}

pub(crate) fn rotate(
    connection: &mut AnyConnection,
    id: &KeyId,
    (from, to): (KeyDigest, KeyDigest),
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (until, from, to) = (until.timestamp_micros(), from.as_bytes(), to.as_bytes());
    let rotate = Rotate { until: &until, to, id: id.as_str(), from };
    let rotated = rotate.execute(connection);
    changed(connection, rotated)
}

pub(crate) fn revoke(connection: &mut AnyConnection, id: &KeyId, at: DateTime<Utc>) -> Result<bool, StoreError> {
    let revoked = Revoke { at: &at.timestamp_micros(), id: id.as_str() }.execute(connection);
    changed(connection, revoked)
}

pub(crate) fn record_use(connection: &mut AnyConnection, id: &KeyId, day: NaiveDate) -> Result<(), StoreError> {
    RecordUse { day: &day, id: id.as_str(), known: &day }.execute(connection).map(drop).map_err(store_error)
}

/// Returns whether a statement changed a row. Statements change none in a database that shuts this
/// program out.
fn changed(connection: &mut AnyConnection, rows: QueryResult<usize>) -> Result<bool, StoreError> {
    let changed = rows.map_err(store_error)? > 0;
    if !changed {
        generation::check_in(connection)?;
    }
    Ok(changed)
}

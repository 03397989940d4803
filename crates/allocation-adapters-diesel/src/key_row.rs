//! Keys as rows.

use crate::columns::columns;
use crate::error::corrupt;
use crate::row;
use allocation_access::{KeyDigest, KeyId, KeyName, KeyRecord, PreviousDigest};
use allocation_ports::StoreError;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Date, Nullable, Text};

columns! {
    /// A row of `api_keys`.
    #[derive(Debug, Queryable)]
    struct KeyRow {
        id: Text => String,
        name: Text => String,
        scopes: Text => String,
        digest: Binary => Vec<u8>,
        previous_digest: Nullable<Binary> => Option<Vec<u8>>,
        previous_until: Nullable<BigInt> => Option<i64>,
        rate: Nullable<Text> => Option<String>,
        created_at: BigInt => i64,
        expires_at: Nullable<BigInt> => Option<i64>,
        revoked_at: Nullable<BigInt> => Option<i64>,
        last_used_on: Nullable<Date> => Option<NaiveDate>,
    }
}

impl KeyRow {
    /// Converts the row; fails if no key has such values.
    pub(crate) fn record(self) -> Result<KeyRecord, StoreError> {
        let previous = match (self.previous_digest, self.previous_until) {
            (Some(bytes), Some(until)) => {
                Some(PreviousDigest { digest: digest(bytes)?, valid_until: row::instant(until)? })
            }
            _ => None,
        };
        Ok(KeyRecord {
            id: KeyId::parse(&self.id).map_err(corrupt)?,
            name: KeyName::restore(&self.name),
            scopes: self.scopes.parse().map_err(corrupt)?,
            digest: digest(self.digest)?,
            previous,
            rate: self.rate.map(|rate| rate.parse()).transpose().map_err(corrupt)?,
            created_at: row::instant(self.created_at)?,
            expires_at: self.expires_at.map(row::instant).transpose()?,
            revoked_at: self.revoked_at.map(row::instant).transpose()?,
            last_used_on: self.last_used_on,
        })
    }

    /// Returns the row of a key.
    pub(crate) fn of(key: &KeyRecord) -> Self {
        let micros = |at: DateTime<Utc>| at.timestamp_micros();
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            scopes: key.scopes.to_string(),
            digest: key.digest.as_bytes().to_vec(),
            previous_digest: key.previous.map(|previous| previous.digest.as_bytes().to_vec()),
            previous_until: key.previous.map(|previous| micros(previous.valid_until)),
            rate: key.rate.map(|rate| rate.to_string()),
            created_at: micros(key.created_at),
            expires_at: key.expires_at.map(micros),
            revoked_at: key.revoked_at.map(micros),
            last_used_on: key.last_used_on,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a digest has {0} bytes instead of 32")]
struct DigestLength(usize);

fn digest(bytes: Vec<u8>) -> Result<KeyDigest, StoreError> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|bytes: Vec<u8>| corrupt(DigestLength(bytes.len())))?;
    Ok(KeyDigest::from_bytes(bytes))
}

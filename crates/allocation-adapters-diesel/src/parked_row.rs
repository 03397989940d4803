//! The progress of the relay as rows.

use crate::columns::columns;
use crate::error::corrupt;
use crate::row;
use allocation_ports::{ParkedEvent, RelayProgress, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use std::borrow::Cow;

columns! {
    /// A row of `parked_events`, owned when it is read and borrowed when it is written.
    #[derive(Debug, Queryable)]
    struct ParkedRow<'a>, set ParkedRows<'a> {
        position: BigInt => i64,
        reason: Text => Cow<'a, str>,
        parked_at: BigInt => i64,
        retry: Bool => bool,
    }
}

/// The progress of the relay as the databases store it.
#[derive(Debug)]
pub(crate) struct ProgressRows<'a> {
    pub(crate) checkpoint: i64,
    pub(crate) parked: Vec<ParkedRow<'a>>,
    pub(crate) delivered: Vec<i64>,
}

impl ParkedRow<'_> {
    /// Converts the row; fails if no parked event has such values.
    pub(crate) fn event(self) -> Result<ParkedEvent, StoreError> {
        Ok(ParkedEvent {
            position: u64::try_from(self.position).map_err(corrupt)?,
            reason: self.reason.into_owned(),
            parked_at: row::instant(self.parked_at)?,
            retry: self.retry,
        })
    }
}

impl<'a> ProgressRows<'a> {
    /// Returns the rows of some progress.
    pub(crate) fn of(progress: &'a RelayProgress) -> Result<Self, StoreError> {
        let parked = progress.parked.iter().map(|parked| {
            Ok(ParkedRow {
                position: row::integer(parked.position)?,
                reason: parked.reason.as_str().into(),
                parked_at: parked.parked_at.timestamp_micros(),
                retry: parked.retry,
            })
        });
        Ok(Self {
            checkpoint: row::integer(progress.checkpoint)?,
            parked: parked.collect::<Result<_, StoreError>>()?,
            delivered: progress.delivered.iter().map(|position| row::integer(*position)).collect::<Result<_, _>>()?,
        })
    }
}

//! Events as rows, of the outbox and of the log.

use crate::columns::columns;
use crate::error::corrupt;
use crate::row;
use allocation_ports::{CausationId, EventContext, LoggedEvent, StoreError, Subject, TraceParent};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

columns! {
    /// A row of `events` as readers of the log see it.
    #[derive(Debug, Queryable)]
    struct EventRow {
        position: BigInt => i64,
        /// The product that the event is about.
        sku: Text => String,
        name as "type": Text => String,
        order_id: Nullable<Text> => Option<String>,
        /// The batch, if the event is about a batch and no order.
        reference: Nullable<Text> => Option<String>,
        payload: Text => String,
        occurred_at: BigInt => i64,
        traceparent: Nullable<Text> => Option<String>,
        causation_id: Nullable<Text> => Option<String>,
    }
}

columns! {
    /// A row of `outbox` without the context of its command.
    #[derive(Debug)]
    struct OutboxRow<'a>, set OutboxRows<'a> {
        sku: Text => &'a str,
        version: BigInt => i64,
        ordinal: Integer => i32,
        name as "type": Text => &'static str,
        order_id: Nullable<Text> => Option<&'a str>,
        payload: Text => String,
        occurred_at: BigInt => i64,
    }
}

columns! {
    /// The context of the command that caused an event.
    #[derive(Debug, Clone, Copy, Default)]
    struct ContextValues<'a>, set ContextValuesSet<'a> {
        traceparent: Nullable<Text> => Option<&'a str>,
        causation_id: Nullable<Text> => Option<&'a str>,
    }
}

impl<'a> ContextValues<'a> {
    /// Returns the columns of a context.
    pub(crate) fn of(context: &'a EventContext) -> Self {
        Self {
            traceparent: context.traceparent.as_ref().map(TraceParent::as_str),
            causation_id: context.causation_id.as_ref().map(CausationId::as_str),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the context of an event is none")]
struct NoContext;

impl EventRow {
    /// Converts the row; its JSON stays as it is.
    pub(crate) fn event(self) -> Result<LoggedEvent, StoreError> {
        let no_context = || corrupt(NoContext);
        let traceparent = self.traceparent.map(|text| TraceParent::parse(&text).ok_or_else(no_context));
        let causation_id = self.causation_id.map(|text| CausationId::parse(&text).ok_or_else(no_context));
        Ok(LoggedEvent {
            position: u64::try_from(self.position).map_err(corrupt)?,
            occurred_at: row::instant(self.occurred_at)?,
            name: self.name,
            subject: match (self.order_id, self.reference) {
                (Some(order_id), _) => Subject::Order(row::order_id(order_id)?),
                (None, Some(reference)) => Subject::Batch(row::reference(reference)?),
                (None, None) => Subject::Product(row::sku(self.sku)?),
            },
            json: self.payload,
            context: EventContext { traceparent: traceparent.transpose()?, causation_id: causation_id.transpose()? },
        })
    }
}

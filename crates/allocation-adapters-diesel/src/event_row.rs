//! Events of the log as rows.

use crate::columns::columns;
use crate::error::corrupt;
use crate::row;
use allocation_ports::{CausationId, EventContext, LoggedEvent, StoreError, Subject, TraceParent};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

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

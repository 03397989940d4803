//! Blocks of events, as readers see them.

use crate::columns::columns;
use crate::error::corrupt;
use crate::row;
use allocation_domain::{Event, Sku};
use allocation_ports::{
    Actor, CausationId, EventContext, LoggedEvent, RecordedEvent, StoreError, Subject, TraceParent,
};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

columns! {
    /// A block of the log or the outbox. In the outbox, its position is a negative number.
    ///
    /// A merged block has a line for each original block, which begins with the instant of that block's events.
    #[derive(Debug, Queryable)]
    struct BlockRow {
        first_position: BigInt => i64,
        occurred_at: BigInt => i64,
        events: Text => String,
    }
}

/// The elements of an event in a block, in the order of
/// [`OutboxBlock`](crate::event_block::OutboxBlock)'s events. More elements may follow, which a later program has
/// written.
struct Fields<'a> {
    sku: String,
    version: i64,
    ordinal: i32,
    later: i64,
    name: String,
    order_id: Option<String>,
    reference: Option<String>,
    traceparent: Option<String>,
    causation_id: Option<String>,
    event: &'a RawValue,
    /// Absent in events from before authors were recorded.
    actor: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the elements of an event")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Self::Value, S::Error> {
        fn next<'de, S: SeqAccess<'de>, T: Deserialize<'de>>(elements: &mut S) -> Result<T, S::Error> {
            elements.next_element()?.ok_or_else(|| S::Error::custom("the event has too few elements"))
        }
        let fields = Fields {
            sku: next(&mut elements)?,
            version: next(&mut elements)?,
            ordinal: next(&mut elements)?,
            later: next(&mut elements)?,
            name: next(&mut elements)?,
            order_id: next(&mut elements)?,
            reference: next(&mut elements)?,
            traceparent: next(&mut elements)?,
            causation_id: next(&mut elements)?,
            event: next(&mut elements)?,
            actor: elements.next_element()?,
        };
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(fields)
    }
}

/// An event of a block.
#[derive(Debug)]
pub(crate) struct StoredEvent<'a> {
    pub(crate) position: i64,
    pub(crate) occurred_at: i64,
    pub(crate) sku: String,
    pub(crate) version: i64,
    pub(crate) ordinal: i32,
    pub(crate) name: String,
    pub(crate) order_id: Option<String>,
    /// The batch, if the event is about a batch and no order.
    pub(crate) reference: Option<String>,
    pub(crate) traceparent: Option<String>,
    pub(crate) causation_id: Option<String>,
    /// The event as JSON, as it was written.
    pub(crate) json: &'a str,
    /// The author as JSON, if it was recorded.
    actor: Option<&'a str>,
}

#[derive(Debug, thiserror::Error)]
#[error("the stored context of an event is invalid")]
struct NoContext;

impl BlockRow {
    /// Returns the events of the block, in order.
    pub(crate) fn events(&self) -> Result<Vec<StoredEvent<'_>>, StoreError> {
        let mut stored = Vec::new();
        for line in self.events.split('\n') {
            let (instant, events) = line.split_at(line.find('[').unwrap_or(0));
            let occurred_at = if instant.is_empty() { self.occurred_at } else { instant.parse().map_err(corrupt)? };
            let events: Vec<Fields<'_>> = serde_json::from_str(events).map_err(corrupt)?;
            stored.extend(events.into_iter().map(|fields| (occurred_at, fields)));
        }
        let positions = self.first_position..;
        Ok(positions.zip(stored).map(|(position, (at, fields))| StoredEvent::new(position, at, fields)).collect())
    }
}

impl<'a> StoredEvent<'a> {
    fn new(position: i64, block_at: i64, fields: Fields<'a>) -> Self {
        Self {
            position,
            occurred_at: block_at.saturating_add(fields.later),
            sku: fields.sku,
            version: fields.version,
            ordinal: fields.ordinal,
            name: fields.name,
            order_id: fields.order_id,
            reference: fields.reference,
            traceparent: fields.traceparent,
            causation_id: fields.causation_id,
            json: fields.event.get(),
            actor: fields.actor.map(RawValue::get),
        }
    }
}

impl StoredEvent<'_> {
    /// Returns whether the event has a subject.
    pub(crate) fn is_about(&self, subject: &Subject) -> bool {
        match (subject, &self.order_id, &self.reference) {
            (Subject::Order(order_id), found, _) => found.as_deref() == Some(order_id.as_str()),
            (Subject::Batch(reference), None, found) => found.as_deref() == Some(reference.as_str()),
            (Subject::Product(sku), None, None) => self.sku == sku.as_str(),
            (Subject::Batch(_) | Subject::Product(_), ..) => false,
        }
    }

    /// Returns whether the event is a movement of a product.
    pub(crate) fn moves(&self, sku: &Sku) -> bool {
        self.sku == sku.as_str() && Event::MOVEMENTS.contains(&self.name.as_str())
    }

    /// Returns the author of the event.
    fn actor(&self) -> Actor {
        match self.actor {
            Some("0") => Actor::Anonymous,
            Some(json) => serde_json::from_str::<Cow<'_, str>>(json).map_or(Actor::Unknown, |text| Actor::parse(&text)),
            None => Actor::Unknown,
        }
    }

    /// Converts the event; its JSON stays as it is.
    pub(crate) fn logged(self) -> Result<LoggedEvent, StoreError> {
        let (no_context, actor) = (|| corrupt(NoContext), self.actor());
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
            json: self.json.to_owned(),
            context: EventContext {
                actor,
                traceparent: traceparent.transpose()?,
                causation_id: causation_id.transpose()?,
            },
        })
    }

    /// Converts the event with its JSON.
    pub(crate) fn recorded(self) -> Result<RecordedEvent, StoreError> {
        Ok(RecordedEvent {
            actor: self.actor(),
            sku: row::sku(self.sku)?,
            version: u64::try_from(self.version).map_err(corrupt)?,
            ordinal: u32::try_from(self.ordinal).map_err(corrupt)?,
            occurred_at: row::instant(self.occurred_at)?,
            event: serde_json::from_str(self.json).map_err(corrupt)?,
        })
    }
}

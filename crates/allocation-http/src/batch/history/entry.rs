use crate::choice::choice_schema;
use crate::eta;
use crate::identifier::{Id, Identifier};
use crate::instant::Instant;
use allocation_domain::{Eta, Event};
use allocation_ports::{Actor, RecordedEvent};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

choice_schema! {
    /// The name of an event of a batch.
    BatchEventNameSchema as "BatchEventName": ["batch_added", "batch_changed", "batch_adjusted", "batch_received", "batch_removed"]
}

/// An event of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchEvent)]
pub(crate) struct BatchEntry<'a> {
    /// The time of the event.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    at: Instant,
    /// The name of the event.
    #[schema(value_type = BatchEventNameSchema)]
    event: &'static str,
    /// The SKU of the batch.
    sku: Id<'a>,
    /// The author of the change, as `GET /whoami` names the caller: the `key:` or `token:` of a caller, the
    /// `broker:` user of a command, `system` for the service itself, or `anonymous`. Absent if it was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "key:3kVdR0sUwQa")]
    by: Option<String>,
    #[serde(flatten)]
    #[schema(inline)]
    facts: BatchFacts<'a>,
    /// A human-readable description of the event.
    #[schema(example = "The batch was adjusted by -1: damaged")]
    detail: String,
}

/// The members of an event; those that do not apply are absent.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = BatchEventFacts)]
pub(crate) struct BatchFacts<'a> {
    /// The purchased quantity after the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 20)]
    purchased_quantity: Option<u32>,
    /// The purchased quantity before it was corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 18)]
    old_purchased_quantity: Option<u32>,
    /// The units that adjustments have added, less those that they have removed. Short picks are not among them; the
    /// histories of the orders have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, example = -1)]
    adjustments: Option<i32>,
    /// The units that were added, negative if they were removed. If many lines have to leave, they leave later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, example = -1)]
    change: Option<i32>,
    /// The adjustment, which may concern more batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    adjustment_id: Option<&'a str>,
    /// Why the units were adjusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    reason: Option<&'a str>,
    /// The receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    receipt_id: Option<&'a str>,
    /// The return that the units came back with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    return_id: Option<&'a str>,
    /// The order that returned units were shipped for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    order_id: Option<&'a str>,
    /// The units that arrived and are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 12)]
    qty: Option<u32>,
    /// The units that arrived and were rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 1)]
    rejected: Option<u32>,
    /// The date from which the batch can be picked; null if it is in stock.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "eta::serialize_option")]
    #[schema(value_type = Option<String>, required = false, format = Date)]
    eta: Option<Eta>,
    /// The previous date; null if the batch was in stock.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "eta::serialize_option")]
    #[schema(value_type = Option<String>, required = false, format = Date)]
    old_eta: Option<Eta>,
    /// The revision of the batch, which counts its corrections and adjustments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 2)]
    revision: Option<u32>,
}

impl<'a> From<&'a RecordedEvent> for BatchEntry<'a> {
    fn from(row: &'a RecordedEvent) -> Self {
        let (facts, detail) = describe(&row.event);
        Self {
            at: Instant(row.occurred_at),
            event: row.event.name(),
            sku: (&row.sku).into(),
            by: (row.actor != Actor::Unknown).then(|| row.actor.to_string()),
            facts,
            detail,
        }
    }
}

/// Returns the facts of an event with their description.
fn describe(event: &Event) -> (BatchFacts<'_>, String) {
    match event {
        Event::BatchAdded { purchased_quantity, eta, origin, .. } => {
            let facts = BatchFacts {
                purchased_quantity: Some(purchased_quantity.get()),
                eta: Some(*eta),
                revision: Some(1),
                return_id: origin.as_ref().map(|origin| origin.return_id.as_str()),
                order_id: origin.as_ref().map(|origin| origin.order_id.as_str()),
                ..BatchFacts::default()
            };
            let units = Count(purchased_quantity.get());
            let detail = match origin {
                Some(origin) => format!("{units} of order {} came back: return {}", origin.order_id, origin.return_id),
                None => format!("The batch was added with {units}, {}", Day(*eta)),
            };
            (facts, detail)
        }
        Event::BatchChanged {
            purchased_quantity, adjustments, eta, old_purchased_quantity, old_eta, revision, ..
        } => {
            let facts = BatchFacts {
                purchased_quantity: Some(purchased_quantity.get()),
                old_purchased_quantity: Some(old_purchased_quantity.get()),
                adjustments: Some(*adjustments),
                eta: Some(*eta),
                old_eta: Some(*old_eta),
                revision: Some(*revision),
                ..BatchFacts::default()
            };
            let (units, old_units) = (Count(purchased_quantity.get()), Count(old_purchased_quantity.get()));
            let (day, old_day) = (Day(*eta), Day(*old_eta));
            (facts, format!("The purchase is {units}, {day}; before, it was {old_units}, {old_day}"))
        }
        Event::BatchAdjusted { adjustment_id, reason, change, purchased_quantity, adjustments, revision, .. } => {
            let facts = BatchFacts {
                purchased_quantity: Some(purchased_quantity.get()),
                adjustments: Some(*adjustments),
                change: Some(change.get()),
                adjustment_id: Some(adjustment_id.as_str()),
                reason: Some(reason.as_str()),
                revision: Some(*revision),
                ..BatchFacts::default()
            };
            (facts, format!("The batch was adjusted by {change}: {reason}"))
        }
        Event::BatchReceived {
            receipt_id,
            quantity,
            rejected_quantity,
            purchased_quantity,
            adjustments,
            old_eta,
            revision,
            ..
        } => {
            let facts = BatchFacts {
                purchased_quantity: Some(purchased_quantity.get()),
                adjustments: Some(*adjustments),
                receipt_id: Some(receipt_id.as_str()),
                qty: Some(quantity.get()),
                rejected: Some(rejected_quantity.get()),
                eta: Some(Eta::InStock),
                old_eta: Some(*old_eta),
                revision: Some(*revision),
                ..BatchFacts::default()
            };
            let (kept, rejected) = (Count(quantity.get()), Count(rejected_quantity.get()));
            (facts, format!("{kept} received into stock, {rejected} rejected"))
        }
        // No other event is about a batch, except that it was deleted.
        _ => (BatchFacts::default(), "The batch was deleted".to_owned()),
    }
}

/// A number of units, as text.
struct Count(u32);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { "unit" } else { "units" })
    }
}

/// The date of a batch, as text.
struct Day(Eta);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.date() {
            Some(date) => write!(f, "due on {date}"),
            None => f.write_str("in stock"),
        }
    }
}

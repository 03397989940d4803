use super::describe::describe;
use super::schema::{EventNameSchema, ReasonSchema};
use crate::eta;
use crate::goods_return::DispositionSchema;
use crate::identifier::{Id, Identifier};
use crate::instant::Instant;
use crate::order::request::OnShortageSchema;
use crate::promises::PromisesSchema;
use allocation_domain::{BatchReference, Eta, Event, ListedUnits, Promises, Quantity, ShipmentId};
use allocation_ports::{Actor, RecordedEvent};
use serde::Serialize;
use utoipa::ToSchema;

/// An event of an order line.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderEvent)]
pub(crate) struct HistoryEntry<'a> {
    /// The time of the event.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    at: Instant,
    /// The name of the event.
    #[schema(value_type = EventNameSchema)]
    event: &'static str,
    /// The SKU of the line.
    sku: Id<'a>,
    /// The author of the change, as `GET /whoami` names the caller: the `key:` or `token:` of a caller, the
    /// `broker:` user of a command, `system` for the service itself, or `anonymous`. Absent if it was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "key:3kVdR0sUwQa")]
    by: Option<String>,
    #[serde(flatten)]
    #[schema(inline)]
    facts: Facts<'a>,
    /// A human-readable description of the event.
    #[schema(example = "10 units allocated from batch B-1")]
    detail: String,
}

/// The members of an event; those that do not apply are absent.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = OrderEventFacts)]
pub(crate) struct Facts<'a> {
    /// The batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    reference: Option<&'a str>,
    /// The quantity. For a corrected pick, the units that were found, which may be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 10)]
    qty: Option<u32>,
    /// The previous quantity of a line that was changed or of a pick that was corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 0, example = 12)]
    old_qty: Option<u32>,
    /// The pick list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    pick_list_id: Option<&'a str>,
    /// The return.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    return_id: Option<&'a str>,
    /// What becomes of returned units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = DispositionSchema, required = false)]
    disposition: Option<&'static str>,
    /// The number of the pick line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 1)]
    line: Option<u32>,
    /// The shipment with which units left. Absent if their list was shipped as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    shipment_id: Option<&'a str>,
    /// Why units were allocated, deallocated or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ReasonSchema, required = false)]
    reason: Option<&'static str>,
    /// The previously promised date; null for stock.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "eta::serialize_option")]
    #[schema(value_type = Option<String>, required = false, format = Date)]
    old_eta: Option<Eta>,
    /// The currently promised date; null for stock.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "eta::serialize_option")]
    #[schema(value_type = Option<String>, required = false, format = Date)]
    new_eta: Option<Eta>,
    /// The time at which the hold expires or expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = DateTime)]
    expires_at: Option<Instant>,
    /// The priority of the line. Higher numbers are served first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false)]
    priority: Option<i32>,
    /// What happens to the line if stock does not suffice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = OnShortageSchema, required = false)]
    on_shortage: Option<&'static str>,
    /// Whether a waiting line accepts part of its units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    allow_split: Option<bool>,
    /// Whether the line keeps the date that it was promised. Absent if it moves to earlier batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = PromisesSchema, required = false)]
    promises: Option<&'static str>,
    /// The batch that held the units before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Id<'static>, required = false)]
    old_reference: Option<&'a str>,
    /// Whether pick lists leave the line out until all of its order is in stock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    ship_complete: Option<bool>,
}

impl<'a> From<&'a RecordedEvent> for HistoryEntry<'a> {
    fn from(row: &'a RecordedEvent) -> Self {
        Self {
            at: Instant(row.occurred_at),
            event: row.event.name(),
            sku: (&row.sku).into(),
            by: (row.actor != Actor::Unknown).then(|| row.actor.to_string()),
            facts: Facts::from(&row.event),
            detail: describe(&row.event),
        }
    }
}

impl<'a> Facts<'a> {
    /// Returns the facts of an event of a pick line.
    fn on_list(units: &'a ListedUnits) -> Self {
        Self {
            reference: Some(units.reference.as_str()),
            pick_list_id: Some(units.list.as_str()),
            line: Some(units.line),
            qty: Some(units.quantity.get()),
            ..Self::default()
        }
    }
}

/// Returns the name of promises that are kept.
fn stable(promises: Promises) -> Option<&'static str> {
    (promises == Promises::Stable).then_some(promises.as_str())
}

impl<'a> From<&'a Event> for Facts<'a> {
    fn from(event: &'a Event) -> Self {
        let units = |quantity: &Quantity| Self { qty: Some(quantity.get()), ..Self::default() };
        match event {
            Event::LinePlaced {
                quantity,
                priority,
                on_shortage,
                allow_split,
                promises,
                ship_complete,
                expires_at,
                ..
            } => Self {
                priority: Some(*priority),
                on_shortage: Some(on_shortage.as_str()),
                allow_split: Some(*allow_split),
                promises: stable(*promises),
                ship_complete: Some(true).filter(|_| *ship_complete),
                expires_at: expires_at.map(Instant),
                ..units(quantity)
            },
            Event::Allocated { reference, quantity, reason, .. } => {
                Self { reference: Some(reference.as_str()), reason: Some(reason.as_str()), ..units(quantity) }
            }
            Event::Deallocated { reference, quantity, reason, .. } => {
                Self { reference: Some(reference.as_str()), reason: Some(reason.as_str()), ..units(quantity) }
            }
            Event::LineChanged {
                quantity,
                old_quantity,
                priority,
                on_shortage,
                allow_split,
                promises,
                ship_complete,
                ..
            } => Self {
                old_qty: Some(old_quantity.get()),
                priority: Some(*priority),
                on_shortage: Some(on_shortage.as_str()),
                allow_split: Some(*allow_split),
                promises: stable(*promises),
                ship_complete: Some(true).filter(|_| *ship_complete),
                ..units(quantity)
            },
            Event::LineRemoved { quantity, .. }
            | Event::LineReinstated { quantity, .. }
            | Event::Backordered { quantity, .. }
            | Event::LineShort { quantity, .. }
            | Event::WaitEnded { quantity, .. } => units(quantity),
            Event::PromiseImproved { old_reference, reference, quantity, old_eta, new_eta, .. } => Self {
                old_reference: Some(old_reference.as_str()),
                reference: Some(reference.as_str()),
                old_eta: Some(*old_eta),
                new_eta: Some(*new_eta),
                ..units(quantity)
            },
            Event::PromiseWorsened { reference, quantity, old_eta, new_eta, .. } => Self {
                reference: Some(reference.as_str()),
                old_eta: Some(*old_eta),
                new_eta: Some(*new_eta),
                ..units(quantity)
            },
            Event::PickListed(units) | Event::Picked(units) | Event::UnitsMissing(units) => Self::on_list(units),
            Event::PickCorrected { units, found, old_found, .. } => {
                Self { qty: Some(found.get()), old_qty: Some(old_found.get()), ..Self::on_list(units) }
            }
            Event::PutBack { units, .. } => Self::on_list(units),
            Event::Shipped { units, shipment_id } => {
                Self { shipment_id: shipment_id.as_ref().map(ShipmentId::as_str), ..Self::on_list(units) }
            }
            Event::PickLineChanged { units, reason, .. } | Event::PickLineWithdrawn { units, reason } => {
                Self { reason: Some(reason.as_str()), ..Self::on_list(units) }
            }
            Event::LineReturned { return_id, quantity, disposition, reference, .. } => Self {
                reference: reference.as_ref().map(BatchReference::as_str),
                return_id: Some(return_id.as_str()),
                disposition: Some(disposition.as_str()),
                ..units(quantity)
            },
            Event::HoldExtended { expires_at, .. } | Event::HoldExpired { expires_at, .. } => {
                Self { expires_at: Some(Instant(*expires_at)), ..Self::default() }
            }
            Event::HoldConfirmed { .. } | Event::LineCancelled { .. } | Event::LineClosed { .. } => Self::default(),
            // No order history contains these.
            Event::BatchAdded { .. }
            | Event::BatchChanged { .. }
            | Event::BatchAdjusted { .. }
            | Event::BatchReceived { .. }
            | Event::BatchRemoved { .. }
            | Event::ProductRegistered { .. }
            | Event::BackInStock { .. }
            | Event::ProductChanged { .. }
            | Event::OutOfStock { .. } => Self::default(),
        }
    }
}

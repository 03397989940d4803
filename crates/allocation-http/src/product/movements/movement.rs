use crate::choice::choice_schema;
use crate::eta;
use crate::identifier::Identifier;
use crate::instant::Instant;
use allocation_domain::{Eta, Event, ListedUnits, ShipmentId};
use allocation_ports::{Actor, RecordedEvent};
use serde::Serialize;
use utoipa::ToSchema;

choice_schema! {
    /// The name of an event that moves units.
    MovementNameSchema as "MovementName": [
        "batch_added", "batch_changed", "batch_adjusted", "batch_received", "batch_removed", "units_missing",
        "pick_corrected", "shipped"
    ]
}

/// A change of the units of a product.
#[derive(Serialize, ToSchema)]
#[schema(as = Movement)]
pub(crate) struct Movement<'a> {
    /// The time of the event.
    #[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
    at: Instant,
    /// The name of the event.
    #[schema(value_type = MovementNameSchema)]
    event: &'static str,
    /// The units that came, negative if they left; 0 if only the date of the batch has changed.
    #[schema(example = -1)]
    change: i64,
    #[serde(flatten)]
    #[schema(inline)]
    facts: MovementFacts<'a>,
    /// The author of the change, as `GET /whoami` names the caller: the `key:` or `token:` of a caller, the
    /// `broker:` user of a command, `system` for the service itself, or `anonymous`. Absent if it was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "key:3kVdR0sUwQa")]
    by: Option<String>,
}

/// The members of a movement; those that do not apply are absent.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = MovementFacts)]
pub(crate) struct MovementFacts<'a> {
    /// The batch.
    #[schema(value_type = Identifier)]
    reference: &'a str,
    /// The date from which the batch can be picked; null if it is in stock.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "eta::serialize_option")]
    #[schema(value_type = Option<String>, required = false, format = Date)]
    eta: Option<Eta>,
    /// The previous date; null if the batch was in stock.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "eta::serialize_option")]
    #[schema(value_type = Option<String>, required = false, format = Date)]
    old_eta: Option<Eta>,
    /// The order that the units were picked for, or came back from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    order_id: Option<&'a str>,
    /// The pick list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    pick_list_id: Option<&'a str>,
    /// The number of the pick line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 1)]
    line: Option<u32>,
    /// The shipment with which the units left. Absent if their list was shipped as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Identifier, required = false)]
    shipment_id: Option<&'a str>,
    /// The adjustment.
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
}

impl<'a> From<&'a RecordedEvent> for Movement<'a> {
    fn from(row: &'a RecordedEvent) -> Self {
        Self {
            at: Instant(row.occurred_at),
            event: row.event.name(),
            change: row.event.moved_units().unwrap_or(0),
            facts: MovementFacts::of(&row.event),
            by: (row.actor != Actor::Unknown).then(|| row.actor.to_string()),
        }
    }
}

impl<'a> MovementFacts<'a> {
    fn of(event: &'a Event) -> Self {
        match event {
            Event::BatchAdded { reference, eta, origin, .. } => Self {
                reference: reference.as_str(),
                eta: Some(*eta),
                order_id: origin.as_ref().map(|origin| origin.order_id.as_str()),
                return_id: origin.as_ref().map(|origin| origin.return_id.as_str()),
                ..Self::default()
            },
            Event::BatchChanged { reference, eta, old_eta, .. } => {
                Self { reference: reference.as_str(), eta: Some(*eta), old_eta: Some(*old_eta), ..Self::default() }
            }
            Event::BatchAdjusted { reference, adjustment_id, reason, .. } => Self {
                reference: reference.as_str(),
                adjustment_id: Some(adjustment_id.as_str()),
                reason: Some(reason.as_str()),
                ..Self::default()
            },
            Event::BatchReceived { reference, receipt_id, old_eta, .. } => Self {
                reference: reference.as_str(),
                receipt_id: Some(receipt_id.as_str()),
                eta: Some(Eta::InStock),
                old_eta: Some(*old_eta),
                ..Self::default()
            },
            Event::BatchRemoved { reference, .. } => Self { reference: reference.as_str(), ..Self::default() },
            Event::UnitsMissing(units) | Event::PickCorrected { units, .. } => Self::of_pick(units),
            Event::Shipped { units, shipment_id } => {
                Self { shipment_id: shipment_id.as_ref().map(ShipmentId::as_str), ..Self::of_pick(units) }
            }
            _ => Self::default(),
        }
    }

    fn of_pick(units: &'a ListedUnits) -> Self {
        Self {
            reference: units.reference.as_str(),
            order_id: Some(units.order_id.as_str()),
            pick_list_id: Some(units.list.as_str()),
            line: Some(units.line),
            ..Self::default()
        }
    }
}

use crate::event_type;
use allocation_domain::Event;
use allocation_ports::{CausationId, LoggedEvent, Subject, TraceParent};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// An event in the format of CloudEvents 1.0, structured mode, JSON.
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    #[serde(serialize_with = "text")]
    id: u64,
    source: &'a str,
    r#type: &'static str,
    #[serde(serialize_with = "text")]
    subject: Subject,
    #[serde(serialize_with = "instant")]
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'a str>,
    data: &'a Event,
}

/// Returns an event of the log as a `CloudEvent` with this `source`, a URI reference that names the service.
///
/// The `id` is the position in decimal digits. The `data` is the event as the domain crate serializes it,
/// so that a Rust consumer can restore it unchanged.
#[must_use]
pub fn cloud_event<'a>(event: &'a LoggedEvent, source: &'a str) -> CloudEvent<'a> {
    CloudEvent {
        specversion: "1.0",
        id: event.position,
        source,
        r#type: event_type(&event.event),
        subject: Subject::of(&event.event),
        time: event.occurred_at,
        datacontenttype: "application/json",
        traceparent: event.context.traceparent.as_ref().map(TraceParent::as_str),
        causationid: event.context.causation_id.as_ref().map(CausationId::as_str),
        data: &event.event,
    }
}

fn text<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes RFC 3339 in UTC, with microseconds unless they are zero.
fn instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let whole = at.timestamp_subsec_micros() == 0;
    let precision = if whole { SecondsFormat::Secs } else { SecondsFormat::Micros };
    serializer.serialize_str(&at.to_rfc3339_opts(precision, true))
}

use crate::type_of;
use allocation_ports::{Actor, CausationId, LoggedEvent, Subject, TraceParent};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An event in the format of CloudEvents 1.0, structured mode, JSON.
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    #[serde(serialize_with = "text")]
    id: u64,
    source: &'a str,
    r#type: &'static str,
    #[serde(serialize_with = "text")]
    subject: &'a Subject,
    #[serde(serialize_with = "instant")]
    time: DateTime<Utc>,
    datacontenttype: &'static str,
    authtype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_text")]
    authid: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'a str>,
    data: &'a RawValue,
}

impl CloudEvent<'_> {
    /// Returns the position of the event, whose decimal digits are its `id`.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.id
    }

    /// Returns the type of the event.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        self.r#type
    }
}

/// Why an event of the log has no published form.
#[derive(Debug, thiserror::Error)]
pub enum UnpublishableEvent {
    /// No published type has this name.
    #[error("no type is published for events named {0:?}, a later version may have one")]
    UnknownName(String),
    /// The stored text is not JSON.
    #[error("the stored event is not JSON")]
    NotJson(#[source] serde_json::Error),
}

/// Returns an event of the log as a `CloudEvent` with this `source`, a URI reference that names the service.
///
/// The `id` is the position in decimal digits. The `data` is the event as it was stored, which is the form
/// that the domain crate writes, so that a Rust consumer can restore it.
///
/// # Errors
///
/// Returns [`UnpublishableEvent`] if a later version has stored the event, or if it is not JSON.
pub fn cloud_event<'a>(event: &'a LoggedEvent, source: &'a str) -> Result<CloudEvent<'a>, UnpublishableEvent> {
    let actor = &event.context.actor;
    Ok(CloudEvent {
        specversion: "1.0",
        id: event.position,
        source,
        r#type: type_of(&event.name).ok_or_else(|| UnpublishableEvent::UnknownName(event.name.clone()))?,
        subject: &event.subject,
        time: event.occurred_at,
        datacontenttype: "application/json",
        authtype: auth_type(actor),
        authid: Some(actor).filter(|actor| has_id(actor)),
        traceparent: event.context.traceparent.as_ref().map(TraceParent::as_str),
        causationid: event.context.causation_id.as_ref().map(CausationId::as_str),
        data: serde_json::from_str(&event.json).map_err(UnpublishableEvent::NotJson)?,
    })
}

/// Returns the kind of an author, as the extension Auth Context names it.
const fn auth_type(actor: &Actor) -> &'static str {
    match actor {
        Actor::Anonymous => "unauthenticated",
        Actor::System => "system",
        Actor::Key(_) => "api_key",
        Actor::Token(_) | Actor::BrokerUser(_) => "user",
        Actor::Unknown => "unknown",
    }
}

/// Returns whether an author is one of several of its kind.
const fn has_id(actor: &Actor) -> bool {
    !matches!(actor, Actor::Anonymous | Actor::System | Actor::Unknown)
}

fn optional_text<S: Serializer>(value: &Option<&Actor>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
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

//! The `CloudEvent` around a command.

use super::command::Command;
use super::problem::{Kind, Problem};
use allocation_ports::{Actor, BrokerUser, CausationId, EventContext, TraceParent};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The maximum size of a command in bytes: the limit of an HTTP API body.
const MAX_BYTES: usize = 256 << 10;

/// A command with its id and context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The `id` of the `CloudEvent`.
    pub(crate) id: CausationId,
    /// The context that the command's events record.
    pub(crate) context: EventContext,
    pub(crate) command: Command,
}

/// The `CloudEvent` members that are read. All other members are ignored.
#[derive(Deserialize)]
struct CloudEvent<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    datacontenttype: Option<Cow<'a, str>>,
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Envelope {
    /// Parses a message. The broker has checked that the connection of its sender is that of `user`.
    pub(crate) fn parse(content_type: Option<&str>, user: Option<&str>, bytes: &[u8]) -> Result<Self, Problem> {
        if !content_type.is_some_and(is_cloud_event) {
            return Err(Problem::of(Kind::UnsupportedMediaType, "must be sent as application/cloudevents+json"));
        }
        if bytes.len() > MAX_BYTES {
            return Err(Problem::of(Kind::BodyTooLarge, format!("must have at most {MAX_BYTES} bytes")));
        }
        let event = read(bytes)?;
        let id = check(&event)?;
        let data = event.data.ok_or_else(|| Problem::validation("data: is missing"))?;
        let command = Command::parse(&event.r#type, data)?;
        let traceparent = event.traceparent.as_deref().and_then(TraceParent::parse);
        let actor = user.and_then(BrokerUser::parse).map_or(Actor::Unknown, Actor::BrokerUser);
        let context = EventContext { actor, traceparent, causation_id: Some(id.clone()) };
        Ok(Self { id, context, command })
    }
}

/// Some programs write a byte order mark before their JSON.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

fn is_cloud_event(content_type: &str) -> bool {
    let media_type = content_type.split_once(';').map_or(content_type, |(media_type, _)| media_type);
    media_type.trim().eq_ignore_ascii_case("application/cloudevents+json")
}

fn read(bytes: &[u8]) -> Result<CloudEvent<'_>, Problem> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    // serde would accept an array for a struct.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::validation("must be an object"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // Valid JSON, but not a CloudEvent.
        let kind = if error.is_data() { Kind::Validation } else { Kind::MalformedJson };
        Problem::of(kind, error.to_string())
    })
}

fn check(event: &CloudEvent<'_>) -> Result<CausationId, Problem> {
    if event.specversion != "1.0" {
        return Err(Problem::validation("specversion: must be 1.0"));
    }
    let rule = || format!("id: must have 1 to {} characters, none of them a control character", CausationId::MAX_CHARS);
    let id = CausationId::parse(&event.id).ok_or_else(|| Problem::validation(rule()))?;
    if event.source.is_empty() {
        return Err(Problem::validation("source: must not be empty"));
    }
    let is_json = |media_type: &str| media_type.split(';').next().is_some_and(|name| name.trim() == "application/json");
    if event.datacontenttype.as_deref().is_some_and(|media_type| !is_json(media_type)) {
        return Err(Problem::validation("datacontenttype: must be application/json"));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const CLOUD_EVENT: Option<&str> = Some("application/cloudevents+json; charset=utf-8");

    fn event() -> Value {
        json!({
            "specversion": "1.0", "id": "C-1", "source": "/shop", "type": "allocation.command.deallocate.v1",
            "time": "2027-01-15T08:00:00Z", "anything": [1], "datacontenttype": "application/json",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "data": {"order_id": "O-1", "reference": "B-1"},
        })
    }

    fn refusal(event: &Value) -> String {
        Envelope::parse(CLOUD_EVENT, None, event.to_string().as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_cloud_event_may_have_unknown_members() {
        let envelope = Envelope::parse(CLOUD_EVENT, None, event().to_string().as_bytes()).unwrap();
        assert_eq!(envelope.id.as_str(), "C-1");
        assert_eq!(envelope.context.causation_id, Some(envelope.id));
        assert!(envelope.context.traceparent.is_some_and(|parent| parent.as_str().starts_with("00-4bf9")));
        assert!(matches!(envelope.command, Command::Deallocate { .. }));
    }

    #[test]
    fn the_author_is_the_user_that_the_broker_has_checked() {
        let actor = |user| Envelope::parse(CLOUD_EVENT, user, event().to_string().as_bytes()).unwrap().context.actor;
        assert_eq!(actor(Some("erp")).to_string(), "broker:erp");
        assert_eq!(actor(None), Actor::Unknown, "the sender has not given any");
    }

    #[test]
    fn a_message_is_an_object_and_may_begin_with_a_byte_order_mark() {
        let marked = [BYTE_ORDER_MARK, event().to_string().as_bytes()].concat();
        assert!(Envelope::parse(CLOUD_EVENT, None, &marked).is_ok());
        let array = r#"["1.0","C-1","/shop","allocation.command.deallocate.v1",null,null,{}]"#;
        for array in [array.to_owned(), format!("\u{feff} \n{array}")] {
            assert_eq!(
                Envelope::parse(CLOUD_EVENT, None, array.as_bytes()).unwrap_err().to_string(),
                Problem::validation("must be an object").to_string()
            );
        }
    }

    #[test]
    fn each_error_of_the_envelope_is_reported() {
        for (member, value) in [
            ("specversion", json!("0.3")),
            ("id", json!("")),
            ("id", json!("x".repeat(256))),
            ("id", json!("a\u{0}b")),
            ("source", json!("")),
            ("type", json!("allocation.line.allocated.v1")),
            ("datacontenttype", json!("text/xml")),
            ("data", Value::Null),
            ("data", json!({"order_id": "O-1", "reference": "B-1", "more": 1})),
        ] {
            let mut event = event();
            event[member] = value;
            let told = refusal(&event);
            assert!(told.contains("/problems/validation") && told.contains(member), "{told}");
        }
        for member in ["specversion", "id", "source", "type", "data"] {
            let mut event = event();
            event.as_object_mut().unwrap().remove(member);
            assert!(refusal(&event).contains(member), "{member}");
        }
    }

    #[test]
    fn invalid_json_and_other_content_types_are_distinguished() {
        let named = |content_type, bytes: &[u8]| Envelope::parse(content_type, None, bytes).unwrap_err().to_string();
        assert!(named(CLOUD_EVENT, b"{\"id\":").contains("/problems/malformed-json"));
        assert!(named(CLOUD_EVENT, b"\xff").contains("/problems/malformed-json"));
        assert!(named(CLOUD_EVENT, b"[]").contains("/problems/validation"));
        assert!(named(None, b"{}").contains("/problems/unsupported-media-type"));
        assert!(named(Some("application/json"), b"{}").contains("/problems/unsupported-media-type"));
        assert!(named(CLOUD_EVENT, &vec![b' '; MAX_BYTES + 1]).contains("/problems/body-too-large"));
    }
}

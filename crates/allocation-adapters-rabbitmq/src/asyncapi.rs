//! The `AsyncAPI` document of what the service publishes and consumes.

use crate::commands::{COMMANDS, CommandKind};
use allocation_cloudevents::{MEDIA_TYPE, TYPES, event_schema, schema_name};
use serde_json::{Map, Value, json};

/// The names of the exchange and the queue in the document, which settings change.
const EXCHANGE: &str = "allocation.events";
const QUEUE: &str = "allocation.commands";

/// Returns the `AsyncAPI` 3.0 document as indented JSON with a trailing newline.
#[must_use]
pub fn asyncapi_json() -> String {
    format!("{:#}\n", document())
}

fn document() -> Value {
    let events: Vec<_> = TYPES.iter().map(|event_type| (schema_name(event_type), event_message(event_type))).collect();
    let commands: Vec<_> = COMMANDS.iter().map(|kind| (schema_name(kind.name), command_message(kind))).collect();
    let names = |messages: &[(String, Value)]| messages.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (event_names, command_names) = (names(&events), names(&commands));
    let mut messages: Map<String, Value> = events.into_iter().chain(commands).collect();
    messages.insert("RejectedCommand".to_owned(), dead_letter());
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Allocation Service over RabbitMQ",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every event goes to a topic exchange at least once, in the order of its SKU. Commands have \
                the effect of the corresponding HTTP requests. The names of exchange and queue are settings.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": MEDIA_TYPE,
        "servers": {
            "rabbitmq": {
                "host": "127.0.0.1:5672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "The broker that --amqp-url names",
            },
        },
        "channels": {
            "events": {
                "address": EXCHANGE,
                "description": "A durable topic exchange (--amqp-exchange). The routing key is the type of the event.",
                "messages": references(&event_names),
                "bindings": { "amqp": {
                    "is": "routingKey",
                    "exchange": {
                        "name": EXCHANGE, "type": "topic", "durable": true, "autoDelete": false, "vhost": "/",
                    },
                    "bindingVersion": "0.3.0",
                } },
            },
            "commands": queue(QUEUE, "A durable queue (--amqp-queue). Publish to the default exchange, with the name \
                of the queue as routing key.", references(&command_names)),
            "rejectedCommands": queue(&format!("{QUEUE}.dead"), "Commands that are invalid or were rejected. Their \
                bodies are unchanged.", references(&["RejectedCommand".to_owned()])),
        },
        "operations": {
            "publishEvents": operation("send", "events", "Publish every event"),
            "executeCommands": operation("receive", "commands", "Execute commands"),
            "rejectCommands": operation("send", "rejectedCommands", "Set rejected commands aside"),
        },
        "components": { "messages": messages },
    })
}

fn queue(name: &str, description: &str, messages: Value) -> Value {
    json!({
        "address": name,
        "description": description,
        "messages": messages,
        "bindings": { "amqp": {
            "is": "queue",
            "queue": { "name": name, "durable": true, "exclusive": false, "autoDelete": false, "vhost": "/" },
            "bindingVersion": "0.3.0",
        } },
    })
}

fn operation(action: &str, channel: &str, summary: &str) -> Value {
    json!({ "action": action, "channel": { "$ref": format!("#/channels/{channel}") }, "summary": summary })
}

/// Returns references to messages by their names.
fn references(names: &[String]) -> Value {
    names.iter().map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }))).collect()
}

#[expect(clippy::expect_used, reason = "a test reads the schema of every type")]
fn event_message(event_type: &str) -> Value {
    let text = event_schema(event_type).expect("every type has a schema");
    let mut payload: Value = serde_json::from_str(text).expect("a schema is JSON");
    let members = payload.as_object_mut().expect("a schema is an object");
    // The document has its own dialect, in which the schema means the same.
    members.remove("$schema");
    let summary = members.remove("description");
    json!({
        "name": event_type,
        "title": event_type,
        "summary": summary,
        "contentType": MEDIA_TYPE,
        "payload": payload,
        "bindings": { "amqp": { "messageType": event_type, "bindingVersion": "0.3.0" } },
    })
}

fn command_message(kind: &CommandKind) -> Value {
    json!({
        "name": kind.name,
        "title": kind.name,
        "summary": kind.summary,
        "contentType": MEDIA_TYPE,
        "payload": {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "data"],
            "properties": {
                "specversion": { "const": "1.0" },
                "id": {
                    "description": "Unique among all senders. The events of the command have it as causationid.",
                    "type": "string", "minLength": 1, "maxLength": 255,
                },
                "source": { "description": "The sender.", "type": "string", "minLength": 1 },
                "type": { "const": kind.name },
                "datacontenttype": { "const": "application/json" },
                "traceparent": {
                    "description": "A trace (W3C Trace Context) that the events carry on.",
                    "type": "string",
                },
                "data": kind.data(),
            },
        },
    })
}

fn dead_letter() -> Value {
    json!({
        "name": "rejected-command",
        "title": "Rejected command",
        "summary": "A message of the command queue, with the reason in a header",
        "headers": {
            "type": "object",
            "required": ["problem"],
            "properties": { "problem": {
                "description": "A JSON object with the type, the title and the detail of the problem.",
                "type": "string",
                "contentMediaType": "application/json",
            } },
        },
        "payload": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `visit` with every reference.
    fn references_in(value: &Value, visit: &mut impl FnMut(&str)) {
        match value {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                    visit(target);
                }
                members.values().for_each(|member| references_in(member, visit));
            }
            Value::Array(elements) => elements.iter().for_each(|element| references_in(element, visit)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_resolves_and_every_message_has_a_channel() {
        let document = document();
        let mut referred = Vec::new();
        references_in(&document, &mut |target| {
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
            referred.push(target.to_owned());
        });
        let messages = document["components"]["messages"].as_object().unwrap();
        assert_eq!(messages.len(), TYPES.len() + COMMANDS.len() + 1);
        for name in messages.keys() {
            assert!(referred.contains(&format!("#/components/messages/{name}")), "{name}");
        }
    }
}

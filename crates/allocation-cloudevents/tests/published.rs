//! Published events stay compatible: events of every release are still valid, and the same events are still
//! written with no member missing or changed.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use allocation_cloudevents::{TYPES, cloud_event};
use allocation_domain::Event;
use allocation_ports::{Actor, CausationId, EventContext, LoggedEvent, Subject, TraceParent};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One event of each type, as it was first published. A new type gets one here; existing ones are never
/// changed.
fn published() -> Vec<Value> {
    serde_json::from_str(include_str!("published.json")).unwrap()
}

fn text<'a>(event: &'a Value, member: &str) -> &'a str {
    event[member].as_str().unwrap()
}

/// The event as the current code writes it.
fn written_today(event: &Value) -> Value {
    let data: Event = serde_json::from_value(event["data"].clone()).unwrap();
    let logged = LoggedEvent {
        position: text(event, "id").parse().unwrap(),
        occurred_at: text(event, "time").parse().unwrap(),
        name: data.name().to_owned(),
        subject: Subject::of(&data),
        json: serde_json::to_string(&data).unwrap(),
        context: EventContext {
            actor: event["authid"].as_str().map_or(Actor::Unknown, Actor::parse),
            traceparent: event["traceparent"].as_str().and_then(TraceParent::parse),
            causation_id: event["causationid"].as_str().and_then(CausationId::parse),
        },
    };
    serde_json::to_value(cloud_event(&logged, text(event, "source")).unwrap()).unwrap()
}

/// Checks that the second event has every member of the first, with its value.
fn assert_has_all_of(old: &Value, new: &Value) {
    match old.as_object() {
        Some(members) => members.iter().for_each(|(name, value)| assert_has_all_of(value, &new[name])),
        None => assert_eq!(old, new),
    }
}

#[test]
fn every_type_has_a_published_example() {
    let types: BTreeSet<String> = published().iter().map(|event| text(event, "type").to_owned()).collect();
    assert_eq!(types, TYPES.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn published_events_are_valid_by_the_current_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events");
    for event in published() {
        let schema = fs::read_to_string(folder.join(format!("{}.json", text(&event, "type")))).unwrap();
        let validator = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
        let faults: Vec<_> = validator.iter_errors(&event).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{event}: {faults:?}");
    }
}

#[test]
fn published_events_are_still_written_unchanged() {
    for event in published() {
        assert_has_all_of(&event, &written_today(&event));
    }
}

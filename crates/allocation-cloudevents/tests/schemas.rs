//! Every type has one schema in `docs/events`, and the code writes events that are valid by it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use allocation_cloudevents::{TYPES, UnpublishableEvent, cloud_event, event_name, event_type, type_of};
use allocation_domain::ReceiptId;
use allocation_domain::{
    AdjustmentId, AdjustmentReason, AllocationReason, BatchOrigin, BatchReference, DeallocationReason, Disposition,
    Eta, Event, ListedUnits, OnShortage, OrderId, PickListId, Promises, PutBackReason, Quantity, ReturnId, ShipmentId,
    Sku, UnitChange, Units, WithdrawalReason,
};
use allocation_ports::{Actor, CausationId, EventContext, LoggedEvent, Subject, TraceParent};
use chrono::{DateTime, Utc};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events")
}

fn schema(event_type: &str) -> Value {
    let file = folder().join(format!("{event_type}.json"));
    serde_json::from_str(&fs::read_to_string(&file).unwrap_or_else(|_| panic!("there is no {file:?}"))).unwrap()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}

fn instant() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap()
}

fn due() -> Eta {
    Eta::Due("2027-01-15".parse().unwrap())
}

/// Events of every type, with and without their optional members.
fn examples() -> Vec<Event> {
    let (sku, order_id) = (|| Sku::parse("LAMP").unwrap(), || OrderId::parse("O-1").unwrap());
    let reference = || BatchReference::parse("B-1/ü").unwrap();
    let (quantity, units) = (|units: u32| Quantity::new(units).unwrap(), |number: u32| Units::new(number).unwrap());
    let mut events = vec![
        Event::BatchAdded {
            reference: reference(),
            sku: sku(),
            purchased_quantity: quantity(1),
            eta: due(),
            origin: None,
        },
        Event::BatchAdded {
            reference: reference(),
            sku: sku(),
            purchased_quantity: quantity(Quantity::MAX),
            eta: Eta::InStock,
            origin: Some(BatchOrigin { return_id: ReturnId::parse("RMA-1").unwrap(), order_id: order_id() }),
        },
        Event::BatchChanged {
            reference: reference(),
            sku: sku(),
            purchased_quantity: Units::ZERO,
            adjustments: 0,
            eta: Eta::InStock,
            old_purchased_quantity: units(3),
            old_adjustments: -1,
            old_eta: due(),
            revision: 2,
        },
        Event::BatchAdjusted {
            reference: reference(),
            sku: sku(),
            adjustment_id: AdjustmentId::parse("COUNT-7").unwrap(),
            reason: AdjustmentReason::parse("damaged").unwrap(),
            change: UnitChange::new(-2).unwrap(),
            purchased_quantity: units(9),
            adjustments: -2,
            old_purchased_quantity: Some(units(9)),
            old_adjustments: Some(0),
            revision: 2,
        },
        Event::BatchReceived {
            reference: reference(),
            sku: sku(),
            receipt_id: ReceiptId::parse("GR-7").unwrap(),
            quantity: units(7),
            rejected_quantity: units(2),
            purchased_quantity: units(9),
            adjustments: -2,
            old_purchased_quantity: Some(units(20)),
            old_adjustments: Some(-2),
            old_eta: due(),
            revision: 2,
        },
        Event::BatchRemoved { reference: reference(), sku: sku(), quantity: Some(units(4)) },
        Event::Backordered { order_id: order_id(), sku: sku(), quantity: quantity(2) },
        Event::LineShort { order_id: order_id(), sku: sku(), quantity: quantity(2) },
        Event::WaitEnded { order_id: order_id(), sku: sku(), quantity: quantity(2) },
        Event::PromiseWorsened {
            order_id: order_id(),
            sku: sku(),
            reference: reference(),
            quantity: quantity(2),
            old_eta: Eta::InStock,
            new_eta: due(),
        },
        Event::PromiseImproved {
            order_id: order_id(),
            sku: sku(),
            old_reference: reference(),
            reference: reference(),
            quantity: quantity(2),
            old_eta: due(),
            new_eta: Eta::InStock,
        },
        Event::HoldConfirmed { order_id: order_id(), sku: sku() },
        Event::HoldExtended { order_id: order_id(), sku: sku(), expires_at: instant() },
        Event::HoldExpired { order_id: order_id(), sku: sku(), expires_at: instant() },
        Event::LineCancelled { order_id: order_id(), sku: sku() },
        Event::LineClosed { order_id: order_id(), sku: sku() },
        Event::LineRemoved { order_id: order_id(), sku: sku(), quantity: quantity(2) },
        Event::LineReinstated { order_id: order_id(), sku: sku(), quantity: quantity(2) },
        Event::ProductRegistered { sku: sku() },
        Event::ProductChanged { sku: sku(), promises: Promises::Stable },
        Event::OutOfStock { sku: sku() },
        Event::BackInStock { sku: sku() },
    ];
    for disposition in Disposition::ALL {
        events.push(Event::LineReturned {
            order_id: order_id(),
            sku: sku(),
            return_id: ReturnId::parse("RMA-1").unwrap(),
            quantity: quantity(2),
            disposition: *disposition,
            reference: (*disposition == Disposition::Restock).then(reference),
        });
    }
    for (on_shortage, expires_at) in [(OnShortage::Reject, None), (OnShortage::Backorder, Some(instant()))] {
        let (order_id, sku) = (order_id(), sku());
        let (quantity, priority, allow_split) = (quantity(2), i32::MIN, true);
        events.push(Event::LinePlaced {
            order_id: order_id.clone(),
            sku: sku.clone(),
            quantity,
            priority,
            on_shortage,
            allow_split,
            promises: Promises::Fair,
            ship_complete: expires_at.is_some(),
            expires_at,
        });
        let (old_quantity, requeued) = (quantity, expires_at.is_some());
        events.push(Event::LineChanged {
            order_id,
            sku,
            quantity,
            old_quantity,
            priority,
            on_shortage,
            allow_split,
            promises: Promises::Stable,
            ship_complete: requeued,
            requeued,
        });
    }
    for reason in [
        AllocationReason::NewLine,
        AllocationReason::Refill,
        AllocationReason::Backorder,
        AllocationReason::Move,
        AllocationReason::LineChanged,
    ] {
        let (order_id, sku, reference) = (order_id(), sku(), reference());
        let (quantity, line_quantity) = (quantity(2), quantity(3));
        events.push(Event::Allocated { order_id, sku, reference, quantity, line_quantity, reason });
    }
    for reason in [
        DeallocationReason::Request,
        DeallocationReason::Cancellation,
        DeallocationReason::Expiry,
        DeallocationReason::BatchLowered,
        DeallocationReason::Move,
        DeallocationReason::LineChanged,
        DeallocationReason::Closure,
        DeallocationReason::PickCorrected,
    ] {
        let (order_id, sku, reference) = (order_id(), sku(), reference());
        events.push(Event::Deallocated { order_id, sku, reference, quantity: quantity(2), reason });
    }
    let listed = || {
        let (order_id, sku, reference, quantity) = (order_id(), sku(), reference(), quantity(2));
        ListedUnits { order_id, sku, reference, list: PickListId::parse("PL-1").unwrap(), line: 7, quantity }
    };
    for reason in [WithdrawalReason::Deallocated, WithdrawalReason::NotInStock, WithdrawalReason::Released] {
        events.push(Event::PickLineChanged { units: listed(), old_quantity: quantity(3), reason });
        events.push(Event::PickLineWithdrawn { units: listed(), reason });
    }
    for (found, put_back) in [(units(0), units(0)), (units(2), units(1))] {
        let (old_found, waited) = (units(1), units(1));
        events.push(Event::PickCorrected { units: listed(), found, old_found, put_back, waited });
    }
    for reason in [None, Some(PutBackReason::parse("The box is damaged").unwrap())] {
        events.push(Event::PutBack { units: listed(), reason });
    }
    for shipment_id in [None, Some(ShipmentId::parse("PARCEL-1").unwrap())] {
        events.push(Event::Shipped { units: listed(), shipment_id });
    }
    let of_listed_units = [Event::PickListed, Event::Picked, Event::UnitsMissing];
    events.extend(of_listed_units.map(|event| event(listed())));
    events
}

fn logged(event: &Event, context: EventContext) -> LoggedEvent {
    LoggedEvent {
        position: 9_007_199_254_740_993,
        occurred_at: instant(),
        name: event.name().to_owned(),
        subject: Subject::of(event),
        json: serde_json::to_string(event).unwrap(),
        context,
    }
}

fn written(event: &Event, context: EventContext) -> Value {
    serde_json::to_value(cloud_event(&logged(event, context), "/allocation").unwrap()).unwrap()
}

fn context() -> EventContext {
    EventContext {
        actor: Actor::parse("key:3kVdR0sUwQa"),
        traceparent: TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        causation_id: CausationId::parse("command-1"),
    }
}

#[test]
fn each_type_has_one_schema_that_the_index_names() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let schemas: BTreeSet<String> = files.filter(|name| name.ends_with(".json")).collect();
    assert_eq!(schemas, TYPES.iter().map(|name| format!("{name}.json")).collect());
    let index = fs::read_to_string(folder().join("README.md")).unwrap();
    for name in TYPES {
        assert_eq!(schema(name)["properties"]["type"]["const"], *name);
        assert_eq!(schema(name)["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(index.contains(&format!("[`{name}`]({name}.json)")), "{name}");
    }
}

#[test]
fn every_type_has_an_example_and_its_name_round_trips() {
    let examples = examples();
    let types: BTreeSet<&str> = examples.iter().map(event_type).collect();
    assert_eq!(types, TYPES.iter().copied().collect());
    for event in &examples {
        assert_eq!(event_name(event_type(event)), Some(event.name()));
        assert_eq!(type_of(event.name()), Some(event_type(event)));
    }
    assert_eq!(event_name("allocation.line.allocated.v2"), None);
    assert_eq!(type_of("of_the_future"), None);
}

#[test]
fn written_events_are_valid_and_every_member_is_described() {
    for event in examples() {
        let schema = schema(event_type(&event));
        let validator = validator(&schema);
        let unknown = EventContext { actor: Actor::Unknown, ..EventContext::default() };
        for context in [EventContext::default(), context(), EventContext::SYSTEM, unknown] {
            let written = written(&event, context);
            let faults: Vec<_> = validator.iter_errors(&written).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{written}: {faults:?}");
            for (schema, members) in [(&schema, &written), (&schema["properties"]["data"], &written["data"])] {
                for name in members.as_object().unwrap().keys() {
                    assert!(schema["properties"][name].is_object(), "{name} of {written}");
                }
            }
            assert_eq!(serde_json::from_value::<Event>(written["data"].clone()).unwrap(), event);
        }
    }
}

#[test]
fn an_event_that_lacks_a_member_is_not_valid_and_one_with_more_is() {
    for event in examples() {
        let validator = validator(&schema(event_type(&event)));
        let whole = written(&event, EventContext::default());
        for path in ["", "/data"] {
            // Events were published without them before, or the caller gave no reason.
            let is_optional = |name: &str| match event {
                Event::BatchChanged { .. } => matches!(name, "authtype" | "adjustments" | "old_adjustments"),
                Event::BatchAdjusted { .. } | Event::BatchReceived { .. } => {
                    matches!(name, "authtype" | "old_purchased_quantity" | "old_adjustments")
                }
                Event::BatchRemoved { .. } => matches!(name, "authtype" | "quantity"),
                Event::LinePlaced { .. } | Event::LineChanged { .. } => {
                    matches!(name, "authtype" | "promises" | "ship_complete")
                }
                Event::PutBack { .. } => matches!(name, "authtype" | "reason"),
                Event::BatchAdded { .. } => matches!(name, "authtype" | "origin"),
                Event::Shipped { .. } => matches!(name, "authtype" | "shipment_id"),
                _ => name == "authtype",
            };
            let members = whole.pointer(path).unwrap().as_object().unwrap().keys();
            for name in members.filter(|name| !is_optional(name)) {
                let mut lacking = whole.clone();
                lacking.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(name);
                assert!(!validator.is_valid(&lacking), "without {name}: {lacking}");
            }
            let mut more = whole.clone();
            more.pointer_mut(path).unwrap()["another"] = json!({ "of": "a later version" });
            assert!(validator.is_valid(&more), "{more}");
        }
        let mut other = whole.clone();
        other["type"] = "allocation.line.allocated.v2".into();
        assert!(!validator.is_valid(&other));
    }
}

#[test]
fn an_event_is_written_as_a_cloud_event() {
    let event = Event::HoldConfirmed { order_id: OrderId::parse("O-1").unwrap(), sku: Sku::parse("LAMP").unwrap() };
    let expected = json!({
        "specversion": "1.0",
        "id": "9007199254740993",
        "source": "/allocation",
        "type": "allocation.hold.confirmed.v1",
        "subject": "orders/O-1",
        "time": "2027-01-15T08:00:00.123456Z",
        "datacontenttype": "application/json",
        "authtype": "api_key",
        "authid": "key:3kVdR0sUwQa",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "causationid": "command-1",
        "data": { "type": "hold_confirmed", "order_id": "O-1", "sku": "LAMP" }
    });
    assert_eq!(written(&event, context()), expected);
    let plain = written(&event, EventContext::default());
    assert!(plain.get("traceparent").is_none() && plain.get("causationid").is_none());
    let subject = |event: &Event| written(event, EventContext::default())["subject"].clone();
    assert_eq!(subject(&examples()[0]), "batches/B-1/ü");
    assert_eq!(subject(&Event::OutOfStock { sku: Sku::parse("LAMP").unwrap() }), "products/LAMP");
}

#[test]
fn the_author_of_an_event_is_its_auth_context() {
    let event = Event::OutOfStock { sku: Sku::parse("LAMP").unwrap() };
    for (actor, kind, has_id) in [
        ("anonymous", "unauthenticated", false),
        ("system", "system", false),
        ("key:3kVdR0sUwQa", "api_key", true),
        ("token:auth0|5f7c", "user", true),
        ("broker:erp", "user", true),
        ("unknown", "unknown", false),
    ] {
        let context = EventContext { actor: Actor::parse(actor), ..EventContext::default() };
        let written = written(&event, context);
        assert_eq!((&written["authtype"], written["authid"].as_str()), (&json!(kind), has_id.then_some(actor)));
    }
}

#[test]
fn stored_data_is_published_unchanged_unless_it_has_no_type_or_is_not_json() {
    let sold_out = logged(&Event::OutOfStock { sku: Sku::parse("LAMP").unwrap() }, EventContext::default());
    let stored = r#"{"type":"out_of_stock","sku":"LAMP","of":[1e2,"a later version"]}"#;
    let more = LoggedEvent { json: stored.to_owned(), ..sold_out.clone() };
    let text = serde_json::to_string(&cloud_event(&more, "/allocation").unwrap()).unwrap();
    assert!(text.ends_with(&format!(r#""data":{stored}}}"#)), "{text}");
    let unknown = LoggedEvent { name: "of_the_future".to_owned(), ..sold_out.clone() };
    let rejected = cloud_event(&unknown, "/allocation");
    assert!(matches!(rejected, Err(UnpublishableEvent::UnknownName(name)) if name == "of_the_future"));
    let broken = LoggedEvent { json: r#"{"type":"#.to_owned(), ..sold_out };
    assert!(matches!(cloud_event(&broken, "/allocation"), Err(UnpublishableEvent::NotJson(_))));
}

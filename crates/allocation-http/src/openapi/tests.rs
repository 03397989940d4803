use super::openapi_json;
use crate::problem::{Kind, Operation, Problem, examples};
use crate::testing::{order, quantity, reference, sku};
use actix_web::ResponseError;
use allocation_app::RemoveBatchError;
use allocation_domain::{self as domain, LineAlreadyAllocated};
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

/// Calls `visit` with the name and value of every member in the document.
fn walk(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            visit(name, member);
            walk(member, visit);
        }),
        Value::Array(elements) => elements.iter().for_each(|element| walk(element, visit)),
        _ => {}
    }
}

#[test]
fn every_reference_resolves_and_every_schema_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, &mut |name, value| {
        if name == "$ref" {
            let target = value.as_str().unwrap();
            assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
            used.extend(target.strip_prefix("#/components/schemas/").map(ToOwned::to_owned));
        }
    });
    let schemas: BTreeSet<_> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(used, schemas);
}

#[test]
fn every_operation_has_a_unique_id_and_a_description() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{method} {path}");
            let refuses = !["/livez", "/readyz", "/metrics"].contains(&path.as_str());
            assert_eq!(operation["responses"]["422"].is_object(), refuses, "{method} {path}");
        }
    }
    assert_eq!(ids.len(), 61);
}

#[test]
fn every_problem_of_an_operation_is_documented_with_an_example() {
    let mut documented = BTreeSet::new();
    walk(&document(), &mut |name, value| {
        if name == "examples" && value.is_object() {
            documented.extend(value.as_object().unwrap().keys().cloned());
        }
    });
    for kind in Kind::ALL {
        // Unsupported methods are not operations, so the document omits them.
        let expected = *kind != Kind::MethodNotAllowed;
        assert_eq!(documented.contains(kind.name()), expected, "{}", kind.name());
    }
}

#[test]
fn the_examples_are_actual_responses() {
    let line = LineAlreadyAllocated {
        order_id: order("O-1"),
        sku: sku("RED-CHAIR"),
        allocated: quantity(10),
        requested: quantity(5),
    };
    let batch = || reference("B-1");
    let added_at = chrono::DateTime::from_timestamp_micros(100_000_000).unwrap();
    let version = |revision| domain::BatchVersion { added_at, revision };
    let not_there = domain::DeallocateError::AllocationNotFound { order_id: order("O-1"), reference: batch() };
    let has_allocations = domain::RemoveBatchError::HasAllocations { reference: batch(), allocated: 10 };
    let stale = domain::ChangeBatchError::Stale { reference: batch(), expected: version(1), actual: version(2) };
    let order_id = order("O-1");
    let raised: [(Kind, Problem); 13] = [
        (Kind::BatchAlreadyExists, Problem::refused(&domain::AddBatchError::AlreadyExists(batch()))),
        (Kind::BatchNotFound, Problem::refused(&RemoveBatchError::from(domain::RemoveBatchError::NotFound(batch())))),
        (Kind::BatchHasAllocations, Problem::refused(&RemoveBatchError::from(has_allocations))),
        (Kind::LineAlreadyAllocated, Problem::refused(&domain::AllocateError::from(line))),
        (
            Kind::HoldExpired,
            Problem::refused(&domain::AllocateError::from(domain::HoldExpired { order_id: order_id.clone() })),
        ),
        (Kind::OrderCancelled, Problem::refused(&domain::AllocateError::from(domain::OrderCancelled { order_id }))),
        (
            Kind::OrderClosed,
            Problem::refused(&domain::ConfirmError::from(domain::OrderClosed { order_id: order("O-1") })),
        ),
        (Kind::BatchChanged, Problem::refused(&stale)),
        (Kind::OrderNotFound, Problem::refused(&domain::CancelError::NotFound(order("O-7")))),
        (Kind::OrderAlreadyExists, Problem::refused(&domain::PlaceError::AlreadyExists(order("O-7")))),
        (Kind::OrderNotHeld, Problem::refused(&domain::ExtendError::NotHeld(order("O-7")))),
        (
            Kind::HoldTooLong,
            Problem::refused(&domain::ExtendError::TooLong(domain::HoldTooLong {
                order_id: order("O-7"),
                latest: "2027-02-14T08:00:00Z".parse().unwrap(),
            })),
        ),
        (Kind::AllocationNotFound, Problem::refused(&not_there)),
    ];
    for (kind, problem) in raised {
        assert_eq!(problem.status_code(), kind.status());
        let body: Value = serde_json::from_slice(&problem.body()).unwrap();
        assert_eq!(examples::of(kind, Operation::default()), body);
    }
}

#[test]
fn a_shortage_lists_a_line_or_all_short_lines_of_an_order() {
    let document = document();
    let answer = |path: &str| document["paths"][path]["post"]["responses"]["409"]["content"].clone();
    let json = "application/problem+json";
    let (line, order) = (answer("/allocations"), answer("/orders"));
    let example = |answer: &Value| answer[json]["examples"]["out-of-stock"]["value"].clone();
    assert_eq!(example(&line)["sku"], "RED-CHAIR");
    assert_eq!(example(&order)["shortages"][1]["sku"], "RED-CHAIR");
    assert_eq!(example(&order)["detail"], "Stock is short of 2 lines of the order");
    let names = |answer: &Value| answer[json]["schema"]["anyOf"].to_string();
    assert!(names(&line).contains("/OutOfStockProblem") && !names(&line).contains("/OrderOutOfStockProblem"));
    assert!(names(&order).contains("/OrderOutOfStockProblem") && !names(&order).contains("/OutOfStockProblem"));
}

#[test]
fn the_type_of_each_problem_is_a_literal() {
    let document = document();
    let mut literals = BTreeSet::new();
    walk(&document["paths"], &mut |_, value| {
        let content = &value["content"]["application/problem+json"];
        let any = content["schema"]["anyOf"].as_array().cloned().unwrap_or_else(|| vec![content["schema"].clone()]);
        for reference in any.iter().filter_map(|one| one["$ref"].as_str()) {
            let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
            let literal = schema["properties"]["type"]["enum"].as_array().unwrap();
            assert_eq!((literal.len(), &schema["allOf"]), (1, &Value::Null), "{reference}");
            literals.insert(literal[0].as_str().unwrap().to_owned());
        }
    });
    let shared = ["/problems/key-refused", "/problems/key-required", "/problems/rate-limited"];
    let all = Kind::ALL.iter().filter(|kind| **kind != Kind::MethodNotAllowed).map(|kind| kind.uri());
    let expected: BTreeSet<_> = all.filter(|uri| !shared.contains(uri)).map(ToOwned::to_owned).collect();
    assert_eq!(literals, expected);
}

/// Generators of clients lose members of an alternative to null, and require optional members with a default.
#[test]
fn schemas_avoid_what_generators_misread() {
    walk(&document()["components"]["schemas"], &mut |name, value| {
        for alternative in ["oneOf", "anyOf"].iter().flat_map(|word| value[word].as_array().into_iter().flatten()) {
            assert_ne!(alternative["type"], "null", "{name}: {value}");
        }
        let required = value["required"].as_array();
        for (member, schema) in value["properties"].as_object().into_iter().flatten() {
            let is_required = required.is_some_and(|names| names.iter().any(|name| name == member.as_str()));
            assert!(is_required || schema.get("default").is_none(), "{name}.{member}: {schema}");
        }
    });
}

#[test]
fn every_body_is_required_but_those_of_three_actions() {
    let document = document();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let optional = operations.filter(|operation| operation["requestBody"]["required"] == false);
    let optional: BTreeSet<_> = optional.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(optional, BTreeSet::from(["closeCount", "confirmOrder", "shipPickList"]));
}

/// Returns the first schema violation of a value, for the keywords that this document uses.
fn breaks(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(target) = schema["$ref"].as_str() {
        return breaks(document, document.pointer(target.strip_prefix('#').unwrap()).unwrap(), value);
    }
    if let Some(any) = schema.get("oneOf").or(schema.get("anyOf")) {
        let fits = any.as_array().unwrap().iter().any(|schema| breaks(document, schema, value).is_none());
        return (!fits).then(|| format!("{value} fits none of {any}"));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Some(broken) = breaks(document, part, value) {
            return Some(broken);
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = &schema["type"];
    let is_kind = kinds.is_null() || *kinds == kind || kinds.as_array().is_some_and(|all| all.contains(&kind.into()));
    let is_choice = schema["enum"].as_array().is_none_or(|all| all.contains(value));
    if !is_kind || !is_choice {
        return Some(format!("{value} is not {schema}"));
    }
    let elements =
        value.as_array().into_iter().flatten().filter_map(|element| breaks(document, &schema["items"], element));
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.filter(|name| value.get(name.as_str().unwrap()).is_none());
    let missing = missing.map(|name| format!("{value} has no {name}"));
    let members = value.as_object().into_iter().flatten().filter_map(|(name, member)| {
        let schema = schema["properties"].get(name)?;
        breaks(document, schema, member)
    });
    elements.chain(missing).chain(members).next()
}

/// Returns the member names that a schema allows.
fn known(document: &Value, schema: &Value) -> BTreeSet<String> {
    if let Some(target) = schema["$ref"].as_str() {
        return known(document, document.pointer(target.strip_prefix('#').unwrap()).unwrap());
    }
    let parts = ["allOf", "anyOf", "oneOf"].iter().flat_map(|word| schema[word].as_array().into_iter().flatten());
    let own = schema["properties"].as_object().into_iter().flat_map(|members| members.keys().cloned());
    own.chain(parts.flat_map(|part| known(document, part))).collect()
}

#[test]
fn every_example_is_valid() {
    let document = document();
    let mut count = 0;
    walk(&document["paths"], &mut |_, value| {
        let (Some(schema), false) = (value.get("schema"), value.get("in").is_some()) else { return };
        let named = value["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        for example in value.get("example").into_iter().chain(named) {
            assert_eq!(breaks(&document, schema, example), None);
            let schema = if example.is_array() { &schema["items"] } else { schema };
            let first = if example.is_array() { &example[0] } else { example };
            let names: BTreeSet<_> = first.as_object().unwrap().keys().cloned().collect();
            assert!(names.is_subset(&known(&document, schema)), "{example}");
            count += 1;
        }
    });
    assert!(count > 100, "{count}");
}

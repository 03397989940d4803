use super::openapi_json;
use crate::problem::{Kind, Problem};
use crate::testing::{order, quantity, reference, sku};
use actix_web::ResponseError;
use allocation_app::{AddBatchError, AllocateLineError, DeallocateError, RemoveBatchError};
use allocation_domain::{self as domain, LineAlreadyAllocated};
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

/// Calls `visit` with every value of the document that is under a name.
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
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, &mut |name, value| {
        if name == "$ref" {
            let target = value.as_str().unwrap();
            assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
            used.insert(target.rsplit('/').next().unwrap().to_owned());
        }
    });
    let schemas: BTreeSet<_> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(used, schemas);
}

#[test]
fn every_operation_has_a_name_of_its_own_and_words() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{method} {path}");
            assert!(operation["responses"]["422"].is_object(), "{method} {path}");
        }
    }
    assert_eq!(ids.len(), 11);
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
        // A method that a path does not have is no operation.
        let expected = *kind != Kind::MethodNotAllowed;
        assert_eq!(documented.contains(kind.name()), expected, "{}", kind.name());
    }
}

#[test]
fn the_examples_are_what_is_answered() {
    let line = LineAlreadyAllocated {
        order_id: order("O-1"),
        sku: sku("RED-CHAIR"),
        allocated: quantity(10),
        requested: quantity(5),
    };
    let batch = || reference("B-1");
    let not_there = domain::DeallocateError::AllocationNotFound { order_id: order("O-1"), reference: batch() };
    let has_allocations = domain::RemoveBatchError::HasAllocations { reference: batch(), allocated: 10 };
    let order_id = order("O-1");
    let raised: [(Kind, Problem); 7] = [
        (Kind::BatchAlreadyExists, AddBatchError::AlreadyExists(batch()).into()),
        (Kind::BatchNotFound, RemoveBatchError::from(domain::RemoveBatchError::NotFound(batch())).into()),
        (Kind::BatchHasAllocations, RemoveBatchError::from(has_allocations).into()),
        (Kind::LineAlreadyAllocated, AllocateLineError::from(line).into()),
        (Kind::HoldExpired, AllocateLineError::from(domain::HoldExpired { order_id: order_id.clone() }).into()),
        (Kind::OrderCancelled, AllocateLineError::from(domain::OrderCancelled { order_id }).into()),
        (Kind::AllocationNotFound, DeallocateError::from(not_there).into()),
    ];
    for (kind, problem) in raised {
        assert_eq!(problem.status_code(), kind.status());
        let body: Value = serde_json::from_slice(&problem.body()).unwrap();
        assert_eq!(super::examples::of(kind, false), body);
    }
}

//! Problems as the story of the examples meets them.

use crate::fault::{Fault, Faults};
use crate::problem::{Kind, Problem};
use allocation_domain::{OutOfStock, Quantity, Sku};
use serde_json::Value;

/// A problem of a type, as an operation with or without a body answers it.
pub(super) fn of(kind: Kind, has_body: bool) -> Value {
    serde_json::from_slice(&problem(kind, has_body).body()).unwrap_or_default()
}

fn problem(kind: Kind, has_body: bool) -> Problem {
    match kind {
        Kind::Validation if has_body => Problem::from(faults()),
        Kind::Validation => Problem::from(Faults::from(Fault::of("limmit", "is not a known parameter"))),
        Kind::MalformedJson => {
            Problem::new(kind, "The body is not JSON: EOF while parsing an object at line 1 column 20")
        }
        Kind::BatchNotFound => Problem::new(kind, "There is no batch B-1"),
        Kind::AllocationNotFound => Problem::new(kind, "Order O-1 has nothing allocated in batch B-1"),
        Kind::BatchAlreadyExists => Problem::new(kind, "Batch B-1 exists already with other content"),
        Kind::BatchHasAllocations => Problem::new(kind, "Batch B-1 has 10 allocated units"),
        Kind::LineAlreadyAllocated => {
            Problem::new(kind, "Order O-1 has a line of 10 units of SKU RED-CHAIR already, not of 5")
        }
        Kind::HoldExpired => Problem::new(kind, "The hold of order O-1 has expired"),
        Kind::OrderCancelled => Problem::new(kind, "Order O-1 was cancelled"),
        Kind::OutOfStock => out_of_stock().unwrap_or(Problem::of(kind)),
        Kind::UnsupportedMediaType
        | Kind::BodyTooLarge
        | Kind::NotFound
        | Kind::MethodNotAllowed
        | Kind::Overloaded
        | Kind::DatabaseUnavailable
        | Kind::SchemaNotCurrent
        | Kind::ShuttingDown
        | Kind::InternalError => Problem::of(kind),
    }
}

fn faults() -> Faults {
    let mut faults = Faults::default();
    faults.push(Fault::at("/qty", "must be an integer from 1 to 2147483647"));
    faults.push(Fault::at("/sku", "is missing"));
    faults
}

fn out_of_stock() -> Option<Problem> {
    let (sku, requested) = (Sku::parse("RED-CHAIR").ok()?, Quantity::new(10).ok()?);
    Some(Problem::out_of_stock(&OutOfStock { sku, requested, available: 3 }))
}

//! Example problems, consistent with the other examples of the document.

#![expect(clippy::expect_used, reason = "the names and quantities of the examples are fixed, and fine")]

use super::operation::Operation;
use super::{Kind, Problem};
use allocation_access::{KeyRefusal, Scope};
use allocation_domain::{
    AllocateError, CloseCountError, CountId, ExcessReturn, MakePickListError, OpenCountError, OrderId, OutOfStock,
    PickListId, PlaceError, Quantity, ReturnError, ShipError, ShipmentId, Shortages, Sku, UnknownSkus,
};
use allocation_ports::FailedCheck;
use allocation_requests::{ValidationError, ValidationErrors};
use serde_json::Value;

/// Returns an example of a problem as an operation returns it.
pub(crate) fn of(kind: Kind, operation: Operation) -> Value {
    serde_json::from_slice(&problem(kind, operation).body()).expect("a problem is JSON")
}

fn problem(kind: Kind, operation: Operation) -> Problem {
    match kind {
        Kind::Validation if operation.has_body => Problem::from(errors()),
        Kind::Validation => {
            Problem::from(ValidationErrors::from(ValidationError::in_parameter("limmit", "is not a known parameter")))
        }
        Kind::MalformedJson => {
            Problem::new(kind, "The body is not JSON: EOF while parsing an object at line 1 column 20")
        }
        Kind::KeyRefused => Problem::credentials_refused(&KeyRefusal::Expired),
        Kind::MissingScope => Problem::missing_scope(Scope::Read, None),
        Kind::BatchNotFound => Problem::new(kind, "There is no batch B-1"),
        Kind::OrderNotFound => Problem::order_not_found(&OrderId::parse("O-7").expect("it is a name")),
        Kind::ProductNotFound => Problem::product_not_found(&Sku::parse("LAMP").expect("it is a name")),
        Kind::EventsGone => Problem::events_gone(5_001),
        Kind::AllocationNotFound => Problem::new(kind, "Order O-1 has nothing allocated in batch B-1"),
        Kind::BatchAlreadyExists => Problem::new(kind, "Batch B-1 exists already with other content"),
        Kind::BatchChanged => {
            Problem::new(kind, "Batch B-1 has the version \"2-5f5e100\" now, which If-Match does not name")
        }
        Kind::OrderAlreadyExists => Problem::new(kind, "Order O-7 exists already with other content"),
        Kind::OrderChanged => Problem::new(kind, "Order O-7 has changed"),
        Kind::TooManyLines => Problem::new(kind, "Order O-7 would have more than 500 lines"),
        Kind::OrderNotHeld => Problem::new(kind, "Order O-7 is not on hold"),
        Kind::HoldTooLong => Problem::new(kind, "Order O-7 cannot be held beyond 2027-02-14T08:00:00.000000Z"),
        Kind::BatchHasAllocations => Problem::new(kind, "Batch B-1 has 10 allocated units"),
        Kind::LineAlreadyAllocated => {
            Problem::new(kind, "Order O-1 has a line of 10 units of SKU RED-CHAIR already, not of 5")
        }
        Kind::HoldExpired => Problem::new(kind, "The hold of order O-1 has expired"),
        Kind::OrderCancelled => Problem::new(kind, "Order O-1 was cancelled"),
        Kind::OrderClosed => Problem::new(kind, "Order O-1 was closed"),
        Kind::OutOfStock if operation.places_orders => shortages(),
        Kind::OutOfStock => Problem::refused(&AllocateError::OutOfStock(short("RED-CHAIR", 10, 3))),
        Kind::UnknownSku => unknown_skus(),
        Kind::NothingToPick => Problem::refused(&MakePickListError::NothingToPick),
        Kind::PickListAlreadyExists => Problem::new(kind, "Pick list MORNING exists already with other content"),
        Kind::PickListNotFound => Problem::pick_list_not_found(&morning()),
        Kind::PickLineNotFound => Problem::new(kind, "There is no line 7 of pick list MORNING"),
        Kind::PickLineWithdrawn => Problem::new(kind, "Line 1 of pick list MORNING was withdrawn"),
        Kind::MoreThanToPick => Problem::new(kind, "Line 1 of pick list MORNING has 5 units to pick, not 6"),
        Kind::AlreadyShipped if operation.creates_shipments => {
            Problem::new(kind, "The 5 units of line 1 of pick list MORNING were shipped already")
        }
        Kind::MoreThanPicked if operation.creates_shipments => {
            Problem::new(kind, "Line 1 of pick list MORNING has 5 picked units to ship, not 6")
        }
        Kind::NotPicked if operation.creates_shipments => {
            Problem::new(kind, "Line 2 of pick list MORNING is open, so nothing of it can be shipped")
        }
        Kind::AlreadyShipped => {
            Problem::new(kind, "2 units of line 1 of pick list MORNING were shipped, so 4 cannot be put back")
        }
        Kind::CountAlreadyExists => Problem::new(kind, "Count HALL-3 exists already with other content"),
        Kind::BatchInOpenCount => {
            Problem::new(kind, "Batch B-2 is in open count HALL-3: close or abandon that count first")
        }
        Kind::CountNotFound => Problem::new(kind, "There is no count HALL-3"),
        Kind::CountLineNotFound => Problem::new(kind, "Count HALL-3 has no line 7"),
        Kind::CountClosed => Problem::new(kind, "Count HALL-3 is closed"),
        Kind::NothingToCount => Problem::refused(&OpenCountError::NothingToCount),
        Kind::CountTooLarge => Problem::refused(&OpenCountError::TooManyBatches),
        Kind::PickedUnits => Problem::new(kind, "3 units of batch B-2 are picked and not shipped: were they counted?"),
        Kind::NotCounted => {
            let count_id = CountId::parse("HALL-3").expect("it is a name");
            Problem::refused(&CloseCountError::NotCounted { count_id, lines: vec![1, 3] })
        }
        Kind::ShipmentAlreadyExists => Problem::new(kind, "Shipment PARCEL-1 exists already with other content"),
        Kind::ShipmentNotFound => Problem::shipment_not_found(&ShipmentId::parse("PARCEL-1").expect("it is a name")),
        Kind::AlreadyPutBack => {
            Problem::new(kind, "2 units of line 1 of pick list MORNING were put back already, more than 1")
        }
        Kind::MoreThanPicked => {
            Problem::new(kind, "3 units of line 1 of pick list MORNING were found, so 4 cannot be put back")
        }
        Kind::NotMissing => Problem::new(kind, "Batch B-2 has 0 missing units, not 1"),
        Kind::NotPicked => Problem::refused(&ShipError::NotPicked { list: morning(), lines: vec![1, 3] }),
        Kind::NothingPicked => Problem::new(kind, "Nothing of pick list MORNING was picked"),
        Kind::AlreadyPicked => Problem::new(kind, "Units of order O-1 were picked"),
        Kind::UnitsConsumed => Problem::new(
            kind,
            "Batch B-1 cannot be lowered to 2 units: 5 were picked, shipped, found missing or removed by adjustments",
        ),
        Kind::AdjustmentAlreadyExists => Problem::new(kind, "Adjustment COUNT-7 exists already with other content"),
        Kind::QuantityChanged => Problem::new(kind, "Batch B-1 has 18 units on hand, not 20"),
        Kind::ReceiptAlreadyExists => Problem::new(kind, "Receipt GR-7 exists already with other content"),
        Kind::NotInTransit => Problem::new(kind, "Batch B-1 is in stock already"),
        Kind::MoreThanExpected => Problem::new(kind, "Batch B-1 has 20 units to arrive, not 22"),
        Kind::RestWithoutName => Problem::new(kind, "The rest of batch B-1 needs a reference"),
        Kind::ReturnAlreadyExists => Problem::new(kind, "Return RMA-31 exists already with other content"),
        Kind::MoreThanShipped => more_than_shipped(),
        Kind::TooManyUnits => Problem::new(kind, "Batch B-1 would have more than 2147483647 units with +5"),
        Kind::NotAcceptable => {
            Problem::new(kind, "A pick list is available as application/json, text/csv or text/html")
        }
        Kind::NotReady => {
            Problem::not_ready(&[FailedCheck::new(FailedCheck::SEQUENCER, "No replica sequences events")])
        }
        Kind::UnsupportedMediaType
        | Kind::BodyTooLarge
        | Kind::RequestTimeout
        | Kind::HostNotAllowed
        | Kind::CrossSiteRequest
        | Kind::ReadOnly
        | Kind::PreconditionFailed
        | Kind::AlreadyUndone
        | Kind::IdempotencyKeyReused
        | Kind::KeyRequired
        | Kind::RateLimited
        | Kind::KeyNotFound
        | Kind::TooManyKeys
        | Kind::NotFound
        | Kind::MethodNotAllowed
        | Kind::Overloaded
        | Kind::DatabaseBusy
        | Kind::ClockOff
        | Kind::DatabaseUnavailable
        | Kind::SchemaNotCurrent
        | Kind::ShuttingDown
        | Kind::InternalError => Problem::of(kind),
    }
}

fn errors() -> ValidationErrors {
    let mut errors = ValidationErrors::default();
    errors.push(ValidationError::in_body("/qty", "must be an integer from 1 to 2147483647"));
    errors.push(ValidationError::in_body("/sku", "is missing"));
    errors
}

fn morning() -> PickListId {
    PickListId::parse("MORNING").expect("it is a name")
}

fn shortages() -> Problem {
    Problem::refused(&PlaceError::OutOfStock(Shortages(vec![short("LAMP", 2, 0), short("RED-CHAIR", 4, 3)])))
}

fn unknown_skus() -> Problem {
    Problem::refused(&PlaceError::UnknownSkus(UnknownSkus(vec![Sku::parse("RED-CHIAR").expect("it is a name")])))
}

fn more_than_shipped() -> Problem {
    let sku = Sku::parse("RED-CHAIR").expect("it is a name");
    let lines = vec![ExcessReturn { sku, requested: 3, returnable: 2 }];
    let order_id = OrderId::parse("O-7").expect("it is a name");
    Problem::refused(&ReturnError::MoreThanShipped { order_id, lines })
}

fn short(sku: &str, requested: u32, available: u64) -> OutOfStock {
    let sku = Sku::parse(sku).expect("it is a name");
    let requested = Quantity::new(requested).expect("it is a quantity");
    OutOfStock { sku, requested, available }
}

//! The schemas of problems in the OpenAPI document: one for each type, whose `type` is a literal.

#![expect(dead_code, reason = "only the schemas are used")]

use super::Kind;
use super::operation::Operation;
use crate::identifier::{Id, Identifier};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Returns the name of the schema of a type, where an operation raises it.
pub(super) fn name(kind: Kind, operation: Operation) -> String {
    let words = kind.name().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    let several = if kind == Kind::OutOfStock && operation.places_orders { "Order" } else { "" };
    format!("{several}{}Problem", words.collect::<String>())
}

/// Returns the schemas of all types, by name.
pub(crate) fn all() -> impl Iterator<Item = (String, RefOr<Schema>)> {
    let placing = Operation { places_orders: true, ..Operation::default() };
    // Unsupported methods are not operations, so no operation raises this type.
    let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::MethodNotAllowed);
    let usual = kinds.map(|kind| (*kind, Operation::default()));
    usual
        .chain([(Kind::OutOfStock, placing)])
        .map(|(kind, operation)| (name(kind, operation), of(kind, operation).into()))
}

/// Returns the schema of a type: all members in one object, which every generator of clients understands.
fn of(kind: Kind, operation: Operation) -> Object {
    let text = |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    let status = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some("The HTTP status."))
        .examples([kind.status().as_u16()]);
    let mut schema = ObjectBuilder::new()
        .description(Some(kind.description()))
        .property("type", text("The type of the problem.").enum_values(Some([kind.uri()])))
        .property("title", text("A short summary of the type.").examples([kind.title()]))
        .property("status", status)
        .property("detail", text("A human-readable description of this occurrence."))
        .build();
    schema.required = ["type", "title", "status", "detail"].map(ToOwned::to_owned).into();
    if let Some(RefOr::T(Schema::Object(members))) = members(kind, operation) {
        schema.required.extend(members.required);
        schema.properties.extend(members.properties);
    }
    schema
}

/// Returns the schema of the extension members of a type.
fn members(kind: Kind, operation: Operation) -> Option<RefOr<Schema>> {
    match kind {
        Kind::Validation => Some(ValidationMembers::schema()),
        Kind::OutOfStock if operation.places_orders => Some(OrderOutOfStockMembers::schema()),
        Kind::OutOfStock => Some(OutOfStockMembers::schema()),
        Kind::UnknownSku => Some(UnknownSkuMembers::schema()),
        Kind::EventsGone => Some(EventsGoneMembers::schema()),
        Kind::MoreThanShipped => Some(MoreThanShippedMembers::schema()),
        Kind::NotCounted => Some(NotCountedMembers::schema()),
        Kind::NotPicked => Some(NotPickedMembers::schema()),
        Kind::NotReady => Some(NotReadyMembers::schema()),
        Kind::MissingScope => Some(MissingScopeMembers::schema()),
        _ => None,
    }
}

/// A problem (RFC 9457).
#[derive(ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemSchema {
    /// The type of the problem, which programs compare. `GET` returns its description.
    #[schema(example = "/problems/batch-not-found")]
    r#type: String,
    /// A short summary of the type.
    #[schema(example = "Batch not found")]
    title: String,
    /// The HTTP status.
    #[schema(value_type = i32, minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// A human-readable description of this occurrence.
    #[schema(example = "There is no batch B-1")]
    detail: String,
}

/// An invalid request.
#[derive(ToSchema)]
struct ValidationMembers {
    /// All validation errors.
    #[schema(min_items = 1)]
    errors: Vec<ValidationErrorSchema>,
}

/// A validation error: its location and what is wrong.
#[derive(ToSchema)]
#[schema(as = ValidationError)]
pub(crate) struct ValidationErrorSchema {
    /// The location in the body, a JSON pointer (RFC 6901). Absent for parameters.
    #[schema(value_type = String, required = false, example = "/qty")]
    pointer: Option<String>,
    /// The parameter in the path, the query or a header. Absent for the body.
    #[schema(value_type = String, required = false, example = "limit")]
    parameter: Option<String>,
    /// A human-readable description.
    #[schema(example = "must be an integer from 1 to 2147483647")]
    detail: String,
}

/// A line for which the free units of all batches do not suffice.
#[derive(ToSchema)]
struct OutOfStockMembers {
    /// The ordered SKU.
    sku: Id<'static>,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, example = 10)]
    requested: u32,
    /// The units that are free in all batches together.
    #[schema(value_type = i64, minimum = 0, example = 3)]
    available: u64,
}

/// Order lines for which stock does not suffice.
#[derive(ToSchema)]
struct OrderOutOfStockMembers {
    /// All lines for which stock does not suffice.
    #[schema(min_items = 1)]
    shortages: Vec<ShortageSchema>,
}

/// SKUs of an order that are not registered.
#[derive(ToSchema)]
struct UnknownSkuMembers {
    /// All unknown SKUs.
    #[schema(value_type = Vec<Identifier>, min_items = 1)]
    skus: Vec<String>,
}

/// A line for which stock does not suffice.
#[derive(ToSchema)]
#[schema(as = Shortage)]
pub(crate) struct ShortageSchema {
    /// The ordered SKU.
    sku: Id<'static>,
    /// The ordered quantity.
    #[schema(value_type = i32, minimum = 1, example = 4)]
    requested: u32,
    /// The units that are free in all batches together.
    #[schema(value_type = i64, minimum = 0, example = 3)]
    available: u64,
}

/// Lines of an order of which too many units would come back.
#[derive(ToSchema)]
struct MoreThanShippedMembers {
    /// All lines with too many units.
    #[schema(min_items = 1)]
    excess: Vec<ExcessReturnSchema>,
}

/// A line of which more units would come back than were shipped.
#[derive(ToSchema)]
#[schema(as = ExcessReturn)]
pub(crate) struct ExcessReturnSchema {
    /// The SKU.
    sku: Id<'static>,
    /// The units that were to come back, whatever their disposition.
    #[schema(value_type = i64, minimum = 1, example = 3)]
    requested: u64,
    /// The units that were shipped and have not come back.
    #[schema(value_type = i32, minimum = 0, example = 2)]
    returnable: u32,
}

/// Events that are no longer retained.
#[derive(ToSchema)]
struct EventsGoneMembers {
    /// The smallest valid `after`: the position before the oldest retained event.
    #[schema(example = "5000")]
    oldest: String,
}

/// Lines of a pick list that are still open.
#[derive(ToSchema)]
struct NotPickedMembers {
    /// The numbers of the open lines of a pick list. Absent for a shipment.
    #[schema(value_type = Vec<i32>, required = false, min_items = 1)]
    lines: Vec<u32>,
}

/// Lines of a count that are not entered.
#[derive(ToSchema)]
struct NotCountedMembers {
    /// The numbers of the lines that are not entered, or whose batches were deleted or got an ETA since.
    #[schema(value_type = Vec<i32>, min_items = 1)]
    lines: Vec<u32>,
}

/// A scope that the key of a request lacks.
#[derive(ToSchema)]
struct MissingScopeMembers {
    /// The scope that the operation needs.
    #[schema(example = "orders:write")]
    scope: String,
}

/// Failed readiness checks.
#[derive(ToSchema)]
struct NotReadyMembers {
    /// The failed checks. Empty if keys are required and the request has none.
    checks: Vec<FailedCheckSchema>,
}

/// A failed readiness check.
#[derive(ToSchema)]
#[schema(as = FailedCheck)]
pub(crate) struct FailedCheckSchema {
    /// The name of the check.
    #[schema(example = "database")]
    name: String,
    /// A human-readable description.
    #[schema(example = "The database does not accept a write")]
    detail: String,
}

//! Identifiers in bodies and in the OpenAPI document.

use allocation_domain::{
    AdjustmentId, AdjustmentReason, BatchReference, CountId, OrderId, PickListId, ReceiptId, ReturnId, ShipmentId, Sku,
};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The schema of an identifier in the OpenAPI document.
pub(crate) struct Identifier;

impl PartialSchema for Identifier {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Chosen by the caller: 1 to 255 assigned characters of Unicode in normalization form C (NFC), no \
                 control or invisible characters, no white space but the space, and none at either end, not `.` \
                 or `..`; compared exactly. Percent-encode it in a path.",
            ))
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some(r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"))
            .into()
    }
}

impl ToSchema for Identifier {}

/// An identifier in a body.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Id<'a>(pub(crate) &'a str);

impl PartialSchema for Id<'_> {
    fn schema() -> RefOr<Schema> {
        Identifier::schema()
    }
}

impl ToSchema for Id<'_> {
    fn name() -> Cow<'static, str> {
        Identifier::name()
    }
}

macro_rules! ids {
    ($($identifier:ty),+) => {$(
        impl<'a> From<&'a $identifier> for Id<'a> {
            fn from(identifier: &'a $identifier) -> Self {
                Self(identifier.as_str())
            }
        }
    )+};
}

ids!(
    AdjustmentId,
    AdjustmentReason,
    BatchReference,
    CountId,
    OrderId,
    PickListId,
    ReceiptId,
    ReturnId,
    ShipmentId,
    Sku
);

use crate::choice::choice_schema;
use crate::identifier::Identifier;
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Units that arrived of a batch.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Receipt)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ReceiptSchema {
    /// The id of the receipt. Repeating the request changes nothing.
    #[schema(value_type = Identifier)]
    receipt_id: String,
    /// The units that arrived and are kept; 0 if all were rejected.
    #[schema(value_type = i32, minimum = 0, maximum = 2_147_483_647, example = 12)]
    qty: u32,
    /// The units that arrived and are rejected, beside those that are kept.
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 2_147_483_647)]
    rejected: u32,
    /// The units that have not arrived: a batch of their own, or null to give them up.
    #[schema(value_type = RestSchema, required = false)]
    rest: RestSchema,
    /// What happens if more units arrived than expected.
    #[schema(value_type = OverSchema, required = false)]
    over: OverSchema,
}

/// The batch of the units that have not arrived, or null to give them up.
pub(crate) struct RestSchema;

impl PartialSchema for RestSchema {
    fn schema() -> RefOr<Schema> {
        let date = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .description(Some("Its date; that of the received batch if absent."));
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
            .description(Some("The batch of the units that have not arrived; null to give them up."))
            .property("reference", Identifier::schema())
            .property("eta", date)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}

impl ToSchema for RestSchema {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ReceiptRest")
    }
}

choice_schema! {
    /// What happens if more units arrive than expected: the receipt is refused, or all are received.
    OverSchema as "OverReceipt": ["refuse", "accept"]
}

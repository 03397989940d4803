//! The schemas of events in the OpenAPI document, made of the published ones in `docs/events`.

use allocation_cloudevents::{TYPES, event_schema, schema_name};
use serde_json::Value;
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{OneOfBuilder, Ref, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An event of any type. Its members depend on the `type`, which is a literal in each schema.
pub(crate) struct CloudEventSchema;

impl PartialSchema for CloudEventSchema {
    fn schema() -> RefOr<Schema> {
        let description = "An event: CloudEvents 1.0 in JSON. The `type` tells which schema it has. Readers must \
            accept further types and members. `GET /events/schemas/{type}` returns the JSON Schema of a type.";
        let one = OneOfBuilder::new().description(Some(description));
        TYPES.iter().fold(one, |one, name| one.item(Ref::from_schema_name(schema_name(name)))).into()
    }
}

impl ToSchema for CloudEventSchema {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("CloudEvent")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(TYPES.iter().map(|name| (schema_name(name), of(name))));
    }
}

/// Returns the schema of the events of a type.
#[expect(clippy::expect_used, reason = "a test reads the schema of every type")]
fn of(event_type: &str) -> RefOr<Schema> {
    let text = event_schema(event_type).expect("every type has a schema");
    let mut schema: Value = serde_json::from_str(text).expect("a schema is JSON");
    adapt(&mut schema);
    serde_json::from_value(schema).expect("a schema of an event is one of OpenAPI")
}

/// Replaces what the types of the document cannot express: a constant is the only value of an enumeration.
fn adapt(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    members.remove("$schema");
    // Generators of clients would name a type after it.
    members.remove("title");
    if let Some(only) = members.remove("const") {
        members.insert("type".to_owned(), "string".into());
        members.insert("enum".to_owned(), vec![only].into());
    }
    if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(adapt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Returns what is left of a schema without the keywords that the document leaves out or writes otherwise.
    fn essence(mut schema: Value) -> Value {
        adapt(&mut schema);
        schema
    }

    #[test]
    fn the_document_has_each_schema_without_a_loss() {
        for name in TYPES {
            let published: Value = serde_json::from_str(event_schema(name).unwrap()).unwrap();
            assert_eq!(serde_json::to_value(of(name)).unwrap(), essence(published), "{name}");
        }
    }

    #[test]
    fn the_type_of_each_event_is_a_literal() {
        for name in TYPES {
            let schema = serde_json::to_value(of(name)).unwrap();
            assert_eq!(schema["properties"]["type"]["enum"], json!([name]));
            assert!(schema["properties"]["data"]["properties"]["sku"].is_object(), "{name}");
        }
        assert_eq!(schema_name("allocation.hold.confirmed.v1"), "HoldConfirmedV1");
        assert_eq!(schema_name("allocation.product.out_of_stock.v1"), "ProductOutOfStockV1");
    }
}

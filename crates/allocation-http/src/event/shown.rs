use crate::identifier::Identifier;
use utoipa::ToSchema;

/// An event: CloudEvents 1.0 in JSON. What an event of each type is about is in its `data`; there is a
/// JSON Schema for each type in `docs/events` of the project.
#[derive(ToSchema)]
#[schema(as = CloudEvent)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Shown {
    /// The version of CloudEvents.
    #[schema(example = "1.0")]
    specversion: String,
    /// The place of the event in the one order of all events, in decimal digits, without gaps.
    #[schema(example = "5", pattern = "^[1-9][0-9]*$")]
    id: String,
    /// The service that the event comes from.
    #[schema(example = "/allocation")]
    source: String,
    /// What happened.
    #[schema(example = "allocation.line.allocated.v1")]
    r#type: String,
    /// What the event is about: `orders/`, `batches/` or `products/` and a name.
    #[schema(example = "orders/O-1")]
    subject: String,
    /// When it happened.
    #[schema(format = DateTime, example = "2027-01-10T08:00:00.250000Z")]
    time: String,
    /// The media type of `data`.
    #[schema(example = "application/json")]
    datacontenttype: String,
    /// The trace of the request that it happened for (W3C Trace Context), if it had one.
    #[schema(value_type = String, required = false)]
    traceparent: Option<String>,
    /// The id of the command that it happened for, if it had one.
    #[schema(value_type = String, required = false)]
    causationid: Option<String>,
    data: DataSchema,
}

/// What happened, in the members that events of its type have.
#[derive(ToSchema)]
#[schema(as = EventData)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct DataSchema {
    /// The name of the event.
    #[schema(example = "allocated")]
    r#type: String,
    /// The product.
    #[schema(value_type = Identifier)]
    sku: String,
}

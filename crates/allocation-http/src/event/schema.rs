use crate::identifier::Id;
use utoipa::ToSchema;

/// An event: CloudEvents 1.0 in JSON. The members of `data` depend on the type; `docs/events` in the
/// source tree has a JSON Schema for each type.
#[derive(ToSchema)]
#[schema(as = CloudEvent)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct CloudEventSchema {
    /// The version of CloudEvents.
    #[schema(example = "1.0")]
    specversion: String,
    /// The position of the event in the log, in decimal digits and without gaps.
    #[schema(example = "5", pattern = "^[1-9][0-9]*$")]
    id: String,
    /// The service that the event comes from.
    #[schema(example = "/allocation")]
    source: String,
    /// The type of the event.
    #[schema(example = "allocation.line.allocated.v1")]
    r#type: String,
    /// The subject of the event: `orders/`, `batches/` or `products/`, followed by an identifier.
    #[schema(example = "orders/O-1")]
    subject: String,
    /// The time of the event.
    #[schema(format = DateTime, example = "2027-01-10T08:00:00.250000Z")]
    time: String,
    /// The media type of `data`.
    #[schema(example = "application/json")]
    datacontenttype: String,
    /// The kind of the author (CloudEvents Auth Context).
    #[schema(value_type = String, example = "api_key")]
    authtype: String,
    /// The author, as `GET /whoami` names the caller. Absent for `system`, `unauthenticated` and `unknown`.
    #[schema(value_type = String, required = false, example = "key:3kVdR0sUwQa")]
    authid: Option<String>,
    /// The trace of the request that caused the event (W3C Trace Context), if it had one.
    #[schema(value_type = String, required = false)]
    traceparent: Option<String>,
    /// The id of the command that caused the event, if it had one.
    #[schema(value_type = String, required = false)]
    causationid: Option<String>,
    data: EventDataSchema,
}

/// The data of an event. Its members depend on the type.
#[derive(ToSchema)]
#[schema(as = EventData)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct EventDataSchema {
    /// The name of the event.
    #[schema(example = "allocated")]
    r#type: String,
    /// The SKU.
    sku: Id<'static>,
}

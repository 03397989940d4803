//! The events of the Allocation Service as [CloudEvents](https://cloudevents.io) 1.0, in the JSON
//! format.
//!
//! `docs/events` has a JSON Schema for each type. A type may gain members; any other change creates a new
//! version of the type, with its own name.
#![warn(missing_docs)]

mod cloud_event;
mod types;

pub use cloud_event::{CloudEvent, UnpublishableEvent, cloud_event};
pub use types::{TYPES, event_name, event_schema, event_type, schema_name, type_of};

/// The media type of one event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The media type of an array of events.
pub const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

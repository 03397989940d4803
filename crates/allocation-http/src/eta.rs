//! ETAs in responses, and dates in queries.

use allocation_domain::Eta;
use allocation_requests::parse_date;
use chrono::NaiveDate;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// Parses a date in a query.
pub(crate) fn parse_day(text: &str) -> Result<NaiveDate, &'static str> {
    parse_date(text).ok_or("must be a date of the calendar, written YYYY-MM-DD")
}

/// Serializes an ETA: a date, or null for stock.
pub(crate) fn serialize<S: Serializer>(eta: &Eta, serializer: S) -> Result<S::Ok, S::Error> {
    match eta.date() {
        None => serializer.serialize_none(),
        Some(date) => serializer.collect_str(&date),
    }
}

/// An ETA in a body: a date, or null for stock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EtaDate(pub(crate) Eta);

impl Serialize for EtaDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl PartialSchema for EtaDate {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .description(Some("A date; null for stock."))
            .into()
    }
}

impl ToSchema for EtaDate {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Eta")
    }
}

/// Serializes an optional ETA; callers skip absent values.
pub(crate) fn serialize_option<S: Serializer>(eta: &Option<Eta>, serializer: S) -> Result<S::Ok, S::Error> {
    serialize(&eta.unwrap_or(Eta::InStock), serializer)
}

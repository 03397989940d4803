use super::Params;
use crate::eta::EtaDate;
use crate::identifier::Id;
use allocation_domain::{AvailableFrom, Sku};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// The units of a product available to promise.
#[derive(Serialize, ToSchema)]
pub(crate) struct Availability<'a> {
    /// The SKU.
    sku: Id<'a>,
    /// The dates on which more units become available, earliest first.
    series: Vec<Step>,
    /// The requested quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    qty: Option<u32>,
    /// The date from which the requested quantity is available, null if it is not in sight. Present if a
    /// quantity was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = nullable_earliest, required = false)]
    earliest: Option<Option<Earliest>>,
    /// The requested day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = Date, example = "2027-01-14")]
    by: Option<String>,
    /// Units available on the requested day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false, minimum = 0, example = 5)]
    available_by: Option<u64>,
}

/// The units available from a date on.
#[derive(Serialize, ToSchema)]
#[schema(as = AvailableFrom)]
pub(crate) struct Step {
    /// The first date; null for stock.
    eta: EtaDate,
    /// The total number of units, including those of earlier dates.
    #[schema(value_type = i64, minimum = 1, example = 15)]
    available: u64,
}

/// The date from which a quantity is available; null for stock.
#[derive(Serialize)]
struct Earliest {
    eta: EtaDate,
}

/// One schema with two types: generators of clients lose the members of an alternative.
fn nullable_earliest() -> ObjectBuilder {
    let description = "The date from which the requested quantity is available, null if it is not in sight. Present \
        if a quantity was requested.";
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some(description))
        .property("eta", EtaDate::schema())
        .required("eta")
}

impl<'a> Availability<'a> {
    /// Returns the response to a request.
    pub(super) fn of(sku: &'a Sku, found: &allocation_domain::Availability, params: &Params) -> Self {
        let step = |from: &AvailableFrom| Step { eta: EtaDate(from.eta), available: from.available };
        let earliest = |quantity| found.earliest(quantity).map(|eta| Earliest { eta: EtaDate(eta) });
        Self {
            sku: sku.into(),
            series: found.series().iter().map(step).collect(),
            qty: params.qty.map(Into::into),
            earliest: params.qty.map(earliest),
            by: params.by.as_ref().map(NaiveDate::to_string),
            available_by: params.by.map(|day| found.by(day)),
        }
    }
}

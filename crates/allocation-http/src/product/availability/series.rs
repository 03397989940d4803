use super::Asked;
use crate::eta;
use crate::identifier::Identifier;
use allocation_domain::{AvailableFrom, Eta, Sku};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// What is free of a product, and when.
#[derive(Serialize, ToSchema)]
pub(crate) struct Availability<'a> {
    /// The SKU.
    #[schema(value_type = Identifier)]
    sku: &'a str,
    /// The days on which units become free, the earliest first.
    series: Vec<Step>,
    /// The quantity that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false, minimum = 1, example = 10)]
    qty: Option<u32>,
    /// From when on that many units are free, null when that is not in sight. Present when a
    /// quantity was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Earliest>, required = false)]
    earliest: Option<Option<Earliest>>,
    /// The day that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, format = Date, example = "2027-01-14")]
    by: Option<String>,
    /// How many units are free on that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false, minimum = 0, example = 5)]
    available_by: Option<u64>,
}

/// So many units are free from a day on.
#[derive(Serialize, ToSchema)]
#[schema(as = AvailableFrom)]
pub(crate) struct Step {
    /// From when on: a date, or null for stock in the warehouse.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    eta: Eta,
    /// How many units, those of the days before among them.
    #[schema(value_type = i64, minimum = 1, example = 15)]
    available: u64,
}

/// From when on a quantity is free.
#[derive(Serialize, ToSchema)]
pub(crate) struct Earliest {
    /// A date, or null for stock in the warehouse.
    #[schema(value_type = Option<String>, required = true, format = Date)]
    #[serde(serialize_with = "eta::serialize")]
    eta: Eta,
}

impl<'a> Availability<'a> {
    /// The answer to what was asked.
    pub(super) fn of(sku: &'a Sku, found: &allocation_domain::Availability, asked: &Asked) -> Self {
        let step = |from: &AvailableFrom| Step { eta: from.eta, available: from.available };
        let earliest = |quantity| found.earliest(quantity).map(|eta| Earliest { eta });
        Self {
            sku: sku.as_str(),
            series: found.series().iter().map(step).collect(),
            qty: asked.qty.map(Into::into),
            earliest: asked.qty.map(earliest),
            by: asked.by.as_ref().map(NaiveDate::to_string),
            available_by: asked.by.map(|day| found.by(day)),
        }
    }
}

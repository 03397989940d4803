use crate::body::{Body, Given};
use crate::validation_error::{ValidationError, ValidationErrors};
use crate::{eta, quantity};
use allocation_domain::{BatchChange, Eta, Units};
use deserr::Deserr;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A correction of a batch, with at least one member.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = ValidationErrors, deny_unknown_fields)]
#[schema(as = BatchCorrection, min_properties = 1)]
pub(crate) struct Correction {
    /// The purchased quantity, possibly zero.
    #[serde(default, deserialize_with = "units")]
    #[deserr(default)]
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 2_147_483_647, example = 18)]
    purchased_quantity: Given<Units>,
    /// The date from which the batch can be picked, from 2000-01-01 to 2999-12-31. Null if it has arrived.
    #[serde(default, deserialize_with = "eta")]
    #[deserr(default)]
    #[schema(value_type = Option<String>, required = false, format = Date, example = "2027-02-01")]
    eta: Given<Eta>,
    /// Whether lines move to batches that arrive earlier.
    #[serde(default)]
    #[deserr(default)]
    #[schema(value_type = bool, required = false, default = false)]
    reallocate: Given<bool>,
}

fn units<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Given<Units>, D::Error> {
    quantity::deserialize_units(deserializer).map(Given::from)
}

fn eta<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Given<Eta>, D::Error> {
    eta::deserialize(deserializer).map(Given::from)
}

impl Body for Correction {
    type Content = BatchChange;

    fn content(self) -> Result<BatchChange, ValidationErrors> {
        let Self { purchased_quantity: Given(purchased), eta: Given(eta), reallocate: Given(reallocate) } = self;
        if purchased.is_none() && eta.is_none() && reallocate.is_none() {
            let rule = "must have at least one of purchased_quantity, eta, reallocate";
            return Err(ValidationError::in_body("", rule).into());
        }
        Ok(BatchChange { purchased, eta, reallocate: reallocate.unwrap_or(false), expected: None })
    }
}

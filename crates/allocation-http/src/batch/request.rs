use crate::body::Body;
use crate::identifier::Identifier;
use crate::validation_error::ValidationErrors;
use crate::{eta, identifier, quantity};
use allocation_app::NewBatch;
use allocation_domain::{BatchReference, Eta, Quantity, Sku};
use deserr::Deserr;
use serde::Deserialize;
use utoipa::ToSchema;

/// A batch to add.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = ValidationErrors, deny_unknown_fields)]
#[schema(as = NewBatch)]
pub(crate) struct BatchToAdd {
    /// The reference of the batch, unique across all SKUs.
    #[serde(alias = "ref", deserialize_with = "identifier::deserialize")]
    #[schema(value_type = Identifier)]
    reference: BatchReference,
    /// The SKU of the batch.
    #[serde(deserialize_with = "identifier::deserialize")]
    #[schema(value_type = Identifier)]
    sku: Sku,
    /// The purchased quantity.
    #[serde(alias = "qty", deserialize_with = "quantity::deserialize")]
    #[schema(value_type = i32, minimum = 1, maximum = 2_147_483_647, example = 20)]
    purchased_quantity: Quantity,
    /// The date from which the batch can be picked, from 2000-01-01 to 2999-12-31. Null or absent if it is in stock.
    #[serde(default = "in_stock", deserialize_with = "eta::deserialize")]
    #[deserr(default = Eta::InStock)]
    #[schema(value_type = Option<String>, format = Date, example = "2027-01-15")]
    eta: Eta,
}

const fn in_stock() -> Eta {
    Eta::InStock
}

impl Body for BatchToAdd {
    const ALIASES: &'static [(&'static str, &'static str)] = &[("ref", "reference"), ("qty", "purchased_quantity")];

    type Content = NewBatch;

    fn content(self) -> Result<NewBatch, ValidationErrors> {
        let Self { reference, sku, purchased_quantity: purchased, eta } = self;
        Ok(NewBatch { reference, sku, purchased, eta })
    }
}

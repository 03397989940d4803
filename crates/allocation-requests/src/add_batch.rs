use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::{Eta, NewBatch, Sku};

/// A request to add a batch of a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddBatch {
    /// The SKU.
    pub sku: Sku,
    /// The batch.
    pub batch: NewBatch,
}

impl FromJson for AddBatch {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut batch = json.object()?;
        let reference = batch.required_or_alias("reference", "ref");
        let sku = batch.required("sku");
        let purchased = batch.required_or_alias("purchased_quantity", "qty");
        let eta = batch.optional("eta").unwrap_or(Eta::InStock);
        batch.finish(|| Some(Self { sku: sku?, batch: NewBatch::new(reference?, purchased?, eta) }))
    }
}

use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_app::NewBatch;
use allocation_domain::Eta;

impl FromJson for NewBatch {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut batch = json.object()?;
        let reference = batch.required_or_alias("reference", "ref");
        let sku = batch.required("sku");
        let purchased = batch.required_or_alias("purchased_quantity", "qty");
        let eta = batch.optional("eta").unwrap_or(Eta::InStock);
        batch.finish(|| Some(Self { reference: reference?, sku: sku?, purchased: purchased?, eta }))
    }
}

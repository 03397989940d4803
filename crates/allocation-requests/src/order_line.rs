use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::OrderLine;

impl FromJson for OrderLine {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut line = json.object()?;
        let (order_id, sku, quantity) = (line.required("order_id"), line.required("sku"), line.required("qty"));
        let (order_id, sku, quantity) = line.finish(|| Some((order_id?, sku?, quantity?)))?;
        Self::new(order_id, sku, quantity).map_err(|error| ValidationErrors::at("/order_id", error))
    }
}

use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::BatchChange;

impl FromJson for BatchChange {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut change = json.object()?;
        let (purchased, eta) = (change.optional("purchased_quantity"), change.optional("eta"));
        let reallocate = change.optional("reallocate");
        change.finish(|| Some(()))?;
        if purchased.is_none() && eta.is_none() && reallocate.is_none() {
            let rule = "must have at least one of purchased_quantity, eta, reallocate";
            return Err(ValidationErrors::of_value(rule));
        }
        Ok(Self { purchased, eta, reallocate: reallocate.unwrap_or(false), expected: None })
    }
}

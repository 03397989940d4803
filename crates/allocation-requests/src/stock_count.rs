use crate::distinct::Distinct;
use crate::json::{FromJson, Json};
use crate::validation_error::{ValidationError, ValidationErrors};
use allocation_domain::{
    BatchReference, CountScope, CountedUnits, NewStockCount, Sku, StockCount, UncountedLines, Units,
};

/// A request to close a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountClosing {
    /// What becomes of lines that are not entered.
    pub uncounted: UncountedLines,
}

impl FromJson for NewStockCount {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        const SCOPE: &str = "must have either skus or references";
        let mut count = json.object()?;
        let count_id = count.required("count_id");
        let skus = count.optional::<Distinct<Sku, { StockCount::MAX_LINES }>>("skus");
        let references = count.optional::<Distinct<BatchReference, { StockCount::MAX_LINES }>>("references");
        let blind = count.optional("blind").unwrap_or_default();
        let scopes = (skus, references);
        let (count_id, scopes) = count.finish(|| Some((count_id?, scopes)))?;
        let scope = match scopes {
            (Some(Distinct(skus)), None) => CountScope::Skus(skus),
            (None, Some(Distinct(references))) => CountScope::References(references),
            _ => return Err(ValidationError::in_body("", SCOPE).into()),
        };
        Ok(Self { count_id, scope, blind })
    }
}

impl FromJson for CountedUnits {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut entry = json.object()?;
        let counted = entry.required("counted");
        let picked_counted = entry.optional("picked_counted");
        let recount = entry.optional("recount").unwrap_or(Units::ZERO);
        entry.finish(|| Some(Self { counted: counted?, picked_counted, recount }))
    }
}

impl FromJson for CountClosing {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut closing = json.object()?;
        let uncounted = closing.optional("uncounted").unwrap_or_default();
        closing.finish(|| Some(Self { uncounted }))
    }
}

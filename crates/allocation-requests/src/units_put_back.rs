use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::{PutBackReason, Quantity};

/// A report of the units of a pick line that are back on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitsPutBack {
    /// The units that are back on the shelf, in total.
    pub total: Quantity,
    /// Why, in the words of the caller.
    pub reason: Option<PutBackReason>,
}

impl FromJson for UnitsPutBack {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut report = json.object()?;
        let (total, reason) = (report.required("qty"), report.optional("reason"));
        report.finish(|| Some(Self { total: total?, reason }))
    }
}

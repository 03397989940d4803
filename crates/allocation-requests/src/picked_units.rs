use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::Units;

/// A report of the units that a picker found for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PickedUnits(pub Units);

impl FromJson for PickedUnits {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut report = json.object()?;
        let units = report.required("qty");
        report.finish(|| units.map(Self))
    }
}

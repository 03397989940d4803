use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::HoldDuration;

/// A request to extend a hold, by this time from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldExtension(pub HoldDuration);

impl FromJson for HoldExtension {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut extension = json.object()?;
        let hold = extension.required("hold_seconds");
        extension.finish(|| hold.map(Self))
    }
}

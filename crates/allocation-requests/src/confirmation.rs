use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;

/// A request to confirm an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmation {
    /// Whether an order whose hold has expired gets its units again.
    pub reallocate: bool,
}

impl FromJson for Confirmation {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut confirmation = json.object()?;
        let reallocate = confirmation.optional("reallocate").unwrap_or_default();
        confirmation.finish(|| Some(Self { reallocate }))
    }
}

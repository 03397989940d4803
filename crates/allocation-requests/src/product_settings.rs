use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::Promises;

/// The settings of a product; one that is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProductSettings {
    /// Whether lines move to earlier batches when units of them come free.
    pub promises: Option<Promises>,
}

impl FromJson for ProductSettings {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut settings = json.object()?;
        let promises = settings.optional("promises");
        settings.finish(|| Some(Self { promises }))
    }
}

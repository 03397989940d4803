use crate::json::{FromJson, Json};
use crate::validation_error::ValidationErrors;
use allocation_domain::OpenLines;

/// A request to ship a pick list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListShipment {
    /// What becomes of open lines.
    pub open: OpenLines,
}

impl FromJson for ListShipment {
    fn from_json(json: Json<'_>) -> Result<Self, ValidationErrors> {
        let mut shipment = json.object()?;
        let open = shipment.optional("open").unwrap_or_default();
        shipment.finish(|| Some(Self { open }))
    }
}

use crate::{BatchReference, OrderId, PickLine, PickLineId, PickListId, Quantity, Sku};

/// Units of a pick line, in its events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListedUnits {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The SKU.
    pub sku: Sku,
    /// The batch.
    pub reference: BatchReference,
    /// The pick list.
    pub list: PickListId,
    /// The line number on the list.
    pub line: u32,
    /// The number of units.
    pub quantity: Quantity,
}

impl ListedUnits {
    /// Returns units of a pick line.
    pub(crate) fn of(id: &PickLineId, pick: &PickLine, quantity: Quantity) -> Self {
        let PickLineId { list, line } = id.clone();
        let PickLine { order_id, sku, reference, .. } = pick.clone();
        Self { order_id, sku, reference, list, line, quantity }
    }

    /// Returns the id of the pick line.
    #[must_use]
    pub fn id(&self) -> PickLineId {
        PickLineId { list: self.list.clone(), line: self.line }
    }
}

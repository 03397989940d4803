//! What has happened.

use crate::{BatchReference, Eta, OrderId, Quantity, Sku};

/// A fact about a product, in the past tense.
///
/// Every change of a product records its events, one for each batch added or removed and one for
/// each line and batch whose allocation changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "type", rename_all = "snake_case"))]
pub enum Event {
    /// A batch was added.
    BatchAdded {
        /// The batch.
        reference: BatchReference,
        /// What it holds.
        sku: Sku,
        /// How many units were purchased.
        purchased_quantity: Quantity,
        /// When the batch can be picked from.
        eta: Eta,
    },
    /// A batch of which nothing was allocated was removed.
    BatchRemoved {
        /// The batch.
        reference: BatchReference,
        /// What it held.
        sku: Sku,
    },
    /// Units of a batch were allocated to a line.
    Allocated {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// How many units of the batch.
        quantity: Quantity,
        /// How many units the line has ordered.
        line_quantity: Quantity,
    },
    /// A line's units in a batch were freed.
    Deallocated {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// How many units were freed.
        quantity: Quantity,
    },
    /// The last free unit of a SKU, in the warehouse or on its way, was allocated.
    OutOfStock {
        /// What is sold out.
        sku: Sku,
    },
}

impl Event {
    /// The event's type, as it is stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BatchAdded { .. } => "batch_added",
            Self::BatchRemoved { .. } => "batch_removed",
            Self::Allocated { .. } => "allocated",
            Self::Deallocated { .. } => "deallocated",
            Self::OutOfStock { .. } => "out_of_stock",
        }
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_with_its_name_as_type() {
        let event = Event::Deallocated {
            order_id: OrderId::parse("O-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            reference: BatchReference::parse("B-1").unwrap(),
            quantity: Quantity::new(3).unwrap(),
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], event.name());
        assert_eq!(json["quantity"], 3);
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}

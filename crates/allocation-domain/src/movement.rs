//! Movements: events that change how many units of a product there are.

use crate::{Event, Units};

impl Event {
    /// The names of the events of movements.
    pub const MOVEMENTS: [&str; 8] = [
        "batch_added",
        "batch_changed",
        "batch_adjusted",
        "batch_received",
        "batch_removed",
        "units_missing",
        "pick_corrected",
        "shipped",
    ];

    /// Returns the change in the units of the product, in stock and inbound; negative if units leave. `None` if the
    /// event is no movement, or is from before its movement was recorded.
    ///
    /// The sum over all events of a product is its available, allocated and picked units. A change of date alone is 0.
    #[must_use]
    pub fn moved_units(&self) -> Option<i64> {
        match self {
            Self::BatchAdded { purchased_quantity, .. } => Some(purchased_quantity.get().into()),
            Self::BatchChanged { purchased_quantity, adjustments, old_purchased_quantity, old_adjustments, .. } => {
                Some(sum(*purchased_quantity, *adjustments) - sum(*old_purchased_quantity, *old_adjustments))
            }
            Self::BatchAdjusted {
                purchased_quantity, adjustments, old_purchased_quantity, old_adjustments, ..
            }
            | Self::BatchReceived {
                purchased_quantity, adjustments, old_purchased_quantity, old_adjustments, ..
            } => Some(sum(*purchased_quantity, *adjustments) - sum((*old_purchased_quantity)?, (*old_adjustments)?)),
            Self::BatchRemoved { quantity, .. } => Some(-i64::from((*quantity)?.get())),
            Self::UnitsMissing(units) | Self::Shipped { units, .. } => Some(-i64::from(units.quantity.get())),
            Self::PickCorrected { found, old_found, .. } => Some(i64::from(found.get()) - i64::from(old_found.get())),
            _ => None,
        }
    }
}

fn sum(purchased: Units, adjustments: i32) -> i64 {
    i64::from(purchased.get()) + i64::from(adjustments)
}

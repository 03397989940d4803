//! Shipments: picked units that leave together.

use crate::{Carrier, ListedUnits, PickLine, PickLineId, Quantity, ShipmentId, Tracking};
use std::collections::BTreeMap;

/// Picked units of a pick line that leave with a shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShipmentLine {
    /// The pick line.
    pub id: PickLineId,
    /// The units to ship, `None` for all that are picked and not shipped.
    pub quantity: Option<Quantity>,
}

/// An error for lines that are no shipment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum NewShipmentError {
    /// There is no line, or there are more than [`NewShipment::MAX_LINES`].
    #[error("must have from 1 to {max} lines, not {0}", max = NewShipment::MAX_LINES)]
    LineCount(usize),
    /// Two lines name the same pick line.
    #[error("two lines name line {0}")]
    Repeated(PickLineId),
}

/// A request to ship picked units of pick lists: all of them, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NewShipment {
    shipment_id: ShipmentId,
    /// Each pick line once, sorted by list and number.
    lines: Vec<ShipmentLine>,
    carrier: Option<Carrier>,
    tracking: Option<Tracking>,
}

impl NewShipment {
    /// The maximum number of lines.
    pub const MAX_LINES: usize = 1_000;

    /// Creates a shipment. The order of the lines has no meaning.
    ///
    /// # Errors
    ///
    /// [`NewShipmentError`].
    pub fn new(
        shipment_id: ShipmentId,
        lines: impl IntoIterator<Item = ShipmentLine>,
    ) -> Result<Self, NewShipmentError> {
        let mut sorted = BTreeMap::new();
        let mut count = 0;
        for line in lines {
            count += 1;
            if let Some(repeated) = sorted.insert(line.id.clone(), line) {
                return Err(NewShipmentError::Repeated(repeated.id));
            }
        }
        if !(1..=Self::MAX_LINES).contains(&count) {
            return Err(NewShipmentError::LineCount(count));
        }
        Ok(Self { shipment_id, lines: sorted.into_values().collect(), carrier: None, tracking: None })
    }

    /// Names the carrier, and the carrier's number for the shipment.
    #[must_use]
    pub fn sent_by(self, carrier: Option<Carrier>, tracking: Option<Tracking>) -> Self {
        Self { carrier, tracking, ..self }
    }

    /// Returns the id.
    #[must_use]
    pub const fn shipment_id(&self) -> &ShipmentId {
        &self.shipment_id
    }

    /// Returns the lines, sorted by list and number.
    #[must_use]
    pub fn lines(&self) -> &[ShipmentLine] {
        &self.lines
    }

    /// Returns the carrier.
    #[must_use]
    pub const fn carrier(&self) -> Option<&Carrier> {
        self.carrier.as_ref()
    }

    /// Returns the carrier's number for the shipment.
    #[must_use]
    pub const fn tracking(&self) -> Option<&Tracking> {
        self.tracking.as_ref()
    }
}

/// The units that left with a shipment, sorted by list and line.
pub type ShippedLines = Vec<ListedUnits>;

/// An error returned when shipping units of pick lines. Nothing is shipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum CreateShipmentError {
    /// Another shipment has this id.
    #[error("Shipment {0} exists already with other content")]
    AlreadyExists(ShipmentId),
    /// The pick line does not exist.
    #[error("There is no line {0}")]
    NotFound(PickLineId),
    /// No units of the pick line are picked: it is open, missing or withdrawn.
    #[error("Line {id} is {}, so nothing of it can be shipped", line.status.as_str())]
    NotPicked {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
    },
    /// All picked units of the pick line were shipped.
    #[error("The {} units of line {id} were shipped already", line.picked)]
    AlreadyShipped {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
    },
    /// Fewer units of the pick line are picked and not shipped.
    #[error("Line {id} has {} picked units to ship, not {requested}", line.to_ship())]
    MoreThanPicked {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The units to ship.
        requested: Quantity,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PickListId;

    fn line(list: &str, line: u32) -> ShipmentLine {
        ShipmentLine { id: PickLineId { list: PickListId::parse(list).unwrap(), line }, quantity: None }
    }

    fn shipment(lines: Vec<ShipmentLine>) -> Result<NewShipment, NewShipmentError> {
        NewShipment::new(ShipmentId::parse("S-1").unwrap(), lines)
    }

    #[test]
    fn a_shipment_has_one_line_for_each_pick_line_in_any_order() {
        let (one, two) = (shipment(vec![line("P", 1), line("Q", 1)]), shipment(vec![line("Q", 1), line("P", 1)]));
        assert_eq!(one, two);
        let repeated = shipment(vec![line("P", 1), line("P", 2), line("P", 1)]);
        assert_eq!(repeated, Err(NewShipmentError::Repeated(line("P", 1).id)));
    }

    #[test]
    fn the_number_of_lines_has_a_limit() {
        let lines = |count: u32| (1..=count).map(|number| line("P", number)).collect();
        assert_eq!(shipment(lines(1_000)).unwrap().lines().len(), 1_000);
        assert_eq!(shipment(lines(1_001)), Err(NewShipmentError::LineCount(1_001)));
        assert_eq!(shipment(Vec::new()), Err(NewShipmentError::LineCount(0)));
    }
}

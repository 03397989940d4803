//! The lines of pick lists.

use crate::named::named;
use crate::{BatchReference, OrderId, PickListId, Quantity, Sku};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The id of a pick line: its list and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PickLineId {
    /// The list.
    pub list: PickListId,
    /// The number of the line, from 1.
    pub line: u32,
}

impl fmt::Display for PickLineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of pick list {}", self.line, self.list)
    }
}

/// The status of a pick line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PickStatus {
    /// The line is to be picked.
    Open,
    /// All its units were picked, or all that were found, and not all of them were shipped.
    Picked,
    /// None of its units were found.
    Missing,
    /// All picked units were shipped.
    Shipped,
    /// The line is no longer to be picked, or all units that were found of it were put back.
    Withdrawn,
}

named!(
    PickStatus:
    Open = "open",
    Picked = "picked",
    Missing = "missing",
    Shipped = "shipped",
    Withdrawn = "withdrawn",
);

/// Units of one batch to pick for one order line.
///
/// While it is open, its units are allocated to the order line in the batch, and are on no other
/// pick line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PickLine {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The SKU.
    pub sku: Sku,
    /// The batch.
    pub reference: BatchReference,
    /// The units to pick.
    pub quantity: Quantity,
    /// The picked units, without those that were put back.
    pub picked: u32,
    /// The picked units that were shipped.
    #[cfg_attr(feature = "serde", serde(default))]
    pub shipped: u32,
    /// The units that were found, and were put back on the shelf or never wanted.
    #[cfg_attr(feature = "serde", serde(default))]
    pub put_back: u32,
    /// The status.
    pub status: PickStatus,
}

impl PickLine {
    /// Returns whether the line is to be picked.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, PickStatus::Open)
    }

    /// Returns the number of units that were found, or `None` if none is reported: the line is open, or was withdrawn
    /// while it was.
    #[must_use]
    pub const fn found(&self) -> Option<u32> {
        match self.status {
            PickStatus::Open => None,
            PickStatus::Withdrawn if self.put_back == 0 => None,
            PickStatus::Picked | PickStatus::Missing | PickStatus::Shipped | PickStatus::Withdrawn => {
                Some(self.picked + self.put_back)
            }
        }
    }

    /// Returns the number of units that are picked and not shipped.
    #[must_use]
    pub const fn to_ship(&self) -> u32 {
        match self.status {
            PickStatus::Picked => self.picked - self.shipped,
            PickStatus::Open | PickStatus::Missing | PickStatus::Shipped | PickStatus::Withdrawn => 0,
        }
    }

    /// Returns the same line after a report, with these units picked and put back. At least the shipped ones are
    /// picked.
    #[must_use]
    pub(crate) fn reported(self, picked: u32, put_back: u32) -> Self {
        let status = match (picked, put_back) {
            (0, 0) => PickStatus::Missing,
            (0, _) => PickStatus::Withdrawn,
            _ if picked == self.shipped => PickStatus::Shipped,
            _ => PickStatus::Picked,
        };
        Self { picked, put_back, status, ..self }
    }

    /// Returns the same line after more of its picked units were shipped.
    #[must_use]
    pub(crate) fn with_shipped(self, units: u32) -> Self {
        let (picked, put_back) = (self.picked, self.put_back);
        Self { shipped: self.shipped + units, ..self }.reported(picked, put_back)
    }

    /// Returns whether units of the line were picked, shipped or not.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        matches!(self.status, PickStatus::Picked | PickStatus::Shipped)
    }
}

/// Pick lines by list and number, indexed by order.
#[derive(Debug, Clone, Default)]
pub(crate) struct PickLines {
    by_id: BTreeMap<PickLineId, PickLine>,
    of_order: BTreeMap<OrderId, BTreeSet<PickLineId>>,
}

impl PickLines {
    /// Adds a pick line, or replaces the pick line with the same id.
    pub(crate) fn insert(&mut self, id: PickLineId, line: PickLine) {
        self.of_order.entry(line.order_id.clone()).or_default().insert(id.clone());
        self.by_id.insert(id, line);
    }

    /// Removes a pick line.
    pub(crate) fn remove(&mut self, id: &PickLineId) {
        let line = self.by_id.remove(id);
        if let Some(ids) = line.and_then(|line| self.of_order.get_mut(&line.order_id)) {
            ids.remove(id);
        }
    }

    /// Returns a pick line.
    pub(crate) fn get(&self, id: &PickLineId) -> Option<&PickLine> {
        self.by_id.get(id)
    }

    /// Returns the pick lines of an order, sorted by list and number.
    pub(crate) fn of(&self, order_id: &OrderId) -> impl DoubleEndedIterator<Item = (&PickLineId, &PickLine)> {
        let ids = self.of_order.get(order_id).into_iter().flatten();
        ids.filter_map(|id| Some((id, self.by_id.get(id)?)))
    }

    /// Returns the pick lines of a list, sorted by number.
    pub(crate) fn of_list(&self, list: &PickListId) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        let id = |line| PickLineId { list: list.clone(), line };
        self.by_id.range(id(0)..=id(u32::MAX))
    }

    /// Returns all pick lines, sorted by list and number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        self.by_id.iter()
    }
}

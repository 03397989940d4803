//! The lines of pick lists.

use crate::{BatchReference, OrderId, PickListId, Quantity, Sku};
use std::collections::BTreeMap;
use std::fmt;

/// The name of a pick line: its list, and its number on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// What became of a pick line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PickStatus {
    /// It is to be picked.
    Open,
    /// All its units were picked, or those that were found.
    Picked,
    /// None of its units were found.
    Missing,
    /// What was picked has left for good.
    Shipped,
    /// It is not to be picked any more.
    Withdrawn,
}

impl PickStatus {
    /// The status as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Picked => "picked",
            Self::Missing => "missing",
            Self::Shipped => "shipped",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Units of one batch that are picked for one order line.
///
/// While it is open, its units are among those that the order line holds in the batch, and on no
/// other pick line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickLine {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// What is ordered.
    pub sku: Sku,
    /// The batch.
    pub reference: BatchReference,
    /// How many units are, or were, to be picked.
    pub quantity: Quantity,
    /// How many units were picked.
    pub picked: u32,
    /// What became of it.
    pub status: PickStatus,
}

impl PickLine {
    /// Whether it is to be picked.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, PickStatus::Open)
    }

    /// Whether units of it were picked, shipped or not.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        matches!(self.status, PickStatus::Picked | PickStatus::Shipped)
    }
}

/// Pick lines by the order that they are picked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct PickLines(BTreeMap<OrderId, BTreeMap<PickLineId, PickLine>>);

impl PickLines {
    /// Adds a pick line, in place of one of its name.
    pub(crate) fn insert(&mut self, id: PickLineId, line: PickLine) {
        self.0.entry(line.order_id.clone()).or_default().insert(id, line);
    }

    /// Removes a pick line.
    pub(crate) fn remove(&mut self, order_id: &OrderId, id: &PickLineId) {
        if let Some(lines) = self.0.get_mut(order_id) {
            lines.remove(id);
        }
    }

    /// A pick line of an order.
    pub(crate) fn get(&self, order_id: &OrderId, id: &PickLineId) -> Option<&PickLine> {
        self.0.get(order_id)?.get(id)
    }

    /// A pick line of whichever order.
    pub(crate) fn find(&self, id: &PickLineId) -> Option<&PickLine> {
        self.0.values().find_map(|lines| lines.get(id))
    }

    /// The pick lines of an order.
    pub(crate) fn of(&self, order_id: &OrderId) -> impl DoubleEndedIterator<Item = (&PickLineId, &PickLine)> {
        self.0.get(order_id).into_iter().flatten()
    }

    /// All pick lines.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        self.0.values().flatten()
    }
}

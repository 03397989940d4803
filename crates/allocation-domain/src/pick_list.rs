//! Pick lists: what is to be taken from the shelves together.

use crate::{BatchReference, MoreNeeded, OrderId, PickLine, PickListId, PickStatus, Sku};
use std::collections::{BTreeMap, BTreeSet};

/// What a pick list is to be made of. A criterion that is not given leaves nothing out; one that is
/// given and empty leaves all out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PickCriteria {
    /// Only these batches.
    pub references: Option<BTreeSet<BatchReference>>,
    /// Only these SKUs.
    pub skus: Option<BTreeSet<Sku>>,
    /// Only these orders.
    pub order_ids: Option<BTreeSet<OrderId>>,
}

impl PickCriteria {
    /// Whether units of a batch for an order are among what is asked for.
    #[must_use]
    pub fn takes(&self, reference: &BatchReference, sku: &Sku, order_id: &OrderId) -> bool {
        self.references.as_ref().is_none_or(|wanted| wanted.contains(reference))
            && self.skus.as_ref().is_none_or(|wanted| wanted.contains(sku))
            && self.order_ids.as_ref().is_none_or(|wanted| wanted.contains(order_id))
    }
}

/// Why a number is not how many lines a pick list may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from 1 to {max}", max = NewPickList::MAX_LINES)]
pub struct MaxLinesError;

/// A pick list that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPickList {
    list_id: PickListId,
    criteria: PickCriteria,
    max_lines: usize,
}

impl NewPickList {
    /// How many lines a pick list may have.
    pub const MAX_LINES: usize = 1_000;

    /// A pick list of all that the criteria take, [`Self::MAX_LINES`] at most.
    #[must_use]
    pub const fn new(list_id: PickListId, criteria: PickCriteria) -> Self {
        Self { list_id, criteria, max_lines: Self::MAX_LINES }
    }

    /// This list with so many lines at most.
    ///
    /// # Errors
    ///
    /// [`MaxLinesError`] for a number that is not from 1 to [`Self::MAX_LINES`].
    pub fn with_max_lines(self, max_lines: impl TryInto<usize>) -> Result<Self, MaxLinesError> {
        match max_lines.try_into() {
            Ok(max_lines) if (1..=Self::MAX_LINES).contains(&max_lines) => Ok(Self { max_lines, ..self }),
            _ => Err(MaxLinesError),
        }
    }

    /// The name of the list.
    #[must_use]
    pub const fn list_id(&self) -> &PickListId {
        &self.list_id
    }

    /// What it is to be made of.
    #[must_use]
    pub const fn criteria(&self) -> &PickCriteria {
        &self.criteria
    }

    /// How many lines it has at most.
    #[must_use]
    pub const fn max_lines(&self) -> usize {
        self.max_lines
    }
}

/// What a pick list has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PickListStatus {
    /// Some of its lines are to be picked.
    Open,
    /// Nothing is to be picked any more; what was picked can be shipped.
    Picked,
    /// What was picked has left for good.
    Shipped,
    /// Nothing is to be picked, and nothing was.
    Withdrawn,
}

impl PickListStatus {
    /// The status as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Picked => "picked",
            Self::Shipped => "shipped",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What lines have come to as one list: the first of these that one of them is, open, picked or
    /// shipped; else withdrawn.
    pub fn of(lines: impl IntoIterator<Item = PickStatus>) -> Self {
        let lines: Vec<_> = lines.into_iter().collect();
        if lines.contains(&PickStatus::Open) {
            Self::Open
        } else if lines.contains(&PickStatus::Picked) {
            Self::Picked
        } else if lines.contains(&PickStatus::Shipped) {
            Self::Shipped
        } else {
            Self::Withdrawn
        }
    }
}

/// A pick list with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickList {
    /// The name of the list.
    pub list_id: PickListId,
    /// Its lines by number, sorted by batch, then in the order in which order lines are served.
    pub lines: BTreeMap<u32, PickLine>,
}

impl PickList {
    /// What the list has come to.
    #[must_use]
    pub fn status(&self) -> PickListStatus {
        PickListStatus::of(self.lines.values().map(|line| line.status))
    }
}

/// Why a pick list is not made. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MakePickListError {
    /// No firm allocation in stock that is on no list is among what was asked for.
    #[error("There is nothing to pick")]
    NothingToPick,
    /// There is a list of that name already.
    #[error("Pick list {0} exists already")]
    AlreadyExists(PickListId),
    /// What is at hand does not tell what is on lists already.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

/// What came of shipping a pick list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShipOutcome {
    /// All that was picked is shipped.
    Shipped(PickList),
    /// It was shipped already; nothing changed.
    Unchanged(PickList),
}

/// Why a pick list is not shipped. Nothing of it is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShipError {
    /// There is no such list.
    #[error("There is no pick list {0}")]
    NotFound(PickListId),
    /// Some lines are still to be picked.
    #[error("{} lines of pick list {list} are not picked yet", lines.len())]
    NotPicked {
        /// The list.
        list: PickListId,
        /// Their numbers.
        lines: Vec<u32>,
    },
    /// Nothing of the list was picked.
    #[error("Nothing of pick list {0} was picked")]
    NothingPicked(PickListId),
    /// What is at hand does not decide.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

/// What came of giving a pick list back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GiveBackOutcome {
    /// Its lines are withdrawn.
    GivenBack(PickList),
    /// Nothing of it was to be picked any more; nothing changed.
    Unchanged(PickList),
}

/// Why a pick list is not given back. Nothing of it is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GiveBackError {
    /// There is no such list.
    #[error("There is no pick list {0}")]
    NotFound(PickListId),
    /// Units of it were picked: that is not undone.
    #[error("Units of pick list {0} were picked")]
    Picked(PickListId),
    /// What is at hand does not decide.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_to_a_thousand_lines() {
        let list = || NewPickList::new(PickListId::parse("P-1").unwrap(), PickCriteria::default());
        assert_eq!(list().with_max_lines(0), Err(MaxLinesError));
        assert_eq!(list().with_max_lines(-1), Err(MaxLinesError));
        assert_eq!(list().with_max_lines(1_001), Err(MaxLinesError));
        assert_eq!(list().with_max_lines(7).unwrap().max_lines(), 7);
        assert_eq!(list().max_lines(), 1_000);
    }

    #[test]
    fn every_list_has_one_status() {
        use PickStatus::{Missing, Open, Picked, Shipped, Withdrawn};
        assert_eq!(PickListStatus::of([Picked, Open, Withdrawn]), PickListStatus::Open);
        assert_eq!(PickListStatus::of([Picked, Missing, Withdrawn]), PickListStatus::Picked);
        assert_eq!(PickListStatus::of([Shipped, Missing, Withdrawn]), PickListStatus::Shipped);
        assert_eq!(PickListStatus::of([Missing, Withdrawn]), PickListStatus::Withdrawn);
    }
}

//! Pick lists: units to pick together.

use crate::named::named;
use crate::{BatchReference, OrderId, PickLine, PickLineId, PickListId, PickStatus, Sku};
use std::collections::{BTreeMap, BTreeSet};

/// The criteria for the lines of a pick list.
///
/// A criterion that is `None` excludes nothing; an empty set excludes everything.
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
    /// Returns whether units of a batch for an order match the criteria.
    #[must_use]
    pub fn takes(&self, reference: &BatchReference, sku: &Sku, order_id: &OrderId) -> bool {
        self.references.as_ref().is_none_or(|wanted| wanted.contains(reference))
            && self.skus.as_ref().is_none_or(|wanted| wanted.contains(sku))
            && self.order_ids.as_ref().is_none_or(|wanted| wanted.contains(order_id))
    }
}

/// An error for a number of lines that a pick list cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from 1 to {max}", max = NewPickList::MAX_LINES)]
pub struct MaxLinesError;

/// A request for a pick list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPickList {
    list_id: PickListId,
    criteria: PickCriteria,
    max_lines: usize,
}

impl NewPickList {
    /// The maximum number of lines of a pick list.
    pub const MAX_LINES: usize = 1_000;

    /// Creates a request for all matching lines, at most [`Self::MAX_LINES`].
    #[must_use]
    pub const fn new(list_id: PickListId, criteria: PickCriteria) -> Self {
        Self { list_id, criteria, max_lines: Self::MAX_LINES }
    }

    /// Limits the number of lines.
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

    /// Returns the id of the list.
    #[must_use]
    pub const fn list_id(&self) -> &PickListId {
        &self.list_id
    }

    /// Returns the criteria.
    #[must_use]
    pub const fn criteria(&self) -> &PickCriteria {
        &self.criteria
    }

    /// Returns the maximum number of lines.
    #[must_use]
    pub const fn max_lines(&self) -> usize {
        self.max_lines
    }
}

/// The status of a pick list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PickListStatus {
    /// Some of its lines are to be picked.
    Open,
    /// Nothing is left to pick; the picked units can be shipped.
    Picked,
    /// The picked units were shipped.
    Shipped,
    /// Nothing is left to pick, and nothing was picked.
    Withdrawn,
}

named!(PickListStatus: Open = "open", Picked = "picked", Shipped = "shipped", Withdrawn = "withdrawn");

impl PickListStatus {
    /// Returns the status of a list, given the statuses of its lines.
    ///
    /// It is the first of open, picked and shipped that any line has, else withdrawn.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PickList {
    /// The id of the list.
    pub list_id: PickListId,
    /// The lines by number, sorted by batch, then in the order in which order lines are served.
    pub lines: BTreeMap<u32, PickLine>,
}

impl PickList {
    /// Returns the status of the list.
    #[must_use]
    pub fn status(&self) -> PickListStatus {
        PickListStatus::of(self.lines.values().map(|line| line.status))
    }
}

/// What becomes of the open lines of a pick list that is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenLines {
    /// The list is not shipped while any line is open.
    #[default]
    Refuse,
    /// They are withdrawn, and their units are available to other lists.
    Release,
}

named!(OpenLines: Refuse = "refuse", Release = "release");

/// An error returned when making a pick list. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum MakePickListError {
    /// No firm allocation in stock that is on no other list matches the criteria.
    #[error("There is nothing to pick")]
    NothingToPick,
    /// A list with this id already exists.
    #[error("Pick list {0} exists already with other content")]
    AlreadyExists(PickListId),
}

/// An error returned when shipping a pick list. Nothing is shipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ShipError {
    /// The list does not exist.
    #[error("There is no pick list {0}")]
    NotFound(PickListId),
    /// Some lines are still to be picked.
    #[error("{} lines of pick list {list} are not picked yet", lines.len())]
    NotPicked {
        /// The list.
        list: PickListId,
        /// The numbers of the lines.
        lines: Vec<u32>,
    },
    /// No unit of the list was picked.
    #[error("Nothing of pick list {0} was picked")]
    NothingPicked(PickListId),
}

/// An error returned when releasing a pick list. The list is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ReleasePickListError {
    /// The list does not exist.
    #[error("There is no pick list {0}")]
    NotFound(PickListId),
    /// Units of the list are picked or shipped.
    #[error("Units of pick list {0} were picked")]
    Picked(PickListId),
}

/// An error returned when releasing a line of a pick list. The line is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ReleasePickLineError {
    /// The pick line does not exist.
    #[error("There is no line {0}")]
    NotFound(PickLineId),
    /// Units of the line are picked or shipped.
    #[error("Units of line {0} were picked")]
    Picked(PickLineId),
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

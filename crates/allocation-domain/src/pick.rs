//! Reports of pickers.

use crate::{Affected, Displaced, PickLine, PickLineId, Units};

/// A pick line that was picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The pick line after the pick.
    pub line: PickLine,
    /// The missing units.
    pub missing: u32,
    /// The units that replace the missing ones. Units of the same batch come last.
    pub affected: Vec<Affected>,
    /// The units that the order line waits for, `None` if all are replaced.
    pub displaced: Option<Displaced>,
}

/// An error returned when picking a line. Nothing is picked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum PickError {
    /// The pick line does not exist.
    #[error("There is no line {0}")]
    NotFound(PickLineId),
    /// The pick line was withdrawn.
    #[error("Line {0} was withdrawn")]
    Withdrawn(PickLineId),
    /// More units were reported than the pick line has.
    #[error("Line {id} has {} units to pick, not {requested}", line.quantity)]
    TooMany {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The reported units.
        requested: Units,
    },
    /// The pick line was already picked with another quantity.
    #[error("Line {id} was picked already, {} of it and not {requested}", line.picked)]
    AlreadyPicked {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The reported units.
        requested: Units,
    },
}

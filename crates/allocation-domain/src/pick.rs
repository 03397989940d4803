//! What a picker reports.

use crate::{Affected, Displaced, MoreNeeded, PickLine, PickLineId, Units};

/// What came of picking a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PickOutcome {
    /// So many units were picked.
    Picked(Picked),
    /// So many were picked already; nothing changed.
    Unchanged(PickLine),
}

/// A pick line that was picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The pick line as it is now.
    pub line: PickLine,
    /// How many of its units were missing.
    pub missing: u32,
    /// The units that the order line got for those, the last ones of the same batch; from when on.
    pub affected: Vec<Affected>,
    /// What it waits for, `None` when it got all it lost.
    pub displaced: Option<Displaced>,
}

/// Why a line is not picked. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickError {
    /// There is no such line.
    #[error("There is no line {0}")]
    NotFound(PickLineId),
    /// The line is not to be picked any more.
    #[error("Line {0} was withdrawn")]
    Withdrawn(PickLineId),
    /// More units than the line has.
    #[error("Line {id} has {} units to pick, not {requested}", line.quantity)]
    TooMany {
        /// Which line.
        id: PickLineId,
        /// What it says.
        line: PickLine,
        /// How many units were to be picked.
        requested: Units,
    },
    /// The line was picked, with another quantity.
    #[error("Line {id} was picked already, {} of it and not {requested}", line.picked)]
    AlreadyPicked {
        /// Which line.
        id: PickLineId,
        /// What it says.
        line: PickLine,
        /// How many units were to be picked now.
        requested: Units,
    },
    /// What is at hand does not decide which units the line gets for those that are missing.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

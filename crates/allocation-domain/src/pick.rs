//! Reports of pickers.

use crate::{Affected, Displaced, PickLine, PickLineId, Quantity, Units};

/// A pick line that was picked, or whose pick was corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The pick line after the pick.
    pub line: PickLine,
    /// The missing units; after a correction, those that are missing in addition. A closed order gets none in their
    /// place.
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
    /// All picked units were shipped, or more of them than the correction leaves.
    #[error("{} units of line {id} were shipped, so its report cannot be corrected to {requested}", line.shipped)]
    AlreadyShipped {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The reported units.
        requested: Units,
    },
    /// More units of the pick line were put back than were found according to the correction.
    #[error("{} units of line {id} were put back, so its report cannot be corrected to {requested}", line.put_back)]
    AlreadyPutBack {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The reported units.
        requested: Units,
    },
    /// The batch no longer counts as many units as missing as the correction has found.
    #[error("Batch {} has {missing} missing units, not {found}", line.reference)]
    NotMissing {
        /// The pick line.
        line: PickLine,
        /// The missing units of the batch; none if there is no such batch any more.
        missing: u32,
        /// The units that were found according to the correction.
        found: u32,
    },
}

/// An error returned when putting units of a pick line back. Nothing is put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum PutBackError {
    /// The pick line does not exist.
    #[error("There is no line {0}")]
    NotFound(PickLineId),
    /// The units were shipped.
    #[error("{} units of line {id} were shipped, so {requested} cannot be put back", line.shipped)]
    AlreadyShipped {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The units that were to be back on the shelf.
        requested: Quantity,
    },
    /// More units of the pick line were put back already.
    #[error("{} units of line {id} were put back already, more than {requested}", line.put_back)]
    AlreadyPutBack {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The units that were to be back on the shelf.
        requested: Quantity,
    },
    /// More units were to be back on the shelf than were found.
    #[error("{} units of line {id} were found, so {requested} cannot be put back", line.found().unwrap_or(0))]
    MoreThanPicked {
        /// The id of the pick line.
        id: PickLineId,
        /// The pick line.
        line: PickLine,
        /// The units that were to be back on the shelf.
        requested: Quantity,
    },
}

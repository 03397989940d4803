//! Differences in a number of units.

use crate::Quantity;
use std::fmt;
use std::num::NonZeroI32;

/// An error for a number that is not a [`UnitChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from -2147483647 to 2147483647, and not 0")]
pub struct UnitChangeError;

/// Units that are added to stock, or removed if the number is negative; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "i32"))]
pub struct UnitChange(NonZeroI32);

impl UnitChange {
    /// Creates a change by a number of units.
    ///
    /// # Errors
    ///
    /// [`UnitChangeError`] for 0, and for a number whose absolute value exceeds [`Quantity::MAX`].
    pub fn new(units: impl TryInto<i32>) -> Result<Self, UnitChangeError> {
        let units = units.try_into().map_err(|_| UnitChangeError)?;
        match NonZeroI32::new(units) {
            Some(units) if units.get().unsigned_abs() <= Quantity::MAX => Ok(Self(units)),
            _ => Err(UnitChangeError),
        }
    }

    /// Returns the number of units, negative if they are removed.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0.get()
    }
}

impl TryFrom<i64> for UnitChange {
    type Error = UnitChangeError;

    fn try_from(units: i64) -> Result<Self, UnitChangeError> {
        Self::new(units)
    }
}

impl From<UnitChange> for i32 {
    fn from(change: UnitChange) -> Self {
        change.get()
    }
}

impl fmt::Display for UnitChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+}", self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_not_zero_and_fits_a_column() {
        for units in [1, -1, i64::from(Quantity::MAX), -i64::from(Quantity::MAX)] {
            assert_eq!(UnitChange::new(units).map(|change| i64::from(change.get())), Ok(units));
        }
        for units in [0, i64::from(i32::MIN), i64::from(Quantity::MAX) + 1] {
            assert_eq!(UnitChange::new(units), Err(UnitChangeError));
        }
        assert_eq!(UnitChange::new(3).unwrap().to_string(), "+3");
    }
}

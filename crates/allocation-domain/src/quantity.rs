//! Numbers of units.

use std::fmt;
use std::num::NonZeroU32;

/// An error for a number that is not a [`Quantity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from 1 to 2147483647")]
pub struct QuantityError;

/// A number of units of stock, from 1 to 2,147,483,647.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "u32"))]
pub struct Quantity(NonZeroU32);

impl Quantity {
    /// The greatest quantity, which a signed 32-bit integer column can hold.
    pub const MAX: u32 = 2_147_483_647;

    /// Creates a quantity from a number of units.
    ///
    /// # Errors
    ///
    /// [`QuantityError`] for a number that is not from 1 to [`Quantity::MAX`].
    pub fn new(units: impl TryInto<u32>) -> Result<Self, QuantityError> {
        let units = units.try_into().map_err(|_| QuantityError)?;
        match NonZeroU32::new(units) {
            Some(units) if units.get() <= Self::MAX => Ok(Self(units)),
            _ => Err(QuantityError),
        }
    }

    /// Returns the number of units.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// Subtracts units and returns the rest, or `None` if nothing is left.
    #[must_use]
    pub fn minus(self, units: u32) -> Option<Self> {
        NonZeroU32::new(self.get().saturating_sub(units)).map(Self)
    }

    /// Adds two parts of one line.
    ///
    /// Panics if the sum exceeds [`Quantity::MAX`], which a line cannot order.
    #[expect(clippy::expect_used, reason = "parts of one line are no more than the line")]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self::new(self.get() + other.get()).expect("order_line_within_its_quantity")
    }

    /// Returns the smaller of this quantity and a number of units, or `None` if `units` is zero.
    #[must_use]
    pub fn at_most(self, units: u32) -> Option<Self> {
        NonZeroU32::new(self.get().min(units)).map(Self)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(units: i64) -> Result<Self, QuantityError> {
        Self::new(units)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.get()
    }
}

/// A number of units of stock, from 0 to 2,147,483,647. A corrected purchase may have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "u32"))]
pub struct Units(u32);

/// An error for a number that is not a number of [`Units`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from 0 to 2147483647")]
pub struct UnitsError;

impl Units {
    /// No units.
    pub const ZERO: Self = Self(0);

    /// Creates a number of units.
    ///
    /// # Errors
    ///
    /// [`UnitsError`] for a number that is not from 0 to [`Quantity::MAX`].
    pub fn new(units: impl TryInto<u32>) -> Result<Self, UnitsError> {
        match units.try_into() {
            Ok(units) if units <= Quantity::MAX => Ok(Self(units)),
            _ => Err(UnitsError),
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Quantity> for Units {
    fn from(quantity: Quantity) -> Self {
        Self(quantity.get())
    }
}

impl TryFrom<i64> for Units {
    type Error = UnitsError;

    fn try_from(units: i64) -> Result<Self, UnitsError> {
        Self::new(units)
    }
}

impl From<Units> for u32 {
    fn from(units: Units) -> Self {
        units.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_can_be_zero_and_never_exceed_a_quantity() {
        assert_eq!(Units::new(0), Ok(Units::ZERO));
        assert_eq!(Units::new(-1), Err(UnitsError));
        assert_eq!(Units::new(2_147_483_648_i64), Err(UnitsError));
        assert_eq!(Units::from(Quantity::new(7).unwrap()).get(), 7);
    }

    #[test]
    fn a_quantity_is_from_one_to_two_to_the_31_less_one() {
        assert_eq!(Quantity::new(0), Err(QuantityError));
        assert_eq!(Quantity::new(-1), Err(QuantityError));
        assert_eq!(Quantity::new(2_147_483_648_i64), Err(QuantityError));
        assert_eq!(Quantity::new(1).unwrap().get(), 1);
        assert_eq!(Quantity::new(2_147_483_647).unwrap().get(), Quantity::MAX);
    }

    #[test]
    fn subtracting_all_units_leaves_none() {
        let five = Quantity::new(5).unwrap();
        assert_eq!(five.minus(2), Some(Quantity::new(3).unwrap()));
        assert_eq!(five.minus(5), None);
        assert_eq!(five.minus(9), None);
        assert_eq!(five.at_most(3), Some(Quantity::new(3).unwrap()));
        assert_eq!(five.at_most(0), None);
    }
}

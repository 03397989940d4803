//! Numbers of units.

use std::fmt;
use std::iter::Sum;
use std::num::NonZeroU32;
use std::str::FromStr;

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

    /// Adds a quantity, or returns `None` if the sum exceeds [`Quantity::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.get().checked_add(other.get())?).ok()
    }

    /// Adds two parts of one line.
    ///
    /// Panics if the sum exceeds [`Quantity::MAX`], which a line cannot order.
    #[expect(clippy::expect_used, reason = "parts of one line are no more than the line")]
    pub(crate) fn plus(self, other: Self) -> Self {
        self.checked_add(other).expect("order_line_within_its_quantity")
    }

    /// Returns the smaller of this quantity and a number of units, or `None` if `units` is zero.
    #[must_use]
    pub fn at_most(self, units: u32) -> Option<Self> {
        NonZeroU32::new(self.get().min(units)).map(Self)
    }
}

/// A number of units of stock, from 0 to 2,147,483,647. A corrected purchase may have none.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// Wraps a number that the caller has checked.
    pub(crate) const fn of_valid(units: u32) -> Self {
        Self(units)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Implements the conversions of a number of units from and to the primitive integers.
macro_rules! conversions {
    ($name:ident, $error:ident, $example:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = $error;

            #[doc = concat!("Parses decimal digits, such as `", $example, "`.")]
            fn from_str(text: &str) -> Result<Self, $error> {
                text.parse::<u32>().map_err(|_| $error).and_then(Self::new)
            }
        }

        conversions!($name, $error: TryFrom u32, u64, usize, i32, i64);
        conversions!($name: Into u32, u64, i64);

        impl Sum<$name> for u64 {
            fn sum<Iter: Iterator<Item = $name>>(units: Iter) -> Self {
                units.map(Self::from).sum()
            }
        }

        impl<'a> Sum<&'a $name> for u64 {
            fn sum<Iter: Iterator<Item = &'a $name>>(units: Iter) -> Self {
                units.copied().sum()
            }
        }
    };
    ($name:ident, $error:ident: TryFrom $($integer:ty),+) => {
        $(impl TryFrom<$integer> for $name {
            type Error = $error;

            fn try_from(units: $integer) -> Result<Self, $error> {
                Self::new(units)
            }
        })+
    };
    ($name:ident: Into $($integer:ty),+) => {
        $(impl From<$name> for $integer {
            fn from(units: $name) -> Self {
                units.get().into()
            }
        })+
    };
}

conversions!(Quantity, QuantityError, "3");
conversions!(Units, UnitsError, "0");

impl From<Quantity> for Units {
    fn from(quantity: Quantity) -> Self {
        Self(quantity.get())
    }
}

impl From<Option<Quantity>> for Units {
    /// Converts `None` to no units.
    fn from(quantity: Option<Quantity>) -> Self {
        quantity.map_or(Self::ZERO, Self::from)
    }
}

impl TryFrom<Units> for Quantity {
    type Error = QuantityError;

    fn try_from(units: Units) -> Result<Self, QuantityError> {
        Self::new(units.get())
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
    fn numbers_of_units_convert_and_add_up() {
        let five = Quantity::new(5).unwrap();
        assert_eq!((u64::from(five), i64::from(five), Quantity::try_from(5_usize)), (5, 5, Ok(five)));
        assert_eq!((Units::from(Some(five)), Units::from(None)), (five.into(), Units::ZERO));
        assert_eq!((Quantity::try_from(Units::ZERO), "5".parse()), (Err(QuantityError), Ok(five)));
        assert_eq!(("0".parse::<Quantity>(), "-1".parse::<Units>()), (Err(QuantityError), Err(UnitsError)));
        let most = Quantity::new(Quantity::MAX).unwrap();
        assert_eq!([most, most, five].iter().sum::<u64>(), 4_294_967_299);
        assert_eq!((five.checked_add(five), most.checked_add(five)), (Quantity::new(10).ok(), None));
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

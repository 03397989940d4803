//! When stock can be picked.

use chrono::NaiveDate;

/// When a batch can be picked from: now, or from the day it is expected.
///
/// The order is the order of preference: stock in the warehouse comes before any date, an earlier
/// date before a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Option<NaiveDate>", into = "Option<NaiveDate>"))]
pub enum Eta {
    /// The stock is in the warehouse.
    InStock,
    /// The stock is on its way and expected on this day.
    Due(NaiveDate),
}

impl Eta {
    /// The day the stock is expected, `None` for stock in the warehouse.
    #[must_use]
    pub const fn date(self) -> Option<NaiveDate> {
        match self {
            Self::InStock => None,
            Self::Due(date) => Some(date),
        }
    }
}

impl From<Option<NaiveDate>> for Eta {
    fn from(date: Option<NaiveDate>) -> Self {
        date.map_or(Self::InStock, Self::Due)
    }
}

impl From<Eta> for Option<NaiveDate> {
    fn from(eta: Eta) -> Self {
        eta.date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_in_the_warehouse_comes_before_the_earliest_date() {
        let tomorrow = Eta::Due(NaiveDate::from_ymd_opt(2027, 1, 2).unwrap());
        let later = Eta::Due(NaiveDate::from_ymd_opt(2027, 1, 3).unwrap());
        assert!(Eta::InStock < Eta::Due(NaiveDate::MIN));
        assert!(tomorrow < later);
    }
}

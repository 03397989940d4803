//! The date from which stock can be picked.

use chrono::NaiveDate;

/// An error for a day that is not a valid ETA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from {} to {}, not {}", Eta::EARLIEST, Eta::LATEST, .0)]
pub struct EtaError(NaiveDate);

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MIN,
    }
}

/// The time from which a batch can be picked: now, or from the day on which it is expected.
///
/// The order is the order of preference: stock in the warehouse first, then the earlier date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Option<NaiveDate>", into = "Option<NaiveDate>"))]
pub enum Eta {
    /// The stock is in the warehouse.
    InStock,
    /// The stock is in transit and expected on this day.
    Due(NaiveDate),
}

impl Eta {
    /// The earliest valid day.
    pub const EARLIEST: NaiveDate = day(2000, 1, 1);
    /// The latest valid day.
    pub const LATEST: NaiveDate = day(2999, 12, 31);

    /// Validates the day on which a batch is expected, `None` for stock in the warehouse.
    ///
    /// [`Eta::from`] restores a stored day without validation.
    ///
    /// # Errors
    ///
    /// [`EtaError`] for a day before [`Self::EARLIEST`] or after [`Self::LATEST`]. Such a date is a
    /// mistake, and would be promised to customers.
    pub fn new(date: Option<NaiveDate>) -> Result<Self, EtaError> {
        match date {
            Some(date) if !(Self::EARLIEST..=Self::LATEST).contains(&date) => Err(EtaError(date)),
            date => Ok(date.into()),
        }
    }

    /// Returns whether the stock was expected before `today` and has not arrived.
    #[must_use]
    pub fn is_overdue(self, today: NaiveDate) -> bool {
        self.date().is_some_and(|date| date < today)
    }

    /// Returns the ETA that can be promised on a day. Overdue stock has not arrived, so its ETA is
    /// `today`.
    #[must_use]
    pub fn promised_on(self, today: NaiveDate) -> Self {
        match self {
            Self::Due(date) => Self::Due(date.max(today)),
            Self::InStock => Self::InStock,
        }
    }

    /// Returns the day on which the stock is expected, or `None` for stock in the warehouse.
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
    fn only_a_plausible_day_is_an_eta() {
        let date = |text: &str| Some(text.parse().unwrap());
        for absurd in ["0001-01-01", "1999-12-31", "3000-01-01", "9999-12-31"] {
            let error = Eta::new(date(absurd)).unwrap_err().to_string();
            assert_eq!(error, format!("must be from 2000-01-01 to 2999-12-31, not {absurd}"));
            assert_eq!(Eta::from(date(absurd)).date(), date(absurd), "what is stored stays readable");
        }
        for plausible in ["2000-01-01", "2999-12-31"] {
            assert_eq!(Eta::new(date(plausible)).map(Eta::date), Ok(date(plausible)));
        }
        assert_eq!(Eta::new(None), Ok(Eta::InStock));
    }

    #[test]
    fn overdue_stock_is_promised_for_today_at_the_earliest() {
        let day = |day| NaiveDate::from_ymd_opt(2027, 1, day).unwrap();
        assert!(Eta::Due(day(1)).is_overdue(day(2)));
        assert!(!Eta::Due(day(2)).is_overdue(day(2)) && !Eta::Due(day(3)).is_overdue(day(2)));
        assert!(!Eta::InStock.is_overdue(day(2)));
        let promised = [Eta::InStock, Eta::Due(day(1)), Eta::Due(day(3))].map(|eta| eta.promised_on(day(2)));
        assert_eq!(promised, [Eta::InStock, Eta::Due(day(2)), Eta::Due(day(3))]);
    }

    #[test]
    fn stock_in_the_warehouse_precedes_the_earliest_date() {
        let tomorrow = Eta::Due(NaiveDate::from_ymd_opt(2027, 1, 2).unwrap());
        let later = Eta::Due(NaiveDate::from_ymd_opt(2027, 1, 3).unwrap());
        assert!(Eta::InStock < Eta::Due(NaiveDate::MIN));
        assert!(tomorrow < later);
    }
}

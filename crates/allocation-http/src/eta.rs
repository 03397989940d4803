//! ETAs in bodies and queries.

use crate::validation_error::{ValidationErrors, name, refuse};
use allocation_domain::Eta;
use chrono::NaiveDate;
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Deserializer, Serializer, de};

const RULE: &str = "must be a date of the calendar, written YYYY-MM-DD, or null";
const DAY_RULE: &str = "must be a date of the calendar, written YYYY-MM-DD";

/// Parses a date of exactly four, two and two digits.
fn parse(text: &str) -> Option<NaiveDate> {
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
    };
    let separated = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?;
    // The calendar has no year 0, and databases treat it differently.
    (separated && year > 0).then_some(date)
}

/// Parses a date in a query.
pub(crate) fn parse_day(text: &str) -> Result<NaiveDate, &'static str> {
    parse(text).ok_or(DAY_RULE)
}

/// Parses an ETA.
fn expected_on(text: &str) -> Result<Eta, String> {
    let day = parse(text).ok_or(RULE)?;
    Eta::new(Some(day)).map_err(|error| error.to_string())
}

/// Deserializes an ETA straight from the bytes of a body.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Eta, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(Eta::InStock),
        Some(text) => expected_on(&text).map_err(de::Error::custom),
    }
}

/// Serializes an optional ETA; callers skip absent values.
pub(crate) fn serialize_option<S: Serializer>(eta: &Option<Eta>, serializer: S) -> Result<S::Ok, S::Error> {
    serialize(&eta.unwrap_or(Eta::InStock), serializer)
}

/// Serializes an ETA: a date, or null for stock in the warehouse.
pub(crate) fn serialize<S: Serializer>(eta: &Eta, serializer: S) -> Result<S::Ok, S::Error> {
    match eta.date() {
        None => serializer.serialize_none(),
        Some(date) => serializer.collect_str(&date),
    }
}

impl Deserr<ValidationErrors> for Eta {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        match value {
            Value::Null => Ok(Self::InStock),
            Value::String(text) => expected_on(&text).or_else(|error| refuse(at, error)),
            other => refuse(at, format!("{RULE}; not {}", name(other.kind()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{expected_on, parse};
    use crate::testing::due;

    #[test]
    fn an_absurd_day_is_no_eta() {
        assert_eq!(expected_on("2027-01-15"), Ok(due(2027, 1, 15)));
        for absurd in ["0001-01-01", "1999-12-31", "3000-01-01"] {
            let rule = format!("must be from 2000-01-01 to 2999-12-31, not {absurd}");
            assert_eq!(expected_on(absurd), Err(rule));
        }
        assert!(expected_on("2027-02-30").unwrap_err().starts_with("must be a date of the calendar"));
    }

    #[test]
    fn a_date_is_written_exactly_so() {
        for (text, eta) in
            [("2027-01-15", due(2027, 1, 15)), ("2028-02-29", due(2028, 2, 29)), ("9999-12-31", due(9999, 12, 31))]
        {
            assert_eq!(parse(text), eta.date());
        }
        for wrong in [
            "",
            "2027-1-5",
            "2027-02-30",
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "+12345-01-01",
            "12345-01-01",
            "-2027-01-01",
            "27-01-15",
            "2027/01/15",
            "2027-01-15T00:00:00Z",
            "2027-01-15 ",
            " 2027-01-15",
            "20270115",
            "2027-01-1５",
            "2027-01-1",
            "tomorrow",
            "+027-01-15",
            "2027-+1-15",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

use chrono::NaiveDate;

/// Parses a date of exactly four, two and two digits: `YYYY-MM-DD`.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
    };
    let is_separated = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?;
    // The calendar has no year 0, and databases treat it differently.
    (is_separated && year > 0).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::parse_date;
    use chrono::NaiveDate;

    #[test]
    fn a_date_has_exactly_one_format() {
        for (text, (year, month, day)) in
            [("2027-01-15", (2027, 1, 15)), ("2028-02-29", (2028, 2, 29)), ("9999-12-31", (9999, 12, 31))]
        {
            assert_eq!(parse_date(text), NaiveDate::from_ymd_opt(year, month, day));
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
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }
}

//! Instants in responses.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use std::fmt;

/// An instant in RFC 3339 and UTC, with microseconds unless they are zero.
#[derive(Clone, Copy)]
pub(crate) struct Instant(pub(crate) DateTime<Utc>);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.timestamp_subsec_micros() == 0;
        let precision = if whole { SecondsFormat::Secs } else { SecondsFormat::Micros };
        f.write_str(&self.0.to_rfc3339_opts(precision, true))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;
    use chrono::DateTime;

    #[test]
    fn an_instant_has_six_decimals_or_none() {
        let written = |micros| Instant(DateTime::from_timestamp_micros(micros).unwrap()).to_string();
        assert_eq!(written(1_800_000_000_000_000), "2027-01-15T08:00:00Z");
        assert_eq!(written(1_800_000_000_500_000), "2027-01-15T08:00:00.500000Z");
        assert_eq!(written(1_800_000_000_000_001), "2027-01-15T08:00:00.000001Z");
    }
}

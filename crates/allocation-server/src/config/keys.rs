//! Arguments of the `keys` command.

use super::OutputFormat;
use allocation_access::{KeyId, KeyName, Rate, Scope};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use std::time::Duration;

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum KeysAction {
    /// Create a key and print it; it is shown only once. Callers without a key are refused from then on
    Create {
        /// What the key is for
        #[arg(long, value_parser = KeyName::parse)]
        name: KeyName,
        /// What its holder may do: read, events:read, orders:write, batches:write, picking:write or admin; can be
        /// repeated, or separated by commas
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// When it expires: a time such as 90d or 12h from now, or an instant in RFC 3339 [default: never]
        #[arg(long, value_parser = Expiry::parse)]
        expires: Option<Expiry>,
        /// The requests that each replica accepts, such as 100/s, 1000/m or 5000/h [default: any number]
        #[arg(long)]
        rate: Option<Rate>,
    },
    /// List all keys, revoked and expired ones included
    List {
        /// The output format
        #[arg(long, default_value = "table")]
        format: OutputFormat,
    },
    /// Revoke a key; every replica refuses it within five seconds
    Revoke {
        /// The id of the key, between its first two underscores
        #[arg(value_parser = KeyId::parse)]
        id: KeyId,
    },
    /// Print a new secret of a key; the old one is accepted for a grace period
    Rotate {
        /// The id of the key, between its first two underscores
        #[arg(value_parser = KeyId::parse)]
        id: KeyId,
        /// The time for which the old secret is accepted, such as 30m or 24h, up to 30d
        #[arg(long, default_value = "24h", value_parser = parse_duration)]
        grace: Duration,
    },
}

/// The expiry of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    At(DateTime<Utc>),
    After(TimeDelta),
}

impl Expiry {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let rule = "must be a time such as 90d, 12h or 30m, or an instant such as 2028-01-15T08:00:00Z";
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        let duration = parse_duration(text).map_err(|_| rule)?;
        TimeDelta::from_std(duration).map(Self::After).map_err(|_| rule)
    }

    /// Returns the instant of the expiry; `None` if it is beyond the calendar.
    pub(crate) fn from(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::At(at) => Some(at),
            Self::After(time) => now.checked_add_signed(time),
        }
    }
}

/// Parses a number with a unit: seconds, minutes, hours or days.
fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let rule = "must be a number with a unit, such as 45s, 30m, 24h or 7d";
    let unit = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    let found = unit.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = found.ok_or(rule)?;
    let number: u32 = number.parse().map_err(|_| rule)?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        for (text, seconds) in [("0s", 0), ("45s", 45), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "1", "h", "-1h", "1.5h", "1w", "4294967296s", "1h30m"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_expiry_is_a_time_from_now_or_an_instant() {
        let now = "2027-01-15T08:00:00Z".parse().unwrap();
        for text in ["2d", "2027-01-17T08:00:00Z", "2027-01-17T09:00:00+01:00"] {
            let at = Expiry::parse(text).unwrap().from(now);
            assert_eq!(at, "2027-01-17T08:00:00Z".parse().ok(), "{text}");
        }
        assert!(Expiry::parse("2027-01-17").is_err());
    }
}

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// The number of requests allowed per second, minute or hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    requests: NonZeroU32,
    seconds: u32,
}

/// A text or a number that is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a number from 1 to {} with /s, /m or /h, such as 100/s", Rate::MAX_REQUESTS)]
pub struct InvalidRate;

/// The units of a rate and their seconds.
const UNITS: [(&str, u32); 3] = [("s", 1), ("m", 60), ("h", 3_600)];

impl Rate {
    /// The maximum number of requests.
    pub const MAX_REQUESTS: u32 = 1_000_000;

    /// Returns the rate of `requests` within `seconds`.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if the number of requests is 0 or beyond [`Rate::MAX_REQUESTS`], or if the seconds are no unit.
    pub fn new(requests: u32, seconds: u32) -> Result<Self, InvalidRate> {
        let valid = requests <= Self::MAX_REQUESTS && UNITS.iter().any(|(_, unit)| *unit == seconds);
        let requests = NonZeroU32::new(requests).filter(|_| valid).ok_or(InvalidRate)?;
        Ok(Self { requests, seconds })
    }

    /// Returns the number of requests, which may come at once.
    #[must_use]
    pub const fn requests(self) -> u32 {
        self.requests.get()
    }

    /// Returns the window in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// Returns the time in which one request becomes available, rounded up to nanoseconds.
    pub(crate) fn interval(self) -> Duration {
        let window = u64::from(self.seconds) * 1_000_000_000;
        Duration::from_nanos(window.div_ceil(u64::from(self.requests.get())))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, seconds)| *seconds == self.seconds).map_or("", |(unit, _)| unit);
        write!(f, "{}/{unit}", self.requests)
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (requests, unit) = text.split_once('/').ok_or(InvalidRate)?;
        let (_, seconds) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(InvalidRate)?;
        // One spelling for each number.
        if requests.starts_with('0') || !requests.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidRate);
        }
        Self::new(requests.parse().map_err(|_| InvalidRate)?, seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_with_a_unit() {
        for (text, requests, seconds) in [("1/s", 1, 1), ("100/m", 100, 60), ("1000000/h", 1_000_000, 3_600)] {
            let rate = Rate::new(requests, seconds).unwrap();
            assert_eq!(text.parse(), Ok(rate));
            assert_eq!(rate.to_string(), text);
        }
        for text in ["", "1", "0/s", "01/s", "1000001/s", "1/d", "+1/s", "1 /s", "/s", "1/"] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text}");
        }
        assert_eq!(Rate::new(1, 2), Err(InvalidRate));
    }
}

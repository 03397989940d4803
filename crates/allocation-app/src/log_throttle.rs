//! One log line a minute for each of many repeated events.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Decides which of many repeated events to log: one a minute for each key.
///
/// A key is what makes events the same, such as a cause or a place in the code.
#[derive(Debug, Default)]
pub struct LogThrottle {
    /// The time at which an event of each key was logged, and the unlogged events since.
    keys: Mutex<HashMap<String, (Instant, u64)>>,
}

impl LogThrottle {
    /// The time for which further events of a key are not logged.
    pub const INTERVAL: Duration = Duration::from_secs(60);

    /// The number of remembered keys. Beyond it, all are dropped, and each is logged once more.
    pub const MAX_KEYS: usize = 64;

    /// Records an event that occurs now.
    ///
    /// Returns the number of unlogged events of its key since the last line if this one has to be logged, `None`
    /// otherwise.
    #[must_use]
    pub fn admit(&self, key: &str) -> Option<u64> {
        self.admit_at(key, Instant::now())
    }

    fn admit_at(&self, key: &str, now: Instant) -> Option<u64> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((logged, unlogged)) = keys.get_mut(key) {
            if now.duration_since(*logged) < Self::INTERVAL {
                *unlogged += 1;
                return None;
            }
            *logged = now;
            return Some(std::mem::take(unlogged));
        }
        if keys.len() >= Self::MAX_KEYS {
            keys.clear();
        }
        keys.insert(key.to_owned(), (now, 0));
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_event_is_one_line_a_minute_with_the_number_of_those_between() {
        let (throttle, start) = (LogThrottle::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let logged: Vec<_> = (0..=120).filter_map(|second| throttle.admit_at("no such table", at(second))).collect();
        assert_eq!(logged, [0, 59, 59]);
        assert_eq!(throttle.admit_at("another", at(1)), Some(0));
        assert_eq!(throttle.admit_at("another", at(2)), None);
    }

    #[test]
    fn keys_that_differ_each_time_are_remembered_up_to_a_bound() {
        let (throttle, now) = (LogThrottle::default(), Instant::now());
        for number in 0..10 * LogThrottle::MAX_KEYS {
            assert_eq!(throttle.admit_at(&number.to_string(), now), Some(0));
            assert!(throttle.keys.lock().unwrap().len() <= LogThrottle::MAX_KEYS);
        }
    }
}

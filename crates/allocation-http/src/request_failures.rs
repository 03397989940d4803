//! Logging of failed requests.

use crate::problem::{Kind, Problem};
use allocation_app::FailureLog;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time without failures after which requests count as served again: during an outage, some requests succeed.
const SETTLE: Duration = Duration::from_secs(5);
/// The time for which an internal failure with the same causes is not logged again.
const SAME_CAUSE: Duration = Duration::from_secs(60);
/// The number of remembered causes. Beyond it, all are dropped, and each is logged once more.
const MAX_CAUSES: usize = 64;

/// A log of request failures, one line per change of state: a database outage fails thousands of requests
/// for one cause.
#[derive(Debug)]
pub(crate) struct RequestFailures {
    unavailable: FailureLog,
    busy: FailureLog,
    /// Causes of internal failures, with the time each was logged and its unlogged repetitions since.
    internal: Mutex<HashMap<String, (Instant, u64)>>,
}

impl Default for RequestFailures {
    fn default() -> Self {
        let log = |component| FailureLog::new(component, "responding 503").settling(SETTLE);
        let (unavailable, busy) = (log("database access of requests"), log("locking by requests"));
        Self { unavailable, busy, internal: Mutex::default() }
    }
}

impl RequestFailures {
    /// Records a problem with the causes `chain`. Returns the number of unlogged repetitions if the caller
    /// has to log it, `None` otherwise.
    pub(crate) fn failed(&self, problem: &Problem, chain: &str) -> Option<u64> {
        match problem.kind() {
            Kind::DatabaseUnavailable => self.unavailable.failed_because(&chain),
            Kind::DatabaseBusy => self.busy.failed_because(&chain),
            _ => return self.is_new(chain, Instant::now()),
        }
        None
    }

    /// Records a successful request.
    pub(crate) fn succeeded(&self, path: &str) {
        // Probes do not access the database.
        if path != "/livez" && path != "/readyz" {
            self.unavailable.succeeded();
            self.busy.succeeded();
        }
    }

    fn is_new(&self, chain: &str, now: Instant) -> Option<u64> {
        let mut causes = self.internal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((logged, unlogged)) = causes.get_mut(chain) {
            if now.duration_since(*logged) < SAME_CAUSE {
                *unlogged += 1;
                return None;
            }
            *logged = now;
            return Some(std::mem::take(unlogged));
        }
        if causes.len() >= MAX_CAUSES {
            causes.clear();
        }
        causes.insert(chain.to_owned(), (now, 0));
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_logged_once_a_minute_with_the_number_of_those_between() {
        let (failures, start) = (RequestFailures::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(failures.is_new("no such table", at(0)), Some(0));
        assert_eq!(failures.is_new("no such table", at(1)), None);
        assert_eq!(failures.is_new("another", at(1)), Some(0));
        assert_eq!(failures.is_new("no such table", at(59)), None);
        assert_eq!(failures.is_new("no such table", at(60)), Some(2));
        assert_eq!(failures.is_new("no such table", at(61)), None);
    }

    #[test]
    fn causes_that_differ_each_time_are_remembered_up_to_a_bound() {
        let (failures, now) = (RequestFailures::default(), Instant::now());
        for number in 0..10 * MAX_CAUSES {
            assert_eq!(failures.is_new(&number.to_string(), now), Some(0));
            assert!(failures.internal.lock().unwrap().len() <= MAX_CAUSES);
        }
    }

    #[test]
    fn an_outage_is_no_line_of_its_own_for_any_request() {
        let failures = RequestFailures::default();
        for kind in [Kind::DatabaseUnavailable, Kind::DatabaseBusy] {
            assert_eq!(failures.failed(&Problem::of(kind), "connection refused"), None);
        }
        assert!(failures.unavailable.is_failing() && failures.busy.is_failing());
        failures.succeeded("/livez");
        failures.succeeded("/batch");
        assert!(failures.unavailable.is_failing(), "it has failed a moment ago");
        assert_eq!(failures.failed(&Problem::of(Kind::InternalError), "no such table"), Some(0));
    }
}

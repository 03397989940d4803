//! What is logged of requests that fail.

use crate::problem::{Kind, Problem};
use allocation_app::FailureLog;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long requests must not have failed before they count as served again: while some fail, others succeed.
const SETTLE: Duration = Duration::from_secs(5);
/// How long a failure of the service is not logged again with the same causes.
const SAME_CAUSE: Duration = Duration::from_secs(60);
/// How many different causes are remembered. When there are more, all are forgotten, and logged again.
const MAX_CAUSES: usize = 64;

/// Logs failures of requests, one line for each change of state: an outage of the database fails thousands of
/// them for one cause.
#[derive(Debug)]
pub(crate) struct RequestFailures {
    unavailable: FailureLog,
    busy: FailureLog,
    /// Causes of failures of the service, when each was logged, and how often it came since.
    internal: Mutex<HashMap<String, (Instant, u64)>>,
}

impl Default for RequestFailures {
    fn default() -> Self {
        let log = |component| FailureLog::new(component, "answering 503").settling(SETTLE);
        let (unavailable, busy) = (log("database access of requests"), log("locking by requests"));
        Self { unavailable, busy, internal: Mutex::default() }
    }
}

impl RequestFailures {
    /// Records a problem whose causes are `chain`; returns whether the caller is to log it, and how many like it
    /// were not logged since the last one.
    pub(crate) fn failed(&self, problem: &Problem, chain: &str) -> Option<u64> {
        match problem.kind() {
            Kind::DatabaseUnavailable => self.unavailable.failed_because(&chain),
            Kind::DatabaseBusy => self.busy.failed_because(&chain),
            _ => return self.is_new(chain, Instant::now()),
        }
        None
    }

    /// Records a request that did not fail.
    pub(crate) fn succeeded(&self, path: &str) {
        // These need no database.
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

//! Logging of failed requests.

use crate::problem::{Kind, Problem};
use allocation_app::{FailureLog, LogThrottle};
use std::time::Duration;

/// The time without failures after which requests count as served again: during an outage, some requests succeed.
const SETTLE: Duration = Duration::from_secs(5);

/// A log of request failures, one line per change of state: a database outage fails thousands of requests
/// for one cause.
#[derive(Debug)]
pub(crate) struct RequestFailures {
    unavailable: FailureLog,
    busy: FailureLog,
    /// Internal failures, by their causes.
    internal: LogThrottle,
}

impl Default for RequestFailures {
    fn default() -> Self {
        let log = |component| FailureLog::new(component, "responding 503").with_settle_time(SETTLE);
        let (unavailable, busy) = (log("database access of requests"), log("locking by requests"));
        Self { unavailable, busy, internal: LogThrottle::default() }
    }
}

impl RequestFailures {
    /// Records a problem with the causes `chain`. Returns the number of unlogged repetitions if the caller
    /// has to log it, `None` otherwise.
    pub(crate) fn failed(&self, problem: &Problem, chain: &str) -> Option<u64> {
        match problem.kind() {
            Kind::DatabaseUnavailable => self.unavailable.failed_because(&chain),
            Kind::DatabaseBusy => self.busy.failed_because(&chain),
            _ => return self.internal.admit(chain),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_of_internal_failures_is_logged_once_at_first() {
        let (failures, internal) = (RequestFailures::default(), Problem::of(Kind::InternalError));
        assert_eq!(failures.failed(&internal, "no such table"), Some(0));
        assert_eq!(failures.failed(&internal, "no such table"), None);
        assert_eq!(failures.failed(&internal, "another"), Some(0));
    }

    #[test]
    fn an_outage_logs_no_line_for_each_request() {
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

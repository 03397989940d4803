//! One log line for each change of state.

use crate::ErrorChain;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The interval between two lines about a lasting failure.
const REMINDER: Duration = Duration::from_secs(60);

/// Logs whether a component works: the first failure with its causes, a reminder with the number of
/// failures at most once a minute, and the recovery.
///
/// Attempts in between log at debug level only.
#[derive(Debug)]
pub struct FailureLog {
    component: &'static str,
    consequence: &'static str,
    settle: Duration,
    /// Whether the component is failing, readable without the lock: successes are frequent.
    failing: AtomicBool,
    failure: Mutex<Option<Failure>>,
}

/// A lasting failure.
#[derive(Debug, Clone, Copy)]
struct Failure {
    since: Instant,
    last: Instant,
    logged: Instant,
    count: u64,
}

/// A line to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Failed,
    StillFailing { seconds: u64, failures: u64 },
    Resumed { seconds: u64, failures: u64 },
}

impl FailureLog {
    /// Returns the log of a component that works.
    ///
    /// The component is the subject of the lines, and `consequence` follows a failure:
    /// `event sequencing failed, retrying: connection refused`.
    #[must_use]
    pub const fn new(component: &'static str, consequence: &'static str) -> Self {
        let (failing, failure) = (AtomicBool::new(false), Mutex::new(None));
        Self { component, consequence, settle: Duration::ZERO, failing, failure }
    }

    /// Counts the component as recovered only once it has not failed for `settle`.
    ///
    /// For a component of which some attempts succeed while others fail.
    #[must_use]
    pub const fn with_settle_time(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// Records a failure.
    pub fn failed(&self, error: &(dyn Error + 'static)) {
        self.failed_because(&ErrorChain(error));
    }

    /// Records a failure with the text of its causes.
    pub fn failed_because(&self, cause: &dyn std::fmt::Display) {
        let (component, consequence) = (self.component, self.consequence);
        match self.failure(Instant::now()) {
            Some(Line::StillFailing { seconds, failures }) => {
                tracing::warn!(
                    component, failures, %cause,
                    "{component} still failing after {seconds} s, {failures} failures: {cause}"
                );
            }
            Some(_) => tracing::warn!(component, %cause, "{component} failed, {consequence}: {cause}"),
            None => tracing::debug!(component, %cause, "{component} failed again"),
        }
    }

    /// Records a success.
    pub fn succeeded(&self) {
        let component = self.component;
        if self.is_failing()
            && let Some(Line::Resumed { seconds, failures }) = self.success(Instant::now())
        {
            tracing::info!(component, failures, "{component} resumed after {seconds} s, {failures} failures");
        }
    }

    /// Returns whether the component is failing.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    fn locked(&self) -> MutexGuard<'_, Option<Failure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self, now: Instant) -> Option<Line> {
        let mut state = self.locked();
        let Some(failure) = &mut *state else {
            *state = Some(Failure { since: now, last: now, logged: now, count: 1 });
            self.failing.store(true, Ordering::Relaxed);
            return Some(Line::Failed);
        };
        failure.last = now;
        failure.count += 1;
        if now.duration_since(failure.logged) < REMINDER {
            return None;
        }
        failure.logged = now;
        Some(Line::StillFailing { seconds: now.duration_since(failure.since).as_secs(), failures: failure.count })
    }

    fn success(&self, now: Instant) -> Option<Line> {
        let mut state = self.locked();
        let failure = (*state).filter(|failure| now.duration_since(failure.last) >= self.settle)?;
        *state = None;
        self.failing.store(false, Ordering::Relaxed);
        Some(Line::Resumed { seconds: now.duration_since(failure.since).as_secs(), failures: failure.count })
    }
}

#[cfg(test)]
mod tests;

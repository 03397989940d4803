mod counters;
mod spans;

use crate::{AgeLimit, RetryPolicy};
use allocation_ports::{EventContext, LockWait, SpanSink, StoreError, UnitOfWork, UnitOfWorkFactory};
use spans::{UnitSpan, UnitTrace};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

pub use counters::{UnitCounters, UnitSnapshot};

/// The outcome of a unit of work.
#[derive(Debug)]
pub(crate) enum UnitOutcome<T> {
    /// The unit commits and returns the value.
    Commit(T),
    /// The unit changed nothing: it rolls back and returns the value.
    Rollback(T),
    /// The unit commits and the work runs again. The unit was a step towards a decision that one unit
    /// cannot reach.
    Step,
}

/// The outcome of a unit of work that decides one command, which may be refused.
pub(crate) type UnitResult<T, R> = Result<UnitOutcome<Result<T, R>>, StoreError>;

/// The maximum number of steps that a request takes before its decision: enough for about ten thousand holds that
/// expired at once. A request that needs more fails as busy, and the sweeper continues.
const MAX_STEPS: u32 = 20;

/// The error of a request that finds more expired holds, or more backorders for free units, than it takes
/// on.
#[derive(Debug, thiserror::Error)]
#[error("more holds have expired, or more lines wait for units that are free, than a request takes on")]
pub(crate) struct FarBehind;

/// An attempt to run a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The number of the run, from 1.
    pub(crate) number: u32,
    /// Whether an earlier run may have been committed although its reply was lost. Data that is already
    /// stored is then the effect of this very command.
    pub(crate) resolving: bool,
}

/// Runs units of work: begins and commits them, and retries after conflicts.
#[derive(Clone)]
pub struct UnitRunner {
    factory: Arc<dyn UnitOfWorkFactory>,
    pub(crate) retry: RetryPolicy,
    deadline: Option<Deadline>,
    counters: Arc<UnitCounters>,
    /// `None` if no unit has a span.
    trace: Option<UnitTrace>,
    is_dry_run: bool,
}

/// The latest time at which a command may start.
#[derive(Clone)]
struct Deadline {
    age: AgeLimit,
    at: Instant,
    /// Whether a unit of the command was committed. The rest then follows, however late.
    begun: Arc<AtomicBool>,
}

impl Deadline {
    fn is_missed(&self) -> bool {
        self.age.is_over(self.at) && !self.begun.load(Ordering::Acquire)
    }
}

/// The error of a command that was rejected because its caller has probably stopped waiting.
#[derive(Debug, thiserror::Error)]
#[error("the command waited longer than {0:?}")]
pub(crate) struct WaitedTooLong(std::time::Duration);

impl UnitRunner {
    /// Returns a runner over a store.
    #[must_use]
    pub fn new(factory: Arc<dyn UnitOfWorkFactory>, retry: RetryPolicy) -> Self {
        Self { factory, retry, deadline: None, counters: Arc::default(), trace: None, is_dry_run: false }
    }

    /// Records spans of the units that carry out commands with a span. By default, no unit has a span.
    #[must_use]
    pub fn with_spans(self, sink: Arc<dyn SpanSink>) -> Self {
        Self { trace: Some(UnitTrace { sink, commands: Arc::default() }), ..self }
    }

    /// Returns the counters of the units that this runner and its clones have run.
    #[must_use]
    pub const fn counters(&self) -> &Arc<UnitCounters> {
        &self.counters
    }

    /// Returns the same runner for the units of a command that has just been read.
    ///
    /// No unit starts once the command is older than the limit. Exceptions are units that resolve an
    /// unknown commit and units that follow a committed one.
    pub(crate) fn until(self, age: AgeLimit) -> Self {
        let deadline = Deadline { at: age.deadline(), age, begun: Arc::default() };
        Self { deadline: Some(deadline), ..self }
    }

    /// Returns the same runner, which rolls back the decisions that it would commit if `is_dry_run`. Steps towards a
    /// decision are committed nevertheless: they are due in any case.
    pub(crate) fn dry_run(self, is_dry_run: bool) -> Self {
        Self { is_dry_run, ..self }
    }

    /// Returns whether decisions are rolled back.
    pub(crate) const fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Returns this runner for units that carry out the commands with these contexts.
    pub(crate) fn for_commands<'a>(&self, contexts: impl Iterator<Item = &'a EventContext>) -> Cow<'_, Self> {
        let Some(trace) = &self.trace else { return Cow::Borrowed(self) };
        let trace = UnitTrace { sink: Arc::clone(&trace.sink), commands: spans::of_commands(contexts) };
        Cow::Owned(Self { trace: Some(trace), ..self.clone() })
    }

    /// Runs `work` in a unit of work.
    ///
    /// The whole of `work` runs again after a conflict, while the database is busy, and after a connection lost
    /// before the commit. It also runs again to resolve an unknown commit.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] when the last attempt met a conflict or a busy database, and
    /// [`StoreError::Unavailable`] when it lost its connection. An error that no retry can cure is returned at
    /// once. After an unknown commit, no error claims that nothing is stored.
    pub(crate) fn run<T>(
        &self,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.run_waiting(LockWait::Usual, name, work)
    }

    /// Like [`UnitRunner::run`], with another limit on lock waits. An unknown commit is resolved with the
    /// usual limit.
    pub(crate) fn run_waiting<T>(
        &self,
        wait: LockWait,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.run_with(RunPolicy { wait, steps: MAX_STEPS, again: running_again_helps }, name, work)
    }

    /// Runs `work` until its outcome is known, and records the span of all its runs.
    fn run_with<T>(
        &self,
        policy: RunPolicy,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let span = UnitSpan::begin(self.trace.as_ref());
        let mut attempt = Attempt { number: 1, resolving: false };
        let result = self.run_attempts(policy, (name, span.as_ref()), &mut attempt, work);
        if let Some(span) = span {
            span.end(name, attempt.number, result.as_ref().err());
        }
        result
    }

    fn run_attempts<T>(
        &self,
        policy: RunPolicy,
        (name, span): (&'static str, Option<&UnitSpan<'_>>),
        attempt: &mut Attempt,
        mut work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let mut steps = 0;
        loop {
            let wait = if attempt.resolving { LockWait::Usual } else { policy.wait };
            let error = match self.run_once(wait, *attempt, span, &mut work) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) if steps < policy.steps && begun.elapsed() < self.retry.max_elapsed => {
                    steps += 1;
                    continue;
                }
                Ok(None) => return Err(final_error(StoreError::Busy(FarBehind.into()), attempt.resolving)),
                Err(error) => error,
            };
            let last = attempt.number >= self.retry.attempts || begun.elapsed() >= self.retry.max_elapsed;
            let resolves = attempt.resolving && running_again_helps(&error);
            if last || !(resolves || (policy.again)(&error)) {
                return Err(final_error(error, attempt.resolving));
            }
            self.counters.retry(&error);
            attempt.resolving |= matches!(error, StoreError::OutcomeUnknown(_));
            tracing::debug!(unit = name, attempt = attempt.number, resolving = attempt.resolving, "running again");
            thread::sleep(self.retry.wait_after(attempt.number));
            attempt.number += 1;
        }
    }

    /// Runs `work` once with a short lock wait, and again only to resolve an unknown commit.
    pub(crate) fn try_run<T>(
        &self,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let unknown = |error: &StoreError| matches!(error, StoreError::OutcomeUnknown(_));
        let policy = RunPolicy { wait: LockWait::Short, steps: 0, again: unknown };
        self.run_with(policy, name, work)
    }

    /// Runs `work` once; returns `None` after a step.
    fn run_once<T>(
        &self,
        wait: LockWait,
        attempt: Attempt,
        span: Option<&UnitSpan<'_>>,
        work: &mut impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.check_deadline(attempt)?;
        let mut unit = self.factory.begin(wait)?;
        // The wait for a connection may have used up the time.
        self.check_deadline(attempt)?;
        match work(&mut *unit, attempt)? {
            // A unit that is dropped rolls back.
            UnitOutcome::Commit(answer) if self.is_dry_run => Ok(Some(answer)),
            UnitOutcome::Commit(answer) => {
                self.commit(unit, span)?;
                if let Some(deadline) = &self.deadline {
                    deadline.begun.store(true, Ordering::Release);
                }
                Ok(Some(answer))
            }
            UnitOutcome::Rollback(answer) => Ok(Some(answer)),
            UnitOutcome::Step => match self.commit(unit, span) {
                Ok(()) => Ok(None),
                // The next run finds out whether the step was committed.
                Err(StoreError::OutcomeUnknown(cause)) => Err(StoreError::Conflict(cause)),
                Err(error) => Err(error),
            },
        }
    }

    /// Commits a unit and measures the time.
    fn commit(&self, unit: Box<dyn UnitOfWork>, span: Option<&UnitSpan<'_>>) -> Result<(), StoreError> {
        let begun = Instant::now();
        let committed = unit.commit();
        let took = begun.elapsed();
        self.counters.commit(took);
        if let Some(span) = span {
            span.committed(took, &committed);
        }
        committed
    }

    /// Rejects a command that is too old, unless the run resolves an unknown commit.
    fn check_deadline(&self, attempt: Attempt) -> Result<(), StoreError> {
        match &self.deadline {
            Some(deadline) if !attempt.resolving && deadline.is_missed() => {
                Err(StoreError::Busy(WaitedTooLong(deadline.age.max_age()).into()))
            }
            _ => Ok(()),
        }
    }
}

/// The limits of a runner.
struct RunPolicy {
    /// The limit on lock waits, except while an unknown commit is resolved.
    wait: LockWait,
    /// The maximum number of steps before the decision.
    steps: u32,
    /// Returns whether to run again after an error.
    again: fn(&StoreError) -> bool,
}

fn running_again_helps(error: &StoreError) -> bool {
    match error {
        StoreError::Conflict(_)
        | StoreError::Busy(_)
        | StoreError::ConnectionLost(_)
        | StoreError::OutcomeUnknown(_) => true,
        StoreError::Unavailable(_) | StoreError::Invariant { .. } | StoreError::Failed(_) => false,
    }
}

/// Returns the error for the caller once no further attempt is made.
///
/// After a commit, or one of unknown outcome, no error claims that nothing is stored.
pub(crate) fn final_error(error: StoreError, may_be_committed: bool) -> StoreError {
    match error {
        StoreError::Conflict(cause)
        | StoreError::Busy(cause)
        | StoreError::ConnectionLost(cause)
        | StoreError::Unavailable(cause)
        | StoreError::Failed(cause)
            if may_be_committed =>
        {
            StoreError::OutcomeUnknown(cause)
        }
        // Keeps the name of the invariant as the cause.
        invariant @ StoreError::Invariant { .. } if may_be_committed => StoreError::OutcomeUnknown(invariant.into()),
        StoreError::Conflict(cause) => StoreError::Busy(cause),
        StoreError::ConnectionLost(cause) => StoreError::Unavailable(cause),
        error => error,
    }
}

#[cfg(test)]
mod tests;

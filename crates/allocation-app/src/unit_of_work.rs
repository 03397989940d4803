use crate::make_pick_list::{AllListed, AlwaysTaken};
use crate::{AgeLimit, RetryPolicy};
use allocation_ports::{LockWait, StoreError, UnitOfWork, UnitOfWorkFactory};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

/// How a unit of work ends.
#[derive(Debug)]
pub(crate) enum UnitOutcome<T> {
    /// Store what was done, then answer.
    Commit(T),
    /// Nothing changed: roll back and answer.
    Rollback(T),
    /// Store what was done, and run the unit of work again: it was a step towards the decision, which
    /// one unit alone does not reach.
    Step,
}

impl<T> UnitOutcome<T> {
    /// The same ending with another answer.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> UnitOutcome<U> {
        match self {
            Self::Commit(answer) => UnitOutcome::Commit(change(answer)),
            Self::Rollback(answer) => UnitOutcome::Rollback(change(answer)),
            Self::Step => UnitOutcome::Step,
        }
    }
}

/// How many steps a request takes before its decision: enough for some ten thousand holds that have
/// expired at once. A request that finds more is answered that the database is busy, and the sweeper
/// goes on.
const MAX_STEPS: u32 = 20;

/// More holds have expired, or more lines wait for free units, than a request takes on.
#[derive(Debug, thiserror::Error)]
#[error("more holds have expired, or more lines wait for units that are free, than a request takes on")]
pub(crate) struct FarBehind;

/// What a unit of work is told about the runs before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Counts the runs, from 1.
    pub(crate) number: u32,
    /// Whether an earlier run may have been committed, its reply being lost. What is there already
    /// is then what this very command has done.
    pub(crate) resolving: bool,
}

/// Runs units of work: begins, commits, and runs again what came in another's way.
#[derive(Clone)]
pub struct UnitRunner {
    factory: Arc<dyn UnitOfWorkFactory>,
    pub(crate) retry: RetryPolicy,
    deadline: Option<Deadline>,
}

/// By when a command has to be begun.
#[derive(Clone)]
struct Deadline {
    age: AgeLimit,
    at: Instant,
    /// Whether a unit of the command was committed: then the rest follows, however late it is.
    begun: Arc<AtomicBool>,
}

impl Deadline {
    fn is_missed(&self) -> bool {
        self.age.is_over(self.at) && !self.begun.load(Ordering::Acquire)
    }
}

/// A command was not carried out, as its caller has hardly waited for so long.
#[derive(Debug, thiserror::Error)]
#[error("the command waited longer than {0:?}")]
struct WaitedTooLong(std::time::Duration);

/// Whether a store is busy with nothing but what this service has to do itself: the command is refused
/// because it came at a bad time, not because of locks that others hold.
#[must_use]
pub fn is_overload(error: &StoreError) -> bool {
    let StoreError::Busy(cause) = error else { return false };
    cause.is::<WaitedTooLong>() || cause.is::<FarBehind>() || cause.is::<AlwaysTaken>() || cause.is::<AllListed>()
}

impl UnitRunner {
    /// A runner over a store.
    #[must_use]
    pub fn new(factory: Arc<dyn UnitOfWorkFactory>, retry: RetryPolicy) -> Self {
        Self { factory, retry, deadline: None }
    }

    /// The same runner for the units of a command that has been read just now: none is run when the
    /// command is older than the limit, but for those that tell what became of one that may have been
    /// committed, and those that follow on one that was.
    pub(crate) fn until(self, age: AgeLimit) -> Self {
        let deadline = Deadline { at: age.deadline(), age, begun: Arc::default() };
        Self { deadline: Some(deadline), ..self }
    }

    /// Runs `work` in a unit of work, the whole of it again after a conflict, while the database is
    /// busy, after a connection that was lost before the commit, and to settle a commit whose outcome is not known.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] when all attempts ran into others; every other error at once. Once a
    /// commit's outcome is not known, no error says that nothing is stored.
    pub(crate) fn run<T>(
        &self,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.run_waiting(LockWait::Usual, name, work)
    }

    /// Like [`UnitRunner::run`], with another patience for what others hold. A commit of unknown outcome
    /// is settled with the usual one.
    pub(crate) fn run_waiting<T>(
        &self,
        wait: LockWait,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.run_with(Patience { wait, steps: MAX_STEPS, again: running_again_helps }, name, work)
    }

    fn run_with<T>(
        &self,
        patience: Patience,
        name: &'static str,
        mut work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let mut attempt = Attempt { number: 1, resolving: false };
        let mut steps = 0;
        loop {
            let wait = if attempt.resolving { LockWait::Usual } else { patience.wait };
            let error = match self.run_once(wait, attempt, &mut work) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) if steps < patience.steps && begun.elapsed() < self.retry.give_up_after => {
                    steps += 1;
                    continue;
                }
                Ok(None) => return Err(told(StoreError::Busy(FarBehind.into()), attempt)),
                Err(error) => error,
            };
            let last = attempt.number >= self.retry.attempts || begun.elapsed() >= self.retry.give_up_after;
            let settles = attempt.resolving && running_again_helps(&error);
            if last || !(settles || (patience.again)(&error)) {
                return Err(told(error, attempt));
            }
            attempt.resolving |= matches!(error, StoreError::OutcomeUnknown(_));
            tracing::debug!(unit = name, attempt = attempt.number, resolving = attempt.resolving, "running again");
            thread::sleep(self.retry.wait_after(attempt.number));
            attempt.number += 1;
        }
    }

    /// Runs `work` once, without patience for what others hold, and again only to settle a commit whose
    /// outcome is not known.
    pub(crate) fn try_run<T>(
        &self,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let unknown = |error: &StoreError| matches!(error, StoreError::OutcomeUnknown(_));
        let patience = Patience { wait: LockWait::Short, steps: 0, again: unknown };
        self.run_with(patience, "once", work)
    }

    /// Runs `work`; `None` after a step.
    fn run_once<T>(
        &self,
        wait: LockWait,
        attempt: Attempt,
        work: &mut impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<UnitOutcome<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.check_deadline(attempt)?;
        let mut unit = self.factory.begin(wait)?;
        // It may have had to wait for a connection.
        self.check_deadline(attempt)?;
        match work(&mut *unit, attempt)? {
            UnitOutcome::Commit(answer) => {
                unit.commit()?;
                if let Some(deadline) = &self.deadline {
                    deadline.begun.store(true, Ordering::Release);
                }
                Ok(Some(answer))
            }
            UnitOutcome::Rollback(answer) => Ok(Some(answer)),
            UnitOutcome::Step => match unit.commit() {
                Ok(()) => Ok(None),
                // Whether it happened or not: the unit that runs again finds out.
                Err(StoreError::OutcomeUnknown(cause)) => Err(StoreError::Conflict(cause)),
                Err(error) => Err(error),
            },
        }
    }

    /// Refuses to run a command that is too old, but not to tell what became of one.
    fn check_deadline(&self, attempt: Attempt) -> Result<(), StoreError> {
        match &self.deadline {
            Some(deadline) if !attempt.resolving && deadline.is_missed() => {
                Err(StoreError::Busy(WaitedTooLong(deadline.age.max_age()).into()))
            }
            _ => Ok(()),
        }
    }
}

/// What a runner bears.
struct Patience {
    /// How long it waits for what others hold, but to settle a commit.
    wait: LockWait,
    /// How many steps it takes before the decision.
    steps: u32,
    /// After which errors it runs again.
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

/// What a caller is told when nothing more is tried.
fn told(error: StoreError, attempt: Attempt) -> StoreError {
    match error {
        // An earlier run may have been committed, whatever became of the later ones.
        StoreError::Conflict(cause)
        | StoreError::Busy(cause)
        | StoreError::ConnectionLost(cause)
        | StoreError::Unavailable(cause)
        | StoreError::Failed(cause)
            if attempt.resolving =>
        {
            StoreError::OutcomeUnknown(cause)
        }
        // The name of the invariant goes with it.
        invariant @ StoreError::Invariant { .. } if attempt.resolving => StoreError::OutcomeUnknown(invariant.into()),
        StoreError::Conflict(cause) => StoreError::Busy(cause),
        StoreError::ConnectionLost(cause) => StoreError::Unavailable(cause),
        error => error,
    }
}

#[cfg(test)]
mod tests;

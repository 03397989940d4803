use crate::RetryPolicy;
use allocation_ports::{LockWait, StoreError, UnitOfWork, UnitOfWorkFactory};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// How a unit of work ends.
#[derive(Debug)]
pub(crate) enum Ending<T> {
    /// Store what was done, then answer.
    Commit(T),
    /// Nothing changed: roll back and answer.
    Rollback(T),
    /// Store what was done, and run the unit of work again: it was a step towards the decision, which
    /// one unit alone does not reach.
    Step,
}

/// How many steps a request takes before its decision: enough for some ten thousand holds that have
/// expired at once. A request that finds more is answered that the database is busy, and the sweeper
/// goes on.
const MOST_STEPS: u32 = 20;

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
    pub(crate) settling: bool,
}

/// Runs units of work: begins, commits, and runs again what came in another's way.
#[derive(Clone)]
pub struct UnitRunner {
    factory: Arc<dyn UnitOfWorkFactory>,
    pub(crate) retry: RetryPolicy,
}

impl UnitRunner {
    /// A runner over a store.
    #[must_use]
    pub fn new(factory: Arc<dyn UnitOfWorkFactory>, retry: RetryPolicy) -> Self {
        Self { factory, retry }
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
        mut work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let mut attempt = Attempt { number: 1, settling: false };
        let mut steps = 0;
        loop {
            let error = match self.run_once(LockWait::Usual, attempt, &mut work) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) if steps < MOST_STEPS && begun.elapsed() < self.retry.give_up_after => {
                    steps += 1;
                    continue;
                }
                Ok(None) => return Err(told(StoreError::Busy(FarBehind.into()), attempt)),
                Err(error) => error,
            };
            let last = attempt.number >= self.retry.attempts || begun.elapsed() >= self.retry.give_up_after;
            if last || !running_again_helps(&error) {
                return Err(told(error, attempt));
            }
            attempt.settling |= matches!(error, StoreError::OutcomeUnknown(_));
            tracing::debug!(unit = name, attempt = attempt.number, settling = attempt.settling, "running again");
            thread::sleep(self.retry.wait_after(attempt.number));
            attempt.number += 1;
        }
    }

    /// Runs `work` once, without patience for what others hold.
    pub(crate) fn run_impatiently<T>(
        &self,
        mut work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let attempt = Attempt { number: 1, settling: false };
        let done = self.run_once(LockWait::Short, attempt, &mut work).map_err(|error| told(error, attempt))?;
        done.ok_or_else(|| StoreError::Busy(FarBehind.into()))
    }

    /// Runs `work`; `None` after a step.
    fn run_once<T>(
        &self,
        wait: LockWait,
        attempt: Attempt,
        work: &mut impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut unit = self.factory.begin(wait)?;
        match work(&mut *unit, attempt)? {
            Ending::Commit(answer) => unit.commit().map(|()| Some(answer)),
            Ending::Rollback(answer) => Ok(Some(answer)),
            Ending::Step => match unit.commit() {
                Ok(()) => Ok(None),
                // Whether it happened or not: the unit that runs again finds out.
                Err(StoreError::OutcomeUnknown(cause)) => Err(StoreError::Conflict(cause)),
                Err(error) => Err(error),
            },
        }
    }
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
            if attempt.settling =>
        {
            StoreError::OutcomeUnknown(cause)
        }
        // The name of the invariant goes with it.
        invariant @ StoreError::Invariant { .. } if attempt.settling => StoreError::OutcomeUnknown(invariant.into()),
        StoreError::Conflict(cause) => StoreError::Busy(cause),
        StoreError::ConnectionLost(cause) => StoreError::Unavailable(cause),
        error => error,
    }
}

#[cfg(test)]
mod tests;

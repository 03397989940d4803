use crate::{AgeLimit, RetryPolicy};
use allocation_ports::{LockWait, StoreError, UnitOfWork, UnitOfWorkFactory};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

/// How a unit of work ends.
#[derive(Debug)]
pub(crate) enum Ending<T> {
    /// Store what was done, then answer.
    Commit(T),
    /// Nothing changed: roll back and answer.
    Rollback(T),
}

impl<T> Ending<T> {
    /// The same ending with another answer.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Ending<U> {
        match self {
            Self::Commit(answer) => Ending::Commit(change(answer)),
            Self::Rollback(answer) => Ending::Rollback(change(answer)),
        }
    }
}

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
    /// busy, and to settle a commit whose outcome is not known.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] when all attempts ran into others; every other error at once. Once a
    /// commit's outcome is not known, no error says that nothing is stored.
    pub(crate) fn run<T>(
        &self,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.run_waiting(LockWait::Usual, name, work)
    }

    /// Like [`UnitRunner::run`], with another patience for what others hold. A commit of unknown outcome
    /// is settled with the usual one.
    pub(crate) fn run_waiting<T>(
        &self,
        wait: LockWait,
        name: &'static str,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.run_while(wait, name, running_again_helps, work)
    }

    fn run_while<T>(
        &self,
        wait: LockWait,
        name: &'static str,
        again: fn(&StoreError) -> bool,
        mut work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let mut attempt = Attempt { number: 1, settling: false };
        loop {
            let wait = if attempt.settling { LockWait::Usual } else { wait };
            let error = match self.run_once(wait, attempt, &mut work) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let last = attempt.number >= self.retry.attempts || begun.elapsed() >= self.retry.give_up_after;
            let settles = attempt.settling && running_again_helps(&error);
            if last || !(settles || again(&error)) {
                return Err(told(error, attempt));
            }
            attempt.settling |= matches!(error, StoreError::OutcomeUnknown(_));
            tracing::debug!(unit = name, attempt = attempt.number, settling = attempt.settling, "running again");
            thread::sleep(self.retry.wait_after(attempt.number));
            attempt.number += 1;
        }
    }

    /// Runs `work` once, without patience for what others hold, and again only to settle a commit whose
    /// outcome is not known.
    pub(crate) fn run_impatiently<T>(
        &self,
        work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let unknown = |error: &StoreError| matches!(error, StoreError::OutcomeUnknown(_));
        self.run_while(LockWait::Short, "once", unknown, work)
    }

    fn run_once<T>(
        &self,
        wait: LockWait,
        attempt: Attempt,
        work: &mut impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.check_deadline(attempt)?;
        let mut unit = self.factory.begin(wait)?;
        // It may have had to wait for a connection.
        self.check_deadline(attempt)?;
        match work(&mut *unit, attempt)? {
            Ending::Commit(answer) => {
                unit.commit()?;
                if let Some(deadline) = &self.deadline {
                    deadline.begun.store(true, Ordering::Release);
                }
                Ok(answer)
            }
            Ending::Rollback(answer) => Ok(answer),
        }
    }

    /// Refuses to run a command that is too old, but not to tell what became of one.
    fn check_deadline(&self, attempt: Attempt) -> Result<(), StoreError> {
        match &self.deadline {
            Some(deadline) if !attempt.settling && deadline.is_missed() => {
                Err(StoreError::Busy(WaitedTooLong(deadline.age.max_age()).into()))
            }
            _ => Ok(()),
        }
    }
}

fn running_again_helps(error: &StoreError) -> bool {
    match error {
        StoreError::Conflict(_) | StoreError::Busy(_) | StoreError::OutcomeUnknown(_) => true,
        StoreError::Unavailable(_) | StoreError::Failed(_) => false,
    }
}

/// What a caller is told when nothing more is tried.
fn told(error: StoreError, attempt: Attempt) -> StoreError {
    match error {
        // An earlier run may have been committed, whatever became of the later ones.
        StoreError::Conflict(cause)
        | StoreError::Busy(cause)
        | StoreError::Unavailable(cause)
        | StoreError::Failed(cause)
            if attempt.settling =>
        {
            StoreError::OutcomeUnknown(cause)
        }
        StoreError::Conflict(cause) => StoreError::Busy(cause),
        error => error,
    }
}

#[cfg(test)]
mod tests;

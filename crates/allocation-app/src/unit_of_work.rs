use crate::RetryPolicy;
use allocation_ports::{StoreError, UnitOfWork, UnitOfWorkFactory};
use std::sync::Arc;
use std::thread;

/// How a unit of work ends.
#[derive(Debug)]
pub(crate) enum Ending<T> {
    /// Store what was done, then answer.
    Commit(T),
    /// Nothing changed: roll back and answer.
    Rollback(T),
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
    retry: RetryPolicy,
}

impl UnitRunner {
    /// A runner over a store.
    #[must_use]
    pub fn new(factory: Arc<dyn UnitOfWorkFactory>, retry: RetryPolicy) -> Self {
        Self { factory, retry }
    }

    /// Runs `work` in a unit of work, the whole of it again after a conflict, while the database is
    /// busy, and to settle a commit whose outcome is not known.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] when all attempts ran into others; every other error at once.
    pub(crate) fn run<T>(
        &self,
        name: &'static str,
        mut work: impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let mut attempt = Attempt { number: 1, settling: false };
        loop {
            let error = match self.run_once(attempt, &mut work) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let last = attempt.number >= self.retry.attempts;
            match error {
                StoreError::Conflict(cause) | StoreError::Busy(cause) if last => return Err(StoreError::Busy(cause)),
                StoreError::Conflict(_) | StoreError::Busy(_) => {}
                StoreError::OutcomeUnknown(_) if !last => attempt.settling = true,
                StoreError::OutcomeUnknown(_) | StoreError::Unavailable(_) | StoreError::Failed(_) => {
                    return Err(error);
                }
            }
            tracing::debug!(unit = name, attempt = attempt.number, settling = attempt.settling, "running again");
            thread::sleep(self.retry.wait_after(attempt.number));
            attempt.number += 1;
        }
    }

    fn run_once<T>(
        &self,
        attempt: Attempt,
        work: &mut impl FnMut(&mut dyn UnitOfWork, Attempt) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let mut unit = self.factory.begin()?;
        match work(&mut *unit, attempt)? {
            Ending::Commit(answer) => unit.commit().map(|()| answer),
            Ending::Rollback(answer) => Ok(answer),
        }
    }
}

#[cfg(test)]
mod tests;

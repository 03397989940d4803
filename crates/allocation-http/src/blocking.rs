//! Gates for blocking database work, which runs off the threads that serve connections.

use crate::problem::{Kind, Problem};
use crate::request_context::RequestContext;
use actix_web::rt::time::timeout;
use actix_web::{HttpRequest, web};
use allocation_ports::{FailedCheck, Readiness};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Limits on blocking work. Calls beyond them are rejected.
#[derive(Debug, Clone, Copy)]
pub struct BlockingLimits {
    /// The number of concurrent calls: the database connections that no other task needs. From three on,
    /// every class of calls has a slot that no other class can take.
    pub running: usize,
    /// The number of calls of each class that may wait for a slot.
    pub waiting: usize,
    /// The time that a call may wait for a slot.
    pub turn_within: Duration,
}

/// A gate for each class of calls.
///
/// The limit applies to all classes together. Searches and event readers have smaller shares, so that
/// neither can exhaust the slots of point reads and writes.
#[derive(Clone)]
pub(crate) struct Gates {
    /// For point reads and writes, which may use every free slot.
    pub(crate) calls: Gate,
    /// For calls that scan many rows: lists and the planning of pick lists. At most a quarter of the slots.
    pub(crate) searches: Gate,
    /// For event readers, which all wake at once. At most half of the slots.
    pub(crate) readers: Gate,
}

impl Gates {
    pub(crate) fn new(limits: BlockingLimits, readiness: &Arc<dyn Readiness>) -> Self {
        let (running, ended) = (semaphore(limits.running), Arc::default());
        let gate = |share| Gate {
            ended: Arc::clone(&ended),
            readiness: Arc::clone(readiness),
            share,
            running: Arc::clone(&running),
            waiting: semaphore(limits.waiting),
            turn_within: limits.turn_within,
        };
        let searching = (limits.running / 4).max(1);
        let left = limits.running.saturating_sub(searching + 1);
        let reading = (limits.running / 2).min(left).max(1);
        Self { calls: gate(None), searches: gate(Some(semaphore(searching))), readers: gate(Some(semaphore(reading))) }
    }
}

/// Admits blocking work within the limits.
#[derive(Clone)]
pub(crate) struct Gate {
    /// Reports whether calls wait because the database is unavailable.
    readiness: Arc<dyn Readiness>,
    /// The slots of this class; `None` if it may use all.
    share: Option<Arc<Semaphore>>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    turn_within: Duration,
    /// The number of finished calls of all classes.
    ended: Arc<AtomicU64>,
}

/// A slot, released on drop.
#[derive(Debug)]
struct Turn {
    _share: Option<OwnedSemaphorePermit>,
    _running: OwnedSemaphorePermit,
    ended: Arc<AtomicU64>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// Returns a gate for a single class of calls.
    #[cfg(test)]
    pub(crate) fn new(limits: BlockingLimits) -> Self {
        Gates::new(limits, &crate::testing::ready()).calls
    }

    /// Runs work for a request on a blocking thread once a slot is free.
    ///
    /// A call whose client disconnects while it waits is dropped and never runs. A call that has started
    /// always completes.
    ///
    /// # Errors
    ///
    /// Before the work runs:
    ///
    /// - [`Kind::Overloaded`]: too many calls wait, or no slot is free in time.
    /// - [`Kind::DatabaseUnavailable`] or [`Kind::DatabaseBusy`]: the same, and the database is the cause.
    ///
    /// Afterwards, the error of the work, or [`Kind::InternalError`] if the work panics.
    pub(crate) async fn run<T, E>(
        &self,
        request: &HttpRequest,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let turn = self.enter().await?;
        // At error level, the span is enabled at every log level, so that logs of the work carry the id.
        let span = tracing::error_span!("request", request_id = RequestContext::id_of(request).as_str());
        let result = web::block(move || {
            let _turn = turn;
            span.in_scope(work)
        });
        match result.await {
            Ok(result) => result.map_err(Into::into),
            Err(error) => Err(Problem::internal(Arc::new(error))),
        }
    }

    /// Waits for a slot, which the value holds until it is dropped.
    async fn enter(&self) -> Result<Turn, Problem> {
        if let Some(turn) = self.try_turn() {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| self.refusal(Kind::Overloaded))?;
        let ended = self.ended.load(Ordering::Relaxed);
        match timeout(self.turn_within, self.turn()).await {
            Ok(turn) => Ok(turn),
            // No call finished meanwhile: all wait for the database, usually for row locks.
            Err(_) if self.ended.load(Ordering::Relaxed) == ended => Err(self.refusal(Kind::DatabaseBusy)),
            Err(_) => Err(self.refusal(Kind::Overloaded)),
        }
    }

    /// Returns the reason for a rejection: `other`, unless the database is unavailable.
    fn refusal(&self, other: Kind) -> Problem {
        let is_away = self.readiness.failed_checks().iter().any(|check| check.name == FailedCheck::DATABASE);
        Problem::of(if is_away { Kind::DatabaseUnavailable } else { other })
    }

    /// Takes a slot if one is free.
    fn try_turn(&self) -> Option<Turn> {
        let share = match &self.share {
            Some(share) => Some(Arc::clone(share).try_acquire_owned().ok()?),
            None => None,
        };
        Arc::clone(&self.running).try_acquire_owned().ok().map(|running| self.begin(share, running))
    }

    /// Waits for the next slot. The share comes first: it bounds the calls that wait with other classes.
    async fn turn(&self) -> Turn {
        let share = match &self.share {
            Some(share) => Some(permit(share).await),
            None => None,
        };
        self.begin(share, permit(&self.running).await)
    }

    fn begin(&self, share: Option<OwnedSemaphorePermit>, running: OwnedSemaphorePermit) -> Turn {
        Turn { _share: share, _running: running, ended: Arc::clone(&self.ended) }
    }
}

/// Waits for a permit.
#[expect(clippy::expect_used, reason = "no semaphore of this crate is ever closed")]
pub(crate) async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore).acquire_owned().await.expect("the semaphore is open")
}

fn semaphore(permits: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

#[cfg(test)]
mod tests;

//! Work that blocks on the database, kept off the threads that serve connections.

use crate::problem::{Kind, Problem};
use crate::request_id::RequestId;
use actix_web::rt::time::timeout;
use actix_web::{HttpRequest, web};
use allocation_ports::{FailedCheck, Readiness};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// How much blocking work is taken in. What goes beyond it is refused.
#[derive(Debug, Clone, Copy)]
pub struct BlockingLimits {
    /// How many calls run at a time: as many as there are connections to the database that nothing
    /// else needs. From three on, every class of calls has a place that no other class can take.
    pub running: usize,
    /// How many more of each class may wait for their turn.
    pub waiting: usize,
    /// How long a call waits for its turn at most.
    pub turn_within: Duration,
}

/// A gate for each class of calls. All classes together run no more calls than the limit says, and
/// searches and readers of events have a smaller share, so that neither can take the places of
/// calls that look at one thing or change one.
#[derive(Clone)]
pub(crate) struct Gates {
    /// For calls that read one thing or change one. They may use every place that is free.
    pub(crate) calls: Gate,
    /// For calls that look through many rows: lists, and what a pick list can take. A quarter of the
    /// places at most.
    pub(crate) searches: Gate,
    /// For readers of events, who all wake at once. Half of the places at most.
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

/// Lets blocking work in as the limits allow.
#[derive(Clone)]
pub(crate) struct Gate {
    /// Knows whether calls wait because the database is away.
    readiness: Arc<dyn Readiness>,
    /// The places of this class alone, `None` when it may use all.
    share: Option<Arc<Semaphore>>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    turn_within: Duration,
    /// How many calls of any class have ended.
    ended: Arc<AtomicU64>,
}

/// A place among the calls that run.
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
    /// A gate for calls of one class only.
    #[cfg(test)]
    pub(crate) fn new(limits: BlockingLimits) -> Self {
        Gates::new(limits, &crate::testing::ready()).calls
    }

    /// Runs work for a request on a thread that may block, once it is its turn.
    ///
    /// A call whose client hangs up while it waits is dropped and never runs. Once it has begun it is
    /// carried to its end, even when the client goes away.
    ///
    /// # Errors
    ///
    /// [`Kind::Overloaded`], and the work has not run, when too many wait or the turn does not come in
    /// time; [`Kind::DatabaseUnavailable`] or [`Kind::DatabaseBusy`] when that is the database's doing;
    /// whatever the work fails with.
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
        // At every level, so that what the work logs carries the id.
        let span = tracing::error_span!("request", request_id = RequestId::of(request).as_str());
        let result = web::block(move || {
            let _turn = turn;
            span.in_scope(work)
        });
        match result.await {
            Ok(result) => result.map_err(Into::into),
            Err(error) => Err(Problem::of(Kind::InternalError).caused_by(Arc::new(error))),
        }
    }

    /// Waits for a turn, which lasts until the value is dropped.
    async fn enter(&self) -> Result<Turn, Problem> {
        if let Some(turn) = self.try_turn() {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| self.refusal(Kind::Overloaded))?;
        let ended = self.ended.load(Ordering::Relaxed);
        match timeout(self.turn_within, self.turn()).await {
            Ok(turn) => turn.map_err(|_| Problem::of(Kind::ShuttingDown)),
            // All places are taken by calls that wait for the database, for locks of others mostly.
            Err(_) if self.ended.load(Ordering::Relaxed) == ended => Err(self.refusal(Kind::DatabaseBusy)),
            Err(_) => Err(self.refusal(Kind::Overloaded)),
        }
    }

    /// Why a call gets no turn: another reason, unless the database is away.
    fn refusal(&self, other: Kind) -> Problem {
        let is_away = self.readiness.failed_checks().iter().any(|check| check.name == FailedCheck::DATABASE);
        Problem::of(if is_away { Kind::DatabaseUnavailable } else { other })
    }

    /// A turn, if there is one now.
    fn try_turn(&self) -> Option<Turn> {
        let share = match &self.share {
            Some(share) => Some(Arc::clone(share).try_acquire_owned().ok()?),
            None => None,
        };
        Arc::clone(&self.running).try_acquire_owned().ok().map(|running| self.begin(share, running))
    }

    /// The next turn. The share comes first, so that no more than that wait among the other classes.
    async fn turn(&self) -> Result<Turn, AcquireError> {
        let share = match &self.share {
            Some(share) => Some(Arc::clone(share).acquire_owned().await?),
            None => None,
        };
        Ok(self.begin(share, Arc::clone(&self.running).acquire_owned().await?))
    }

    fn begin(&self, share: Option<OwnedSemaphorePermit>, running: OwnedSemaphorePermit) -> Turn {
        Turn { _share: share, _running: running, ended: Arc::clone(&self.ended) }
    }
}

fn semaphore(permits: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

#[cfg(test)]
mod tests;

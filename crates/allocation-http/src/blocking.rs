//! Work that blocks on the database, kept off the threads that serve connections.

use crate::problem::{Kind, Problem};
use crate::request_id::RequestId;
use actix_web::{HttpRequest, web};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much blocking work is taken in. What goes beyond it is refused at once.
#[derive(Debug, Clone, Copy)]
pub struct BlockingLimits {
    /// How many pieces of work run at a time: as many as there are connections to the database
    /// that nothing else needs.
    pub running: usize,
    /// How many more may wait in line.
    pub waiting: usize,
}

/// Lets blocking work in as the limits allow.
#[derive(Clone)]
pub(crate) struct Gate {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new(limits: BlockingLimits) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self { running: semaphore(limits.running), waiting: semaphore(limits.waiting) }
    }

    /// Runs work for a request on a thread that may block.
    ///
    /// Once it has begun it is carried to its end, even when the client goes away.
    pub(crate) async fn run<T, E>(
        &self,
        request: &HttpRequest,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let permit = self.enter().await?;
        // At every level, so that what the work logs carries the id.
        let span = tracing::error_span!("request", request_id = RequestId::of(request).as_str());
        let result = web::block(move || {
            let _permit = permit;
            span.in_scope(work)
        });
        match result.await {
            Ok(result) => result.map_err(Into::into),
            Err(error) => Err(Problem::of(Kind::InternalError).caused_by(Arc::new(error))),
        }
    }

    /// Waits for a turn, which lasts until what is answered is dropped.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let overloaded = |_| Problem::of(Kind::Overloaded);
        let _place = self.waiting.try_acquire().map_err(overloaded)?;
        Arc::clone(&self.running).acquire_owned().await.map_err(|_| Problem::of(Kind::ShuttingDown))
    }
}

#[cfg(test)]
mod tests;

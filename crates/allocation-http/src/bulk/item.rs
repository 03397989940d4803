//! The items of bulk requests, and how each is carried out.

use crate::allocation::LineAllocation;
use crate::api::Api;
use crate::batch::Batch;
use crate::body::{Body, parse_item};
use crate::order::Order;
use crate::prefix::Prefix;
use crate::problem::{Kind, Problem};
use crate::request_context::RequestContext;
use crate::{event_context, respond};
use actix_web::http::StatusCode;
use actix_web::rt::time::{Instant, sleep};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, ResponseError};
use allocation_domain::{NewOrder, OrderLine, Outcome};
use allocation_ports::{EventContext, Queries};
use allocation_requests::AddBatch;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The time for which an item is retried while the service is overloaded.
const RETRY_TIME: Duration = Duration::from_secs(30);

/// The delay before each retry of an item.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The items of one request that wait for a blocking thread at a time.
const BLOCKING: usize = 2;

/// The status and the body of an item that was carried out.
pub(super) type Done = (StatusCode, Vec<u8>);

/// An item of a bulk request.
pub(super) trait BulkItem: Body + Clone {
    /// Carries out the item.
    async fn carry_out(self, bulk: &Bulk) -> Result<Done, Problem>;
}

/// A bulk request under way.
pub(super) struct Bulk {
    api: Data<Api>,
    /// Keeps the memory of the body counted until the response ends.
    request: HttpRequest,
    context: EventContext,
    prefix: Prefix,
    blocking: Semaphore,
}

impl Bulk {
    pub(super) fn new(api: Data<Api>, request: HttpRequest) -> Self {
        let (context, prefix) = (event_context::of(&request), Prefix::of(&request));
        Self { api, request, context, prefix, blocking: Semaphore::new(BLOCKING) }
    }

    /// Carries out an item by the rules of a request of its own.
    pub(super) async fn answer<T: BulkItem>(&self, text: Bytes) -> Result<Done, Problem> {
        let done = match parse_item::<T>(&self.request, text).await {
            Ok(item) => retry_while_overloaded(|| item.clone().carry_out(self)).await,
            Err(problem) => Err(problem),
        };
        done.inspect_err(|problem| self.log(problem))
    }

    /// Returns the body of a problem for this client.
    pub(super) fn body_of(&self, problem: &Problem) -> Vec<u8> {
        problem.body_at(&self.prefix)
    }

    /// Logs the failure of an item, as the failure of a request of its own.
    fn log(&self, problem: &Problem) {
        if !problem.status_code().is_server_error() || problem.turns_away() {
            return;
        }
        let error = problem.chain();
        if let Some(unlogged) = self.api.failures.failed(problem, &error) {
            let (id, path) = (RequestContext::id_of(&self.request), self.request.path());
            tracing::error!(request_id = id.as_str(), path, error, unlogged, "item of a bulk request failed");
        }
    }

    #[expect(clippy::expect_used, reason = "the semaphore is never closed")]
    async fn blocking_turn(&self) -> SemaphorePermit<'_> {
        self.blocking.acquire().await.expect("the semaphore is open")
    }
}

/// Retries an item while the service is overloaded, for [`RETRY_TIME`] at most: an overloaded service has changed
/// nothing.
async fn retry_while_overloaded<A>(mut attempt: impl FnMut() -> A) -> Result<Done, Problem>
where
    A: Future<Output = Result<Done, Problem>>,
{
    let until = Instant::now() + RETRY_TIME;
    loop {
        match attempt().await {
            Err(problem) if problem.kind() == Kind::Overloaded && Instant::now() < until => sleep(RETRY_DELAY).await,
            ended => return ended,
        }
    }
}

impl BulkItem for OrderLine {
    async fn carry_out(self, bulk: &Bulk) -> Result<Done, Problem> {
        match bulk.api.engine.allocate_in_bulk(self, bulk.context.clone()).await? {
            Outcome::Changed(line) => Ok((StatusCode::CREATED, respond::bytes(&LineAllocation::from(&line))?)),
            Outcome::Unchanged(line) => Ok((StatusCode::OK, respond::bytes(&LineAllocation::from(&line))?)),
        }
    }
}

impl BulkItem for NewOrder {
    async fn carry_out(self, bulk: &Bulk) -> Result<Done, Problem> {
        let (api, order_id) = (&bulk.api, self.order_id().clone());
        api.check_hold(self.terms().hold)?;
        match api.engine.place_order_in_bulk(self, bulk.context.clone()).await? {
            Outcome::Changed(order) => Ok((StatusCode::CREATED, respond::bytes(&Order::at(&order, api.now()))?)),
            Outcome::Unchanged(()) => {
                let _turn = bulk.blocking_turn().await;
                // Orders are never deleted: a placed order that is missing breaks an invariant.
                let read = move |queries: &dyn Queries, now| match queries.order(&order_id)? {
                    Some(order) => respond::bytes(&Order::at(&order, now)),
                    None => Err(Problem::of(Kind::InternalError)),
                };
                Ok((StatusCode::OK, api.search(&bulk.request, read).await?))
            }
        }
    }
}

impl BulkItem for AddBatch {
    async fn carry_out(self, bulk: &Bulk) -> Result<Done, Problem> {
        let _turn = bulk.blocking_turn().await;
        let (api, use_cases) = (&bulk.api, bulk.api.use_cases(&bulk.request));
        // Bulk work has the share of searches, so that it leaves room for single calls.
        match api.searches.run(&bulk.request, move || use_cases.add_batch(&self.sku, &self.batch)).await? {
            Outcome::Changed(batch) => Ok((StatusCode::CREATED, respond::bytes(&Batch::on(api.today(), &batch))?)),
            Outcome::Unchanged(batch) => Ok((StatusCode::OK, respond::bytes(&Batch::on(api.today(), &batch))?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the result of an item and the number of its attempts, the first of which fail.
    async fn attempted(failures: usize) -> (Result<Done, Problem>, usize) {
        let mut attempts = 0;
        let done = retry_while_overloaded(|| {
            attempts += 1;
            let done = if attempts > failures { Ok((StatusCode::OK, Vec::new())) } else { Err(Kind::Overloaded) };
            async { done.map_err(Problem::of) }
        });
        (done.await, attempts)
    }

    #[actix_web::test]
    async fn an_item_is_retried_while_the_service_is_overloaded_until_its_time_is_over() {
        tokio::time::pause();
        let (done, attempts) = attempted(3).await;
        assert!(done.is_ok() && attempts == 4, "{attempts} attempts");
        let begun = Instant::now();
        let (done, attempts) = attempted(usize::MAX).await;
        assert_eq!(done.unwrap_err().kind(), Kind::Overloaded);
        assert!(attempts > 100 && begun.elapsed() >= RETRY_TIME, "{attempts} attempts");
    }
}

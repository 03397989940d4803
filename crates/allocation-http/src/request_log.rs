//! Request logging.

use crate::api::Api;
use crate::problem::Problem;
use crate::request_context::RequestContext;
use crate::request_failures::RequestFailures;
use crate::request_id::RequestId;
use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::web::Data;
use futures_util::TryFutureExt;
use std::time::{Duration, Instant};
use tracing::Level;

/// Assigns an id to a request, adds it to the response, and logs the outcome.
pub(crate) fn watch<S, B>(
    request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let id = RequestContext::begin(&request);
    let started = Instant::now();
    // A combinator keeps the future of the request in place; an async block would copy it.
    next.call(request).map_ok(move |mut response| {
        let elapsed = started.elapsed();
        let api = response.request().app_data::<Data<Api>>().cloned();
        if api.as_ref().is_some_and(|api| api.access_log.chooses()) {
            log(Level::INFO, &id, &response, elapsed);
        } else if tracing::enabled!(Level::DEBUG) {
            log(Level::DEBUG, &id, &response, elapsed);
        }
        if let Some(api) = &api {
            measure(api, &response, elapsed);
        }
        if response.status().is_server_error() {
            log_failure(&id, &response, api.as_ref().map(|api| &*api.failures));
        } else if let Some(api) = api {
            api.failures.succeeded(response.request().path());
        }
        id.add_to(response.headers_mut());
        response
    })
}

fn measure<B>(api: &Api, response: &ServiceResponse<B>, elapsed: Duration) {
    let request = response.request();
    api.requests.record(RequestContext::route_of(request), request.method(), response.status(), elapsed);
    if let Some(problem) = problem(response) {
        api.requests.record_problem(problem.kind());
    }
}

/// Logs a request. Macros take no level at run time, so that a line that is not logged costs nothing.
fn log<B>(level: Level, id: &RequestId, response: &ServiceResponse<B>, elapsed: Duration) {
    let (method, path) = target(response);
    let (status, duration_seconds) = (response.status().as_u16(), elapsed.as_secs_f64());
    if level == Level::INFO {
        tracing::info!(request_id = id.as_str(), %method, path, status, duration_seconds, "responded");
    } else {
        tracing::debug!(request_id = id.as_str(), %method, path, status, duration_seconds, "responded");
    }
}

/// Logs the cause of a failed request. Nothing else logs it.
fn log_failure<B>(id: &RequestId, response: &ServiceResponse<B>, failures: Option<&RequestFailures>) {
    let (method, path) = target(response);
    let status = response.status().as_u16();
    let problem = problem(response);
    let error = problem.map(Problem::chain).unwrap_or_default();
    if problem.is_some_and(Problem::turns_away) {
        // Rejections under load are expected, and must not cost a log line each.
        tracing::debug!(request_id = id.as_str(), %method, path, status, error, "request rejected");
        return;
    }
    let unlogged = match (failures, problem) {
        (Some(failures), Some(problem)) => failures.failed(problem, &error),
        _ => Some(0),
    };
    match unlogged {
        Some(unlogged) => {
            tracing::error!(request_id = id.as_str(), %method, path, status, error, unlogged, "request failed");
        }
        None => {
            tracing::debug!(request_id = id.as_str(), %method, path, status, error, "request failed again for a logged cause")
        }
    }
}

fn problem<B>(response: &ServiceResponse<B>) -> Option<&Problem> {
    response.response().error().and_then(|error| error.as_error::<Problem>())
}

fn target<B>(response: &ServiceResponse<B>) -> (&Method, &str) {
    (response.request().method(), response.request().uri().path())
}

#[cfg(test)]
mod tests;

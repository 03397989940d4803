//! Request logging.

use crate::api::Api;
use crate::problem::Problem;
use crate::rate_limit;
use crate::request_context::RequestContext;
use crate::request_failures::RequestFailures;
use crate::request_id::RequestId;
use crate::requests::RouteIndex;
use crate::spans;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::web::Data;
use allocation_app::Tracer;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tracing::Level;

/// A request from its head to the start of its response.
pub(crate) struct Watch {
    context: Rc<RequestContext>,
    started: Instant,
}

impl Watch {
    /// Assigns an id to a request, and a span if the tracer chooses it.
    pub(crate) fn begin(request: &ServiceRequest, tracer: Option<&Tracer>) -> Self {
        Self { context: RequestContext::begin(request, tracer), started: Instant::now() }
    }

    /// Logs and counts the outcome, and adds the id and what is left of the caller's rate to the response.
    pub(crate) fn end<B>(self, response: &mut ServiceResponse<B>) {
        let (context, elapsed) = (self.context, self.started.elapsed());
        if let Some(api) = response.request().app_data::<Data<Api>>() {
            if api.access_log.chooses() {
                log(Level::INFO, &context.id, response, elapsed);
            } else if tracing::enabled!(Level::DEBUG) {
                log(Level::DEBUG, &context.id, response, elapsed);
            }
            measure(api, context.route(), response, elapsed);
            if let (Some(tracer), Some(span)) = (&api.tracer, context.span()) {
                let (method, route) = (response.request().method(), api.requests.template(context.route()));
                tracer.end(span, spans::end(method, route, response.status(), elapsed));
            }
            if response.status().is_server_error() {
                log_failure(&context.id, response, &api.failures);
            } else {
                api.failures.succeeded(response.request().path());
            }
        }
        context.id.add_to(response.headers_mut());
        if let Some(quota) = context.quota() {
            rate_limit::describe(response.headers_mut(), quota);
        }
    }
}

fn measure<B>(api: &Api, route: RouteIndex, response: &ServiceResponse<B>, elapsed: Duration) {
    api.requests.record(route, response.request().method(), response.status(), elapsed);
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
fn log_failure<B>(id: &RequestId, response: &ServiceResponse<B>, failures: &RequestFailures) {
    let (method, path) = target(response);
    let status = response.status().as_u16();
    let problem = problem(response);
    let error = problem.map(Problem::chain).unwrap_or_default();
    if problem.is_some_and(Problem::turns_away) {
        // Rejections under load are expected, and must not cost a log line each.
        tracing::debug!(request_id = id.as_str(), %method, path, status, error, "request rejected");
        return;
    }
    match problem.map_or(Some(0), |problem| failures.failed(problem, &error)) {
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

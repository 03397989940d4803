//! Request ids and request logging.

use crate::api::Api;
use crate::problem::Problem;
use crate::request_failures::RequestFailures;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use futures_util::TryFutureExt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Builder;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The maximum length of a client's request id.
const MAX_LENGTH: usize = 128;

/// The id of a request: sent by the client, or generated.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Returns the id of a request that passed through [`watch`].
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let known = request.extensions().get::<Self>().cloned();
        known.unwrap_or_else(Self::new)
    }

    #[expect(clippy::expect_used, reason = "an id is taken only if it is a text, or is a UUID")]
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("ids are texts")
    }

    /// Generates a version 7 UUID. It must be unique, not secret: cheap random bits suffice, even if the
    /// clock is wrong.
    #[expect(clippy::expect_used, reason = "a UUID has no character that a header refuses")]
    fn new() -> Self {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        let uuid = Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &random);
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = uuid.into_uuid().hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).expect("a UUID is a header"))
    }

    /// Returns the client's id if it is valid.
    fn given(request: &ServiceRequest) -> Option<Self> {
        let value = request.headers().get(&HEADER)?;
        let bytes = value.as_bytes();
        let valid = (1..=MAX_LENGTH).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        valid.then(|| Self(value.clone()))
    }
}

/// Assigns an id to a request, adds it to the response, and logs the outcome.
pub(crate) fn watch<S, B>(
    request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let id = RequestId::given(&request).unwrap_or_else(RequestId::new);
    request.extensions_mut().insert(id.clone());
    let started = tracing::enabled!(tracing::Level::DEBUG).then(Instant::now);
    // A combinator keeps the future of the request in place; an async block would copy it.
    next.call(request).map_ok(move |mut response| {
        if let Some(started) = started {
            log(&id, &response, started);
        }
        let api = response.request().app_data::<Data<Api>>().map(|api| Arc::clone(&api.failures));
        if response.status().is_server_error() {
            log_failure(&id, &response, api.as_deref());
        } else if let Some(failures) = api {
            failures.succeeded(response.request().path());
        }
        response.headers_mut().insert(HEADER, id.0);
        response
    })
}

fn log<B>(id: &RequestId, response: &ServiceResponse<B>, started: Instant) {
    let (method, path) = target(response);
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    tracing::debug!(request_id = id.as_str(), %method, path, status, ?elapsed, "responded");
}

/// Logs the cause of a failed request. Nothing else logs it.
fn log_failure<B>(id: &RequestId, response: &ServiceResponse<B>, failures: Option<&RequestFailures>) {
    let (method, path) = target(response);
    let status = response.status().as_u16();
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
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

fn target<B>(response: &ServiceResponse<B>) -> (&Method, &str) {
    (response.request().method(), response.request().uri().path())
}

#[cfg(test)]
mod tests;

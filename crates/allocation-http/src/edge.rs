//! The edge of the service: accepted hosts, origins and methods, and the path prefix that clients see.
//!
//! Without keys, a page of any site could make a browser inside the network send requests to the service. Therefore a
//! browser may write only from pages of the service itself or of a configured origin.

mod base_path;
mod cors;
mod host;
mod site;

pub use base_path::BasePath;
pub(crate) use cors::cors;
pub use host::AllowedHost;
pub use site::CorsOrigin;

use crate::etag;
use crate::prefix::Prefix;
use crate::problem::{Kind, Problem};
use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use allocation_requests::ValidationError;

/// Forbids caching: a response is valid only at the moment it is sent.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The names that reach the service, and the requests that it accepts.
#[derive(Debug, Clone, Default)]
pub struct EdgeSettings {
    /// The names that `Host` may have, in addition to loopback names and IP addresses.
    pub allowed_hosts: Vec<AllowedHost>,
    /// The origins whose pages may use the service, in addition to its own.
    pub cors_origins: Vec<CorsOrigin>,
    /// The path under which clients see the service.
    pub base_path: BasePath,
    /// Whether `X-Forwarded-Prefix` is trusted: the prefix that a proxy removed from the path.
    pub trusts_forwarded_prefix: bool,
    /// Whether requests that change something are rejected.
    pub is_read_only: bool,
}

impl EdgeSettings {
    /// Returns whether pages of other origins may use the service.
    pub(crate) fn has_cors(&self) -> bool {
        !self.cors_origins.is_empty()
    }

    /// Strips the base path, stores the prefix that the client sees in the request and checks the request; returns the
    /// prefix with the result.
    pub(crate) fn admit(&self, request: &mut ServiceRequest) -> (Prefix, Result<(), Problem>) {
        let prefix = match self.forwarded_prefix(request) {
            Ok(forwarded) => forwarded.unwrap_or_else(|| self.base_path.prefix()),
            Err(error) => return (self.base_path.prefix(), Err(error.into())),
        };
        self.base_path.strip(request);
        if !prefix.is_empty() {
            request.extensions_mut().insert(prefix.clone());
        }
        (prefix, self.check(request))
    }

    fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        // Load balancers call probes by arbitrary names; probes disclose nothing and change nothing.
        if !matches!(request.path(), "/livez" | "/readyz") {
            host::check(request, &self.allowed_hosts)?;
        }
        if site::is_foreign_write(request, &self.cors_origins) {
            return Err(Problem::of(Kind::CrossSiteRequest));
        }
        if self.is_read_only && !request.method().is_safe() {
            return Err(Problem::of(Kind::ReadOnly));
        }
        if etag::names_a_version(request) && !has_versions(request) {
            return Err(Problem::of(Kind::PreconditionFailed));
        }
        Ok(())
    }

    fn forwarded_prefix(&self, request: &ServiceRequest) -> Result<Option<Prefix>, ValidationError> {
        if !self.trusts_forwarded_prefix {
            return Ok(None);
        }
        let Some(text) = request.headers().get(&base_path::FORWARDED) else { return Ok(None) };
        let parsed = text.to_str().map_err(|_| base_path::RULE).and_then(BasePath::parse_prefix);
        parsed
            .map(|path| Some(path.prefix()))
            .map_err(|detail| ValidationError::in_parameter("X-Forwarded-Prefix", detail))
    }
}

/// Returns whether a request may name a version: only batches and orders that exist have versions, and reads
/// ignore them.
fn has_versions(request: &ServiceRequest) -> bool {
    let (method, path) = (request.method(), request.path());
    let may_change = *method == Method::PATCH || *method == Method::DELETE;
    let has_versions = path.starts_with("/batch/") || path.starts_with("/orders/");
    let is_action = *method == Method::POST && etag::is_versioned_action(path);
    has_versions && may_change || is_action || method.is_safe()
}

/// Forbids caching of a response, and adds the prefix that its client sees to its paths.
pub(crate) fn complete<B>(
    prefix: &Prefix,
    mut response: ServiceResponse<EitherBody<B>>,
) -> ServiceResponse<EitherBody<B>> {
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
    if prefix.is_empty() { response } else { at(prefix, response) }
}

/// Adds the prefix to the paths in a response.
fn at<B>(prefix: &Prefix, mut response: ServiceResponse<EitherBody<B>>) -> ServiceResponse<EitherBody<B>> {
    prefix.add_to(response.headers_mut());
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    match problem.map(|problem| problem.body_at(prefix)) {
        Some(body) => response.map_body(|_, _| EitherBody::right(BoxBody::new(body))),
        None => response,
    }
}

#[cfg(test)]
mod tests;

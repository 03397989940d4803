//! Where requests come from, and where the service is: what browsers and proxies are told and believed.
//!
//! The service has no authentication of its own. A page of any site can make the browser of somebody inside
//! send requests to it, so a browser is believed only on pages of the service itself, or of an origin that
//! was set.

mod cors;
mod host;
mod prefix;
mod site;

pub(crate) use cors::cors;
pub use host::AllowedHost;
pub use prefix::BasePath;
pub(crate) use prefix::Prefix;
pub use site::CorsOrigin;

use crate::etag;
use crate::fault::{Fault, Faults};
use crate::problem::{Kind, Problem};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{Error, HttpMessage};

/// Responses are about the moment: nothing between the service and its client keeps them.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// By which names the service is reached, and from which pages.
#[derive(Debug, Clone, Default)]
pub struct EdgeSettings {
    /// The names that `Host` may have beside loopback names and IP addresses.
    pub allowed_hosts: Vec<AllowedHost>,
    /// The origins whose pages may use the service, beside those of the service itself.
    pub cors_origins: Vec<CorsOrigin>,
    /// What stands before every path of the service, as its clients see it.
    pub base_path: BasePath,
    /// Whether a proxy says in `X-Forwarded-Prefix` what it took away from the path.
    pub trusts_forwarded_prefix: bool,
}

impl EdgeSettings {
    /// Whether pages of other origins may use the service.
    pub(crate) fn has_cors(&self) -> bool {
        !self.cors_origins.is_empty()
    }

    /// What is wrong with where a request comes from, or the prefix that its client sees.
    fn admit(&self, request: &mut ServiceRequest) -> (Prefix, Result<(), Problem>) {
        let prefix = match self.forwarded_prefix(request) {
            Ok(forwarded) => forwarded.unwrap_or_else(|| self.base_path.prefix()),
            Err(fault) => return (self.base_path.prefix(), Err(Faults::from(fault).into())),
        };
        self.base_path.strip(request);
        (prefix, self.check(request))
    }

    fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        // A load balancer may call its probes by any name; they tell nothing, and change nothing.
        if !matches!(request.path(), "/livez" | "/readyz") {
            host::check(request, &self.allowed_hosts)?;
        }
        if site::is_foreign_write(request, &self.cors_origins) {
            return Err(Problem::of(Kind::CrossSiteRequest));
        }
        if etag::names_a_version(request.headers()) && !has_versions(request) {
            return Err(Problem::of(Kind::PreconditionFailed));
        }
        Ok(())
    }

    fn forwarded_prefix(&self, request: &ServiceRequest) -> Result<Option<Prefix>, Fault> {
        if !self.trusts_forwarded_prefix {
            return Ok(None);
        }
        let Some(text) = request.headers().get(&prefix::FORWARDED) else { return Ok(None) };
        let parsed = text.to_str().map_err(|_| prefix::RULE).and_then(BasePath::parse_prefix);
        parsed.map(|path| Some(path.prefix())).map_err(|detail| Fault::of("X-Forwarded-Prefix", detail))
    }
}

/// Whether a request may be for a version of what it changes: batches alone have versions. A request that
/// only reads does so whichever version there is.
fn has_versions(request: &ServiceRequest) -> bool {
    request.path().starts_with("/batch/") || request.method().is_safe()
}

/// Refuses requests of other sites, and has every response say where the client sees it.
pub(crate) fn guard<S, B>(
    settings: &EdgeSettings,
    mut request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let (prefix, admitted) = settings.admit(&mut request);
    let answer = match admitted {
        Ok(()) => {
            if !prefix.is_empty() {
                request.extensions_mut().insert(prefix.clone());
            }
            Ok(next.call(request))
        }
        Err(problem) => Err(request.error_response(problem)),
    };
    async move {
        let mut response = match answer {
            Ok(answer) => answer.await?.map_into_left_body(),
            Err(refusal) => refusal.map_into_right_body(),
        };
        let headers = response.headers_mut();
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, NO_STORE);
        }
        Ok(if prefix.is_empty() { response } else { at(&prefix, response) })
    }
}

/// A response with the paths that a client behind a prefix sees.
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

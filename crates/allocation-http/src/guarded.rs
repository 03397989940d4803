//! Handlers behind a permission.

use crate::api::Api;
use crate::permission::Permission;
use crate::problem::{Kind, Problem};
use crate::request_context::RequestContext;
use actix_web::body::BoxBody;
use actix_web::dev::Handler;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use allocation_app::Caller;
use futures_util::FutureExt;
use futures_util::future::{Either, Map, Ready, ready};

/// A handler that runs only for callers with a permission.
#[derive(Clone)]
pub(crate) struct Guarded<F> {
    needs: Permission,
    handler: F,
}

/// The response of a guarded handler.
pub(crate) enum GuardedResponse<R> {
    Refused(Problem),
    Handled(R),
}

impl<F> Guarded<F> {
    pub(crate) const fn new(needs: Permission, handler: F) -> Self {
        Self { needs, handler }
    }
}

impl<F, Args> Handler<(HttpRequest, Args)> for Guarded<F>
where
    F: Handler<Args>,
    F::Output: Responder,
    Args: FromRequest,
{
    type Output = GuardedResponse<F::Output>;
    // Named combinators keep the future of the request in place.
    type Future = Either<Ready<Self::Output>, Map<F::Future, fn(F::Output) -> Self::Output>>;

    fn call(&self, (request, args): (HttpRequest, Args)) -> Self::Future {
        match admit(&request, self.needs) {
            Ok(()) => Either::Right(self.handler.call(args).map(GuardedResponse::Handled)),
            Err(problem) => Either::Left(ready(GuardedResponse::Refused(problem))),
        }
    }
}

impl<R: Responder> Responder for GuardedResponse<R> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Refused(problem) => HttpResponse::from_error(problem),
            Self::Handled(output) => output.respond_to(request).map_into_boxed_body(),
        }
    }
}

/// Admits a request for a route.
fn admit(request: &HttpRequest, needs: Permission) -> Result<(), Problem> {
    let scope = match needs {
        Permission::Open => return Ok(()),
        Permission::AnyKey => None,
        Permission::Scope(scope) => Some(scope),
    };
    let api = request.app_data::<Data<Api>>().ok_or_else(|| Problem::of(Kind::InternalError))?;
    let Some(access) = api.access() else { return Ok(()) };
    RequestContext::admit(request, access.admit(presented(request), scope)?);
    Ok(())
}

/// Returns whether a caller that was admitted still is: a long response ends soon after its key is revoked.
pub(crate) fn is_still_admitted(api: &Api, caller: &Caller) -> bool {
    api.access().is_none_or(|access| access.still_admits(caller))
}

/// Returns the credentials of a request (RFC 6750), if it has some. Of several headers, a proxy might have checked
/// another one: they count as none.
pub(crate) fn presented(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().filter(|_| headers.next().is_none())?;
    let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credentials.trim())
}

#[cfg(test)]
mod tests;

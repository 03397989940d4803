//! The outermost layer: request id, log, connection state and edge checks.
//!
//! One layer instead of three, because each nested layer moves every response through another future.

use crate::connection::{InProgress, Observed};
use crate::edge::{self, EdgeSettings};
use crate::prefix::Prefix;
use crate::request_log::Watch;
use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use allocation_app::Tracer;
use futures_util::TryFutureExt;
use futures_util::future::{Either, pending, ready};

type Response<B> = ServiceResponse<Observed<EitherBody<B>>>;

/// Handles a request, if its connection and the edge admit it.
pub(crate) fn handle<S, B>(
    settings: &EdgeSettings,
    tracer: Option<&Tracer>,
    mut request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<Response<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let watch = Watch::begin(&request, tracer);
    let Some(in_progress) = InProgress::begin(&mut request) else { return Either::Left(pending()) };
    let (prefix, admitted) = settings.admit(&mut request);
    let pending_response = PendingResponse { watch, in_progress, prefix };
    Either::Right(match admitted {
        // A combinator keeps the future of the request in place; an async block would copy it.
        Ok(()) => {
            Either::Left(next.call(request).map_ok(|response| pending_response.end(response.map_into_left_body())))
        }
        Err(problem) => {
            Either::Right(ready(Ok(pending_response.end(request.error_response(problem).map_into_right_body()))))
        }
    })
}

/// What a response still gets once the request is handled.
struct PendingResponse {
    watch: Watch,
    in_progress: InProgress,
    /// The prefix of paths that the client sees.
    prefix: Prefix,
}

impl PendingResponse {
    fn end<B>(self, response: ServiceResponse<EitherBody<B>>) -> Response<B> {
        let mut response = edge::complete(&self.prefix, response);
        self.watch.end(&mut response);
        self.in_progress.respond(response)
    }
}

//! What surrounds the handling of every request: its id and log, its connection, and the edge.
//!
//! One layer does all of it. Nested layers would move each response through a future of each of them.

use crate::connection::{Observed, UnderWay};
use crate::edge::{self, EdgeSettings};
use crate::prefix::Prefix;
use crate::request_log::Watch;
use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use futures_util::TryFutureExt;
use futures_util::future::{Either, pending, ready};

type Response<B> = ServiceResponse<Observed<EitherBody<B>>>;

/// Handles a request, if its connection and the edge admit it.
pub(crate) fn surround<S, B>(
    settings: &EdgeSettings,
    mut request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<Response<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let watch = Watch::begin(&request);
    let Some(under_way) = UnderWay::begin(&mut request) else { return Either::Left(pending()) };
    let (prefix, admitted) = settings.admit(&mut request);
    let handling = Handling { watch, under_way, prefix };
    Either::Right(match admitted {
        // A combinator keeps the future of the request in place; an async block would copy it.
        Ok(()) => Either::Left(next.call(request).map_ok(|response| handling.end(response.map_into_left_body()))),
        Err(problem) => Either::Right(ready(Ok(handling.end(request.error_response(problem).map_into_right_body())))),
    })
}

/// A request that is being handled.
struct Handling {
    watch: Watch,
    under_way: UnderWay,
    /// The prefix of paths that the client sees.
    prefix: Prefix,
}

impl Handling {
    fn end<B>(self, response: ServiceResponse<EitherBody<B>>) -> Response<B> {
        let mut response = edge::complete(&self.prefix, response);
        self.watch.end(&mut response);
        self.under_way.respond(response)
    }
}

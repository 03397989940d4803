use super::ConnectionState;
use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::web::Bytes;
use futures_util::TryFutureExt;
use futures_util::future::{Either, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Wraps the application of a side server, and reports each request to its connection.
///
/// A request that follows the last one is not executed and receives no response.
pub(crate) fn observe<S, B>(
    mut request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse<Observed<B>>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    match InProgress::begin(&mut request) {
        Some(in_progress) => Either::Right(next.call(request).map_ok(|response| in_progress.respond(response))),
        None => Either::Left(pending()),
    }
}

/// A request in progress; dropping the value finishes it.
pub(crate) struct InProgress(Option<Rc<ConnectionState>>);

impl InProgress {
    /// Reports the start of a request, and whether it is the last.
    ///
    /// Returns `None` if it follows the last one. The connection ends after the responses before it, and drops the
    /// future of this request, which must stay pending.
    pub(crate) fn begin(request: &mut ServiceRequest) -> Option<Self> {
        let state = request.conn_data::<Rc<ConnectionState>>().cloned();
        let has_body = !matches!(request.parts_mut().1, Payload::None);
        // actix-http also closes the connection after an upgrade request, to HTTP/2 for example. Without
        // `Connection: close`, the client would lose its next request.
        let is_last = request.head().connection_type() != ConnectionType::KeepAlive;
        state.as_ref().is_none_or(|state| state.begin(has_body, is_last)).then(|| Self(state))
    }

    /// Reports the response: the request is in progress until its body is encoded.
    pub(crate) fn respond<B>(self, mut response: ServiceResponse<B>) -> ServiceResponse<Observed<B>> {
        if self.0.as_ref().is_some_and(|state| state.ends()) {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        response.map_body(|_, body| Observed { body, _in_progress: self })
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.finish();
        }
    }
}

/// A response body that finishes its request when it is encoded and dropped.
pub(crate) struct Observed<B> {
    body: B,
    _in_progress: InProgress,
}

impl<B: MessageBody + Unpin> MessageBody for Observed<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

//! What the layers of the application share about a request.

use crate::request_id::RequestId;
use crate::requests::RouteIndex;
use crate::spans;
use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};
use allocation_access::{Actor, Quota};
use allocation_app::{Admission, Caller, OpenSpan, Tracer};
use allocation_ports::TraceParent;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// The id of a request, and its route and its caller once they are known.
///
/// Shared by the outermost layer and the extensions of the request, so that the layer needs no lookup for the response.
#[derive(Debug)]
pub(crate) struct RequestContext {
    pub(crate) id: RequestId,
    route: Cell<RouteIndex>,
    admission: OnceCell<Admission>,
    span: Option<OpenSpan>,
}

impl RequestContext {
    /// Chooses the id of a request, begins its span if it has one, and adds the context to the request.
    pub(crate) fn begin(request: &ServiceRequest, tracer: Option<&Tracer>) -> Rc<Self> {
        let span = tracer.and_then(|tracer| tracer.begin(spans::sent(request.headers()).as_ref()));
        let (route, admission) = (Cell::new(RouteIndex::NONE), OnceCell::new());
        let context = Rc::new(Self { id: RequestId::choose(request), route, admission, span });
        request.extensions_mut().insert(Rc::clone(&context));
        context
    }

    fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get().cloned()
    }

    /// Returns the id of a request.
    pub(crate) fn id_of(request: &HttpRequest) -> RequestId {
        Self::of(request).map_or_else(RequestId::new, |context| context.id.clone())
    }

    pub(crate) fn set_route(&self, route: RouteIndex) {
        self.route.set(route);
    }

    /// Records that a request was admitted.
    pub(crate) fn admit(request: &HttpRequest, admission: Admission) {
        if let Some(context) = Self::of(request) {
            // Only one handler runs for a request.
            drop(context.admission.set(admission));
        }
    }

    /// Returns the author of a request that was admitted.
    pub(crate) fn caller_of(request: &HttpRequest) -> Caller {
        Self::of(request).and_then(|context| Some(context.admission.get()?.caller.clone())).unwrap_or(Caller::Anonymous)
    }

    /// Returns who the author of a request that was admitted is.
    pub(crate) fn actor_of(request: &HttpRequest) -> Actor {
        Self::of(request).and_then(|context| Some(context.admission.get()?.caller.actor().clone())).unwrap_or_default()
    }

    /// Returns what is left of the rate of the key, if the request was admitted by a key with a rate.
    pub(crate) fn quota(&self) -> Option<&Quota> {
        self.admission.get()?.quota.as_ref()
    }

    /// Returns the span, if the request has one.
    pub(crate) const fn span(&self) -> Option<&OpenSpan> {
        self.span.as_ref()
    }

    /// Returns what names the span of a request as a parent, if the request has a span.
    pub(crate) fn traceparent_of(request: &HttpRequest) -> Option<TraceParent> {
        Self::of(request).and_then(|context| context.span().map(OpenSpan::traceparent))
    }

    /// Returns the route, [`RouteIndex::NONE`] if none has matched.
    pub(crate) fn route(&self) -> RouteIndex {
        self.route.get()
    }
}

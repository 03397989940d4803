//! What the layers of the application share about a request.

use crate::request_id::RequestId;
use crate::requests::RouteIndex;
use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};
use allocation_access::{Actor, Quota};
use allocation_app::{Admission, Caller};
use std::cell::{Cell, OnceCell};

/// The id of a request, and its route and its caller once they are known. Kept as one value, which costs one
/// allocation.
#[derive(Debug)]
pub(crate) struct RequestContext {
    id: RequestId,
    route: Cell<RouteIndex>,
    admission: OnceCell<Admission>,
}

impl RequestContext {
    /// Adds the context to a request, and returns the id that the request has from now on.
    pub(crate) fn begin(request: &ServiceRequest) -> RequestId {
        let id = RequestId::choose(request);
        let (route, admission) = (Cell::new(RouteIndex::NONE), OnceCell::new());
        request.extensions_mut().insert(Self { id: id.clone(), route, admission });
        id
    }

    /// Returns the id of a request.
    pub(crate) fn id_of(request: &HttpRequest) -> RequestId {
        let known = request.extensions().get::<Self>().map(|context| context.id.clone());
        known.unwrap_or_else(RequestId::new)
    }

    pub(crate) fn set_route(&self, route: RouteIndex) {
        self.route.set(route);
    }

    /// Records that a request was admitted.
    pub(crate) fn admit(request: &HttpRequest, admission: Admission) {
        if let Some(context) = request.extensions().get::<Self>() {
            // Only one handler runs for a request.
            drop(context.admission.set(admission));
        }
    }

    /// Returns the author of a request that was admitted.
    pub(crate) fn caller_of(request: &HttpRequest) -> Caller {
        Self::admitted(request, |admission| admission.caller.clone()).unwrap_or(Caller::Anonymous)
    }

    /// Returns who the author of a request that was admitted is.
    pub(crate) fn actor_of(request: &HttpRequest) -> Actor {
        Self::admitted(request, |admission| admission.caller.actor().clone()).unwrap_or_default()
    }

    /// Returns what is left of the rate of a request's key, if it has one.
    pub(crate) fn quota_of(request: &HttpRequest) -> Option<Quota> {
        Self::admitted(request, |admission| admission.quota)?
    }

    fn admitted<T>(request: &HttpRequest, read: impl FnOnce(&Admission) -> T) -> Option<T> {
        request.extensions().get::<Self>()?.admission.get().map(read)
    }

    /// Returns the route of a request, [`RouteIndex::NONE`] if none has matched.
    pub(crate) fn route_of(request: &HttpRequest) -> RouteIndex {
        request.extensions().get::<Self>().map_or(RouteIndex::NONE, |context| context.route.get())
    }
}

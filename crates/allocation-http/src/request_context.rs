//! What the layers of the application share about a request.

use crate::metrics::RouteIndex;
use crate::request_id::RequestId;
use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};
use std::cell::Cell;

/// The id of a request, and its route once the router has found one. Kept as one value, which costs one allocation.
#[derive(Debug)]
pub(crate) struct RequestContext {
    id: RequestId,
    route: Cell<RouteIndex>,
}

impl RequestContext {
    /// Adds the context to a request.
    pub(crate) fn begin(request: &ServiceRequest, id: RequestId) {
        request.extensions_mut().insert(Self { id, route: Cell::new(RouteIndex::NONE) });
    }

    pub(crate) const fn id(&self) -> &RequestId {
        &self.id
    }

    pub(crate) fn set_route(&self, route: RouteIndex) {
        self.route.set(route);
    }

    /// Returns the route of a request, [`RouteIndex::NONE`] if none has matched.
    pub(crate) fn route_of(request: &HttpRequest) -> RouteIndex {
        request.extensions().get::<Self>().map_or(RouteIndex::NONE, |context| context.route.get())
    }
}

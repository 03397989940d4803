//! Paths and their methods. A route is registered with the permission that it needs, or not at all.

use crate::guarded::Guarded;
use crate::permission::Permission;
use crate::problem::Problem;
use crate::request_context::RequestContext;
use crate::requests::RouteIndex;
use actix_web::dev::Handler;
use actix_web::guard::{GuardContext, fn_guard};
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, HttpResponse, Resource, Responder, web};
use std::future::ready;
use std::rc::Rc;

/// A path and its methods. HEAD works where GET does; the server omits the body.
pub(crate) struct Path {
    template: String,
    resource: Resource,
    methods: Vec<(Method, Permission)>,
    /// Whether later paths serve the other methods.
    is_shared: bool,
}

impl Path {
    pub(crate) fn new(path: &str) -> Self {
        Self { template: path.to_owned(), resource: web::resource(path), methods: Vec::new(), is_shared: false }
    }

    pub(crate) fn template(&self) -> &str {
        &self.template
    }

    /// Returns the methods with the permissions that they need.
    pub(crate) fn methods(&self) -> &[(Method, Permission)] {
        &self.methods
    }

    pub(crate) fn get<F, Args>(self, needs: impl Into<Permission>, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(&[Method::GET, Method::HEAD], needs.into(), handler)
    }

    pub(crate) fn post<F, Args>(self, needs: impl Into<Permission>, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(&[Method::POST], needs.into(), handler)
    }

    pub(crate) fn put<F, Args>(self, needs: impl Into<Permission>, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(&[Method::PUT], needs.into(), handler)
    }

    pub(crate) fn patch<F, Args>(self, needs: impl Into<Permission>, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(&[Method::PATCH], needs.into(), handler)
    }

    pub(crate) fn delete<F, Args>(self, needs: impl Into<Permission>, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(&[Method::DELETE], needs.into(), handler)
    }

    fn route<F, Args>(mut self, methods: &'static [Method], needs: Permission, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.extend(methods.iter().map(|method| (method.clone(), needs)));
        let guard = fn_guard(|request: &GuardContext<'_>| methods.contains(&request.head().method));
        Self { resource: self.resource.route(web::route().guard(guard).to(Guarded::new(needs, handler))), ..self }
    }

    /// Leaves other methods to the later paths that match: `/orders/bulk` is also the path of an order named `bulk`.
    pub(crate) fn shared(self) -> Self {
        Self { is_shared: true, ..self }
    }

    /// Registers the path as a route. Other methods get a response that lists the supported ones, unless the path is
    /// shared.
    #[expect(clippy::expect_used, reason = "methods have no character that a header refuses")]
    pub(crate) fn register(self, cfg: &mut web::ServiceConfig, route: RouteIndex) {
        let methods: Vec<_> = self.methods.iter().map(|(method, _)| method.as_str()).collect();
        let allow = HeaderValue::from_str(&methods.join(", ")).expect("methods are a header");
        let served = self.is_shared.then(|| self.methods.iter().map(|(method, _)| method.clone()).collect::<Vec<_>>());
        let resource = self.resource.guard(fn_guard(move |request| {
            let is_served = served.as_ref().is_none_or(|methods| methods.contains(&request.head().method));
            if is_served && let Some(context) = request.req_data().get::<Rc<RequestContext>>() {
                context.set_route(route);
            }
            is_served
        }));
        let refuse = move || ready(Err::<HttpResponse, _>(Problem::method_not_allowed(allow.clone())));
        cfg.service(resource.default_service(web::to(refuse)));
    }
}

#[cfg(test)]
mod tests;

//! All paths of the API, and the application that serves them.

use crate::api::Api;
use crate::metrics;
use crate::problem::{Kind, Problem};
use crate::requests::RouteIndex;
use crate::{docs, edge, operations, request_layer};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::Condition;
use actix_web::{App, Error, HttpResponse, web};
use std::future::ready;
use std::sync::Arc;

/// Returns the templates of all paths, in the order of their [`RouteIndex`].
fn templates() -> Vec<String> {
    operations::all().iter().chain(&docs::routes().collect::<Vec<_>>()).map(|path| path.template().to_owned()).collect()
}

/// Registers all paths, and the response for unknown ones. Without metrics, theirs is unknown.
fn configure(cfg: &mut web::ServiceConfig, has_metrics: bool) {
    for (index, path) in operations::all().into_iter().chain(docs::routes()).enumerate() {
        if has_metrics || path.template() != metrics::PATH {
            path.register(cfg, RouteIndex(index));
        }
    }
    cfg.default_service(web::to(|| ready(Err::<HttpResponse, _>(Problem::of(Kind::NotFound)))));
}

/// Builds the application that the server runs and that tests call directly.
pub fn app(
    api: &Api,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    api.requests.declare(templates);
    let (edge, tracer, has_metrics) = (Arc::clone(&api.edge), api.tracer.clone(), api.metrics.is_some());
    App::new()
        .app_data(web::Data::new(api.clone()))
        .configure(|cfg| configure(cfg, has_metrics))
        .wrap(Condition::new(edge.has_cors(), edge::cors(&edge)))
        .wrap_fn(move |request, next| request_layer::handle(&edge, tracer.as_deref(), request, next))
}

#[cfg(test)]
mod tests {
    use crate::operations;
    use std::collections::BTreeSet;

    #[test]
    fn every_registered_operation_is_documented_and_every_documented_one_is_registered() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let mut documented = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            documented.extend(item.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase())));
        }
        let mut registered = BTreeSet::new();
        for path in operations::all() {
            let methods = path.methods().iter().filter(|(method, _)| *method != "HEAD");
            registered.extend(methods.map(|(method, _)| (path.template().to_owned(), method.to_string())));
        }
        assert_eq!(registered, documented);
    }
}

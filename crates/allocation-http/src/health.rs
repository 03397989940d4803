//! What an orchestrator asks: is the process alive, can it serve.

use crate::answer;
use crate::api::Api;
use crate::openapi::document;
use crate::problem::{Kind, Problem};
use crate::resource::Path;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use allocation_ports::SchemaState;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Says that all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`: what is not well is a problem.
    #[schema(example = "ok")]
    status: &'static str,
}

const WELL: Health = Health { status: "ok" };

pub(crate) fn configure(cfg: &mut web::ServiceConfig) {
    Path::new("/livez").get(livez).register(cfg);
    Path::new("/readyz").get(readyz).register(cfg);
}

document!(ReadinessProblems: SchemaNotCurrent, DatabaseUnavailable, Overloaded, InternalError);

/// Tell whether the process is alive
///
/// It asks nothing of the database. Parameters of the query are ignored: probes add some to get past
/// caches.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "Service",
    responses((status = 200, description = "The process is alive", body = Health)),
)]
pub(crate) async fn livez() -> Result<HttpResponse, Problem> {
    answer::json(StatusCode::OK, &WELL)
}

/// Tell whether requests can be served
///
/// They can when the database answers and its schema is the one this version was built for.
/// Parameters of the query are ignored.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Service",
    responses((status = 200, description = "Requests can be served", body = Health), ReadinessProblems),
)]
pub(crate) async fn readyz(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let readiness = Arc::clone(&api.readiness);
    let schema = api.probe.run(&request, move || readiness.schema()).await?;
    match schema {
        SchemaState::Current => answer::json(StatusCode::OK, &WELL),
        SchemaState::Older | SchemaState::Newer => Err(Problem::of(Kind::SchemaNotCurrent)),
    }
}

#[cfg(test)]
mod tests;

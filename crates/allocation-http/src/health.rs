//! Liveness and readiness probes for orchestrators.

use crate::answer;
use crate::api::Api;
use crate::openapi::document;
use crate::problem::Problem;
use crate::resource::Path;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// Says that all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`: what is not well is a problem.
    #[schema(example = "ok")]
    status: &'static str,
}

pub(crate) const WELL: Health = Health { status: "ok" };

pub(crate) fn configure(cfg: &mut web::ServiceConfig) {
    Path::new("/livez").get(livez).register(cfg);
    Path::new("/readyz").get(readyz).register(cfg);
}

document!(ReadinessProblems: SchemaNotCurrent, ClockOff, DatabaseUnavailable, NotReady);

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
/// They can when the database has committed a write within the last seconds, its schema is the one this version
/// was built for, a replica numbers events, every background thread of this one lives, and the clock of the process differs
/// from that of the database by two seconds at most. `checks` lists the checks that fail.
/// Parameters of the query are ignored.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Service",
    responses((status = 200, description = "Requests can be served", body = Health), ReadinessProblems),
)]
pub(crate) async fn readyz(api: Data<Api>) -> Result<HttpResponse, Problem> {
    let failed = api.readiness.failed_checks();
    if failed.is_empty() { answer::json(StatusCode::OK, &WELL) } else { Err(Problem::not_ready(&failed)) }
}

#[cfg(test)]
mod tests;

//! Liveness and readiness probes for orchestrators.

use crate::api::Api;
use crate::guarded::presented;
use crate::permission::Permission;
use crate::problem::{Problem, document};
use crate::resource::Path;
use crate::respond;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_ports::ReplicationLag;
use serde::Serialize;
use utoipa::ToSchema;

/// A successful probe.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`; failures are problems.
    #[schema(example = "ok")]
    status: &'static str,
    /// On a read-only server whose database is a standby: the age in seconds of the newest transaction that the
    /// standby has replayed. Servers that write commit one each second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false)]
    replication_lag_seconds: Option<f64>,
    /// `unknown` in place of the lag in seconds, if the standby has replayed no transaction since it started. Its
    /// primary may be down, and its data may be of any age.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "unknown")]
    replication_lag: Option<&'static str>,
}

pub(crate) const OK: Health = Health { status: "ok", replication_lag_seconds: None, replication_lag: None };

pub(crate) fn routes() -> [Path; 2] {
    [Path::new("/livez").get(Permission::Open, livez), Path::new("/readyz").get(Permission::Open, readyz)]
}

document!(ReadinessProblems: SchemaNotCurrent, ClockOff, DatabaseUnavailable, NotReady);

/// Check liveness
///
/// Does not access the database. Query parameters are ignored, because probes add some to bypass caches.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "Service",
    responses((status = 200, description = "The process is alive", body = Health)),
)]
pub(crate) async fn livez() -> Result<HttpResponse, Problem> {
    respond::json(StatusCode::OK, &OK)
}

/// Check readiness
///
/// The service is ready if the database has committed a write within the last seconds and has the schema
/// that this version was built for, a replica sequences events, every background thread runs, and the
/// clocks of process and database differ by at most two seconds. If not, `checks` lists the failed checks.
/// A read-only server is ready if its database serves reads; it may lag behind the primary, and reports by how
/// much. Where keys are required, a request without one gets the status alone. Query parameters are ignored.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Service",
    responses((status = 200, description = "Requests can be served", body = Health), ReadinessProblems),
)]
pub(crate) async fn readyz(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let failed = api.readiness.failed_checks();
    let discloses = api.access().is_none_or(|access| access.admit(presented(&request), None).is_ok());
    if !failed.is_empty() {
        let problem = Problem::not_ready(&failed);
        return Err(if discloses { problem } else { problem.without_checks() });
    }
    if !discloses {
        return respond::json(StatusCode::OK, &OK);
    }
    let health = match api.readiness.replication_lag() {
        None => OK,
        Some(ReplicationLag::Age(age)) => Health { replication_lag_seconds: Some(age.as_seconds_f64()), ..OK },
        Some(ReplicationLag::Unknown) => Health { replication_lag: Some("unknown"), ..OK },
    };
    respond::json(StatusCode::OK, &health)
}

#[cfg(test)]
mod tests;

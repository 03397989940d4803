//! The route of the metrics.

use crate::api::Api;
use crate::metrics::PATH;
use crate::problem::{Kind, Problem, document};
use crate::resource::Path;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;

pub(crate) fn routes() -> [Path; 1] {
    [Path::new(PATH).get(Scope::Read, metrics)]
}

document!(MetricsProblems: NotFound);

/// Get metrics
///
/// Counters, gauges and histograms of this process, in the text format of Prometheus or, if `Accept` prefers it, of
/// `OpenMetrics`. No label names a SKU, an order or a batch. A server with `--metrics-address` serves them there instead.
/// Query parameters are ignored.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "Service",
    responses(
        (status = 200, description = "The metrics",
            content((String = "text/plain"), (String = "application/openmetrics-text")),
        ),
        MetricsProblems,
    ),
)]
pub(crate) async fn metrics(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    // The path is registered only for an API with metrics.
    api.metrics.as_ref().map(|metrics| metrics.respond(&request)).ok_or_else(|| Problem::of(Kind::NotFound))
}

#[cfg(test)]
mod tests;

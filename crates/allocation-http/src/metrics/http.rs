//! Metrics of requests, by the names of OpenTelemetry's semantic conventions.

use super::writer::{Buckets, MetricWriter};
use crate::requests::{BOUNDS, Recorded, Requests};
use std::fmt;

pub(super) fn write(to: &mut MetricWriter<'_>, requests: &Requests) -> fmt::Result {
    to.histograms(
        "http_server_request_duration_seconds",
        "Time from the head of a request to the head of its response.",
        requests.recorded().map(|it| (labels(&it), buckets(&it))),
    )?;
    to.counters(
        "allocation_http_problems",
        "Requests that received a problem, by the name of its type.",
        requests.problems().map(|(name, count)| ([("problem", name)], count)),
    )
}

/// Returns the labels of a series. An empty label counts as absent: the request has matched no route.
fn labels(it: &Recorded<'_>) -> [(&'static str, String); 3] {
    [
        ("http_request_method", it.method.to_owned()),
        ("http_route", it.template.to_owned()),
        ("http_response_status_code", it.status.as_str().to_owned()),
    ]
}

fn buckets(it: &Recorded<'_>) -> Buckets {
    let seconds = BOUNDS.iter().map(|micros| std::time::Duration::from_micros(*micros).as_secs_f64());
    let bounded = seconds.chain([f64::INFINITY]).zip(it.buckets).collect();
    Buckets { sum: it.sum.as_secs_f64(), bounded }
}

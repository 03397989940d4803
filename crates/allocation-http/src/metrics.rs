//! Metrics in the text formats of Prometheus and `OpenMetrics`.

mod database;
mod engine;
mod events;
mod http;
mod process;
mod server;
mod tls;
mod writer;

pub use server::MetricsServer;

use crate::accept;
use crate::requests::Requests;
use crate::tls::Tls;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponse};
use allocation_app::{AllocationEngine, BacklogMonitor, EngineCounters, InvariantMonitor, UnitCounters, Vital};
use allocation_ports::{Clock, Readiness, StoreMonitor};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text, text};
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use writer::MetricWriter;

/// The path of the metrics.
pub(crate) const PATH: &str = "/metrics";
/// The media type of the format of Prometheus, and of clients without a preference.
const PROMETHEUS: &str = "text/plain";
const OPENMETRICS: &str = "application/openmetrics-text";

/// The origins of metrics beside the API itself.
pub struct MetricSources {
    /// The counters of the engine.
    pub engine: Arc<EngineCounters>,
    /// The counters of units of work.
    pub units: Arc<UnitCounters>,
    /// The store, asked for its connections.
    pub store: Arc<dyn StoreMonitor>,
    /// The backlog of events.
    pub backlog: BacklogMonitor,
    /// The check of invariants, if there is one.
    pub invariants: Option<InvariantMonitor>,
    /// Whether a relay publishes events; without one, its backlog has no meaning.
    pub has_relay: bool,
    /// The TLS of the server, if it has one.
    pub tls: Option<Tls>,
    /// The threads of the process.
    pub threads: Vec<Vital>,
    /// Returns the number of log lines dropped so far.
    pub dropped_log_lines: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Returns the number of spans dropped so far.
    pub dropped_spans: Box<dyn Fn() -> u64 + Send + Sync>,
    /// The program.
    pub build: Build,
}

/// The build of the program, and the database that it uses.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// The version.
    pub version: &'static str,
    /// The commit, or `unknown`.
    pub commit: &'static str,
    /// The kind of database.
    pub database: &'static str,
}

/// The metrics of a process.
///
/// Rendering them reads counters in memory, never the database.
#[derive(Debug)]
pub struct Metrics(Registry);

/// Everything that is rendered.
struct Sources {
    own: MetricSources,
    engine: AllocationEngine,
    readiness: Arc<dyn Readiness>,
    clock: Arc<dyn Clock>,
    requests: Arc<Requests>,
}

impl Metrics {
    /// Returns the metrics of an API and of further sources.
    pub(crate) fn new(
        own: MetricSources,
        requests: Arc<Requests>,
        engine: AllocationEngine,
        readiness: Arc<dyn Readiness>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let sources = Sources { own, engine, readiness, clock, requests };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(sources));
        Self(registry)
    }

    /// Responds in the format that the client prefers; clients that accept neither receive that of Prometheus.
    pub(crate) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let mut body = String::new();
        let (encoded, media_type) = match accept::choose(request, &[PROMETHEUS, OPENMETRICS]) {
            Some(OPENMETRICS) => {
                (text::encode(&mut body, &self.0), "application/openmetrics-text; version=1.0.0; charset=utf-8")
            }
            _ => (prometheus_text::encode(&mut body, &self.0), "text/plain; version=0.0.4; charset=utf-8"),
        };
        if encoded.is_err() {
            // Writing to a string does not fail, nor does any source.
            return HttpResponse::InternalServerError().finish();
        }
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, HeaderValue::from_static(media_type)))
            .insert_header((VARY, HeaderValue::from_static("Accept")))
            .body(body)
    }
}

impl Collector for Sources {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = MetricWriter::new(encoder);
        http::write(&mut to, &self.requests)?;
        engine::write(&mut to, &self.engine, &self.own.engine, &self.own.units)?;
        database::write(&mut to, &*self.own.store, &*self.readiness)?;
        events::write(&mut to, self.own.backlog.backlog(), self.own.has_relay, self.clock.now())?;
        if let Some(check) = &self.own.invariants {
            database::write_check(&mut to, check)?;
        }
        self.own.tls.iter().try_for_each(|tls| tls::write(&mut to, tls))?;
        process::write(&mut to, &self.own)
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

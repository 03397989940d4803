//! Spans, sent to a collector by OTLP over HTTP.

mod otlp;
mod span_queue;

use crate::config::TraceArgs;
use crate::https;
use allocation_app::{BackgroundTask, FailureLog};
use allocation_ports::Span;
use anyhow::{Context, ensure};
pub(crate) use span_queue::SpanQueue;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::Agent;

/// The pause between two batches of spans.
const PAUSE: Duration = Duration::from_millis(500);
/// The time limit of a request to the collector. During a shutdown, no request starts after it.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long a shutdown waits for the last spans.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum number of spans of a request to the collector.
const BATCH: usize = 512;
/// The maximum size of a response of the collector in bytes.
const MAX_RESPONSE: u64 = 64 << 10;

/// The export of spans, which runs on a thread of its own.
pub(crate) struct Traces {
    pub(crate) spans: Arc<SpanQueue>,
    pub(crate) exporting: BackgroundTask,
}

/// Sends spans to the collector.
struct Exporter {
    spans: Arc<SpanQueue>,
    agent: Agent,
    url: String,
    log: FailureLog,
}

impl Traces {
    /// Starts the export, if a collector is configured. The collector need not be there.
    ///
    /// # Errors
    ///
    /// Returns an error if the authorities of the collector cannot be read, or the thread cannot be started.
    pub(crate) fn start(settings: &TraceArgs) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &settings.otlp_endpoint else { return Ok(None) };
        let spans = Arc::new(SpanQueue::default());
        let exporter = Exporter::new(endpoint, https::client(settings.otlp_ca.as_deref(), TIMEOUT)?, spans.clone());
        let exporting = BackgroundTask::spawn("spans", move |stop| {
            while stop.continues_after(PAUSE) {
                exporter.export(|| stop.continues());
            }
            let begun = Instant::now();
            exporter.export(|| begun.elapsed() < TIMEOUT);
        });
        Ok(Some(Self { spans, exporting: exporting.context("spans cannot be sent")? }))
    }
}

impl Exporter {
    fn new(endpoint: &str, agent: Agent, spans: Arc<SpanQueue>) -> Self {
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        Self { spans, agent, url, log: FailureLog::new("sending spans", "they are dropped") }
    }

    /// Sends the spans that wait, while `continues`. A batch that the collector does not take is dropped.
    fn export(&self, continues: impl Fn() -> bool) {
        while continues() {
            let batch = self.spans.take(BATCH);
            if batch.is_empty() {
                return;
            }
            match self.send(&batch) {
                Ok(0) => self.log.succeeded(),
                Ok(rejected) => {
                    self.spans.dropped(rejected.min(batch.len()));
                    self.log.failed_because(&format_args!("the collector rejects {rejected} of {} spans", batch.len()));
                }
                Err(error) => {
                    self.spans.dropped(batch.len());
                    self.log.failed_because(&format_args!("{error:#}"));
                    // The next pause spares a collector that is in trouble.
                    return;
                }
            }
        }
    }

    /// Sends spans; returns the number of those that the collector rejects.
    fn send(&self, batch: &[Span]) -> anyhow::Result<usize> {
        let request = self.agent.post(&self.url).content_type("application/json");
        let mut sent = request.send(otlp::request(batch).to_string()).with_context(|| format!("POST {}", self.url))?;
        ensure!(sent.status() == 200, "POST {}: {}", self.url, sent.status());
        // A response that cannot be read tells of no rejected span: the collector has taken the batch.
        let response = sent.body_mut().with_config().limit(MAX_RESPONSE).read_to_vec().unwrap_or_default();
        Ok(otlp::rejected(&response))
    }
}

#[cfg(test)]
mod tests;

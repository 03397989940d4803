//! Spans, sent to a collector.

use crate::access::await_until;
use crate::support::{Authority, Server, TestDatabase};
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00";

/// A collector on this machine, which takes all spans.
pub(crate) struct Collector {
    pub(crate) url: String,
    spans: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::start_by("http", |mut stream| Some(take(&mut stream)))
    }

    /// Starts a collector with a certificate of an authority.
    fn start_with_tls(authority: &Authority) -> Self {
        let config = Arc::new(authority.server());
        Self::start_by("https", move |stream| {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(tls, stream);
            // A client that does not trust the certificate hangs up.
            stream.conn.complete_io(&mut stream.sock).ok()?;
            Some(take(&mut stream))
        })
    }

    fn start_by(scheme: &str, serve: impl Fn(TcpStream) -> Option<Value> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&spans);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if let Some(mut body) = serve(stream.unwrap()) {
                    let all = body["resourceSpans"][0]["scopeSpans"][0]["spans"].take();
                    taken.lock().unwrap().extend(all.as_array().unwrap().iter().cloned());
                }
            }
        });
        Self { url, spans }
    }

    pub(crate) fn named(&self, name: &str) -> Vec<Value> {
        self.spans.lock().unwrap().iter().filter(|span| span["name"] == name).cloned().collect()
    }

    /// Returns the only span with a name.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> Value {
        let mut spans = self.named(name);
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.remove(0)
    }
}

/// Takes a request to export spans, and responds.
fn take(stream: &mut (impl Read + Write)) -> Value {
    let mut reader = BufReader::new(&mut *stream);
    let head: Vec<String> = reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    assert!(head[0].starts_with("POST /v1/traces "), "{head:?}");
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
    stream.flush().unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn line(order_id: &str) -> Value {
    json!({ "order_id": order_id, "sku": "LAMP", "qty": 1 })
}

#[test]
fn a_traced_request_has_a_span_that_its_events_name_and_a_stop_sends_the_last_spans() {
    let (collector, database) = (Collector::start(), TestDatabase::sqlite());
    let server = Server::start_with(&database, |command| {
        command.env("ALLOCATION_OTLP_ENDPOINT", &collector.url).env("ALLOCATION_TRACE_RATIO", "0")
    });
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    assert_eq!(client.post_with("/allocations", &line("O-1"), ("traceparent", TRACE)).status, 201);
    assert_eq!(client.post_with("/allocations", &line("O-2"), ("traceparent", UNSAMPLED)).status, 201);
    await_until(|| client.all_events().len() == 3);
    let events = client.all_events();
    server.signal("TERM");
    assert!(server.wait().0.success());

    let span = collector.one("POST /allocations");
    assert_eq!(span["kind"], 2);
    assert_eq!((span["traceId"].as_str(), span["parentSpanId"].as_str()), (TRACE.get(3..35), TRACE.get(36..52)));
    let of = |subject: &str| events.iter().find(|event| event["subject"] == subject).unwrap()["traceparent"].clone();
    let caused = format!("{}-{}-01", &TRACE[..35], span["spanId"].as_str().unwrap());
    assert_eq!((of("orders/O-1"), of("orders/O-2")), (json!(caused), json!(UNSAMPLED)));
    assert_eq!(of("batches/B-1"), Value::Null, "no share of other requests is traced");
    assert!(collector.named("POST /batch").is_empty());

    let (group, commit) = (collector.one("decide_group"), collector.one("commit"));
    assert_eq!((&group["traceId"], &group["parentSpanId"]), (&span["traceId"], &span["spanId"]));
    assert_eq!((&commit["traceId"], &commit["parentSpanId"]), (&group["traceId"], &group["spanId"]));
}

#[test]
fn a_request_without_a_trace_begins_one() {
    let (collector, database) = (Collector::start(), TestDatabase::sqlite());
    let server = Server::start_with(&database, |command| command.env("ALLOCATION_OTLP_ENDPOINT", &collector.url));
    assert_eq!(server.client().add_batch("B-1", "LAMP", 10, None).status, 201);
    await_until(|| !collector.named("POST /batch").is_empty());
    let span = collector.one("POST /batch");
    assert!(span["parentSpanId"].is_null(), "{span}");
    await_until(|| server.client().all_events().len() == 1);
    let caused = format!("00-{}-{}-01", span["traceId"].as_str().unwrap(), span["spanId"].as_str().unwrap());
    assert_eq!(server.client().all_events()[0]["traceparent"], caused);
    let unit = collector.one("add_batch");
    assert_eq!((&unit["traceId"], &unit["parentSpanId"]), (&span["traceId"], &span["spanId"]));
}

#[test]
fn an_https_collector_receives_spans_only_with_a_certificate_of_a_trusted_authority() {
    let (authority, database) = (Authority::new(), TestDatabase::sqlite());
    let collector = Collector::start_with_tls(&authority);
    let (trusted, another) = (authority.file(), Authority::new().file());
    let serve = |ca: &std::path::Path| {
        Server::start_with(&database, |command| {
            command.env("ALLOCATION_OTLP_ENDPOINT", &collector.url).env("ALLOCATION_OTLP_CA", ca)
        })
    };
    let doubtful = serve(another.path());
    assert_eq!(doubtful.client().add_batch("B-1", "LAMP", 10, None).status, 201);
    await_until(|| doubtful.log().iter().any(|line| line.contains("sending spans failed")));
    drop(doubtful);
    assert!(collector.named("POST /batch").is_empty());
    let trusting = serve(trusted.path());
    assert_eq!(trusting.client().add_batch("B-2", "LAMP", 10, None).status, 201);
    await_until(|| collector.named("POST /batch").len() == 1);
}

#[test]
fn a_dead_collector_is_logged_once_and_stops_no_request() {
    let database = TestDatabase::sqlite();
    // Nothing listens on this port.
    let server = Server::start_with(&database, |command| command.env("ALLOCATION_OTLP_ENDPOINT", "http://127.0.0.1:1"));
    let client = server.client();
    client.add_batch("B-1", "LAMP", 10, None);
    let dropped = || {
        let metrics = client.get("/metrics").text;
        let value = metrics.lines().find_map(|line| line.strip_prefix("allocation_spans_dropped_total "));
        value.unwrap().parse::<f64>().unwrap()
    };
    let first = dropped();
    await_until(|| dropped() > first);
    let second = dropped();
    await_until(|| dropped() > second);
    assert_eq!(client.allocate("O-1", "LAMP", 1).status, 201);
    let failures = server.log().iter().filter(|line| line.contains("sending spans failed, they are dropped")).count();
    assert_eq!(failures, 1);
}

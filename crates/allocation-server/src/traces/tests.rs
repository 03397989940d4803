use super::{BATCH, Exporter, SpanQueue};
use crate::https;
use allocation_ports::{Span, SpanAttribute, SpanIds, SpanKind, SpanSink};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, UNIX_EPOCH};

/// Returns the span of a request.
pub(super) fn span(id: u64) -> Span {
    Span {
        ids: SpanIds { trace: 10, span: id, parent: Some(12) },
        kind: SpanKind::Server,
        name: "POST /allocations".into(),
        began: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        took: Duration::from_millis(2),
        failed: false,
        attributes: vec![SpanAttribute::text("http.route", "/allocations")],
        links: Vec::new(),
        dropped_links: 0,
    }
}

/// Starts a collector that responds to each connection with the next status and stops after the last one. Returns its
/// URL, and the numbers of spans of its requests.
fn collector(statuses: &'static [u16]) -> (String, JoinHandle<Vec<usize>>) {
    collector_with("{}", statuses)
}

/// Like [`collector`], with this body of each response.
fn collector_with(body: &'static str, statuses: &'static [u16]) -> (String, JoinHandle<Vec<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let respond = move |status: &u16| {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&mut stream);
        let head: Vec<String> =
            reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut sent = vec![0; length.unwrap()];
        reader.read_exact(&mut sent).unwrap();
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&sent).unwrap();
        sent["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len()
    };
    (url, thread::spawn(move || statuses.iter().map(respond).collect()))
}

/// Returns an exporter to a collector, with spans that wait.
fn exporter(url: &str, timeout: Duration, spans: usize) -> Exporter {
    let queue = Arc::new(SpanQueue::default());
    (0..spans).for_each(|_| queue.record(span(200)));
    Exporter::new(url, https::client(None, timeout).unwrap(), queue)
}

const GENEROUS: Duration = Duration::from_secs(30);

#[test]
fn spans_are_sent_in_batches() {
    let (url, collected) = collector(&[200, 200]);
    let exporter = exporter(&format!("{url}/"), GENEROUS, BATCH + 1);
    exporter.export(|| true);
    assert_eq!(collected.join().unwrap(), [BATCH, 1]);
    assert_eq!(exporter.spans.count_dropped(), 0);
}

#[test]
fn a_batch_that_the_collector_refuses_is_dropped_and_counted_and_the_next_waits() {
    let (url, collected) = collector(&[500, 200]);
    let exporter = exporter(&url, GENEROUS, BATCH + 1);
    exporter.export(|| true);
    assert!(exporter.log.is_failing());
    exporter.export(|| true);
    assert!(!exporter.log.is_failing());
    assert_eq!(collected.join().unwrap(), [BATCH, 1]);
    assert_eq!(exporter.spans.count_dropped(), u64::try_from(BATCH).unwrap());
}

#[test]
fn a_collector_that_does_not_respond_costs_one_batch_after_the_time_limit() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let exporter = exporter(&url, Duration::from_millis(50), BATCH + 1);
    exporter.export(|| true);
    assert_eq!(exporter.spans.count_dropped(), u64::try_from(BATCH).unwrap());
    assert_eq!(exporter.spans.take(BATCH).len(), 1);
}

#[test]
fn an_export_that_must_stop_takes_no_further_batch() {
    let exporter = exporter("http://127.0.0.1:1", GENEROUS, 1);
    exporter.export(|| false);
    assert_eq!(exporter.spans.take(BATCH).len(), 1);
}

#[test]
fn spans_that_the_collector_rejects_are_counted_and_logged() {
    let (url, collected) = collector_with(r#"{"partialSuccess":{"rejectedSpans":"2"}}"#, &[200]);
    let exporter = exporter(&url, GENEROUS, 5);
    exporter.export(|| true);
    assert_eq!(collected.join().unwrap(), [5]);
    assert_eq!(exporter.spans.count_dropped(), 2);
    assert!(exporter.log.is_failing());
}

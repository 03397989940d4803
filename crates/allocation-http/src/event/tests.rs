use crate::testing::{Ports, get, now, order, secret, send};
use actix_web::body::MessageBody;
use actix_web::test::{self, TestRequest};
use allocation_ports::mocks::MockEventLog;
use allocation_ports::{
    EventContext, EventFilter, EventPage, LogBounds, LoggedEvent, ReadLogError, StoreError, Subject, TraceParent,
};
use futures_util::future::{join, join_all, poll_fn};
use serde_json::json;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn cancelled(position: u64) -> LoggedEvent {
    LoggedEvent {
        position,
        occurred_at: now(),
        name: "line_cancelled".to_owned(),
        subject: Subject::Order(order("O-1")),
        json: r#"{"type":"line_cancelled","order_id":"O-1","sku":"LAMP"}"#.to_owned(),
        context: EventContext { traceparent: TraceParent::parse(TRACE), ..EventContext::default() },
    }
}

/// A log of the events from `oldest` to `last`.
fn log(oldest: u64, last: u64) -> MockEventLog {
    let mut log = MockEventLog::new();
    log.expect_bounds().returning(move || Ok(LogBounds { oldest, last }));
    log.expect_read().returning(move |after, _, page| {
        if after + 1 < oldest || after > last {
            return Err(ReadLogError::Gone { oldest });
        }
        let events: Vec<_> = (after.max(oldest - 1) + 1..=last).take(page.get().into()).map(cancelled).collect();
        let next = events.last().map_or(after.max(last), |event| event.position);
        Ok(EventPage { events, next })
    });
    log
}

fn ports(log: MockEventLog) -> Ports {
    Ports { log, ..Ports::new() }
}

#[actix_web::test]
async fn events_are_sent_as_a_batch_of_cloud_events_with_a_link_to_the_next_page() {
    let api = ports(log(1, 3)).api();
    let answer = get(&api, "/events?limit=2").await;
    assert_eq!((answer.status.as_u16(), answer.next()), (200, "/events?limit=2&after=2"));
    assert_eq!(answer.header("content-type"), Some("application/cloudevents-batch+json"));
    let ids: Vec<_> = answer.json().as_array().unwrap().iter().map(|event| event["id"].clone()).collect();
    assert_eq!(ids, ["1", "2"]);
    let expected = json!({
        "specversion": "1.0", "id": "1", "source": "/allocation", "type": "allocation.line.cancelled.v1",
        "subject": "orders/O-1", "time": "2027-01-15T08:00:00.123456Z", "datacontenttype": "application/json",
        "authtype": "unauthenticated", "traceparent": TRACE, "data": { "type": "line_cancelled", "order_id": "O-1", "sku": "LAMP" }
    });
    assert_eq!(answer.json()[0], expected);
    let rest = get(&api, answer.next()).await;
    assert_eq!(rest.json().as_array().unwrap().len(), 1);
    let none = get(&api, rest.next()).await;
    assert_eq!((&*none.body, none.next()), (&b"[]"[..], "/events?limit=2&after=3"), "there is always a next one");
}

#[actix_web::test]
async fn an_event_of_a_later_version_ends_a_page_and_is_left_to_replicas_of_that_version_at_its_start() {
    let mut log = MockEventLog::new();
    log.expect_read().returning(|after, _, _| {
        let mut events: Vec<_> = (after + 1..=4).map(cancelled).collect();
        events.iter_mut().filter(|event| event.position == 3).for_each(|event| event.name = "of_the_future".to_owned());
        Ok(EventPage { events, next: 4 })
    });
    let api = ports(log).api();
    let before = get(&api, "/events?after=0").await;
    assert_eq!((before.json().as_array().unwrap().len(), before.next()), (2, "/events?limit=100&after=2"));
    for path in ["/events?after=2", "/events/stream?after=2"] {
        let answer = get(&api, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("5")));
        answer.problem("schema-not-current");
    }
    assert_eq!(get(&api, "/events?after=3").await.json()[0]["id"], "4");
}

#[actix_web::test]
async fn filters_reach_the_log_and_the_next_page() {
    let mut log = MockEventLog::new();
    log.expect_read().returning(|after, filter, page| {
        let subject = Some(Subject::Order(order("a/b c")));
        assert_eq!(*filter, EventFilter { types: vec!["allocated", "batch_added"], subject });
        assert_eq!((after, page.get()), (7, 100));
        Ok(EventPage { events: Vec::new(), next: 10_007 })
    });
    let types = "allocation.line.allocated.v1%2Callocation.batch.added.v1";
    let answer = get(&ports(log).api(), &format!("/events?after=7&type={types}&subject=orders%2Fa%2Fb+c")).await;
    assert_eq!(answer.next(), format!("/events?type={types}&subject=orders%2Fa%2Fb%20c&limit=100&after=10007"));
}

#[actix_web::test]
async fn every_error_of_a_query_is_reported() {
    let api = Ports::new().api();
    for path in ["/events", "/events/stream"] {
        let answer = get(&api, &format!("{path}?after=-1&type=allocation.line.allocated&subject=O-1&x=1")).await;
        assert_eq!(answer.places(), ["after", "type", "subject", "x"]);
    }
    for (query, place) in [
        ("limit=1001", "limit"),
        ("wait=31", "wait"),
        ("wait=+1", "wait"),
        ("after=9223372036854775808", "after"),
        ("type=", "type"),
        ("subject=orders%2F", "subject"),
    ] {
        assert_eq!(get(&api, &format!("/events?{query}")).await.places(), [place]);
    }
    let request = TestRequest::get().uri("/events/stream").insert_header(("last-event-id", "none"));
    assert_eq!(send(&api, request).await.places(), ["Last-Event-ID"]);
}

#[actix_web::test]
async fn a_request_for_pruned_events_reports_the_oldest() {
    let api = ports(log(5_001, 5_002)).api();
    for path in ["/events", "/events/stream"] {
        // A caller that requests all events, with 0, never receives a part of them.
        for after in ["0", "4999"] {
            let answer = get(&api, &format!("{path}?after={after}")).await;
            assert_eq!(answer.status, 410);
            let problem = answer.problem("events-gone");
            assert_eq!(problem["oldest"], "5000");
            assert_eq!(problem["detail"], "The oldest retained event comes after 5000");
        }
        let ahead = get(&api, &format!("{path}?after=5003")).await.problem("events-gone");
        assert_eq!(ahead["detail"], "There is no event 5003 yet. If the database was restored, start over");
    }
    let gone = get(&api, "/events?after=4999&subject=orders%2FO-1&limit=7").await;
    assert_eq!(gone.next(), "/events?subject=orders%2FO-1&limit=7&after=5000", "which leads on");
    assert_eq!(get(&api, gone.next()).await.json()[0]["id"], "5001", "with no event left out");
    assert_eq!(get(&api, "/events?after=5000").await.json()[0]["id"], "5001");
    assert_eq!(get(&api, "/events").await.json()[0]["id"], "5001");
}

#[actix_web::test]
async fn a_failing_store_is_reported_without_its_message() {
    let api = Ports::failing(|| StoreError::Unavailable(secret())).api();
    for path in ["/events", "/events/stream"] {
        let answer = get(&api, path).await;
        answer.problem("database-unavailable");
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
    }
}

#[actix_web::test]
async fn a_long_poll_returns_with_the_first_event() {
    let grown = Arc::new(AtomicBool::new(false));
    let (mut log, told) = (MockEventLog::new(), Arc::clone(&grown));
    log.expect_bounds().returning(|| Ok(LogBounds { oldest: 1, last: 3 }));
    log.expect_read().returning(move |after, _, _| {
        // The first look comes too early.
        let events = if told.swap(true, Ordering::SeqCst) { vec![cancelled(after + 1)] } else { Vec::new() };
        Ok(EventPage { next: after + u64::try_from(events.len()).unwrap(), events })
    });
    let answer = get(&ports(log).api(), "/events?after=2&wait=30").await;
    assert_eq!((answer.json()[0]["id"].as_str(), answer.next()), (Some("3"), "/events?wait=30&limit=100&after=3"));
}

#[actix_web::test]
async fn a_reader_woken_without_an_event_pauses_before_its_next_query() {
    let looks = Arc::new(AtomicUsize::new(0));
    let (mut log, counted) = (MockEventLog::new(), Arc::clone(&looks));
    // As when the database was put back while the service ran.
    log.expect_bounds().returning(|| Ok(LogBounds { oldest: 1, last: 3 }));
    log.expect_read().returning(move |after, _, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(EventPage { events: Vec::new(), next: after })
    });
    assert_eq!(&*get(&ports(log).api(), "/events?after=2&wait=1").await.body, b"[]");
    let looks = looks.load(Ordering::SeqCst);
    assert!((2..100).contains(&looks), "{looks} looks");
}

#[actix_web::test]
async fn a_long_poll_without_events_gets_an_empty_page_in_time() {
    let begun = Instant::now();
    let answer = get(&ports(log(1, 3)).api(), "/events?after=3&wait=1").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"[]"[..]));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[actix_web::test]
async fn waiting_readers_are_bounded_and_get_a_response_when_the_service_stops() {
    let api = ports(log(1, 3)).api();
    let wait = || get(&api, "/events?after=3&wait=30");
    let others = async {
        let refused = wait().await;
        api.feed.tail.close();
        refused
    };
    // Both wait by now: join polls in this order, and a look into the log takes a moment.
    let late = async {
        while api.feed.tail.enter().is_some() {
            actix_web::rt::time::sleep(Duration::from_millis(1)).await;
        }
        others.await
    };
    let ((first, second), refused) = join(join(wait(), wait()), late).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200));
    refused.problem("overloaded");
    assert_eq!(get(&api, "/events?after=3&wait=30").await.status, 200, "at once");
}

#[actix_web::test]
async fn readers_of_events_reject_no_other_call() {
    let (mut log, (finish, finished)) = (MockEventLog::new(), mpsc::channel::<()>());
    log.expect_read().returning(move |_, _, _| {
        // Until the other side is dropped.
        let _ended = finished.recv_timeout(Duration::from_secs(30));
        Ok(EventPage::default())
    });
    let mut ports = ports(log);
    ports.queries.expect_batch().returning(|_, _| Ok(None));
    let (api, refused) = (ports.api(), AtomicBool::new(false));
    let reader = async || match get(&api, "/events").await.status.as_u16() {
        503 => refused.store(true, Ordering::SeqCst),
        status => assert_eq!(status, 200),
    };
    let other = async {
        while !refused.load(Ordering::SeqCst) {
            actix_web::rt::time::sleep(Duration::from_millis(1)).await;
        }
        let answer = get(&api, "/batch/B-1").await;
        drop(finish);
        answer
    };
    let (_, answer) = join(join_all((0..5).map(|_| reader())), other).await;
    answer.problem("batch-not-found");
}

/// What a stream sends next.
async fn chunk(body: &mut Pin<Box<impl MessageBody>>) -> Option<String> {
    let next = poll_fn(|context| body.as_mut().poll_next(context)).await?;
    let Ok(bytes) = next else { panic!("the stream failed") };
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_stream_resumes_after_the_last_event_and_ends_with_the_service() {
    let (api, _engine) = ports(log(1, 600)).api_and_engine();
    let app = test::init_service(crate::app(&api)).await;
    let request = TestRequest::get().uri("/events/stream?after=1").insert_header(("last-event-id", "100"));
    let response = test::call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    let mut body = Box::pin(response.into_body());
    let first = chunk(&mut body).await.unwrap();
    let event = first.split("\n\n").next().unwrap();
    let lines: Vec<_> = event.split('\n').collect();
    assert_eq!(lines[..2], ["id: 101", "event: allocation.line.cancelled.v1"]);
    let data: serde_json::Value = serde_json::from_str(lines[2].strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(data["id"], "101");
    let second = chunk(&mut body).await.unwrap();
    assert!(second.starts_with("id: 351\n") && second.ends_with("}\n\n"), "{second}");
    assert_eq!(second.matches("data: ").count(), 250);
    api.feed.tail.close();
    assert_eq!(chunk(&mut body).await, None);
}

#[actix_web::test]
async fn a_head_request_for_a_stream_has_no_body() {
    let answer = send(
        &ports(log(1, 3)).api(),
        TestRequest::default().method(actix_web::http::Method::HEAD).uri("/events/stream"),
    )
    .await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b""[..]));
}

use super::{BlockingLimits, Gate, Gates};
use crate::problem::{Kind, Problem};
use crate::testing::ready;
use actix_web::ResponseError;
use actix_web::test::TestRequest;
use allocation_ports::mocks::MockReadiness;
use allocation_ports::{FailedCheck, Readiness};
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Returns limits whose timeout never expires in a test.
fn limits(running: usize, waiting: usize) -> BlockingLimits {
    BlockingLimits { running, waiting, turn_within: Duration::from_secs(600) }
}

/// Occupies a slot until the sender sends.
fn occupy(gate: &Gate) -> (impl Future<Output = Result<(), Problem>>, mpsc::Sender<()>) {
    let (finish, finished) = mpsc::channel::<()>();
    let gate = gate.clone();
    let running = async move {
        let request = TestRequest::default().to_http_request();
        let wait = move || finished.recv_timeout(Duration::from_secs(30)).map_err(|_| Problem::of(Kind::InternalError));
        gate.run(&request, wait).await
    };
    (running, finish)
}

fn never() -> Result<u8, Problem> {
    panic!("it was refused")
}

fn is_overload(problem: &Problem) -> bool {
    let answer = problem.error_response();
    answer.status() == 503 && answer.headers().get("retry-after").is_some_and(|seconds| seconds == "1")
}

#[actix_web::test]
async fn a_call_beyond_the_limits_is_rejected_at_once() {
    let gate = Gate::new(limits(1, 1));
    let request = TestRequest::default().to_http_request();
    let (finish, finished) = mpsc::channel::<()>();
    let running = gate.run(&request, move || {
        finished.recv_timeout(Duration::from_secs(30)).map_err(|_| Problem::of(Kind::InternalError))
    });
    let waiting = gate.run(&request, || Ok::<_, Problem>(2));
    let refused = async {
        // Both calls are in progress: join polls in this order.
        let refused = gate.run(&request, || Ok::<_, Problem>(3)).await.unwrap_err();
        finish.send(()).unwrap();
        refused
    };
    let (running, (waiting, refused)) = join(running, join(waiting, refused)).await;
    assert!(running.is_ok());
    assert_eq!(waiting.unwrap(), 2);
    let answer = refused.error_response();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers().get("retry-after").unwrap(), "1");
    assert_eq!(gate.run(&request, || Ok::<_, Problem>(4)).await.unwrap(), 4);
}

#[actix_web::test]
async fn without_a_queue_only_calls_that_run_at_once_are_accepted() {
    let gate = Gate::new(limits(0, 0));
    let request = TestRequest::default().to_http_request();
    assert!(gate.run(&request, || Ok::<_, Problem>(1)).await.is_err());
}

#[actix_web::test]
async fn a_call_that_leaves_the_queue_makes_room() {
    let gate = Gate::new(limits(0, 1));
    let request = TestRequest::default().to_http_request();
    for _ in 0..3 {
        assert!(gate.run(&request, || Ok::<_, Problem>(1)).now_or_never().is_none());
    }
}

#[actix_web::test]
async fn a_call_that_times_out_in_the_queue_is_rejected_and_never_runs() {
    let gate = Gate::new(BlockingLimits { turn_within: Duration::ZERO, ..limits(1, 1) });
    let request = TestRequest::default().to_http_request();
    let (running, finish) = occupy(&gate);
    let late = async {
        let refused = gate.run(&request, never).await;
        finish.send(()).unwrap();
        refused
    };
    let (running, late) = join(running, late).await;
    assert!(running.is_ok());
    assert_eq!(late.unwrap_err().kind(), Kind::DatabaseBusy, "no call has ended while it waited");
    assert_eq!(gate.run(&request, || Ok::<_, Problem>(1)).await.unwrap(), 1, "there is room again");
}

#[actix_web::test]
async fn a_call_is_rejected_as_overload_if_others_ended_while_it_waited() {
    let gate = Gate::new(BlockingLimits { turn_within: Duration::from_secs(2), ..limits(1, 2) });
    let request = TestRequest::default().to_http_request();
    let ((first, finish_first), (second, finish_second)) = (occupy(&gate), occupy(&gate));
    let late = async {
        finish_first.send(()).unwrap();
        let refused = gate.run(&request, never).await;
        finish_second.send(()).unwrap();
        refused
    };
    let (first, (second, late)) = join(first, join(second, late)).await;
    assert!(first.is_ok() && second.is_ok());
    assert!(is_overload(&late.unwrap_err()));
}

#[actix_web::test]
async fn calls_whose_clients_have_hung_up_never_run() {
    let gate = Gate::new(limits(1, 1_000));
    let request = TestRequest::default().to_http_request();
    let (running, finish) = occupy(&gate);
    let ran = Arc::new(AtomicUsize::new(0));
    let call = || {
        let ran = Arc::clone(&ran);
        gate.run(&request, move || Ok::<_, Problem>(ran.fetch_add(1, Ordering::SeqCst)))
    };
    let abandoned = async {
        // All calls queue; then all but the last disconnect.
        let mut calls: Vec<_> = (0..150).map(|_| Box::pin(call())).collect();
        assert!(calls.iter_mut().all(|call| call.now_or_never().is_none()));
        let last = calls.pop();
        drop(calls);
        finish.send(()).unwrap();
        last.unwrap().await
    };
    let (running, last) = join(running, abandoned).await;
    assert!(running.is_ok() && last.is_ok());
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn neither_searches_nor_readers_of_events_take_the_places_of_other_calls() {
    for running in 3..40 {
        let gates = Gates::new(limits(running, 1_000), &ready());
        let request = TestRequest::default().to_http_request();
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let ends = Arc::new(std::sync::Mutex::new(ends));
        // The class fills its slots, and many more calls wait.
        let flood = |gate: &Gate| {
            let (gate, request) = (gate.clone(), request.clone());
            let (begun, ends) = (begun.clone(), Arc::clone(&ends));
            async move {
                let work = move || {
                    begun.send(()).unwrap();
                    ends.lock().unwrap().recv_timeout(Duration::from_secs(30)).unwrap();
                    Ok::<_, Problem>(())
                };
                gate.run(&request, work).await
            }
        };
        let all: Vec<_> = (0..100).map(|n| flood(if n % 2 == 0 { &gates.searches } else { &gates.readers })).collect();
        let point = async {
            // Both floods have started: join polls in this order.
            let point = gates.calls.run(&request, || Ok::<_, Problem>(7)).await;
            for _ in 0..100 {
                end.send(()).unwrap();
            }
            point
        };
        let (all, point) = join(join_all(all), point).await;
        assert_eq!(point.unwrap(), 7, "of {running}");
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(begins.try_iter().count(), 100);
    }
}

#[actix_web::test]
async fn queued_searches_leave_the_queue_of_other_calls_its_length() {
    let gates = Gates::new(BlockingLimits { turn_within: Duration::from_secs(600), ..limits(0, 1) }, &ready());
    let request = TestRequest::default().to_http_request();
    let mut search = Box::pin(gates.searches.run(&request, || Ok::<_, Problem>(1)));
    assert!((&mut search).now_or_never().is_none(), "it waits");
    let refused = gates.searches.run(&request, || Ok::<_, Problem>(2)).await;
    assert!(is_overload(&refused.unwrap_err()));
    assert!(gates.calls.run(&request, || Ok::<_, Problem>(3)).now_or_never().is_none(), "it may wait");
}

#[actix_web::test]
async fn a_timeout_during_an_outage_is_no_overload() {
    let mut readiness = MockReadiness::new();
    readiness.expect_failed_checks().returning(|| vec![FailedCheck::new(FailedCheck::DATABASE, "away")]);
    let readiness: Arc<dyn Readiness> = Arc::new(readiness);
    for (waiting, turn_within) in [(0, Duration::from_secs(600)), (1, Duration::ZERO)] {
        let gate = Gates::new(BlockingLimits { running: 0, waiting, turn_within }, &readiness).calls;
        let refused = gate.run(&TestRequest::default().to_http_request(), never).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::DatabaseUnavailable);
    }
}

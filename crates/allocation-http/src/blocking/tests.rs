use super::{BlockingLimits, Gate};
use crate::problem::{Kind, Problem};
use actix_web::ResponseError;
use actix_web::test::TestRequest;
use futures_util::FutureExt;
use futures_util::future::join;
use std::sync::mpsc;
use std::time::Duration;

#[actix_web::test]
async fn what_goes_beyond_the_limits_is_refused_at_once() {
    let gate = Gate::new(BlockingLimits { running: 1, waiting: 1 });
    let request = TestRequest::default().to_http_request();
    let (finish, finished) = mpsc::channel::<()>();
    let running = gate.run(&request, move || {
        finished.recv_timeout(Duration::from_secs(30)).map_err(|_| Problem::of(Kind::InternalError))
    });
    let waiting = gate.run(&request, || Ok::<_, Problem>(2));
    let refused = async {
        // Both are under way by now: join polls in this order.
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
async fn without_a_line_only_what_runs_at_once_is_let_in() {
    let gate = Gate::new(BlockingLimits { running: 0, waiting: 0 });
    let request = TestRequest::default().to_http_request();
    assert!(gate.run(&request, || Ok::<_, Problem>(1)).await.is_err());
}

#[actix_web::test]
async fn one_who_leaves_the_line_makes_room() {
    let gate = Gate::new(BlockingLimits { running: 0, waiting: 1 });
    let request = TestRequest::default().to_http_request();
    for _ in 0..3 {
        assert!(gate.run(&request, || Ok::<_, Problem>(1)).now_or_never().is_none());
    }
}

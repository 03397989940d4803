//! The feed as server-sent events.

use super::asked::{Asked, parse_position};
use super::page::Page;
use crate::api::Api;
use crate::fault::Fault;
use crate::openapi::document;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::{Instant, sleep, timeout};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use allocation_app::EventWaiter;
use allocation_ports::PageSize;
use futures_util::stream;
use std::convert::Infallible;
use std::time::Duration;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long nothing is sent at most, so that who is in between keeps the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many events are read at a time.
const EVENTS: u16 = 250;

document!(StreamEventsProblems: Validation, EventsGone, Overloaded, DatabaseUnavailable, InternalError);

/// Follow events
///
/// The feed as server-sent events (`text/event-stream`), without an end: `id` is the `id` of the event,
/// `event` its type, and `data` the event itself. A client that connects again with the header
/// `Last-Event-ID`, as browsers do by themselves, goes on where it was. When nothing happens, a comment
/// comes every 15 seconds.
#[utoipa::path(
    get,
    path = "/events/stream",
    operation_id = "streamEvents",
    tag = "Events",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was read; it \
            counts rather than `after`"),
        ("after" = Option<String>, Query, description = "The `id` of the last event that was read, `0` for \
            none; without it, the oldest that is retained comes first",
            example = "0"),
        ("type" = Option<String>, Query, description = "Only events of this type, or of these, separated by commas",
            example = "allocation.line.allocated.v1"),
        ("subject" = Option<String>, Query, description = "Only events about this order, batch or product",
            example = "orders/O-1"),
    ),
    responses(
        (status = 200, description = "The events, as they come", body = String, content_type = "text/event-stream"),
        StreamEventsProblems,
    ),
)]
pub(crate) async fn stream(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let mut asked = Asked::take(&mut query);
    let mut faults = query.faults();
    if let Some(last) = request.headers().get(&LAST_EVENT_ID) {
        match last.to_str().map_err(|_| "must be the id of an event, or 0").and_then(parse_position) {
            Ok(position) => asked.after = Some(position),
            Err(detail) => faults.push(Fault::of("Last-Event-ID", detail)),
        }
    }
    faults.check(Some(()))?;
    let waiter = api.feed.tail.enter().ok_or_else(|| Problem::of(Kind::Overloaded))?;
    // Before the answer begins, so that events that are gone can be told.
    let first = Page::read_stream(&api, &request, &asked, asked.after, size()).await?;
    let mut response = HttpResponse::build(StatusCode::OK);
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream")));
    response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if *request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let following = Following { api, request, asked, waiter, after: first.next, sent: Instant::now() };
    let first = Bytes::from(first.body);
    Ok(response.streaming(stream::unfold((Some(first), following), |(first, following)| async {
        match first {
            Some(first) if !first.is_empty() => Some((Ok::<_, Infallible>(first), (None, following))),
            _ => following.next().await.map(|(next, following)| (Ok(next), (None, following))),
        }
    })))
}

#[expect(clippy::expect_used, reason = "the constant is a size of a page")]
fn size() -> PageSize {
    PageSize::new(EVENTS).expect("it is a size of a page")
}

/// A client that follows the feed. The next events are read only when it has taken the last.
struct Following {
    api: Data<Api>,
    request: HttpRequest,
    asked: Asked,
    waiter: EventWaiter,
    /// Up to where it has been looked.
    after: u64,
    sent: Instant,
}

impl Following {
    /// What is to be sent next: events, or a sign of life with the position up to which there are none.
    /// `None` when the stream ends; the client will connect again.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            let quiet = HEARTBEAT.saturating_sub(self.sent.elapsed());
            match timeout(quiet, self.waiter.grown_past(self.after)).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(_) => {
                    let heartbeat = format!(": nothing new\nid: {}\n\n", self.after);
                    return Some(self.send(heartbeat.into()));
                }
            }
            match Page::read_stream(&self.api, &self.request, &self.asked, Some(self.after), size()).await {
                Ok(page) => {
                    self.after = page.next;
                    if !page.is_empty {
                        return Some(self.send(page.body.into()));
                    }
                }
                Err(problem) if problem.turns_away() => tracing::debug!("an event stream waits for a free reader"),
                Err(problem) => {
                    tracing::warn!(error = problem.chain(), "a stream of events is cut off");
                    return None;
                }
            }
            sleep(super::GATHER).await;
        }
    }

    fn send(mut self, bytes: Bytes) -> (Bytes, Self) {
        self.sent = Instant::now();
        (bytes, self)
    }
}

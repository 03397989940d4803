//! The event feed as server-sent events.

use super::page::{Page, write_stream};
use super::params::{Params, parse_position};
use crate::api::Api;
use crate::guarded::is_still_admitted;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::request_context::RequestContext;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::{Instant, sleep, timeout};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use allocation_app::{Caller, EventWaiter};
use allocation_ports::PageSize;
use allocation_requests::ValidationError;
use futures_util::stream;
use std::convert::Infallible;
use std::time::Duration;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The interval of heartbeats, which keep proxies from closing an idle connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The interval at which a stream checks that its caller is still admitted.
const RECHECK: Duration = Duration::from_secs(2);

/// The number of events read at a time.
const PAGE: PageSize = PageSize::new(250).unwrap();

document!(StreamEventsProblems: Validation, EventsGone, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError);

/// Stream events
///
/// Returns the feed as endless server-sent events (`text/event-stream`): `id` is the `id` of the event,
/// `event` its type, and `data` the event itself. A client that reconnects with `Last-Event-ID`, as
/// browsers do, continues after that event. A comment is sent every 15 seconds if there are no events.
#[utoipa::path(
    get,
    path = "/events/stream",
    operation_id = "streamEvents",
    tag = "Events",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event read. Takes \
            precedence over `after`"),
        ("after" = Option<String>, Query, description = "The `id` of the last event read, `0` for none. If \
            absent, reading starts at the oldest retained event",
            example = "0"),
        ("type" = Option<String>, Query, description = "Only events of these types, separated by commas",
            example = "allocation.line.allocated.v1"),
        ("subject" = Option<String>, Query, description = "Only events about this order, batch or product",
            example = "orders/O-1"),
    ),
    responses(
        (status = 200, description = "The events as they occur", body = String, content_type = "text/event-stream"),
        StreamEventsProblems,
    ),
)]
pub(crate) async fn stream(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let mut params = Params::take(&mut query);
    let mut errors = query.errors();
    if let Some(last) = request.headers().get(&LAST_EVENT_ID) {
        match last.to_str().map_err(|_| "must be the id of an event, or 0").and_then(parse_position) {
            Ok(position) => params.after = Some(position),
            Err(detail) => errors.push(ValidationError::in_parameter("Last-Event-ID", detail)),
        }
    }
    errors.check(Some(()))?;
    let waiter = api.feed.tail.enter().ok_or_else(|| Problem::of(Kind::Overloaded))?;
    // The first page is read before the response starts, so that pruned events are still reported as a problem.
    let first = Page::read(&api, &request, &params, params.after, PAGE, write_stream).await?;
    let mut response = HttpResponse::build(StatusCode::OK);
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream")));
    response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if *request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let (caller, after) = (RequestContext::caller_of(&request), first.next);
    let following = Following { api, request, caller, params, waiter, after, sent: Instant::now() };
    let first = Bytes::from(first.body);
    Ok(response.streaming(stream::unfold((Some(first), following), |(first, following)| async {
        match first {
            Some(first) if !first.is_empty() => Some((Ok::<_, Infallible>(first), (None, following))),
            _ => following.next().await.map(|(next, following)| (Ok(next), (None, following))),
        }
    })))
}

/// A client of the stream. Further events are read only after it has received the previous ones.
struct Following {
    api: Data<Api>,
    request: HttpRequest,
    caller: Caller,
    params: Params,
    waiter: EventWaiter,
    /// The position up to which the log was scanned.
    after: u64,
    sent: Instant,
}

impl Following {
    /// Returns the next events, or a heartbeat with the position that was scanned. `None` ends the stream, also when
    /// the key of its caller is revoked; clients reconnect.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        while is_still_admitted(&self.api, &self.caller) {
            let quiet = HEARTBEAT.saturating_sub(self.sent.elapsed());
            match timeout(quiet.min(RECHECK), self.waiter.grown_past(self.after)).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(_) if self.sent.elapsed() < HEARTBEAT => continue,
                Err(_) => {
                    let heartbeat = format!(": heartbeat\nid: {}\n\n", self.after);
                    return Some(self.send(heartbeat.into()));
                }
            }
            match Page::read(&self.api, &self.request, &self.params, Some(self.after), PAGE, write_stream).await {
                Ok(page) => {
                    self.after = page.next;
                    if !page.is_empty {
                        return Some(self.send(page.body.into()));
                    }
                }
                Err(problem) if problem.turns_away() => tracing::debug!("event stream waits for a reader slot"),
                Err(problem) => {
                    tracing::warn!(error = problem.chain(), "event stream aborted");
                    return None;
                }
            }
            sleep(super::GATHER).await;
        }
        None
    }

    fn send(mut self, bytes: Bytes) -> (Bytes, Self) {
        self.sent = Instant::now();
        (bytes, self)
    }
}

//! The event feed: all events in one order, in pages or as a stream.

mod page;
mod params;
mod schema;
mod schemas;
mod stream;

pub(crate) use schema::CloudEventSchema;
pub(crate) use schemas::__path_find;
pub(crate) use stream::{__path_stream, stream};

use crate::api::Api;
use crate::guarded::is_still_admitted;
use crate::problem::{Kind, Problem, document};
use crate::query::Query;
use crate::request_context::RequestContext;
use crate::resource::Path;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, LINK};
use actix_web::rt::time::{Instant, sleep, timeout};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::{KeyRefusal, Scope};
use allocation_app::AccessError;
use allocation_cloudevents::BATCH_MEDIA_TYPE;
use page::{Page, write_array};
use params::FeedPageRequest;
use std::time::Duration;

pub(crate) fn routes() -> [Path; 3] {
    [
        Path::new("/events").get(Scope::EventsRead, list),
        Path::new("/events/stream").get(Scope::EventsRead, stream),
        schemas::route(),
    ]
}

document!(ListEventsProblems: Validation, EventsGone, Overloaded, SchemaNotCurrent, DatabaseUnavailable, InternalError);

/// The pause of a reader that was woken but found no matching event.
///
/// It combines bursts of events that do not match. It also limits retries if a restored database has fewer
/// events than before.
const GATHER: Duration = Duration::from_millis(20);

/// List events
///
/// Returns the events about batches, lines and products as CloudEvents 1.0, in one order that is the same
/// for every reader. Start with `after=0`, then follow the `Link` header, which every page has, even an
/// empty one. With `wait`, the response is sent once there are events, or empty when the time is up.
///
/// Each page scans a bounded number of events. With a filter by type alone, a page can therefore be empty
/// before the newest event is reached. Events are retained for a limited time.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "listEvents",
    tag = "Events",
    params(
        ("after" = Option<String>, Query, description = "The `id` of the last event read, `0` for none. If \
            absent, reading starts at the oldest retained event",
            example = "0"),
        ("limit" = Option<u16>, Query, description = "The maximum number of events in the page", minimum = 1,
            maximum = 1000),
        ("wait" = Option<u16>, Query, description = "The seconds to wait for events if there are none",
            minimum = 0, maximum = 30),
        ("type" = Option<String>, Query, description = "Only events of these types, separated by commas",
            example = "allocation.line.allocated.v1"),
        ("subject" = Option<String>, Query, description = "Only events about this order, batch or product",
            example = "orders/O-1"),
    ),
    responses(
        (status = 200, description = "A page of events", body = Vec<CloudEventSchema>,
            content_type = "application/cloudevents-batch+json",
            headers(("Link" = String, description = "A link to the next page, always present: `<...>; rel=\"next\"`")),
            example = json!([{
                "specversion": "1.0", "id": "5", "source": "/allocation", "type": "allocation.line.allocated.v1",
                "subject": "orders/O-1", "time": "2027-01-10T08:00:00.250000Z", "datacontenttype": "application/json",
                "authtype": "api_key", "authid": "key:3kVdR0sUwQa",
                "data": { "type": "allocated", "order_id": "O-1", "sku": "RED-CHAIR", "reference": "B-1",
                    "quantity": 10, "line_quantity": 10, "reason": "new_line" }
            }])),
        ListEventsProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let wanted = FeedPageRequest::take(&mut query);
    query.finish()?;
    let page =
        read(&api, &request, &wanted).await.map_err(|problem| problem.with_next(|oldest| wanted.link(oldest)))?;
    let mut response = HttpResponse::build(StatusCode::OK);
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static(BATCH_MEDIA_TYPE)));
    if let Some(link) = wanted.link(page.next) {
        response.insert_header((LINK, link));
    }
    Ok(response.body(page.body))
}

/// Reads a page. If it is empty, waits for one that is not, as long as requested.
async fn read(api: &Data<Api>, request: &HttpRequest, wanted: &FeedPageRequest) -> Result<Page, Problem> {
    let FeedPageRequest { params, size, wait, .. } = wanted;
    let first = Page::read(api, request, params, params.after, *size, write_array).await?;
    match first.is_empty && !wait.is_zero() {
        true => await_page(api, request, wanted, first).await,
        false => Ok(first),
    }
}

/// Reads on as the log grows, until an event matches or the time is up. The wait holds neither a thread nor
/// a connection.
async fn await_page(
    api: &Data<Api>,
    request: &HttpRequest,
    FeedPageRequest { params, size, wait, .. }: &FeedPageRequest,
    mut page: Page,
) -> Result<Page, Problem> {
    let until = Instant::now() + *wait;
    let mut waiter = api.feed.tail.enter().ok_or_else(|| Problem::of(Kind::Overloaded))?;
    while page.is_empty {
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() || timeout(rest, waiter.grown_past(page.next)).await != Ok(true) {
            break;
        }
        page = Page::read(api, request, params, Some(page.next), *size, write_array).await?;
        if page.is_empty {
            sleep(GATHER).await;
        }
    }
    if !is_still_admitted(api, &RequestContext::caller_of(request)) {
        return Err(AccessError::Refused(KeyRefusal::Revoked).into());
    }
    Ok(page)
}

#[cfg(test)]
mod tests;

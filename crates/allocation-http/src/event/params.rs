//! The query parameters of event readers.

use crate::page;
use crate::query::{Query, parse_digits};
use actix_web::http::header::HeaderValue;
use allocation_cloudevents::{TYPES, event_name};
use allocation_ports::{EventFilter, PageSize, Subject};
use std::time::Duration;

/// The longest wait for events, in seconds.
const LONGEST_WAIT: u16 = 30;

/// The events that a reader requests.
pub(super) struct Params {
    /// The position of the last event read, 0 for none. `None` starts at the oldest retained event.
    pub(super) after: Option<u64>,
    pub(super) filter: EventFilter,
}

impl Params {
    /// Takes `after`, `type` and `subject` from a query.
    pub(super) fn take(query: &mut Query) -> Self {
        let after = query.take("after", parse_position);
        let types = query.take_filter("type", parse_types).unwrap_or_default();
        Self { after, filter: EventFilter { types, subject: query.take_filter("subject", Subject::parse) } }
    }
}

/// The requested page of the feed.
pub(super) struct FeedPageRequest {
    pub(super) params: Params,
    pub(super) size: PageSize,
    pub(super) wait: Duration,
    /// The filter and the wait, as the link to the next page repeats them.
    filters: String,
}

impl FeedPageRequest {
    /// Takes all parameters from a query.
    pub(super) fn take(query: &mut Query) -> Self {
        let params = Params::take(query);
        let size = query.take("limit", page::parse_size).unwrap_or_default();
        let wait = query.take_filter("wait", parse_wait).unwrap_or_default();
        Self { params, size, wait: Duration::from_secs(wait.into()), filters: query.filters() }
    }

    /// Returns the `Link` header of the page after a position.
    pub(super) fn link(&self, next: u64) -> Option<HeaderValue> {
        page::link("/events", &self.filters, self.size, &next.to_string())
    }
}

/// Parses an event id as a position. Databases store signed integers.
pub(super) fn parse_position(text: &str) -> Result<u64, &'static str> {
    let position = parse_digits::<u64>(text).filter(|position| i64::try_from(*position).is_ok());
    position.ok_or("must be the id of an event, or 0")
}

fn parse_wait(text: &str) -> Result<u16, &'static str> {
    let seconds = parse_digits(text).filter(|seconds| *seconds <= LONGEST_WAIT);
    seconds.ok_or("must be an integer from 0 to 30")
}

fn parse_types(text: &str) -> Result<Vec<&'static str>, String> {
    let unknown = || format!("must be one or more of {}, separated by commas", TYPES.join(", "));
    text.split(',').map(|name| event_name(name).ok_or_else(unknown)).collect()
}

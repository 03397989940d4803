//! The query parameters of event readers.

use crate::identifier::encode;
use crate::query::Query;
use actix_web::http::header::HeaderValue;
use allocation_cloudevents::{TYPES, event_name};
use allocation_ports::{EventFilter, PageSize, Subject};
use std::fmt::Write;

/// The longest wait for events, in seconds.
const LONGEST_WAIT: u16 = 30;

/// The events that a reader requests.
pub(super) struct Params {
    /// The position of the last event read, 0 for none. `None` starts at the oldest retained event.
    pub(super) after: Option<u64>,
    pub(super) filter: EventFilter,
    /// The filter as it was sent, for the link to the next page.
    types: Option<String>,
    subject: Option<String>,
}

impl Params {
    /// Takes `after`, `type` and `subject` from a query.
    pub(super) fn take(query: &mut Query) -> Self {
        let after = query.take("after", parse_position);
        let types = query.take("type", |text| parse_types(text).map(|types| (types, text.to_owned())));
        let subject = query.take("subject", |text| Subject::parse(text).map(|subject| (subject, text.to_owned())));
        let (types, sent_types) = types.unzip();
        let (subject, sent_subject) = subject.unzip();
        let filter = EventFilter { types: types.unwrap_or_default(), subject };
        Self { after, filter, types: sent_types, subject: sent_subject }
    }

    /// Returns the `Link` header of the page after a position.
    pub(super) fn link(&self, next: u64, size: PageSize, wait: Option<u16>) -> Option<HeaderValue> {
        let mut link = "</events?".to_owned();
        for (name, value) in [("type", &self.types), ("subject", &self.subject)] {
            if let Some(value) = value {
                write!(link, "{name}={}&", encode(value)).ok()?;
            }
        }
        if let Some(wait) = wait {
            write!(link, "wait={wait}&").ok()?;
        }
        write!(link, "limit={}&after={next}>; rel=\"next\"", size.get()).ok()?;
        HeaderValue::from_str(&link).ok()
    }
}

/// Takes `limit` from a query.
pub(super) fn take_size(query: &mut Query) -> PageSize {
    query.take("limit", crate::page::parse_size).unwrap_or_default()
}

/// Parses an event id as a position. Databases store signed integers.
pub(super) fn parse_position(text: &str) -> Result<u64, &'static str> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let position = text.parse::<u64>().ok().filter(|position| digits && i64::try_from(*position).is_ok());
    position.ok_or("must be the id of an event, or 0")
}

pub(super) fn parse_wait(text: &str) -> Result<u16, &'static str> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| digits && *seconds <= LONGEST_WAIT);
    seconds.ok_or("must be an integer from 0 to 30")
}

fn parse_types(text: &str) -> Result<Vec<&'static str>, String> {
    let unknown = || format!("must be one or more of {}, separated by commas", TYPES.join(", "));
    text.split(',').map(|name| event_name(name).ok_or_else(unknown)).collect()
}

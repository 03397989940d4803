use super::params::Params;
use crate::api::Api;
use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::web::Data;
use allocation_cloudevents::{CloudEvent, cloud_event};
use allocation_ports::{EventLog, EventPage, LoggedEvent, PageSize, ReadLogError};
use std::io::Write;
use std::sync::Arc;

/// The bytes that most events fit in.
const USUAL_BYTES: usize = 512;

/// Encodes events.
type Encode = fn(&mut Vec<u8>, &[CloudEvent<'_>]) -> serde_json::Result<()>;

/// An encoded page of events.
pub(super) struct Page {
    pub(super) body: Vec<u8>,
    pub(super) is_empty: bool,
    /// The position after which the next page starts.
    pub(super) next: u64,
}

impl Page {
    /// Reads a page and encodes it with `write`.
    pub(super) async fn read(
        api: &Data<Api>,
        request: &HttpRequest,
        params: &Params,
        after: Option<u64>,
        size: PageSize,
        write: Encode,
    ) -> Result<Self, Problem> {
        let (log, source): (Arc<dyn EventLog>, _) = (Arc::clone(&api.feed.log), Arc::clone(&api.feed.source));
        let filter = params.filter.clone();
        let read = move || {
            let read = match (log.read(after.unwrap_or(0), &filter, size), after) {
                // Without a position, reading starts at the oldest retained event.
                (Err(ReadLogError::Gone { oldest }), None) => log.read(oldest.saturating_sub(1), &filter, size),
                (read, _) => read,
            };
            let EventPage { events, next } = read.map_err(|error| not_read(error, after))?;
            let published = publishable(&events, &source)?;
            let is_whole = published.len() == events.len();
            let next = published.last().filter(|_| !is_whole).map_or(next, CloudEvent::position);
            let mut body = Vec::with_capacity(2 + published.len() * USUAL_BYTES);
            write(&mut body, &published).map_err(|error| Problem::internal(Arc::new(error)))?;
            Ok::<_, Problem>(Self { body, is_empty: published.is_empty(), next })
        };
        api.readers.run(request, read).await
    }
}

fn not_read(error: ReadLogError, after: Option<u64>) -> Problem {
    match (error, after) {
        (ReadLogError::Gone { oldest }, Some(after)) if after >= oldest => Problem::no_event_yet(after, oldest),
        (error, _) => error.into(),
    }
}

/// Returns the events before the first one that cannot be published, or the problem if that is the first of
/// all.
fn publishable<'a>(events: &'a [LoggedEvent], source: &'a str) -> Result<Vec<CloudEvent<'a>>, Problem> {
    let mut published = Vec::with_capacity(events.len());
    for event in events {
        match cloud_event(event, source) {
            Ok(event) => published.push(event),
            Err(error) if published.is_empty() => return Err(error.into()),
            Err(_) => break,
        }
    }
    Ok(published)
}

/// Writes events as a JSON array.
pub(super) fn write_array(body: &mut Vec<u8>, events: &[CloudEvent<'_>]) -> serde_json::Result<()> {
    body.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        serde_json::to_writer(&mut *body, event)?;
    }
    body.push(b']');
    Ok(())
}

/// Writes events as server-sent events.
pub(super) fn write_stream(body: &mut Vec<u8>, events: &[CloudEvent<'_>]) -> serde_json::Result<()> {
    for event in events {
        write!(body, "id: {}\nevent: {}\ndata: ", event.position(), event.event_type())
            .map_err(serde_json::Error::io)?;
        serde_json::to_writer(&mut *body, event)?;
        body.extend_from_slice(b"\n\n");
    }
    Ok(())
}

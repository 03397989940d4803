//! The items of a bulk request: found when the body has arrived, and parsed one at a time.

use super::arrival::collect;
use super::{BYTE_ORDER_MARK, Body, JSON, LARGE_BYTES, check_media_type, malformed, parse_body};
use crate::api::Api;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use actix_web::HttpRequest;
use actix_web::web::{self, Bytes, Data, Payload};
use allocation_requests::{ItemFormat, ParseError, ValidationErrors, split_items};
use std::ops::Range;
use std::sync::Arc;
use std::vec;

/// The media type of items that come one on each line.
pub(crate) const LINES: &str = "application/x-ndjson";

/// The size limit of the body of a bulk request, in bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The items of a body, as they were sent.
pub(crate) struct Items {
    text: Bytes,
    places: vec::IntoIter<Range<usize>>,
}

impl Items {
    /// Receives a body, and finds its items.
    ///
    /// # Errors
    ///
    /// The problem of the request as a whole: none of its items is carried out.
    pub(crate) async fn receive(request: &HttpRequest, payload: Payload) -> Result<Self, Problem> {
        let errors = Query::of(request).errors();
        let format = match check_media_type(request.headers(), LINES) {
            Ok(()) => ItemFormat::Lines,
            Err(_) => check_media_type(request.headers(), JSON).map(|()| ItemFormat::Array)?,
        };
        let mut text = collect(request, payload, MAX_BYTES).await?;
        if text.starts_with(BYTE_ORDER_MARK) {
            text = text.slice(BYTE_ORDER_MARK.len()..);
        }
        match find(request, &text, format).await? {
            Ok(places) => Ok(errors.check(Some(Self { text, places: places.into_iter() }))?),
            Err(ParseError::Malformed(error)) => Err(malformed(&error)),
            Err(ParseError::Invalid(found)) => {
                let mut errors = errors;
                errors.append(found);
                Err(errors.into())
            }
        }
    }
}

impl Iterator for Items {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.places.next().map(|place| self.text.slice(place))
    }
}

/// Finds the items of a text; those of a large one on a blocking thread.
async fn find(
    request: &HttpRequest,
    text: &Bytes,
    format: ItemFormat,
) -> Result<Result<Vec<Range<usize>>, ParseError>, Problem> {
    if text.len() < LARGE_BYTES {
        return Ok(split_items(text, format));
    }
    let api = request.app_data::<Data<Api>>().ok_or_else(|| Problem::of(Kind::InternalError))?;
    let (turn, text) = (api.bodies.parsing_turn().await, text.clone());
    let split = move || {
        let _turn = turn;
        split_items(&text, format)
    };
    web::block(split).await.map_err(|error| Problem::internal(Arc::new(error)))
}

/// Parses an item by the rules of a body of its own.
pub(crate) async fn parse_item<T: Body>(request: &HttpRequest, text: Bytes) -> Result<T, Problem> {
    if text.len() > T::MAX_BYTES {
        let limit = T::MAX_BYTES / 1024;
        return Err(Problem::new(Kind::BodyTooLarge, format!("An item of this request may have {limit} KiB at most")));
    }
    let mut errors = ValidationErrors::default();
    let item = parse_body(request, text, &mut errors).await?;
    Ok(errors.check(item)?)
}

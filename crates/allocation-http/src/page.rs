//! Keyset pagination of lists.

mod cursors;

pub(crate) use cursors::{MovementCursor, ProductCursor};

use crate::problem::Problem;
use crate::query::{Query, parse_digits};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LINK};
use allocation_ports::{PageSize, StoreError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

/// The query parameters of every list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct PageParamsSchema {
    /// The maximum number of rows in the page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u16>,
    /// The position after which the page starts, from the `Link` header of the previous page.
    after: Option<String>,
}

/// The requested page of a list.
pub(crate) struct PageRequest<C> {
    pub(crate) size: PageSize,
    pub(crate) after: Option<C>,
    /// The filters of the list, as the link to the next page repeats them.
    filters: String,
}

impl<C: Cursor> PageRequest<C> {
    /// Takes `limit` and `after` from a query, after the filters of the list.
    pub(crate) fn take(query: &mut Query) -> Self {
        let filters = query.filters();
        let size = query.take("limit", parse_size).unwrap_or_default();
        Self { size, after: query.take("after", parse_cursor), filters }
    }

    /// Returns a page whose successor starts after `next`, or that is the last.
    pub(crate) fn response(&self, path: &str, rows: &impl Serialize, next: Option<C>) -> Result<PageResponse, Problem> {
        let link = next.and_then(|after| link(path, &self.filters, self.size, &encode_cursor(&after)?));
        Ok(PageResponse { body: respond::bytes(rows)?, link })
    }
}

/// Returns the `Link` header of the page after a position.
pub(crate) fn link(path: &str, filters: &str, size: PageSize, after: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("<{path}?{filters}limit={}&after={after}>; rel=\"next\"", size.get())).ok()
}

pub(crate) fn parse_size(text: &str) -> Result<PageSize, &'static str> {
    parse_digits(text).and_then(PageSize::new).ok_or("must be an integer from 1 to 1000")
}

fn parse_cursor<C: Cursor>(text: &str) -> Result<C, &'static str> {
    decode(text).ok_or("must be copied from the Link header of the previous page")
}

/// The position of a row in a list, which clients pass from page to page.
pub(crate) trait Cursor: Sized {
    /// Distinguishes cursors of lists whose fields have the same types.
    const LIST: &'static str = "";

    /// The encoded fields of the position.
    type Fields: Serialize + DeserializeOwned;

    fn fields(&self) -> Self::Fields;
    fn from_fields(fields: Self::Fields) -> Option<Self>;
}

fn encode_cursor<C: Cursor>(cursor: &C) -> Option<String> {
    let mut bytes = serde_json::to_vec(&cursor.fields()).ok()?;
    bytes.splice(0..0, checksum(C::LIST, &bytes));
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn decode<C: Cursor>(text: &str) -> Option<C> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (sum, fields) = bytes.split_first_chunk()?;
    if *sum != checksum(C::LIST, fields) {
        return None;
    }
    C::from_fields(serde_json::from_slice(fields).ok()?)
}

/// Computes an FNV-1a checksum, which detects mistyped or truncated cursors. It is no secret.
fn checksum(list: &str, fields: &[u8]) -> [u8; 4] {
    let bytes = list.bytes().chain(fields.iter().copied());
    let sum = bytes.fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    sum.to_be_bytes()
}

/// A page response.
pub(crate) struct PageResponse {
    pub(crate) body: Vec<u8>,
    /// The `Link` header, if there is a next page.
    pub(crate) link: Option<HeaderValue>,
}

impl PageResponse {
    /// Returns whether the page has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.body == b"[]"
    }
}

impl From<PageResponse> for HttpResponse {
    fn from(page: PageResponse) -> Self {
        let mut response = respond::builder(StatusCode::OK);
        if let Some(link) = page.link {
            response.insert_header((LINK, link));
        }
        response.body(page.body)
    }
}

/// Returns the cursor of the next page; `None` if these rows are the last.
pub(crate) fn next<R, C: Cursor + for<'a> From<&'a R>>(
    size: PageSize,
    rows: &[R],
    query: impl FnOnce(Option<C>, PageSize) -> Result<Vec<R>, StoreError>,
) -> Result<Option<C>, StoreError> {
    let Some(last) = rows.last().filter(|_| rows.len() >= usize::from(size.get())) else {
        return Ok(None);
    };
    let further = query(Some(last.into()), PageSize::ONE)?;
    Ok((!further.is_empty()).then(|| last.into()))
}

#[cfg(test)]
mod tests {
    use super::{ProductCursor, decode, encode_cursor};
    use crate::testing::{now, order, reference, sku};
    use allocation_domain::{OrderId, QueuePosition};
    use allocation_ports::{AllocationCursor, BackorderCursor, BatchCursor, EventCursor};
    use chrono::TimeDelta;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_keeps_microseconds() {
        let cursor = BatchCursor { added_at: now() + TimeDelta::microseconds(1), reference: reference("B \"1\"/🪑") };
        assert_eq!(decode::<BatchCursor>(&encode_cursor(&cursor).unwrap()), Some(cursor));
    }

    #[test]
    fn every_cursor_round_trips() {
        let queued = QueuePosition::new(order("O-1"), i32::MIN, now());
        let waiting = BackorderCursor { sku: sku("LAMP"), position: 1, queued };
        assert_eq!(decode(&encode_cursor(&waiting).unwrap()), Some(waiting));
        let event = EventCursor { occurred_at: now(), sku: sku("LAMP"), version: 7, ordinal: 0 };
        assert_eq!(decode(&encode_cursor(&event).unwrap()), Some(event));
        assert_eq!(decode(&encode_cursor(&order("O-1")).unwrap()), Some(order("O-1")));
        let product = ProductCursor(sku("O-1"));
        assert_eq!(decode::<OrderId>(&encode_cursor(&product).unwrap()), None, "of another list");
        assert_eq!(decode(&encode_cursor(&product).unwrap()), Some(product));
    }

    #[test]
    fn a_cursor_with_any_character_changed_is_rejected() {
        let cursor = AllocationCursor {
            sku: sku("RED-CHAIR"),
            order_id: order("O-1"),
            reference: reference("B-1"),
            priority: -7,
            placed_at: now(),
        };
        let text = encode_cursor(&cursor).unwrap();
        assert_eq!(decode(&text), Some(cursor));
        for place in 0..text.len() {
            for other in ["A", "b", "7", "_", "%", "é", ""] {
                let mut tampered = text.clone();
                tampered.replace_range(place..=place, other);
                assert!(tampered == text || decode::<AllocationCursor>(&tampered).is_none(), "{tampered}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_crashes_the_parser_of_cursors(text: String) {
            prop_assert_eq!(decode::<AllocationCursor>(&text), None);
            prop_assert_eq!(decode::<BatchCursor>(&text), None);
            prop_assert_eq!(decode::<BackorderCursor>(&text), None);
            prop_assert_eq!(decode::<EventCursor>(&text), None);
            prop_assert_eq!(decode::<OrderId>(&text), None);
            prop_assert_eq!(decode::<ProductCursor>(&text), None);
        }
    }
}

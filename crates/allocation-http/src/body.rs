//! Request bodies: received within their limits and parsed.

mod arrival;
mod items;

use arrival::collect;
pub(crate) use items::{Items, LINES, parse_item};

use crate::api::Api;
use crate::path_identifier::{PathIdentifier, PathIdentifiers};
use crate::problem::{Kind, Problem};
use crate::query::Query;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, web};
use allocation_app::NewKey;
use allocation_domain::{
    Adjustment, BatchChange, CountedUnits, GoodsReturn, NewOrder, NewShipment, NewStockCount, OrderLine,
};
use allocation_requests::{
    AddBatch, Confirmation, CountClosing, Empty, FromJson, HoldExtension, ListShipment, OrderChangeRequest, ParseError,
    PickListRequest, PickedUnits, ProductSettings, ReceiptRequest, UnitsPutBack, ValidationErrors, parse,
};
use std::sync::Arc;

const JSON: &str = "application/json";

/// The size limit of a body without lists, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The size from which a body is parsed on a blocking thread: it would delay other connections for milliseconds.
const LARGE_BYTES: usize = 256 * 1024;

/// The byte order mark that some programs put before UTF-8 text. RFC 8259 lets a parser skip it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The content of a body.
pub(crate) trait Body: FromJson + Send + 'static {
    /// The size limit in bytes: the largest valid body with every character escaped, and some space.
    const MAX_BYTES: usize = MAX_BYTES;
}

impl Body for OrderLine {}
impl Body for AddBatch {}
impl Body for NewKey {}
impl Body for BatchChange {}
impl Body for HoldExtension {}
impl Body for PickedUnits {}
impl Body for Empty {}
impl Body for Confirmation {}
impl Body for ListShipment {}
impl Body for ProductSettings {}
impl Body for ReceiptRequest {}
impl Body for UnitsPutBack {}
impl Body for CountedUnits {}
impl Body for CountClosing {}

impl Body for NewOrder {
    /// 500 SKUs of 255 characters take 1.5 MiB when each is escaped as a surrogate pair.
    const MAX_BYTES: usize = 2 * 1024 * 1024;
}

impl Body for Adjustment {
    const MAX_BYTES: usize = NewOrder::MAX_BYTES;
}

impl Body for GoodsReturn {
    const MAX_BYTES: usize = NewOrder::MAX_BYTES;
}

impl Body for NewShipment {
    /// 1,000 lists of 255 characters take 3.1 MiB when each is escaped as a surrogate pair.
    const MAX_BYTES: usize = 4 * 1024 * 1024;
}

impl Body for NewStockCount {
    /// 500 identifiers of 255 characters take 1.5 MiB when each is escaped as a surrogate pair.
    const MAX_BYTES: usize = NewOrder::MAX_BYTES;
}

impl Body for OrderChangeRequest {
    const MAX_BYTES: usize = NewOrder::MAX_BYTES;
}

impl Body for PickListRequest {
    /// Three criteria of 1,000 identifiers of 255 characters take 8.8 MiB when each is escaped as a surrogate pair.
    const MAX_BYTES: usize = 10 * 1024 * 1024;
}

/// Reads the body of a request that takes no query parameters.
pub(crate) async fn read<T: Body>(request: &HttpRequest, payload: Payload) -> Result<T, Problem> {
    let ((), body) = read_beside(Query::of(request).errors(), Some(()), request, payload).await?;
    Ok(body)
}

/// Reads a body. Its errors are reported together with the errors of the path and the query.
pub(crate) async fn read_beside<P, T: Body>(
    mut errors: ValidationErrors,
    found: Option<P>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(P, T), Problem> {
    check_media_type(request.headers(), JSON)?;
    let bytes = collect(request, payload, T::MAX_BYTES).await?;
    let body = parse_body(request, bytes, &mut errors).await?;
    Ok(errors.check(found.zip(body))?)
}

/// Reads the identifier in the second segment of the path, after the query parameters were taken, and the body. An
/// empty body is an empty object.
pub(crate) async fn read_optional_beside<I: PathIdentifier, T: Body + Default>(
    mut path: PathIdentifiers<'_>,
    parameter: &'static str,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(I, T), Problem> {
    let found = path.take(2, parameter);
    let bytes = collect(request, payload, T::MAX_BYTES).await?;
    let mut errors = path.errors();
    let mut body = Some(T::default());
    if !bytes.is_empty() {
        check_media_type(request.headers(), JSON)?;
        body = parse_body(request, bytes, &mut errors).await?;
    }
    Ok(errors.check(found.zip(body))?)
}

/// Parses a body; `None` if it has validation errors, which are added to `errors`.
async fn parse_body<T: Body>(
    request: &HttpRequest,
    bytes: Bytes,
    errors: &mut ValidationErrors,
) -> Result<Option<T>, Problem> {
    // Boxed, or the future of every request would have room for it.
    let parsed =
        if bytes.len() < LARGE_BYTES { parse_text(&bytes) } else { Box::pin(parse_large(request, bytes)).await? };
    match parsed {
        Ok(body) => Ok(Some(body)),
        Err(ParseError::Invalid(found)) => {
            errors.append(found);
            Ok(None)
        }
        Err(ParseError::Malformed(error)) => Err(malformed(&error)),
    }
}

/// Parses a body on a blocking thread.
async fn parse_large<T: Body>(request: &HttpRequest, bytes: Bytes) -> Result<Result<T, ParseError>, Problem> {
    let api = request.app_data::<Data<Api>>().ok_or_else(|| Problem::of(Kind::InternalError))?;
    let turn = api.bodies.parsing_turn().await;
    let parse = move || {
        let _turn = turn;
        parse_text(&bytes)
    };
    web::block(parse).await.map_err(|error| Problem::internal(Arc::new(error)))
}

fn malformed(error: &str) -> Problem {
    Problem::new(Kind::MalformedJson, format!("The body is not JSON: {error}"))
}

fn parse_text<T: Body>(text: &[u8]) -> Result<T, ParseError> {
    parse(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
}

/// Checks that a body comes in UTF-8 as this media type, without an encoding.
fn check_media_type(headers: &HeaderMap, expected: &str) -> Result<(), Problem> {
    // A value that is not text names neither a media type nor `identity`, like an empty one.
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_encoded = text(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    match text(CONTENT_TYPE) {
        Some(media_type) if !is_encoded && is_in_utf8(media_type, expected) => Ok(()),
        _ => Err(Problem::of(Kind::UnsupportedMediaType)),
    }
}

/// Returns whether a media type is the expected one in UTF-8.
fn is_in_utf8(media_type: &str, expected: &str) -> bool {
    if media_type == expected {
        return true;
    }
    let mut parts = media_type.split(';').map(str::trim);
    let is_expected = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(expected));
    is_expected
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests;

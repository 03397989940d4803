//! Bodies of requests: read within a limit, parsed in one pass, and when that fails read again for
//! every fault.

mod json;
mod members;
mod number;

pub(crate) use members::{Given, NoMembers, object};

use crate::fault::Faults;
use crate::identifier::PathIdentifiers;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut, Payload};
use deserr::Deserr;
use futures_util::{FutureExt, StreamExt};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long the whole of a body may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes a body may have.
const MAX_BYTES: usize = 256 * 1024;

/// What some programs put before a text in UTF-8. RFC 8259 lets a parser skip it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a body can be parsed into.
///
/// It is parsed in two ways that accept the same: by serde, straight from the bytes, and by deserr,
/// which finds all faults.
pub(crate) trait Body: DeserializeOwned + Deserr<Faults> {
    /// Other names that members may have: the other name, and the one that [`Deserr`] knows.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];

    /// What the body says.
    type Content;

    /// Checks what no member can tell by itself.
    fn content(self) -> Result<Self::Content, Faults>;
}

/// Reads and parses the body of a request that has no query.
pub(crate) async fn read<T: Body>(request: &HttpRequest, payload: Payload) -> Result<T::Content, Problem> {
    check_media_type(request.headers())?;
    let bytes = collect(request, payload).await?;
    let mut faults = Query::of(request).faults();
    let content = understand::<T>(&bytes, &mut faults)?;
    faults.check(content)
}

/// Reads and parses the body of a request beside what was found in its path.
pub(crate) async fn read_beside<T: Body, P>(
    path: PathIdentifiers<'_>,
    found: Option<P>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(P, T::Content), Problem> {
    check_media_type(request.headers())?;
    let bytes = collect(request, payload).await?;
    let mut faults = path.into_faults();
    let content = understand::<T>(&bytes, &mut faults)?;
    faults.check(found.zip(content))
}

/// Reads a body that may be left out, and says nothing, beside what was found in the path.
pub(crate) async fn read_nothing_beside<P>(
    path: PathIdentifiers<'_>,
    found: Option<P>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<P, Problem> {
    let bytes = collect(request, payload).await?;
    let mut faults = path.into_faults();
    if !bytes.is_empty() {
        check_media_type(request.headers())?;
        understand::<NoMembers>(&bytes, &mut faults)?;
    }
    faults.check(found)
}

/// Parses a body, in one pass if nothing is wrong with the request. `None` when the faults have what
/// is wrong with it.
fn understand<T: Body>(bytes: &[u8], faults: &mut Faults) -> Result<Option<T::Content>, Problem> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    match parse::<T>(bytes) {
        Some(content) => Ok(Some(content)),
        None => explain::<T>(bytes, faults),
    }
}

/// Parses a body in one pass. `None` when anything is wrong with it.
fn parse<T: Body>(bytes: &[u8]) -> Option<T::Content> {
    // Serde takes an array for a struct too.
    let object = bytes.trim_ascii_start().first() == Some(&b'{');
    let body: T = serde_json::from_slice(bytes).ok().filter(|_| object)?;
    body.content().ok()
}

/// Parses a body that has faults, to tell them all.
fn explain<T: Body>(bytes: &[u8], faults: &mut Faults) -> Result<Option<T::Content>, Problem> {
    Ok(match json::read::<T>(bytes, faults)?.map(T::content) {
        Some(Ok(content)) => Some(content),
        Some(Err(found)) => {
            faults.append(found);
            None
        }
        None => None,
    })
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let encoded = text(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    match text(CONTENT_TYPE) {
        Some(media_type) if !encoded && is_json(media_type) => Ok(()),
        _ => Err(Problem::of(Kind::UnsupportedMediaType)),
    }
}

/// Whether a content type says JSON in UTF-8.
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}

async fn collect(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    within_limit(announced.unwrap_or(0))?;
    // A small body is mostly there at once and in one piece: no timer, no copy.
    let first = match payload.next().now_or_never() {
        None => Bytes::new(),
        Some(None) => return Ok(Bytes::new()),
        Some(Some(piece)) => piece.map_err(cut_off)?,
    };
    within_limit(first.len())?;
    let mut begun = BytesMut::new();
    match payload.next().now_or_never() {
        Some(None) => return Ok(first),
        Some(Some(second)) => {
            begun.extend_from_slice(&first);
            begun.extend_from_slice(&second.map_err(cut_off)?);
        }
        None => begun.extend_from_slice(&first),
    }
    timeout(PATIENCE, collect_rest(begun, payload)).await.unwrap_or_else(|_| Err(too_slow()))
}

async fn collect_rest(mut bytes: BytesMut, mut payload: Payload) -> Result<Bytes, Problem> {
    within_limit(bytes.len())?;
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(cut_off)?;
        within_limit(bytes.len().saturating_add(piece.len()))?;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

fn too_slow() -> Problem {
    Problem::new(Kind::MalformedJson, format!("The body did not come within {} seconds", PATIENCE.as_secs()))
}

fn within_limit(bytes: usize) -> Result<(), Problem> {
    if bytes > MAX_BYTES { Err(Problem::of(Kind::BodyTooLarge)) } else { Ok(()) }
}

fn cut_off(_: actix_web::error::PayloadError) -> Problem {
    Problem::new(Kind::MalformedJson, "The body ended before it was complete")
}

#[cfg(test)]
mod tests;

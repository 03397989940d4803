//! Bodies of requests: read within a limit, parsed in one pass, and when that fails read again for
//! every fault.

mod arrival;
mod bodies;
mod json;
mod members;
mod number;

use arrival::collect;
pub(crate) use bodies::Bodies;
use bodies::Share;
pub(crate) use members::{Given, NoMembers, object};

use crate::fault::Faults;
use crate::identifier::PathIdentifiers;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, web};
use deserr::Deserr;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// How many bytes a body may have that holds no lists.
const MAX_BYTES: usize = 256 * 1024;

/// From how many bytes on a body is parsed on a thread that may block: it would keep other connections
/// waiting for milliseconds.
const LARGE_BYTES: usize = 256 * 1024;

/// What some programs put before a text in UTF-8. RFC 8259 lets a parser skip it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a body can be parsed into.
///
/// It is parsed in two ways that accept the same: by serde, straight from the bytes, and by deserr,
/// which finds all faults.
pub(crate) trait Body: DeserializeOwned + Deserr<Faults> + 'static {
    /// How many bytes a body may have: as many as the largest that is valid, with every character escaped,
    /// and some space.
    const MAX_BYTES: usize = MAX_BYTES;

    /// Other names that members may have: the other name, and the one that [`Deserr`] knows.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];

    /// What the body says.
    type Content: Send + 'static;

    /// Checks what no member can tell by itself.
    fn content(self) -> Result<Self::Content, Faults>;
}

/// Reads and parses the body of a request that has no query.
pub(crate) async fn read<T: Body>(request: &HttpRequest, payload: Payload) -> Result<T::Content, Problem> {
    check_media_type(request.headers())?;
    let bytes = collect(request, payload, T::MAX_BYTES).await?;
    let (content, faults) = understand::<T>(bytes, Query::of(request).faults()).await?;
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
    let bytes = collect(request, payload, T::MAX_BYTES).await?;
    let (content, faults) = understand::<T>(bytes, path.into_faults()).await?;
    faults.check(found.zip(content))
}

/// Reads a body that may be left out, and says nothing, beside what was found in the path.
pub(crate) async fn read_nothing_beside<P>(
    path: PathIdentifiers<'_>,
    found: Option<P>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<P, Problem> {
    let bytes = collect(request, payload, NoMembers::MAX_BYTES).await?;
    let mut faults = path.into_faults();
    if !bytes.is_empty() {
        check_media_type(request.headers())?;
        (_, faults) = understand::<NoMembers>(bytes, faults).await?;
    }
    faults.check(found)
}

/// What a body says, or what is wrong with it, with the faults found before.
type Understood<T> = Result<(Option<<T as Body>::Content>, Faults), Problem>;

/// Parses a body, in one pass if nothing is wrong with the request. `None` when the faults have what
/// is wrong with it.
async fn understand<T: Body>(bytes: Bytes, faults: Faults) -> Understood<T> {
    if bytes.len() < LARGE_BYTES {
        return understand_now::<T>(&bytes, faults);
    }
    let parsed = web::block(move || understand_now::<T>(&bytes, faults)).await;
    parsed.map_err(|error| Problem::of(Kind::InternalError).caused_by(Arc::new(error)))?
}

fn understand_now<T: Body>(bytes: &[u8], mut faults: Faults) -> Understood<T> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let content = match parse::<T>(bytes) {
        Some(content) => Some(content),
        None => explain::<T>(bytes, &mut faults)?,
    };
    Ok((content, faults))
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

#[cfg(test)]
mod tests;

//! Request bodies: read within a limit, parsed in one pass, and parsed again for all errors if that fails.

mod arrival;
mod bodies;
mod json;
mod members;
mod number;

use arrival::collect;
pub(crate) use bodies::Bodies;
use bodies::Share;
pub(crate) use json::MAX_CHILDREN;
pub(crate) use members::{Given, NoMembers, array, object};

use crate::api::Api;
use crate::identifier::PathIdentifiers;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::validation_error::ValidationErrors;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, web};
use deserr::Deserr;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The size limit of a body without lists, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The size from which a body is parsed on a blocking thread: it would delay other connections for milliseconds.
const LARGE_BYTES: usize = 256 * 1024;

/// The byte order mark that some programs put before UTF-8 text. RFC 8259 lets a parser skip it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A type that a body can be parsed into.
///
/// Two parsers accept the same input: serde, straight from the bytes, and deserr, which finds all errors.
pub(crate) trait Body: DeserializeOwned + Deserr<ValidationErrors> + 'static {
    /// The size limit in bytes: the largest valid body with every character escaped, and some space.
    const MAX_BYTES: usize = MAX_BYTES;

    /// Aliases of members: the alias, and the name that [`Deserr`] knows.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];

    /// The validated content of the body.
    type Content: Send + 'static;

    /// Validates the rules that involve several members.
    fn content(self) -> Result<Self::Content, ValidationErrors>;
}

/// Reads and parses the body of a request that takes no query parameters.
pub(crate) async fn read<T: Body>(request: &HttpRequest, payload: Payload) -> Result<T::Content, Problem> {
    check_media_type(request.headers())?;
    let bytes = collect(request, payload, T::MAX_BYTES).await?;
    let (content, errors) = understand::<T>(request, bytes, Query::of(request).errors()).await?;
    errors.check(content)
}

/// Reads and parses a body, and adds its errors to the errors of the path.
pub(crate) async fn read_beside<T: Body, P>(
    path: PathIdentifiers<'_>,
    found: Option<P>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(P, T::Content), Problem> {
    check_media_type(request.headers())?;
    let bytes = collect(request, payload, T::MAX_BYTES).await?;
    let (content, errors) = understand::<T>(request, bytes, path.into_errors()).await?;
    errors.check(found.zip(content))
}

/// Reads an optional body without members, and adds its errors to the errors of the path.
pub(crate) async fn read_nothing_beside<P>(
    path: PathIdentifiers<'_>,
    found: Option<P>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<P, Problem> {
    let bytes = collect(request, payload, NoMembers::MAX_BYTES).await?;
    let mut errors = path.into_errors();
    if !bytes.is_empty() {
        check_media_type(request.headers())?;
        (_, errors) = understand::<NoMembers>(request, bytes, errors).await?;
    }
    errors.check(found)
}

/// The content of a body, `None` if it has errors, and all errors found so far.
type Understood<T> = Result<(Option<<T as Body>::Content>, ValidationErrors), Problem>;

/// Parses a body. The content is `None` if the body has errors, which are then added.
async fn understand<T: Body>(request: &HttpRequest, bytes: Bytes, errors: ValidationErrors) -> Understood<T> {
    if bytes.len() < LARGE_BYTES {
        return understand_now::<T>(&bytes, errors);
    }
    let api = request.app_data::<Data<Api>>().ok_or_else(|| Problem::of(Kind::InternalError))?;
    let turn = api.bodies.parsing_turn().await;
    let parsed = web::block(move || {
        let _turn = turn;
        understand_now::<T>(&bytes, errors)
    })
    .await;
    parsed.map_err(|error| Problem::of(Kind::InternalError).caused_by(Arc::new(error)))?
}

fn understand_now<T: Body>(bytes: &[u8], mut errors: ValidationErrors) -> Understood<T> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let content = match parse::<T>(bytes) {
        Some(content) => Some(content),
        None => explain::<T>(bytes, &mut errors)?,
    };
    Ok((content, errors))
}

/// Parses a body in one pass; `None` if it has any error.
fn parse<T: Body>(bytes: &[u8]) -> Option<T::Content> {
    // Serde also deserializes a struct from an array.
    let object = bytes.trim_ascii_start().first() == Some(&b'{');
    let body: T = serde_json::from_slice(bytes).ok().filter(|_| object)?;
    body.content().ok()
}

/// Parses a body that has errors, to collect all of them.
fn explain<T: Body>(bytes: &[u8], errors: &mut ValidationErrors) -> Result<Option<T::Content>, Problem> {
    Ok(match json::read::<T>(bytes, errors)?.map(T::content) {
        Some(Ok(content)) => Some(content),
        Some(Err(found)) => {
            errors.append(found);
            None
        }
        None => None,
    })
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    // A value that is no text names neither JSON nor `identity`, as an empty one.
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let encoded = text(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    match text(CONTENT_TYPE) {
        Some(media_type) if !encoded && is_json(media_type) => Ok(()),
        _ => Err(Problem::of(Kind::UnsupportedMediaType)),
    }
}

/// Returns whether a media type is JSON in UTF-8.
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

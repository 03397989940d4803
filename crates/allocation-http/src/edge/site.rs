//! The origin check: `Origin` and `Sec-Fetch-Site`, which browsers send and pages cannot change.
//!
//! Other clients send neither header and are not affected.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderName, HeaderValue, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// An origin whose pages may use the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigin {
    /// Any origin.
    Any,
    /// One origin, as browsers write it: `https://shop.example`.
    Origin(String),
}

impl CorsOrigin {
    /// Parses `SCHEME://HOST`, `SCHEME://HOST:PORT`, or `*` for any origin.
    ///
    /// # Errors
    ///
    /// Returns the rule that the text violates.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be an origin such as https://shop.example, without a path, or * for any";
        if text == "*" {
            return Ok(Self::Any);
        }
        let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(RULE)?;
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]".contains(&byte);
        let valid = !authority.is_empty() && authority.bytes().all(known);
        if valid { Ok(Self::Origin(text.to_owned())) } else { Err(RULE) }
    }

    pub(super) fn allows(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::Origin(allowed) => allowed.as_bytes() == origin.as_bytes(),
        }
    }
}

/// Returns whether a request writes on behalf of a page of an origin that is neither its own nor trusted.
pub(super) fn is_foreign_write(request: &ServiceRequest, trusted: &[CorsOrigin]) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let headers = request.headers();
    let origin = headers.get(ORIGIN);
    let is_foreign = match headers.get(&SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => false,
        Some(_) => true,
        // Older browsers, and browsers that reach another machine without TLS, send only Origin.
        None => origin.is_some_and(|origin| !is_of(origin, headers.get(HOST))),
    };
    is_foreign && !origin.is_some_and(|origin| trusted.iter().any(|trusted| trusted.allows(origin)))
}

/// Returns whether an origin is the service's own. The scheme is ignored: a proxy may terminate TLS.
fn is_of(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let (Some((_, authority)), Some(host)) = (authority, host) else { return false };
    authority.as_bytes().eq_ignore_ascii_case(host.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::CorsOrigin;

    #[test]
    fn an_origin_is_a_scheme_with_a_host_and_no_more() {
        for text in ["*", "https://shop.example", "http://localhost:3000", "http://[::1]:3000"] {
            assert!(CorsOrigin::parse(text).is_ok(), "{text}");
        }
        for text in ["", "shop.example", "https://", "https://shop.example/", "https://Shop.example", "ftp://a", "null"]
        {
            assert!(CorsOrigin::parse(text).is_err(), "{text}");
        }
    }
}

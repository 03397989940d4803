//! The path under which clients behind a proxy see the service.

use crate::prefix::Prefix;
use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::header::HeaderName;

/// The prefix that a proxy removed from the path.
pub(super) const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-prefix");

pub(super) const RULE: &str = "must be a path such as /allocation, of letters, digits and -._~ in its segments";

/// The maximum length of a prefix, in bytes.
const MAX_BYTES: usize = 255;

/// The first segments of the service's own paths: a base path that begins with one would be ambiguous.
const TAKEN: [&str; 20] = [
    "adjustments",
    "allocations",
    "backorders",
    "batch",
    "counts",
    "docs",
    "events",
    "keys",
    "livez",
    "metrics",
    "openapi.json",
    "orders",
    "pick-lists",
    "problems",
    "products",
    "readyz",
    "redoc",
    "returns",
    "shipments",
    "whoami",
];

/// The path under which clients see the service; empty if there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BasePath(Prefix);

impl BasePath {
    /// Parses a path such as `/allocation`; `/` is the empty path.
    ///
    /// # Errors
    ///
    /// Returns the rule that the text violates.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path = Self::parse_prefix(text)?;
        match text.split('/').nth(1).is_some_and(|first| TAKEN.contains(&first)) {
            true => Err("must not begin as a path of the service does"),
            false => Ok(path),
        }
    }

    /// Parses the prefix that a proxy removed from a path.
    pub(super) fn parse_prefix(text: &str) -> Result<Self, &'static str> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(known);
        let valid = match path.strip_prefix('/') {
            Some(segments) => path.len() <= MAX_BYTES && segments.split('/').all(is_segment),
            None => path.is_empty() && !text.is_empty(),
        };
        if valid { Ok(Self(Prefix::new(path))) } else { Err(RULE) }
    }

    pub(super) fn prefix(&self) -> Prefix {
        self.0.clone()
    }

    /// Removes the base path from a request's path. It may be absent: some proxies remove it.
    pub(super) fn strip(&self, request: &mut ServiceRequest) {
        let Some(base) = self.0.as_deref() else { return };
        let path_and_query = request.uri().path_and_query().map_or("/", |whole| whole.as_str());
        let Some(rest) = path_and_query.strip_prefix(base) else { return };
        let rest = match rest.as_bytes().first() {
            Some(b'/') => rest.to_owned(),
            None | Some(b'?') => format!("/{rest}"),
            _ => return,
        };
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = rest.parse().ok();
        let Ok(uri) = Uri::from_parts(parts) else { return };
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

#[cfg(test)]
mod tests {
    use super::{BasePath, TAKEN};
    use std::collections::BTreeSet;

    #[test]
    fn a_base_path_is_a_path_of_plain_segments() {
        for (text, prefix) in [("/", ""), ("/allocation", "/allocation"), ("/a/b-1/", "/a/b-1"), ("/~x._", "/~x._")] {
            assert_eq!(BasePath::parse(text).unwrap().prefix().to_string(), prefix, "{text}");
        }
        let long = format!("/{}", "a".repeat(255));
        for text in
            ["", "allocation", "//a", "/a//b", "/a//", "/..", "/a/./b", "/a b", "/a%20", "/ä", "/a?b", "/a\"", &long]
        {
            assert!(BasePath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_base_path_does_not_shadow_a_path_of_the_service() {
        let paths = crate::openapi().paths.paths;
        let mut first: BTreeSet<_> = paths.keys().map(|path| path.split('/').nth(1).unwrap().to_owned()).collect();
        first.extend(["docs", "redoc", "openapi.json"].map(str::to_owned));
        assert_eq!(first, TAKEN.map(str::to_owned).into());
        for segment in TAKEN {
            assert!(BasePath::parse(&format!("/{segment}/x")).is_err(), "{segment}");
            assert!(BasePath::parse(&format!("/{segment}-x")).is_ok(), "{segment}");
        }
    }
}

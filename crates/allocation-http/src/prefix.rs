//! The path prefix that clients behind a proxy see.

use actix_web::http::header::{HeaderMap, HeaderValue, LINK, LOCATION};
use actix_web::{HttpMessage, HttpRequest};
use std::fmt;
use std::sync::Arc;

/// The prefix of the paths in a response; usually empty, which costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Prefix(Option<Arc<str>>);

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or_default())
    }
}

impl Prefix {
    /// Creates the prefix of a path without a slash at its end.
    pub(crate) fn new(path: &str) -> Self {
        Self(Some(path).filter(|path| !path.is_empty()).map(Arc::from))
    }

    /// Returns the prefix that the client of a request sees.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    /// Returns the prefix; `None` if it is empty.
    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds the prefix to the paths in headers.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, opening) in [(LOCATION, ""), (LINK, "<")] {
            let value = headers.get(&name).and_then(|value| value.to_str().ok()?.strip_prefix(opening));
            let Some(path) = value.filter(|value| value.starts_with('/')) else { continue };
            if let Ok(value) = HeaderValue::from_str(&format!("{opening}{self}{path}")) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Prefix;
    use actix_web::http::header::{HeaderMap, HeaderValue, LINK, LOCATION};

    #[test]
    fn paths_in_headers_get_the_prefix_and_urls_do_not() {
        let added = |location: &'static str, link: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_static(location));
            headers.insert(LINK, HeaderValue::from_static(link));
            Prefix::new("/a").add_to(&mut headers);
            [LOCATION, LINK].map(|name| headers.get(name).unwrap().to_str().unwrap().to_owned())
        };
        assert_eq!(
            added("/batch/B-1", "</batch?after=x>; rel=\"next\""),
            ["/a/batch/B-1", "</a/batch?after=x>; rel=\"next\""]
        );
        assert_eq!(added("https://x/", "<https://x/>"), ["https://x/", "<https://x/>"]);
    }
}

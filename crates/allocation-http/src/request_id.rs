//! Request ids.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Builder;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The maximum length of a client's request id.
const MAX_LENGTH: usize = 128;

/// The id of a request: sent by the client, or generated.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Returns the client's id if it is valid, or a new one.
    pub(crate) fn choose(request: &ServiceRequest) -> Self {
        Self::given(request).unwrap_or_else(Self::new)
    }

    #[expect(clippy::expect_used, reason = "an id is taken only if it is a text, or is a UUID")]
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("ids are texts")
    }

    /// Generates a version 7 UUID. It must be unique, not secret: cheap random bits suffice, even if the
    /// clock is wrong.
    #[expect(clippy::expect_used, reason = "a UUID has no character that a header refuses")]
    pub(crate) fn new() -> Self {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        let uuid = Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &random);
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = uuid.into_uuid().hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).expect("a UUID is a header"))
    }

    /// Returns the client's id if it is valid.
    fn given(request: &ServiceRequest) -> Option<Self> {
        let value = request.headers().get(&HEADER)?;
        let bytes = value.as_bytes();
        let valid = (1..=MAX_LENGTH).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        valid.then(|| Self(value.clone()))
    }

    /// Adds the id to the headers of the response.
    pub(crate) fn add_to(self, headers: &mut HeaderMap) {
        headers.insert(HEADER, self.0);
    }
}

#[cfg(test)]
mod tests;

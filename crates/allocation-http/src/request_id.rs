//! Request ids.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Builder;
use uuid::fmt::Hyphenated;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The maximum length of a client's request id.
const MAX_LENGTH: usize = 128;

/// The id of a request: sent by the client, or generated.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(Text);

#[derive(Debug, Clone)]
enum Text {
    Sent(HeaderValue),
    /// A UUID; copying it takes no memory of its own.
    Generated([u8; Hyphenated::LENGTH]),
}

impl RequestId {
    /// Returns the client's id if it is valid, or a new one.
    pub(crate) fn choose(request: &ServiceRequest) -> Self {
        Self::given(request).unwrap_or_else(Self::new)
    }

    #[expect(clippy::expect_used, reason = "an id is taken only if it is a text, or is a UUID")]
    pub(crate) fn as_str(&self) -> &str {
        let bytes = match &self.0 {
            Text::Sent(value) => value.as_bytes(),
            Text::Generated(bytes) => bytes,
        };
        str::from_utf8(bytes).expect("ids are texts")
    }

    /// Generates a version 7 UUID. It must be unique, not secret: cheap random bits suffice, even if the
    /// clock is wrong.
    pub(crate) fn new() -> Self {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        let uuid = Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &random);
        let mut text = [0; Hyphenated::LENGTH];
        uuid.into_uuid().hyphenated().encode_lower(&mut text);
        Self(Text::Generated(text))
    }

    /// Returns the client's id if it is valid.
    fn given(request: &ServiceRequest) -> Option<Self> {
        let value = request.headers().get(&HEADER)?;
        let bytes = value.as_bytes();
        let valid = (1..=MAX_LENGTH).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        valid.then(|| Self(Text::Sent(value.clone())))
    }

    /// Adds the id to the headers of the response.
    #[expect(clippy::expect_used, reason = "a UUID has no character that a header refuses")]
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        let value = match &self.0 {
            Text::Sent(value) => value.clone(),
            Text::Generated(bytes) => HeaderValue::from_bytes(bytes).expect("a UUID is a header"),
        };
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests;

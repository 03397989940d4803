//! The rate of a key in headers: `RateLimit-Policy` and `RateLimit`, as the IETF's draft 10 defines them.

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use allocation_access::{Quota, RateLimited};
use std::time::Duration;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds what is left of the rate to a response.
pub(crate) fn describe(headers: &mut HeaderMap, quota: &Quota) {
    let policy = format!(r#""key";q={};w={}"#, quota.rate.requests(), quota.rate.seconds());
    let left = format!(r#""key";r={};t={}"#, quota.remaining, seconds(quota.reset));
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, left)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// Adds what is left of the rate to a response that is being built.
pub(crate) fn describe_in(response: &mut HttpResponseBuilder, quota: &Quota) {
    let mut headers = HeaderMap::new();
    describe(&mut headers, quota);
    for header in headers {
        response.insert_header(header);
    }
}

/// Adds to a refusal when to retry.
pub(crate) fn refuse(response: &mut HttpResponseBuilder, limited: &RateLimited) {
    describe_in(response, &limited.quota);
    response.insert_header((RETRY_AFTER, HeaderValue::from(seconds(limited.retry_after))));
}

/// Returns whole seconds, rounded up: a retry before that would come too early.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

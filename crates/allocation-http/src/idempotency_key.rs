//! The keys of requests that a client may send again long afterwards.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use allocation_ports::CausationId;
use allocation_requests::ValidationError;

/// The header of draft-ietf-httpapi-idempotency-key-header.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Returns the key of a request, `None` if it has none or an invalid one.
pub(crate) fn of(request: &HttpRequest) -> Option<CausationId> {
    parse(request).ok().flatten()
}

/// Returns the key of a request, `None` if it has none.
///
/// # Errors
///
/// Returns an error if the key is invalid, or there is more than one.
pub(crate) fn parse(request: &HttpRequest) -> Result<Option<CausationId>, ValidationError> {
    let mut given = request.headers().get_all(&IDEMPOTENCY_KEY);
    let Some(value) = given.next() else { return Ok(None) };
    let key = value.to_str().ok().map(unquoted).and_then(CausationId::parse);
    let rule = "must be given once, with 1 to 255 visible characters of ASCII";
    match (key, given.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(ValidationError::in_parameter("Idempotency-Key", rule)),
    }
}

/// The draft puts the key in quotation marks, and many clients do not.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{of, parse};
    use actix_web::test::TestRequest;
    use allocation_ports::CausationId;

    fn keyed(values: &[&str]) -> TestRequest {
        values.iter().fold(TestRequest::default(), |request, value| request.append_header(("idempotency-key", *value)))
    }

    #[test]
    fn a_key_has_quotation_marks_or_not() {
        let key = |values: &[&str]| of(&keyed(values).to_http_request());
        assert_eq!(key(&["\"8e03978e-40d5\""]), CausationId::parse("8e03978e-40d5"));
        assert_eq!(key(&["8e03978e-40d5"]), CausationId::parse("8e03978e-40d5"));
        assert_eq!(key(&[]), None);
    }

    #[test]
    fn a_key_is_given_once_and_is_short() {
        let long = "x".repeat(256);
        for values in [&[""][..], &["\"\""], &["a", "b"], &[&long]] {
            let request = keyed(values).to_http_request();
            assert!(parse(&request).is_err(), "{values:?}");
            assert_eq!(of(&request), None);
        }
    }
}

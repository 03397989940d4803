use super::{CorsOrigin, EdgeSettings};
use actix_cors::Cors;
use actix_web::http::header;

/// The seconds for which a browser may cache a preflight response.
const MAX_AGE: usize = 3_600;

/// Returns the CORS middleware, which lets pages of other origins read responses.
pub(crate) fn cors(settings: &EdgeSettings) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "last-event-id",
        ])
        .allowed_headers(["traceparent", "x-request-id"])
        .expose_headers([header::ETAG, header::LINK, header::LOCATION, header::RETRY_AFTER])
        .expose_headers([header::WWW_AUTHENTICATE])
        .expose_headers(["ratelimit", "ratelimit-policy", "x-request-id"])
        .max_age(MAX_AGE);
    settings.cors_origins.iter().fold(cors, |cors, origin| match origin {
        CorsOrigin::Any => cors.allow_any_origin().send_wildcard(),
        CorsOrigin::Origin(origin) => cors.allowed_origin(origin),
    })
}

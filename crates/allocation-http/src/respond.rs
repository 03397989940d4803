//! Successful responses.

use crate::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use std::sync::Arc;

/// The initial buffer size, in bytes; most responses fit in it.
const USUAL_BYTES: usize = 256;

/// Returns a response with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    Ok(builder(status).body(bytes(body)?))
}

/// Returns a builder of a response with a JSON body.
pub(crate) fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    response
}

/// Serializes a JSON body.
pub(crate) fn bytes(body: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    serde_json::to_writer(&mut bytes, body).map_err(|error| Problem::internal(Arc::new(error)))?;
    Ok(bytes)
}

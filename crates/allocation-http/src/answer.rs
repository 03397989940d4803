//! Answers of a request that was carried out.

use crate::problem::{Kind, Problem};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use std::sync::Arc;

/// What most answers fit in.
const USUAL_BYTES: usize = 256;

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    Ok(builder(status).body(bytes(body)?))
}

/// An answer to be given a JSON body.
pub(crate) fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    response
}

/// The bytes of a JSON body.
pub(crate) fn bytes(body: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    serde_json::to_writer(&mut bytes, body)
        .map_err(|error| Problem::of(Kind::InternalError).caused_by(Arc::new(error)))?;
    Ok(bytes)
}

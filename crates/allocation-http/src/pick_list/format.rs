//! The format of a pick list in a response.

use super::csv::Reader;
use crate::accept;
use crate::choice::choice_schema;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use actix_web::HttpRequest;
use allocation_requests::ValidationError;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const HTML: &str = "text/html";

/// The format of a pick list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv(Reader),
    Html,
}

choice_schema! {
    /// The format of a pick list: `application/json`, `text/csv`, or a printable page, `text/html`.
    FormatSchema as "PickListFormat": ["json", "csv", "html"]
}

/// The format that the query requests; it takes precedence over `Accept`.
pub(super) struct Params {
    media_type: Option<&'static str>,
    raw: bool,
}

impl Params {
    /// Takes `format` and `raw` from a query.
    pub(super) fn take(query: &mut Query) -> Self {
        let media_type = query.take("format", parse_format);
        Self { media_type, raw: query.take("raw", parse_flag).unwrap_or_default() }
    }

    /// Chooses the format. `raw` is valid only for CSV.
    pub(super) fn choose(&self, request: &HttpRequest) -> Result<Format, Problem> {
        let media_type = match self.media_type {
            Some(media_type) => media_type,
            None => accept::choose(request, &[JSON, CSV, HTML]).ok_or_else(not_acceptable)?,
        };
        match media_type {
            CSV if self.raw => Ok(Format::Csv(Reader::Program)),
            CSV => Ok(Format::Csv(Reader::Spreadsheet)),
            _ if self.raw => Err(ValidationError::in_parameter("raw", "is only for format=csv").into()),
            HTML => Ok(Format::Html),
            _ => Ok(Format::Json),
        }
    }
}

fn not_acceptable() -> Problem {
    Problem::new(Kind::NotAcceptable, format!("A pick list is available as {JSON}, {CSV} or {HTML}"))
}

fn parse_format(text: &str) -> Result<&'static str, &'static str> {
    match text {
        "json" => Ok(JSON),
        "csv" => Ok(CSV),
        "html" => Ok(HTML),
        _ => Err("must be one of json, csv, html"),
    }
}

fn parse_flag(text: &str) -> Result<bool, &'static str> {
    text.parse().map_err(|_| "must be true or false")
}

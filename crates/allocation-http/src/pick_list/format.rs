//! In which of its formats a pick list is shown.

use super::csv::Reader;
use crate::accept;
use crate::fault::{Fault, Faults};
use crate::problem::{Kind, Problem};
use crate::query::Query;
use actix_web::http::header::HeaderMap;
use utoipa::ToSchema;

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const HTML: &str = "text/html";

/// How a pick list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv(Reader),
    Html,
}

/// A format of pick lists.
#[derive(ToSchema)]
#[schema(as = PickListFormat, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum FormatSchema {
    /// `application/json`.
    Json,
    /// Comma-separated values, `text/csv`.
    Csv,
    /// A page to print, `text/html`.
    Html,
}

/// What the query asks for, rather than the header `Accept`.
pub(super) struct Asked {
    media_type: Option<&'static str>,
    raw: bool,
}

impl Asked {
    /// Takes `format` and `raw` from a query.
    pub(super) fn take(query: &mut Query) -> Self {
        let media_type = query.take("format", parse_format);
        Self { media_type, raw: query.take("raw", parse_flag).unwrap_or_default() }
    }

    /// The format to show a list in. `raw` is only for comma-separated values.
    pub(super) fn choose(&self, headers: &HeaderMap) -> Result<Format, Problem> {
        let media_type = match self.media_type {
            Some(media_type) => media_type,
            None => accept::choose(headers, &[JSON, CSV, HTML]).ok_or_else(not_acceptable)?,
        };
        match media_type {
            CSV if self.raw => Ok(Format::Csv(Reader::Program)),
            CSV => Ok(Format::Csv(Reader::Spreadsheet)),
            _ if self.raw => Err(Faults::from(Fault::of("raw", "is only for format=csv")).into()),
            HTML => Ok(Format::Html),
            _ => Ok(Format::Json),
        }
    }
}

fn not_acceptable() -> Problem {
    Problem::new(Kind::NotAcceptable, format!("A pick list is shown as {JSON}, {CSV} or {HTML}"))
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

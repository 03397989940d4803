//! Settings of traces.

use clap::Args;
use std::path::PathBuf;
use ureq::http::Uri;

/// Where spans go.
#[derive(Debug, Clone, Args)]
pub(crate) struct TraceArgs {
    /// Send spans to this collector: its base URL for OTLP over HTTP
    #[arg(
        long = "otlp-endpoint",
        global = true,
        env = "ALLOCATION_OTLP_ENDPOINT",
        value_name = "URL",
        value_parser = parse_endpoint
    )]
    pub(crate) otlp_endpoint: Option<String>,

    /// A PEM file with the authorities that sign the certificate of the collector [default: those of the system]
    #[arg(
        long = "otlp-ca",
        global = true,
        env = "ALLOCATION_OTLP_CA",
        value_name = "FILE",
        requires = "otlp_endpoint"
    )]
    pub(crate) otlp_ca: Option<PathBuf>,

    /// The share of requests and commands without a traceparent that are traced, from 0 to 1
    #[arg(
        long = "trace-ratio",
        global = true,
        env = "ALLOCATION_TRACE_RATIO",
        value_name = "RATIO",
        default_value = "1",
        value_parser = parse_ratio
    )]
    pub(crate) trace_ratio: f64,
}

/// Parses the base URL of a collector. Plain HTTP is usual within a network: spans contain no secret.
fn parse_endpoint(text: &str) -> Result<String, &'static str> {
    let uri = text.parse::<Uri>().ok();
    let is_http = |uri: Uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    };
    let rule = "must be a URL such as http://collector:4318, without user and query";
    if uri.is_some_and(is_http) && !text.contains(['?', '#', '@']) { Ok(text.to_owned()) } else { Err(rule) }
}

fn parse_ratio(text: &str) -> Result<f64, &'static str> {
    let ratio = text.parse::<f64>().ok();
    ratio.filter(|ratio| (0.0..=1.0).contains(ratio)).ok_or("must be a number from 0 to 1")
}

#[cfg(test)]
mod tests {
    use super::{parse_endpoint, parse_ratio};

    #[test]
    fn an_endpoint_is_an_http_url_without_user_and_query() {
        for text in ["http://collector:4318", "https://otlp.example/prefix/", "http://[::1]:4318"] {
            assert_eq!(parse_endpoint(text).as_deref(), Ok(text));
        }
        for text in
            ["", "collector:4318", "http://", "grpc://collector:4317", "http://u:p@collector", "http://collector?a"]
        {
            assert!(parse_endpoint(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_ratio_is_a_share() {
        for (text, ratio) in [("0", 0.0), ("0.25", 0.25), ("1", 1.0)] {
            assert_eq!(parse_ratio(text), Ok(ratio));
        }
        for text in ["", "-0.1", "1.01", "NaN", "inf", "all"] {
            assert!(parse_ratio(text).is_err(), "{text}");
        }
    }
}

//! The log: lines to standard error, which never block the process.

mod panics;
mod writer;

use crate::config::LogFormat;
use anyhow::Context;
pub(crate) use panics::log_panics;
use std::env::VarError;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
pub(crate) use writer::LogWriter;

/// The default of `RUST_LOG`. actix logs its starts, stops and port scans, and lapin logs whole messages;
/// the service logs its own events instead.
const DEFAULT_LEVELS: &str = "info,actix_server=warn,actix_http=off,lapin=off";

/// Sends the log to a writer, filtered by `RUST_LOG`.
pub(crate) fn start(format: LogFormat, writer: &LogWriter) -> anyhow::Result<()> {
    let levels = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Err(VarError::NotPresent) => DEFAULT_LEVELS.to_owned(),
        levels => levels.context("RUST_LOG is not Unicode")?,
    };
    let filter = EnvFilter::try_new(levels)
        .context("RUST_LOG cannot be read; write a level such as info, or target=level pairs")?;
    // Internal errors would bypass the writer, and could block.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.clone()).log_internal_errors(false);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

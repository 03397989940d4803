//! The log: lines to standard error, which never block the process.

mod panics;
mod writer;

use crate::config::{self, LogFormat};
use anyhow::Context;
pub(crate) use panics::log_panics;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
pub(crate) use writer::LogWriter;

/// Returns the filter by levels.
///
/// # Errors
///
/// Returns an error if `RUST_LOG` cannot be read.
pub(crate) fn filter() -> anyhow::Result<EnvFilter> {
    let levels = config::given_levels()?.unwrap_or_else(|| config::DEFAULT_LEVELS.to_owned());
    EnvFilter::try_new(levels).context("RUST_LOG cannot be read; write a level such as info, or target=level pairs")
}

/// Sends the log to a writer, filtered by `RUST_LOG`.
pub(crate) fn start(format: LogFormat, writer: &LogWriter) -> anyhow::Result<()> {
    let filter = filter()?;
    // Internal errors would bypass the writer, and could block.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.clone()).log_internal_errors(false);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

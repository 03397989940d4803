//! The log: lines to standard error, none of which is ever waited for.

mod panics;
mod writer;

use crate::config::LogFormat;
use anyhow::Context;
pub(crate) use panics::log_panics;
use std::env::VarError;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
pub(crate) use writer::LogWriter;

/// What is logged unless `RUST_LOG` says otherwise: actix tells of every start and stop of its own,
/// and takes every scan of a port for an error; lapin writes whole messages, of which we tell ourselves.
const DEFAULT_LEVELS: &str = "info,actix_server=warn,actix_http=off,lapin=off";

/// Sends the log to a writer, as much of it as `RUST_LOG` says.
pub(crate) fn start(format: LogFormat, writer: &LogWriter) -> anyhow::Result<()> {
    let levels = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Err(VarError::NotPresent) => DEFAULT_LEVELS.to_owned(),
        levels => levels.context("RUST_LOG is not Unicode")?,
    };
    let filter = EnvFilter::try_new(levels)
        .context("RUST_LOG cannot be read; write a level such as info, or target=level pairs")?;
    // What goes wrong while logging would go past the writer, and could wait.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.clone()).log_internal_errors(false);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

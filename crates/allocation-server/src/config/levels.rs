//! The levels of the log.

use anyhow::Context;
use std::env::VarError;

/// The variable that sets the levels.
pub(super) const RUST_LOG: &str = "RUST_LOG";

/// The default of `RUST_LOG`. actix logs its starts, stops and port scans, and lapin logs whole messages;
/// the service logs its own events instead.
pub(crate) const DEFAULT_LEVELS: &str = "info,actix_server=warn,actix_http=off,lapin=off";

/// Returns the levels that `RUST_LOG` sets. An empty variable sets none.
///
/// # Errors
///
/// Returns an error if they are not Unicode.
pub(crate) fn given_levels() -> anyhow::Result<Option<String>> {
    match std::env::var(RUST_LOG) {
        Err(VarError::NotPresent) => Ok(None),
        levels => Ok(Some(levels.context("RUST_LOG is not Unicode")?).filter(|levels| !levels.is_empty())),
    }
}

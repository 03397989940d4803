//! The build of the program.

/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that the program was built from, or `unknown`.
pub(crate) const COMMIT: &str = env!("ALLOCATION_COMMIT");

/// The version and the commit, as `--version` prints them.
pub(crate) const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("ALLOCATION_COMMIT"), ")");

//! Connection limits that leave file descriptors for everything else.

use crate::config::Settings;
use allocation_http::ConnectionLimits;

/// The descriptors reserved for neither clients nor the database: listener, log, threads' event queues, broker.
const OTHER_DESCRIPTORS: u64 = 64;

/// The descriptors of a database connection at most: SQLite has its file, the write-ahead log, its index
/// and a temporary file.
const DESCRIPTORS_OF_CONNECTION: u64 = 4;

/// Returns the limits of a process with this many database connections, after raising its descriptor limit.
pub(crate) fn limits(settings: &Settings, database_connections: u32) -> ConnectionLimits {
    let (configured, per_address) = (settings.edge.max_connections, settings.edge.max_connections_per_address);
    let reserved = OTHER_DESCRIPTORS + DESCRIPTORS_OF_CONNECTION * u64::from(database_connections);
    let total = within(u64::from(configured), raise_descriptor_limit(), reserved);
    if total < u64::from(configured) {
        tracing::warn!(
            connections = total,
            configured,
            "fewer connections are served than configured: descriptors are limited"
        );
    }
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    let per_address = usize::try_from(per_address).unwrap_or(usize::MAX).min(total);
    ConnectionLimits { total, per_address }
}

/// Returns the number of connections that the unreserved descriptors allow: at most `configured`, at least one.
fn within(configured: u64, descriptors: Option<u64>, reserved: u64) -> u64 {
    descriptors.map_or(configured, |descriptors| configured.min(descriptors.saturating_sub(reserved))).max(1)
}

/// Raises the descriptor limit to its maximum and returns it; `None` if it is unlimited or unknown.
#[cfg(unix)]
fn raise_descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of descriptors cannot be raised");
            limit.current
        }
    }
}

#[cfg(not(unix))]
const fn raise_descriptor_limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn file_descriptors_are_left_for_other_uses() {
        assert_eq!(within(4_096, Some(1_048_576), 100), 4_096);
        assert_eq!(within(4_096, Some(1_024), 100), 924);
        assert_eq!(within(4_096, Some(50), 100), 1);
        assert_eq!(within(4_096, None, 100), 4_096);
    }
}

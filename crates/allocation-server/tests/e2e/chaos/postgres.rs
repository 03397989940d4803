//! A PostgreSQL server that is killed.

use std::process::Command;

/// Kills the server with SIGKILL, and starts it again: it recovers from its log.
pub(super) fn kill_and_start(helper: &str) {
    for action in ["kill", "start"] {
        let status = Command::new(helper).arg(action).status().unwrap();
        assert!(status.success(), "{helper} {action}: {status}");
    }
}

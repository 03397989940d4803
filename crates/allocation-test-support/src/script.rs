//! Functions of `scripts/lib`.

use std::process::{Command, Stdio};

/// Calls functions of the scripts for PostgreSQL and PgBouncer, and returns what they print.
pub(crate) fn call(calls: &str) -> String {
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/lib");
    let load = format!("set -euo pipefail; . '{library}/postgres.sh'; . '{library}/pgbouncer.sh'");
    let run = format!("{load}; postgres_find_or_install; {calls}");
    let output = Command::new("bash").args(["-c", &run]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{calls}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Creates a folder that a server of another user can enter.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("allocation-server-").tempdir().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    }
    folder
}

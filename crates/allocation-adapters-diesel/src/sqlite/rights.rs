//! What the process may do with a file.

use allocation_ports::Access;
use std::path::{Path, PathBuf};

/// Returns what the process may not do with the file of a database and its folder, each as a sentence.
pub(crate) fn missing_rights(path: &Path, access: Access) -> Vec<String> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    if !folder.is_dir() {
        return vec![format!("the folder {} does not exist: create it", folder.display())];
    }
    let mut missing = Vec::new();
    if !may_write(&folder) {
        let why = "SQLite keeps its write-ahead log there";
        missing.push(format!("the folder {} may not be written: {why}", folder.display()));
    }
    if access == Access::ReadWrite && path.exists() && !may_write(path) {
        missing.push(format!("the file {} may not be written: change its owner or mode", path.display()));
    }
    missing
}

#[cfg(unix)]
fn may_write(path: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};
    access(path, AccessFlags::W_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_dir() || !metadata.permissions().readonly())
}

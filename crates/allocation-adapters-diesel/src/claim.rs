//! A claim on a file name, so that one process at a time writes the file.

use crate::BackupError;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Keeps other processes from claiming a name until it is dropped. The lock file beside the name is then removed.
pub(crate) struct Claim {
    path: PathBuf,
    _locked: File,
}

impl Claim {
    /// Claims the name of a file.
    ///
    /// # Errors
    ///
    /// Returns [`BackupError::Claimed`] if another process has claimed it, and [`BackupError::File`] if the lock file
    /// cannot be made.
    pub(crate) fn of(name: &Path) -> Result<Self, BackupError> {
        let mut path = OsString::from(name);
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        match file.try_lock() {
            // The process that had the claim may have removed the file that was opened here.
            Ok(()) if is_at(&file, &path)? => Ok(Self { path, _locked: file }),
            Ok(()) | Err(TryLockError::WouldBlock) => Err(BackupError::Claimed(name.to_owned())),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A file that stays is locked again by the next claim.
        drop(fs::remove_file(&self.path));
    }
}

/// Returns whether a path leads to an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns whether a path leads to an open file. Elsewhere, a file that is open is not replaced.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_claimed_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("backup.db");
        let claim = Claim::of(&name).unwrap();
        assert!(matches!(Claim::of(&name), Err(BackupError::Claimed(_))));
        drop(claim);
        drop(Claim::of(&name).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
